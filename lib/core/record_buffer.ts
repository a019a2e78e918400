/**
 * Records in the making: one buffer for reads, and columns with the places of its records. In:
 * ranges of bytes that a source has found. Out: `Records`, good until the buffer begins anew.
 * Records are valid UTF-8 and bounded in length; others are rewritten behind the bytes that were
 * read.
 */
import { type Bytes, decode, grown, makeBytes, withRoom } from "./bytes.ts";
import { LINE, NO_PID, type Origin, type Records } from "./records.ts";
import type { Micros } from "./time.ts";

/** First room, in records. */
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
  /** End of the bytes in use. */
  end = 0;

  /** @param size first room, in bytes */
  constructor(size: number) {
    this.bytes = makeBytes(size);
  }

  /** Begins anew: without records, with the bytes from `kept` on moved to the front. */
  begin(kept = this.end): void {
    const { bytes } = this;
    bytes.logged = bytes.fresh = 0;
    bytes.isLast = false;
    // A new object would cost an eighth of a line: V8 notes each store of a young object in an old one.
    bytes.piece++;
    bytes.array.copyWithin(0, kept, this.end);
    this.end -= kept;
    this.length = 0;
    this.written = NaN;
    this.isLive = false;
  }

  /** Returns room to read `size` more bytes into. Report the bytes read to `took()`. */
  room(size: number): Uint8Array<ArrayBuffer> {
    this.bytes = withRoom(this.bytes, this.end + size);
    return this.bytes.array.subarray(this.end, this.end + size) as Uint8Array<ArrayBuffer>;
  }

  /** Takes `count` bytes of the room into use. */
  took(count: number): void {
    this.end += count;
  }

  /** Copies bytes behind those in use. */
  put(bytes: Uint8Array): void {
    this.bytes = withRoom(this.bytes, this.end + bytes.length);
    this.bytes.array.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Adds a line of text that was read at `time`; see `add()`. */
  addLine(range: TextRange, time: Micros): boolean {
    return this.add(range, { origin: LINE, time, pid: NO_PID });
  }

  /** Adds a record, U+FFFD for invalid UTF-8. Returns whether it was cut to `most` characters. */
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

  /** Keeps only the records that `isKept` accepts, in their order. */
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
    this.times = grown(this.times);
  }

  /** Rewrites the text of record `i`, unless it is valid and short. */
  #rewrite(i: number, { from, to, most }: TextRange): boolean {
    const text = decode(this.bytes, from, to);
    const isCut = text.length > most;
    // The service may have written U+FFFD itself: then this writes the same text again.
    if (!isCut && !text.includes("\ufffd")) return false;
    this.from[i] = this.end;
    // The cut may split a surrogate pair.
    this.put(encoder.encode(isCut ? text.slice(0, most).toWellFormed() : text));
    this.to[i] = this.end;
    return isCut;
  }
}

/** No records: a position was reached without one. */
export const NO_RECORDS: Records = new RecordBuffer(0);

/** Text that a source has found in a buffer. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
  readonly isASCII: boolean;
  /** Most characters that are kept. */
  readonly most: number;
}
