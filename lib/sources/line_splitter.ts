import { CARRIAGE_RETURN } from "../core/ascii.ts";
import { LineEnds } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import type { RecordBuffer } from "./record_buffer.ts";

/**
 * Most characters of a line of text. nginx writes an odd byte as four, accepts headers of four
 * times 8 KiB, and puts the decisive parts at the end of a line: `4 * 4 * 8 KiB`, and some more for
 * the rest.
 */
export const MAX_LINE = 135_168;
/** Bytes that hold any text of so many characters, and of one more, which proves the excess. */
const MAX_HELD = 4 * (MAX_LINE + 1);

/**
 * Makes records of lines in place, from bytes that come in pieces. Omits NUL bytes before a line: a
 * file has a hole of them if it was truncated under a program that goes on writing at its old
 * offset. Between two pieces it keeps the beginning of the last line, at most 540 KiB.
 */
export class LineSplitter {
  /** Begins with the held bytes; kept, as a long line would leave a copy with each piece. */
  #store = new Uint8Array(0);
  #held = 0;
  #pending = 0;
  readonly #ends = new LineEnds();

  /** Bytes since the last line's end; 0 if they are only NULs. */
  get pending(): number {
    return this.#pending;
  }

  /** Begins `buffer` anew with the start of the last line; the next bytes are read behind it. */
  begin(buffer: RecordBuffer): void {
    buffer.begin();
    buffer.stream = this;
    buffer.put(this.#store.subarray(0, this.#held));
  }

  /**
   * Takes the bytes that were read behind those of `begin()`, and adds the lines that they
   * complete, read at `time`. Returns how many of these lines were cut.
   */
  take(buffer: RecordBuffer, time: Micros): number {
    const { end } = buffer;
    this.#pending += end - this.#held;
    let cut = 0;
    let from = 0;
    for (let to = this.#next(buffer, from, end); to < end; to = this.#next(buffer, from, end)) {
      if (this.#add(buffer, { from, to, time })) cut++;
      from = to + 1;
    }
    if (from > 0) this.#pending = end - from;
    this.#hold(buffer, from, end);
    if (this.#held === 0) this.#pending = 0;
    return cut;
  }

  /** Adds the unfinished last line to a buffer after `begin()`. Returns how many lines were cut. */
  finish(buffer: RecordBuffer, time: Micros): number {
    const to = buffer.end;
    this.#held = 0;
    this.#pending = 0;
    if (to === 0) return 0;
    this.#next(buffer, 0, to);
    return this.#add(buffer, { from: 0, to, time }) ? 1 : 0;
  }

  #next({ bytes }: RecordBuffer, from: number, end: number): number {
    return this.#ends.next(bytes, from, end);
  }

  #add(buffer: RecordBuffer, { from, to, time }: { from: number; to: number; time: Micros }): boolean {
    const { array } = buffer.bytes;
    while (from < to && array[from] === 0) from++;
    if (to > from && array[to - 1] === CARRIAGE_RETURN) to--;
    return buffer.addLine({ from, to, isASCII: this.#ends.isASCII, most: MAX_LINE }, time);
  }

  #hold({ bytes: { array } }: RecordBuffer, from: number, end: number): void {
    while (from < end && array[from] === 0) from++;
    const rest = array.subarray(from, Math.min(end, from + MAX_HELD));
    if (rest.length > this.#store.length) this.#store = new Uint8Array(Math.min(MAX_HELD, 2 * rest.length));
    this.#store.set(rest);
    this.#held = rest.length;
  }
}
