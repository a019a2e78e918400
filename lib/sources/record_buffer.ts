/**
 * Records in the making: one buffer that is read into, and columns that tell where its records are.
 * Comes in: ranges of bytes that a source has found. Goes out: `Records`, good until the buffer is
 * begun anew. Records are valid UTF-8 and bounded in length; those that were not are put down once
 * more behind the bytes that were read.
 */
import { type Bytes, decode, makeBytes, PADDING } from "../core/bytes.ts";
import { LINE, NO_PID, type Origin, type Records } from "../core/records.ts";
import type { Micros } from "../core/time.ts";

/** Records that there is room for at first. */
const COUNT = 256;

const encoder = new TextEncoder();

/** A buffer with records. */
export class RecordBuffer implements Records {
  bytes: Bytes;
  length = 0;
  from = new Int32Array(COUNT);
  to = new Int32Array(COUNT);
  origin = new Int32Array(COUNT);
  origins: Origin[] = [];
  times = new Float64Array(COUNT);
  pids = new Int32Array(COUNT);
  written: Micros = NaN;
  isLive = false;
  stream: object | null = null;
  /** Where the bytes end that are in use. */
  end = 0;

  /** @param size bytes that there is room for at first */
  constructor(size: number) {
    this.bytes = makeBytes(size);
  }

  /** Begins anew: without records, with the bytes from `kept` on moved to the front. */
  begin(kept = this.end): void {
    this.bytes.array.copyWithin(0, kept, this.end);
    this.end -= kept;
    this.length = 0;
    this.written = NaN;
    this.isLive = false;
  }

  /** Room for `size` more bytes, to be read into. What was read is told by `took()`. */
  room(size: number): Uint8Array<ArrayBuffer> {
    this.#reserve(size);
    return this.bytes.array.subarray(this.end, this.end + size) as Uint8Array<ArrayBuffer>;
  }

  /** Takes `count` bytes of the room into use. */
  took(count: number): void {
    this.end += count;
  }

  /** Copies bytes behind those in use. */
  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.bytes.array.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Adds a line of text that was read at `time`; see `add()`. */
  addLine(range: TextRange, time: Micros): boolean {
    return this.add(range, { origin: LINE, time, pid: NO_PID });
  }

  /**
   * Adds a record. Invalid UTF-8 becomes U+FFFD, and what is longer than `most` characters is cut
   * off. Returns whether something was.
   */
  add(range: TextRange, { origin, time, pid }: { origin: number; time: Micros; pid: number }): boolean {
    if (this.length === this.from.length) this.growColumns();
    const i = this.length++;
    this.origin[i] = origin;
    this.times[i] = time;
    this.pids[i] = pid;
    this.from[i] = range.from;
    this.to[i] = range.to;
    const isShort = range.to - range.from <= range.most;
    if (range.isASCII && isShort) return false;
    if (range.isASCII) {
      this.to[i] = range.from + range.most;
      return true;
    }
    return this.#rewrite(i, range);
  }

  /** Keeps only the records that `isKept` wants, in their order. */
  keep(isKept: (i: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.length; i++) if (isKept(i)) this.move(i, kept++);
    this.length = kept;
  }

  /** Puts record `i` in place of record `to`. */
  protected move(i: number, to: number): void {
    if (i === to) return;
    this.from[to] = this.from[i]!;
    this.to[to] = this.to[i]!;
    this.origin[to] = this.origin[i]!;
    this.times[to] = this.times[i]!;
    this.pids[to] = this.pids[i]!;
  }

  /** Makes room for more records. */
  protected growColumns(): void {
    this.from = grown(this.from);
    this.to = grown(this.to);
    this.origin = grown(this.origin);
    this.pids = grown(this.pids);
    const times = new Float64Array(2 * this.times.length);
    times.set(this.times);
    this.times = times;
  }

  /** Writes the text of record `i` anew, unless it is valid and short as it is. */
  #rewrite(i: number, { from, to, most }: TextRange): boolean {
    const text = decode(this.bytes, from, to);
    const isCut = text.length > most;
    // A replacement character may as well be the service's own: then the same is written once more.
    if (!isCut && !text.includes("\ufffd")) return false;
    this.from[i] = this.end;
    // The cut may part a surrogate pair.
    this.put(encoder.encode(isCut ? text.slice(0, most).toWellFormed() : text));
    this.to[i] = this.end;
    return isCut;
  }

  #reserve(size: number): void {
    const needed = this.end + size;
    const { array } = this.bytes;
    if (needed + PADDING <= array.length) return;
    const larger = makeBytes(Math.max(needed, 2 * array.length));
    larger.array.set(array.subarray(0, this.end));
    this.bytes = larger;
  }
}

/** Nothing: a position was reached without a record. */
export const NO_RECORDS: Records = new RecordBuffer(0);

/** Text that a source has found in a buffer. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
  readonly isASCII: boolean;
  /** Characters that it may have. */
  readonly most: number;
}

/** A column with twice the room. */
export function grown(column: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * column.length);
  larger.set(column);
  return larger;
}
