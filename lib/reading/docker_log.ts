import { BACKSLASH, FIVE, LOWER_U, POINT, QUOTE, RIGHT_BRACE, UPPER_Z, ZERO } from "../core/ascii.ts";
import { type Bytes, hexDigit, Literal, makeBytes, withRoom } from "../core/bytes.ts";
import { resolveStamp } from "../core/stamp.ts";
import { readIsoTime } from "../core/timestamp.ts";
import { type Micros, SECOND } from "../core/time.ts";

const [BEGINNING, STREAM, ATTRIBUTES, TIME, END] = [
  new Literal('{"log":"'),
  new Literal('","stream":"std'),
  new Literal(',"attrs":{'),
  new Literal(',"time":"'),
  new Literal('"}'),
];
const STREAMS = [new Literal('out"'), new Literal('err"')];
/** Heads of CRI for texts of the two streams. */
const HEADS = ["stdout F ", "stderr F "].map((head) => new TextEncoder().encode(head));
/** Place of the text. */
const START = HEADS[0]!.length;
/** Bytes that JSON's escapes stand for, by the byte after the backslash; 0: not an escape. */
const ESCAPED = new Uint8Array(256);
for (const [i, byte] of [...'"\\/bfnrt'].entries()) {
  ESCAPED[byte.charCodeAt(0)] = '"\\/\b\f\n\r\t'.charCodeAt(i);
}
/** First size of the text's buffer, in bytes; a longer line makes a larger one. */
const SCRATCH = 4_096;
/** Bytes of a time up to its minute, `2026-05-06T10:56:`, and of the longest time. */
const [MINUTE_LENGTH, LONGEST_TIME] = [17, 40];

/**
 * Reads lines of Docker's driver json-file:
 * `{"log":"text\n","stream":"stdout","time":"2026-05-06T10:56:10.123456789Z"}`, perhaps with
 * `attrs` before `time`. The text without escapes is in a buffer of its own until the next call,
 * behind the name of its stream as CRI writes it.
 */
export class DockerLog {
  /** The text is `bytes[start, end)`. */
  bytes = makeBytes(SCRATCH);
  readonly start = START;
  end = 0;
  /** When Docker took the text; NaN for a date that does not exist. */
  time: Micros = NaN;
  #minute: Literal | null = null;
  #base: Micros = 0;

  /** Reads the line `bytes[from, to)`. Returns false for a line of another form. */
  read(bytes: Bytes, from: number, to: number): boolean {
    if (from + BEGINNING.length >= to || !BEGINNING.isAt(bytes, from)) return false;
    this.bytes = withRoom(this.bytes, START + to - from);
    const quote = this.#unescape(bytes.array, from + BEGINNING.length, to);
    if (quote < 0) return false;
    const stream = quote + STREAM.length;
    const behind = stream + STREAMS[0]!.length;
    if (behind >= to || !STREAM.isAt(bytes, quote)) return false;
    const name = STREAMS.findIndex((text) => text.isAt(bytes, stream));
    if (name < 0) return false;
    this.bytes.array.set(HEADS[name]!);
    return this.#readTime(bytes, behind, to);
  }

  /** Removes the escapes of the text at `at`. Returns the place of its closing quote; -1: none. */
  #unescape(array: Uint8Array, at: number, to: number): number {
    const target = this.bytes.array;
    let end = START;
    for (; at < to; at++) {
      const byte = array[at]!;
      if (byte === QUOTE) {
        this.end = end;
        return at;
      }
      if (byte !== BACKSLASH) {
        target[end++] = byte;
        continue;
      }
      const escape = array[++at]!;
      if (escape === LOWER_U && at + 4 < to) {
        const unit = hexOf(array, at + 1);
        if (unit < 0) return -1;
        end = putUnit(target, end, unit);
        at += 4;
      } else if (at < to && ESCAPED[escape] !== 0) target[end++] = ESCAPED[escape]!;
      else return -1;
    }
    return -1;
  }

  /** Reads the line from behind the stream to its end. */
  #readTime(bytes: Bytes, at: number, to: number): boolean {
    const { array } = bytes;
    const end = to - END.length;
    if (end < at || !END.isAt(bytes, end)) return false;
    let from = end;
    while (from > at && array[from - 1] !== QUOTE) from--;
    const key = from - TIME.length;
    if (key < at || !TIME.isAt(bytes, key)) return false;
    const hasAttributes = key > at;
    if (hasAttributes && (array[key - 1] !== RIGHT_BRACE || !ATTRIBUTES.isAt(bytes, at))) return false;
    return this.#readInstant(bytes, from, end);
  }

  #readInstant(bytes: Bytes, from: number, to: number): boolean {
    const { array } = bytes;
    const micros = this.#minute?.isAt(bytes, from) ? microsOf(array, from + MINUTE_LENGTH, to) : -1;
    if (micros >= 0) {
      this.time = this.#base + micros;
      return true;
    }
    const read = readIsoTime(String.fromCharCode(...array.subarray(from, Math.min(to, from + LONGEST_TIME))));
    if (read === null || read.length !== to - from) return false;
    // Docker writes year and zone: the reference does not matter.
    this.time = resolveStamp(read.stamp, { now: 0, before: NaN });
    if (Number.isNaN(this.time) || array[to - 1] !== UPPER_Z) return true;
    this.#minute = new Literal(array.slice(from, from + MINUTE_LENGTH));
    this.#base = this.time - read.stamp.second * SECOND - read.stamp.fraction;
    return true;
  }
}

/**
 * Returns the microseconds of seconds in UTC, such as `10.123456789Z`; -1 for other text and for a
 * leap second.
 */
function microsOf(array: Uint8Array, from: number, to: number): Micros {
  if (to < from + "00.0Z".length || to > from + "00.123456789Z".length) return -1;
  if (array[from]! > FIVE || array[from + 2] !== POINT || array[to - 1] !== UPPER_Z) return -1;
  let micros = 0;
  let unit = 10 * SECOND;
  for (let at = from; at < to - 1; at++) {
    if (at === from + 2) continue;
    const digit = array[at]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    micros += digit * unit;
    unit = Math.floor(unit / 10);
  }
  return micros;
}

/** Returns the number of the four hexadecimal digits at `at`; -1 if there are none. */
function hexOf(array: Uint8Array, at: number): number {
  let number = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(array[i]!);
    if (digit < 0) return -1;
    number = 16 * number + digit;
  }
  return number;
}

/** Writes a UTF-16 unit as UTF-8 at `end`. Returns the new end. Half a character becomes U+FFFD. */
function putUnit(target: Uint8Array, end: number, unit: number): number {
  if (unit < 0x80) {
    target[end] = unit;
    return end + 1;
  }
  if (unit < 0x800) {
    target[end] = 0xc0 | unit >> 6;
    target[end + 1] = 0x80 | unit & 0x3f;
    return end + 2;
  }
  const whole = unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit;
  target[end] = 0xe0 | whole >> 12;
  target[end + 1] = 0x80 | whole >> 6 & 0x3f;
  target[end + 2] = 0x80 | whole & 0x3f;
  return end + 3;
}
