import type { Micros } from "../../core/time.ts";
import type { RecordBuffer } from "../../core/record_buffer.ts";

/** Content that a file had at the first look: its place, and the earliest time of its writing. */
export class Backlog {
  readonly #start: number;
  readonly #end: number;
  readonly #since: Micros;

  /** @param end at `start` or before: there is no backlog */
  constructor(start: number, end: number, since: Micros) {
    this.#start = start;
    this.#end = end;
    this.#since = since;
  }

  get isEmpty(): boolean {
    return this.#end <= this.#start;
  }

  /** Reports whether the backlog contains the byte at an offset. */
  holds(offset: number): boolean {
    return offset < this.#end;
  }

  /**
   * Dates its lines between the last look at the file and the last change at `time`, in proportion
   * to their place. Without times in the lines, the lines of days would otherwise all get one time.
   *
   * @param base offset in the file where the buffer begins
   */
  date({ times, to, length }: RecordBuffer, base: number, time: Micros): void {
    const pace = (time - this.#since) / (this.#end - this.#start);
    // Rewritten lines are behind all others in the buffer.
    for (let i = 0; i < length; i++) {
      const passed = Math.max(0, base + to[i]! - this.#start);
      times[i] = Math.min(time, this.#since + Math.round(passed * pace));
    }
  }
}
