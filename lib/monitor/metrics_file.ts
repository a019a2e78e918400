/**
 * The file that node_exporter's textfile collector reads. Nothing listens: who may read the file
 * reads the metrics. A reader sees a whole file, the old or the new one.
 */
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { freshMetricsFile } from "../config/permissions.ts";

/** Everybody may read, as node_exporter is another user. */
const MODE = 0o644;

/** Writes the metrics of a monitor into one file. */
export class MetricsFile {
  readonly path: string;
  readonly #log: Log;
  /** What the log was told last; null: the file could be written. */
  #told: string | null = null;
  #writing = Promise.resolve();

  constructor(path: string, log: Log) {
    this.path = path;
    this.#log = log;
  }

  /**
   * Puts `text` into place when what came before is there. Never throws: the log is told once of
   * each kind of failure.
   */
  write(text: string): Promise<void> {
    return this.#writing = this.#writing.then(() => this.#replace(text)).then(
      () => this.#tell(null),
      (error) => this.#tell(messageOf(error)),
    );
  }

  /** Removes the file when what came before is in place. Never throws: the log is told of a failure. */
  async remove(): Promise<void> {
    await this.#writing;
    await Deno.remove(this.path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return;
      this.#log.warn(`Cannot remove the metrics of before, ${this.path}: ${messageOf(error)}`);
    });
  }

  async #replace(text: string): Promise<void> {
    const fresh = freshMetricsFile(this.path);
    // What a crash left there, or somebody else put there, is not written into.
    await Deno.remove(fresh).catch(() => {});
    await Deno.writeTextFile(fresh, text, { createNew: true });
    await Deno.chmod(fresh, MODE);
    await Deno.rename(fresh, this.path);
  }

  #tell(failure: string | null): void {
    if (failure !== null && failure !== this.#told) {
      this.#log.warn(`Cannot write the metrics to ${this.path}: ${failure}`);
    }
    if (failure === null && this.#told !== null) {
      this.#log.info(`the metrics are written to ${this.path} again`);
    }
    this.#told = failure;
  }
}
