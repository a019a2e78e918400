import { CARRIAGE_RETURN } from "../core/ascii.ts";
import { LineEnds } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import type { RecordBuffer } from "../core/record_buffer.ts";

/**
 * Most characters of a line of text. nginx writes an odd byte as four, accepts headers of four
 * times 8 KiB, and puts the decisive parts at the end of a line: `4 * 4 * 8 KiB`, and some more for
 * the rest.
 */
export const MAX_LINE = 135_168;
/** Bytes that hold any text of so many characters, and of one more, which proves the excess. */
const MAX_HELD = 4 * (MAX_LINE + 1);

/**
 * Bytes before and behind a line that stay with it: the most that a service writes at once, and the
 * heads that a container's runtime puts before each of its lines. nginx writes records of its error
 * log with 2,048 bytes at most, OpenResty's and Gentoo's with 4,096.
 */
export const SURROUNDINGS = 8_192;

/**
 * A write appears in a file or pipe page by page, while others read it. Sizes of pages are multiples
 * of this one.
 */
export const PAGE = 4_096;

/**
 * Makes records of lines in place, from bytes that come in pieces. Each line has its surroundings,
 * unless nothing more was written. So between two pieces it keeps the last lines, and the beginning
 * of an unfinished one: at most 552 KiB. Omits NUL bytes before a line: a file has a hole of them if
 * it was truncated under a program that goes on writing at its old offset.
 */
export class LineSplitter {
  /** Begins with the held bytes; kept, as a long line would leave a copy with each piece. */
  #store = new Uint8Array(0);
  #held = 0;
  /** Held bytes of lines that were added. */
  #passed = 0;
  #pending = 0;
  #added = 0;
  readonly #ends = new LineEnds();

  /** Bytes behind the last line that was added; 0 if they are only NULs. */
  get pending(): number {
    return this.#pending;
  }

  /** Bytes of the lines that the last piece added; the first is at `bytes.fresh`. */
  get added(): number {
    return this.#added;
  }

  /** Takes `bytes`, which end with a line, as those before the next piece. */
  recall(bytes: Uint8Array): void {
    this.#pending = 0;
    this.#hold(bytes, bytes.length, bytes.length);
  }

  /** Begins `buffer` anew with the held bytes; the next bytes are read behind them. */
  begin(buffer: RecordBuffer): void {
    buffer.begin();
    buffer.stream = this;
    buffer.put(this.#store.subarray(0, this.#held));
  }

  /**
   * Takes the bytes that were read behind those of `begin()`, and adds the lines that they
   * complete, read at `time`. Returns how many of these lines were cut.
   *
   * @param goesOn whether more was written: the lines at the end then wait for their surroundings
   */
  take(buffer: RecordBuffer, time: Micros, goesOn = false): number {
    const { end } = buffer;
    const cut = this.#addLines(buffer, time, goesOn ? end - SURROUNDINGS : end);
    const from = buffer.bytes.fresh + this.#added;
    this.#pending = this.#added > 0 ? end - from : this.#pending + end - this.#held;
    this.#hold(buffer.bytes.array, from, end);
    return cut;
  }

  /**
   * Adds the held lines and the unfinished one, when no more will come, to a buffer after
   * `begin()`. Returns how many lines were cut.
   */
  finish(buffer: RecordBuffer, time: Micros): number {
    const { end } = buffer;
    buffer.bytes.isLast = true;
    const cut = this.#addLines(buffer, time, end);
    const from = startWithoutNuls(buffer.bytes.array, buffer.bytes.fresh + this.#added, end);
    this.#held = this.#passed = this.#pending = 0;
    return from < end && this.#add(buffer, { from, to: end, time }) ? cut + 1 : cut;
  }

  /** Adds the new lines that end before `limit`. Returns how many were cut. */
  #addLines(buffer: RecordBuffer, time: Micros, limit: number): number {
    const { end } = buffer;
    const fresh = this.#passed;
    let [cut, from] = [0, fresh];
    for (let to = this.#next(buffer, from, end); to < limit; to = this.#next(buffer, from, end)) {
      if (this.#add(buffer, { from, to, time })) cut++;
      from = to + 1;
    }
    this.#added = from - fresh;
    buffer.bytes.logged = end;
    buffer.bytes.fresh = fresh;
    return cut;
  }

  #next({ bytes }: RecordBuffer, from: number, end: number): number {
    return this.#ends.next(bytes, from, end);
  }

  #add(buffer: RecordBuffer, { from, to, time }: { from: number; to: number; time: Micros }): boolean {
    const { array } = buffer.bytes;
    from = startWithoutNuls(array, from, to);
    if (to > from && array[to - 1] === CARRIAGE_RETURN) to--;
    return buffer.addLine({ from, to, isASCII: this.#ends.isASCII, most: MAX_LINE }, time);
  }

  /** Keeps the surroundings of the line at `from`, and its beginning. */
  #hold(array: Uint8Array, from: number, end: number): void {
    const before = array.subarray(Math.max(0, from - SURROUNDINGS), from);
    const line = startWithoutNuls(array, from, end);
    if (line === end) this.#pending = 0;
    // A few NULs may be part of what a service wrote at once.
    const start = line - from < SURROUNDINGS ? from : line;
    const rest = array.subarray(start, Math.min(end, start + SURROUNDINGS + MAX_HELD));
    this.#passed = before.length;
    this.#held = before.length + rest.length;
    if (this.#held > this.#store.length) {
      this.#store = new Uint8Array(Math.min(2 * SURROUNDINGS + MAX_HELD, 2 * this.#held));
    }
    this.#store.set(before);
    this.#store.set(rest, before.length);
  }
}

/** Returns the place of the first byte of `array[from, to)` that is no NUL. */
function startWithoutNuls(array: Uint8Array, from: number, to: number): number {
  while (from < to && array[from] === 0) from++;
  return from;
}
