/**
 * Text as UTF-8 bytes that stay in their buffer. A piece of it is a range `[from, to)`; nothing is
 * decoded or copied until somebody needs a string. Literals and line ends are compared four bytes
 * at a time, as one 32-bit number: in V8, `getInt32()` of a DataView takes as long as the load of
 * one byte.
 */
import { CARRIAGE_RETURN, DELETE, LOWER_A, LOWER_Z, SPACE, TAB, UPPER_A, UPPER_Z, ZERO } from "./ascii.ts";

/** Bytes, and a view of four at once. `PADDING` bytes behind the end of any range may be read. */
export interface Bytes {
  readonly array: Uint8Array;
  readonly view: DataView;
  /**
   * A piece of a log is `array[0, logged)`, byte for byte; its lines from `fresh` on are new, those
   * before were read. 0: no log, or messages out of their surroundings.
   */
  logged: number;
  fresh: number;
  /** Number of the piece: readers tell pieces in one buffer apart by it. */
  piece: number;
  /** Whether nothing more will be written behind the piece. */
  isLast: boolean;
}

/** Bytes that exist behind the end of a range, with any content. */
export const PADDING = 8;

/** Makes room for `size` bytes and the padding; all are zero. */
export function makeBytes(size: number): Bytes {
  const array = new Uint8Array(size + PADDING);
  return { array, view: new DataView(array.buffer), logged: 0, fresh: 0, piece: 0, isLast: false };
}

/** Returns `bytes`, or a larger copy if they have no room for `size` bytes and the padding. */
export function withRoom(bytes: Bytes, size: number): Bytes {
  if (size + PADDING <= bytes.array.length) return bytes;
  const larger = makeBytes(2 * size);
  larger.array.set(bytes.array);
  return larger;
}

/** Returns a copy of a column of numbers with room for `length`. */
export function grown<T extends Uint8Array | Int32Array | Uint32Array | Float64Array>(
  column: T,
  length = 2 * column.length,
): T {
  const larger = new (column.constructor as new (length: number) => T)(length);
  larger.set(column);
  return larger;
}

const encoder = new TextEncoder();
// Keeps a byte order mark: without it, the string would differ from the bytes.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Encodes `text` into new bytes, `bytes[0, end)`. It allocates: only for tests and rare cases. */
export function encode(text: string): { bytes: Bytes; end: number } {
  const content = encoder.encode(text);
  const bytes = makeBytes(content.length);
  bytes.array.set(content);
  return { bytes, end: content.length };
}

/** Most bytes that take less time one by one than in a decoder, which takes 200 ns for a word. */
const WORD = 12;

/** Decodes `bytes[from, to)`; invalid UTF-8 becomes U+FFFD. */
export function decode({ array }: Pick<Bytes, "array">, from: number, to: number): string {
  if (to - from <= WORD) {
    let text = "";
    let at = from;
    while (at < to && array[at]! <= DELETE) text += String.fromCharCode(array[at++]!);
    if (at >= to) return text;
  }
  return decoder.decode(array.subarray(from, to));
}

/**
 * A text that is compared with bytes four at a time. "from " is the words "from" and "rom ": the
 * last word overlaps the one before, so that none reaches behind the text. If the text is shorter
 * than four bytes, a mask tells which bytes count.
 */
export class Literal {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** The first word, and its bits that count. */
  readonly first: number;
  readonly mask: number;
  /** All further words; the last one ends where the text ends. */
  readonly others: Int32Array;

  /** @param text may be empty: it then fits everywhere */
  constructor(text: string | Uint8Array) {
    const bytes = this.bytes = typeof text === "string" ? encoder.encode(text) : text;
    const length = this.length = bytes.length;
    this.first = wordAt(bytes, 0);
    this.mask = length >= 4 ? -1 : (1 << 8 * length) - 1;
    const others: number[] = [];
    for (let at = 4; at < length; at += 4) others.push(wordAt(bytes, Math.min(at, length - 4)));
    this.others = Int32Array.from(others);
  }

  /** Reports whether the text is at `at`. The caller checks that `at + length <= to`. */
  isAt({ view }: Bytes, at: number): boolean {
    if (((view.getInt32(at, true) ^ this.first) & this.mask) !== 0) return false;
    return this.length <= 4 || this.#goesOn(view, at);
  }

  /** Reports whether the text is at `from` and ends at `to` or before. */
  isWithin(bytes: Bytes, from: number, to: number): boolean {
    return from + this.length <= to && this.isAt(bytes, from);
  }

  #goesOn(view: DataView, at: number): boolean {
    const { others } = this;
    const last = others.length - 1;
    // The last word comes first: it may reach behind the buffer; the first word cannot.
    const end = at + this.length - 4;
    if (end + 4 > view.byteLength || view.getInt32(end, true) !== others[last]) return false;
    for (let i = 0; i < last; i++) if (view.getInt32(at + 4 + 4 * i, true) !== others[i]) return false;
    return true;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  let word = 0;
  for (let i = 0; i < 4 && at + i < bytes.length; i++) word |= bytes[at + i]! << 8 * i;
  return word;
}

