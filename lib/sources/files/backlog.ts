import type { Micros } from "../../core/time.ts";
import type { RecordBuffer } from "../record_buffer.ts";

/**
 * What a file held already when it was looked at first: where that stands, and since when it may
 * have been written.
 */
export class Backlog {
  readonly #start: number;
  readonly #end: number;
  readonly #since: Micros;

  /** @param end at `start` or before it: there is none */
  constructor(start: number, end: number, since: Micros) {
    this.#start = start;
    this.#end = end;
    this.#since = since;
  }

  get isEmpty(): boolean {
    return this.#end <= this.#start;
  }

  /** Whether it holds what stands behind an offset. */
  holds(offset: number): boolean {
    return offset < this.#end;
  }

  /**
   * Dates its lines between the last look at the file and the last change at `time`, by where they
   * stand: what came over days does not lie in one moment, where lines do not tell their times.
   *
   * @param base where in the file the buffer begins
   */
  date({ times, to, length }: RecordBuffer, base: number, time: Micros): void {
    const pace = (time - this.#since) / (this.#end - this.#start);
    // Lines that were written anew stand behind all others in the buffer.
    for (let i = 0; i < length; i++) {
      const passed = Math.max(0, base + to[i]! - this.#start);
      times[i] = Math.min(time, this.#since + Math.round(passed * pace));
    }
  }
}
