import { Bell } from "../core/async.ts";
import { DAY, MILLISECOND } from "../core/time.ts";

/** Number of batches after which the disk gets them; those of a flood write about 50 KB each. */
const BATCHES = 32;

/**
 * Has the disk write what the state was given, on another thread, while the monitor goes on. After
 * each 16 MiB SQLite copies its log into the database, and first waits until the disk has the log:
 * without a settler for 40 ms and more, in which no line is read.
 */
export class Settler {
  readonly #state: { settle(): Promise<void> };
  readonly #due = new Bell();
  #batches = 0;

  constructor(state: { settle(): Promise<void> }) {
    this.#state = state;
  }

  /** Call it after each batch. */
  processed(): void {
    if (++this.#batches < BATCHES) return;
    this.#batches = 0;
    this.#due.ring();
  }

  /** Waits for the disk after each so many batches. An abort ends it, also while the disk hangs. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#due.wait(DAY / MILLISECOND, signal);
      if (!this.#due.take()) continue;
      const written = new Bell();
      void this.#state.settle().then(() => written.ring());
      await written.wait(DAY / MILLISECOND, signal);
    }
  }
}
