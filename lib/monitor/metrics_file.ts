/**
 * The file that node_exporter's textfile collector reads. No socket listens: the file's permissions
 * say who reads the metrics. A reader sees a whole file, the old or the new one.
 */
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { freshMetricsFile } from "../config/permissions.ts";

/** Everybody may read: node_exporter runs as another user. */
const MODE = 0o644;

/** Writes the metrics of a monitor into one file. */
export class MetricsFile {
  readonly path: string;
  readonly #log: Log;
  /** The failure that was logged last; null: the last write succeeded. */
  #complaint: string | null = null;
  #writing = Promise.resolve();

  constructor(path: string, log: Log) {
    this.path = path;
    this.#log = log;
  }

  /**
   * Replaces the file by `text` after all earlier writes. Never throws: logs each kind of failure
   * once.
   */
  write(text: string): Promise<void> {
    return this.#writing = this.#writing.then(() => this.#replace(text)).then(
      () => this.#complain(null),
      (error) => this.#complain(messageOf(error)),
    );
  }

  /** Removes the file after all earlier writes. Never throws: logs a failure. */
  async remove(): Promise<void> {
    await this.#writing;
    await Deno.remove(this.path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return;
      this.#log.warn(`Cannot remove the metrics of before, ${this.path}: ${messageOf(error)}`);
    });
  }

  async #replace(text: string): Promise<void> {
    const fresh = freshMetricsFile(this.path);
    // Never write into an existing file: a crash or another user may have left it.
    await Deno.remove(fresh).catch(() => {});
    await Deno.writeTextFile(fresh, text, { createNew: true });
    await Deno.chmod(fresh, MODE);
    await Deno.rename(fresh, this.path);
  }

  #complain(failure: string | null): void {
    if (failure !== null && failure !== this.#complaint) {
      this.#log.warn(`Cannot write the metrics to ${this.path}: ${failure}`);
    }
    if (failure === null && this.#complaint !== null) {
      this.#log.info(`the metrics are written to ${this.path} again`);
    }
    this.#complaint = failure;
  }
}