const LINE_FEEDS = 0x0a0a0a0a;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;

/** Finds line ends, four bytes at a time ("Hacker's Delight", section 6-1: find a zero byte). */
export class LineEnds {
  /** Whether all bytes that `next()` passed are ASCII: valid UTF-8, each byte a character. */
  isASCII = true;

  /** Returns the place of the next line feed in `bytes[from, to)`; `to` if there is none. */
  next({ view }: Bytes, from: number, to: number): number {
    let seen = 0;
    for (let at = from; at < to; at += 4) {
      const word = view.getInt32(at, true);
      const toFind = word ^ LINE_FEEDS;
      const zeros = (toFind - ONES) & ~toFind & HIGH_BITS;
      if (zeros === 0 && at + 4 <= to) {
        seen |= word;
        continue;
      }
      // A zero byte makes higher bits uncertain; the lowest one is right.
      const found = zeros === 0 ? 4 : 31 - Math.clz32(zeros & -zeros) >> 3;
      const length = Math.min(found, to - at);
      // `length` is 4 only if the range ends with this word.
      seen |= length === 4 ? word : word & (1 << 8 * length) - 1;
      this.isASCII = (seen & HIGH_BITS) === 0;
      return at + length;
    }
    this.isASCII = (seen & HIGH_BITS) === 0;
    return to;
  }
}

/** Returns all parts in one array, in order. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Reports whether two byte arrays are equal. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Formats bytes in hexadecimal. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reports whether a byte is an ASCII digit. */
export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte < ZERO + 10;
}

/** By byte: the value of a hexadecimal digit, -1 for other bytes. */
const HEX_VALUES = Int8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
});

/** Returns the value of a hexadecimal digit; -1 for other bytes. */
export function hexDigit(byte: number): number {
  return HEX_VALUES[byte]!;
}

/** Reports whether a byte is an ASCII capital. */
export function isUpper(byte: number): boolean {
  return byte >= UPPER_A && byte <= UPPER_Z;
}

/** Reports whether a byte is a small letter of ASCII. */
export function isLower(byte: number): boolean {
  return byte >= LOWER_A && byte <= LOWER_Z;
}

/** Reports whether a byte is a blank of any kind: a space, or a tab to a carriage return. */
export function isBlank(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN);
}

/** Returns the end of the digits at `at`. */
export function endOfDigits(array: Uint8Array, at: number): number {
  while (isDigit(array[at]!)) at++;
  return at;
}

/** Returns the number of the digits from `from` to `to`. */
export function numberOf(array: Uint8Array, from: number, to: number): number {
  let number = 0;
  for (let i = from; i < to; i++) number = 10 * number + array[i]! - ZERO;
  return number;
}

/** Returns the number of the two digits at `at` if it is below `end`; otherwise -1. */
export function twoDigits(array: Uint8Array, at: number, end: number): number {
  const tens = array[at]! - ZERO;
  const ones = array[at + 1]! - ZERO;
  const number = 10 * tens + ones;
  return tens >= 0 && ones >= 0 && ones <= 9 && number < end ? number : -1;
}

/** Returns the start of `array[from, to)` without blanks of any kind, like `trimStart()`. */
export function startWithoutBlanks(array: Uint8Array, from: number, to: number): number {
  while (from < to) {
    const first = array[from]!;
    if (first < DELETE) {
      if (!isBlank(first)) break;
      from++;
      continue;
    }
    let end = from + 1;
    while (end < to && (array[end]! & 0xc0) === 0x80) end++;
    if (decoder.decode(array.subarray(from, end)).trim() !== "") break;
    from = end;
  }
  return from;
}

/** Returns the end of `array[from, to)` without blanks of any kind, like `trimEnd()`. */
export function endWithoutBlanks(array: Uint8Array, from: number, to: number): number {
  while (to > from) {
    const last = array[to - 1]!;
    if (last < DELETE) {
      if (!isBlank(last)) break;
      to--;
      continue;
    }
    let start = to - 1;
    while (start > from && (array[start]! & 0xc0) === 0x80) start--;
    if (decoder.decode(array.subarray(start, to)).trim() !== "") break;
    to = start;
  }
  return to;
}

/** A carriage return, as rsyslog writes it. */
const RETURN = new Literal("#015");

/**
 * Returns the end of a text without a carriage return: `sshd -e` and programs on terminals end
 * their lines with it.
 */
export function endWithoutReturn(bytes: Bytes, from: number, to: number): number {
  if (to > from && bytes.array[to - 1] === CARRIAGE_RETURN) return to - 1;
  const end = to - RETURN.length;
  return end > from && RETURN.isAt(bytes, end) ? end : to;
}
