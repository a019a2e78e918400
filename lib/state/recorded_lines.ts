/**
 * Reads recorded lines: the JSON of `LogLines` becomes `Records`, without a string for a line. The
 * identifier of a record's origin is its module's name.
 */
import {
  BACKSLASH,
  BACKSPACE,
  CARRIAGE_RETURN,
  COMMA,
  DASH,
  FORM_FEED,
  LEFT_BRACKET,
  LINE_FEED,
  QUOTE,
  RIGHT_BRACKET,
  TAB,
  ZERO,
} from "../core/ascii.ts";
import { type Bytes, decode, isDigit } from "../core/bytes.ts";
import { RecordBuffer } from "../core/record_buffer.ts";
import { NO_PID } from "../core/records.ts";
import type { Micros } from "../core/time.ts";

/** Initial room in bytes. */
const SIZE = 1 << 20;
/** Bytes by the letter behind a backslash. */
const ESCAPED = new Map([
  ["t", TAB],
  ["n", LINE_FEED],
  ["r", CARRIAGE_RETURN],
  ["b", BACKSPACE],
  ["f", FORM_FEED],
].map(([letter, byte]) => [String(letter).charCodeAt(0), Number(byte)]));
const UNICODE = "u".charCodeAt(0);

const encoder = new TextEncoder();

/** Lines of some batches. */
export class RecordedLines extends RecordBuffer {
  /** Position of the next byte. */
  #at = 0;
  /** Position of the first backslash from `#at` on, or the end. */
  #backslash = 0;
  /** End of the text of the last string read. */
  #textEnd = 0;

  constructor() {
    super(SIZE);
  }

  /** Adds the lines of a batch, timed before `base`. Throws if `content` is not by `LogLines`. */
  addBatch(content: Uint8Array, base: Micros): void {
    this.#at = this.end;
    this.put(content);
    this.#findBackslash();
    this.#expect(LEFT_BRACKET);
    if (this.#is(RIGHT_BRACKET)) return;
    do this.#addLine(base); while (this.#is(COMMA));
    this.#expect(RIGHT_BRACKET);
  }

  /** Adds `["SSHD","192.0.2.1",-1500,"Invalid user oracle from …"]`. */
  #addLine(base: Micros): void {
    const i = this.length;
    if (i === this.from.length) this.growColumns();
    this.#expect(LEFT_BRACKET);
    const module = this.#string();
    this.origin[i] = this.#originOf(module, this.#textEnd);
    this.#expect(COMMA);
    this.#string();
    this.#expect(COMMA);
    this.times[i] = base - this.#number();
    this.#expect(COMMA);
    this.from[i] = this.#string();
    this.to[i] = this.#textEnd;
    this.pids[i] = NO_PID;
    this.#expect(RIGHT_BRACKET);
    this.length++;
  }

  #originOf(from: number, to: number): number {
    const { origins, bytes } = this;
    const known = origins.findIndex(({ identifier }) => isText(bytes, from, to, identifier));
    if (known >= 0) return known;
    // Only trusted lines count; the state does not record which were.
    return origins.push({ identifier: decode(bytes, from, to), sender: { uid: 0, unit: "" } }) - 1;
  }

  /** Reads a string. Returns the start of its text, and sets `#textEnd`. */
  #string(): number {
    this.#expect(QUOTE);
    const from = this.#at;
    const { array } = this.bytes;
    let quote = array.indexOf(QUOTE, from);
    if (quote >= 0 && this.#backslash < quote) quote = this.#unescape();
    else this.#textEnd = quote;
    if (quote < 0 || quote >= this.end) throw broken();
    this.#at = quote + 1;
    return from;
  }

  /** Unescapes a string in place, as it gets shorter. Returns the position of its last quote. */
  #unescape(): number {
    const { array } = this.bytes;
    let at = this.#backslash;
    let to = at;
    for (; at < this.end && array[at] !== QUOTE; at++) {
      if (array[at] !== BACKSLASH) array[to++] = array[at]!;
      else if (array[++at] !== UNICODE) array[to++] = ESCAPED.get(array[at]!) ?? array[at]!;
      else {
        const code = parseInt(decode(this.bytes, at + 1, at + 5), 16);
        to += encoder.encodeInto(String.fromCharCode(code), array.subarray(to, at + 5)).written;
        at += 4;
      }
    }
    this.#at = at;
    this.#textEnd = to;
    this.#findBackslash();
    return at;
  }

  #findBackslash(): void {
    const found = this.bytes.array.subarray(0, this.end).indexOf(BACKSLASH, this.#at);
    this.#backslash = found < 0 ? this.end : found;
  }

  #number(): number {
    const { array } = this.bytes;
    const isNegative = this.#is(DASH);
    let value = 0;
    for (let byte = array[this.#at]!; isDigit(byte); byte = array[++this.#at]!) {
      value = 10 * value + byte - ZERO;
    }
    return isNegative ? -value : value;
  }

  /** Reads a byte if it is this one. */
  #is(byte: number): boolean {
    if (this.#at >= this.end || this.bytes.array[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#is(byte)) throw broken();
  }
}

function broken(): Error {
  return new Error("Cannot read the recorded lines: a batch of them is damaged");
}

function isText({ array }: Bytes, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (array[from + i] !== text.charCodeAt(i)) return false;
  return true;
}
