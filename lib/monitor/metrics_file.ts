/**
 * The file that node_exporter's textfile collector reads. No socket listens: the file's permissions
 * say who reads the metrics. A reader sees a whole file, the old or the new one.
 */
import { directoryOf, lookAt } from "../core/file_identity.ts";
import { denial } from "../core/denial.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { grant, READ, SEARCH, WRITE } from "../core/read_denial.ts";
import { freshMetricsFile } from "../config/permissions.ts";

/** Everybody may read: node_exporter runs as another user. */
const MODE = 0o644;

/** Part of the error for a directory that a unit lets nobody change (EROFS). */
const READ_ONLY = "(os error 30)";

/** Writes the metrics of a monitor into one file. */
export class MetricsFile {
  readonly path: string;
  readonly #log: Log;
  #error: string | null = null;
  #writing = Promise.resolve();
  /** Text of the write that waits for earlier ones; null: none waits. */
  #next: string | null = null;

  constructor(path: string, log: Log) {
    this.path = path;
    this.#log = log;
  }

  /** Why the last write failed, as a sentence; null: it succeeded. */
  get error(): string | null {
    return this.#error;
  }

  /**
   * Replaces the file after all earlier writes. One that still waits is left out: on a disk that hangs
   * they would gather. Never throws: logs each kind of failure once.
   */
  write(text: string): Promise<void> {
    const isWaiting = this.#next !== null;
    this.#next = text;
    if (isWaiting) return this.#writing;
    return this.#writing = this.#writing.then(() => this.#writeNext()).then(
      () => this.#note(null),
      (error) => this.#note(`Cannot write the metrics to ${this.path}: ${this.#whyNot(error)}`),
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

  #writeNext(): Promise<void> {
    const text = this.#next!;
    this.#next = null;
    return this.#replace(text);
  }

  async #replace(text: string): Promise<void> {
    const fresh = freshMetricsFile(this.path);
    // Never write into an existing file: a crash or another user may have left it.
    await Deno.remove(fresh).catch(() => {});
    await Deno.writeTextFile(fresh, text, { createNew: true });
    await Deno.chmod(fresh, MODE);
    await Deno.rename(fresh, this.path);
  }

  #whyNot(error: unknown): string {
    const directory = directoryOf(this.path);
    if (error instanceof Deno.errors.NotFound) return `there is no directory ${directory}`;
    if (messageOf(error).includes(READ_ONLY)) {
      return `its unit forbids it to write in ${directory}: docs/metrics.md has the drop-in`;
    }
    if (!(error instanceof Deno.errors.PermissionDenied)) return messageOf(error);
    const wanted = READ | WRITE | SEARCH;
    return denial(
      `write in ${directory}`,
      (user) =>
        `let it ${grant(user, { path: directory, wanted, info: lookAt(directory) }, { group: user })}`,
    );
  }

  #note(error: string | null): void {
    if (error !== null && error !== this.#error) this.#log.warn(error);
    if (error === null && this.#error !== null) {
      this.#log.info(`the metrics are written to ${this.path} again`);
    }
    this.#error = error;
  }
}
