/**
 * Copies recorded lines once, from where they were read into the state's JSON,
 * `["SSHD","192.0.2.1",-1500,"Invalid user oracle from …"]` for each line. No string is made of a
 * line.
 */
import { BACKSLASH, COMMA, DASH, LEFT_BRACKET, POINT, QUOTE, RIGHT_BRACKET, ZERO } from "../core/ascii.ts";
import type { AddressReader } from "../core/address_reader.ts";
import { addressText } from "../core/address_text.ts";
import { grown } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import type { LogEvent } from "../reading/event.ts";

/** Recorded parts of an event. `module` is an index into the names of `LogLines`. */
export interface RecordedLine extends Pick<LogEvent, "module" | "time" | "bytes" | "from" | "to"> {
  readonly reader: { readonly address: Pick<AddressReader, "w0" | "w1" | "w2" | "w3"> };
}

/** Initial size in bytes; a full buffer doubles. */
const SIZE = 1 << 16;
/** Most bytes of a line beside its message: module, address, time and JSON's marks. */
const FRAME = 512;
/** Most bytes of an escape, such as `\u001b`. */
const LONGEST_ESCAPE = 6;

const encoder = new TextEncoder();
/** Escapes by byte, if JSON needs one. SQLite's readers and PostgreSQL take no NUL inside text. */
const ESCAPES = Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0) return encoder.encode("\\ufffd");
  if (byte === QUOTE || byte === BACKSLASH) return Uint8Array.of(BACKSLASH, byte);
  return byte < 32 ? encoder.encode(`\\u00${byte.toString(16).padStart(2, "0")}`) : null;
});
const IS_ESCAPED = Uint8Array.from(ESCAPES, (escape) => escape === null ? 0 : 1);

/** Lines of one transaction. */
export class LogLines {
  length = 0;
  /** Time of the first line. The JSON has spans before `base`, below zero for later lines. */
  base: Micros = 0;
  /** Time of the newest line. */
  latest: Micros = 0;
  readonly #names: readonly Uint8Array[];
  readonly #index: { add(line: RecordedLine): void } | null;
  #bytes = new Uint8Array(SIZE);
  #end = 0;
  readonly #words = new Int32Array(4);

  /**
   * @param modules names of the modules
   * @param index receives each line
   */
  constructor(modules: readonly string[], index: { add(line: RecordedLine): void } | null = null) {
    this.#index = index;
    this.#names = modules.map((name) => encoder.encode(`[${JSON.stringify(name)},"`));
  }

  /** Bytes of the lines as JSON. */
  get size(): number {
    return this.#end;
  }

  /** The lines as a JSON array in bytes, valid until the next call. */
  get json(): Uint8Array {
    this.#reserve(1);
    const bytes = this.#bytes;
    bytes[0] = LEFT_BRACKET;
    bytes[this.#end] = RIGHT_BRACKET;
    return bytes.subarray(0, this.#end + 1);
  }

  clear(): void {
    this.length = 0;
    this.#end = 0;
    this.latest = 0;
  }

  /** Copies a line. */
  add(line: RecordedLine): void {
    const { time, from, to } = line;
    this.#reserve(FRAME + LONGEST_ESCAPE * (to - from));
    if (this.length === 0) this.base = time;
    if (time > this.latest) this.latest = time;
    // `json` replaces the first comma with the array's bracket.
    this.#bytes[this.#end++] = COMMA;
    this.#put(this.#names[line.module]!);
    this.#putAddress(line.reader.address);
    this.#bytes[this.#end++] = QUOTE;
    this.#bytes[this.#end++] = COMMA;
    this.#putNumber(this.base - time);
    this.#bytes[this.#end++] = COMMA;
    this.#bytes[this.#end++] = QUOTE;
    this.#putMessage(line);
    this.#bytes[this.#end++] = QUOTE;
    this.#bytes[this.#end++] = RIGHT_BRACKET;
    this.length++;
    this.#index?.add(line);
  }

  #reserve(size: number): void {
    const needed = this.#end + size;
    if (needed <= this.#bytes.length) return;
    let length = this.#bytes.length;
    while (length < needed) length *= 2;
    this.#bytes = grown(this.#bytes, length);
  }

  #put(bytes: Uint8Array): void {
    const target = this.#bytes;
    let end = this.#end;
    for (let i = 0; i < bytes.length; i++) target[end++] = bytes[i]!;
    this.#end = end;
  }

  #putAscii(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#end++] = text.charCodeAt(i);
  }

  #putAddress({ w0, w1, w2, w3 }: RecordedLine["reader"]["address"]): void {
    if (w2 !== 0xffff || w1 !== 0 || w0 !== 0) {
      const words = this.#words;
      [words[0], words[1], words[2], words[3]] = [w0, w1, w2, w3];
      return this.#putAscii(addressText(words, 0, 128));
    }
    for (let shift = 24; shift >= 0; shift -= 8) {
      this.#putNumber(w3 >>> shift & 255);
      if (shift > 0) this.#bytes[this.#end++] = POINT;
    }
  }

  /** Writes a whole number in decimals. */
  #putNumber(number: number): void {
    const bytes = this.#bytes;
    if (number < 0) bytes[this.#end++] = DASH;
    let left = Math.abs(number);
    let digits = 1;
    for (let power = 10; power <= left; power *= 10) digits++;
    this.#end += digits;
    for (let at = this.#end - 1; digits > 0; digits--, at--) {
      const rest = Math.floor(left / 10);
      bytes[at] = ZERO + left - 10 * rest;
      left = rest;
    }
  }

  #putMessage({ bytes: { array }, from, to }: RecordedLine): void {
    const target = this.#bytes;
    let end = this.#end;
    for (let i = from; i < to; i++) {
      const byte = array[i]!;
      if (IS_ESCAPED[byte] === 0) target[end++] = byte;
      else for (const part of ESCAPES[byte]!) target[end++] = part;
    }
    this.#end = end;
  }
}
