import {
  DASH,
  HASH,
  LOWER_H,
  PERCENT,
  POINT,
  QUESTION_MARK,
  SLASH,
  SPACE,
  UNDERSCORE,
} from "../../lib/core/ascii.ts";
import {
  type Bytes,
  decode,
  hexDigit,
  isDigit,
  isUpper,
  Literal,
  makeBytes,
  withRoom,
} from "../../lib/core/bytes.ts";
import type { Findings } from "../../lib/reading/text_reader.ts";
import { METHOD, NAMES, PATH, PROTOCOL, QUERY, RAW_PATH, RAW_QUERY, REQUEST, TARGET } from "./fields.ts";
import { decodePercent, mergeSlashes } from "./text.ts";

const HTTP = new Literal("HTTP/");
/** Bytes of `HTTP/1.1` and of `HTTP/2`. */
const PROTOCOL_LENGTHS = [8, 6];
/** Beginning of a target in absolute form, and its most bytes. */
const SCHEME = /^https?:\/\//i;
const MAX_SCHEME = 8;
/** The bit that makes a letter lower case. */
const LOWER = 32;
/** First size of the buffer for decoded fields, in bytes; longer fields make a larger one. */
const SCRATCH = 4_096;
const encoder = new TextEncoder();

/** States of a field: not read, nothing to decode, decoded. */
const [RAW, READY, DECODED] = [0, 1, 2];

/**
 * Reads the parts of a request line from bytes (RFC 9112, section 3), as `addRequest()` does from
 * text. The line has no escapes of nginx. Decodes path and query on demand, and only if they
 * contain `%`, `//` or `/./`.
 */
export class RequestReader {
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  #bytes: Bytes = makeBytes(0);
  /** States of path and query, by field. */
  readonly #states = new Uint8Array(NAMES.length);
  #scratch = makeBytes(SCRATCH);
  /** Bytes of the scratch in use. */
  #used = 0;

  /** @param findings filled with the parts */
  constructor({ from, to }: Findings) {
    this.#from = from;
    this.#to = to;
  }

  /**
   * Reads the request `bytes[start, end)`. Text that is not a request line becomes only the field
   * `request`. Returns false for a request in absolute form: only the whole line tells its purpose.
   */
  read(bytes: Bytes, start: number, end: number): boolean {
    this.#bytes = bytes;
    this.#states[PATH] = this.#states[QUERY] = RAW;
    this.#used = 0;
    this.#put(REQUEST, start, end);
    const blank = endOfMethod(bytes.array, start, end);
    if (blank < 0) return true;
    this.#put(METHOD, start, blank);
    const target = blank + 1;
    if (isAbsolute(bytes.array, target, end)) return false;
    const protocol = startOfProtocol(bytes, blank, end);
    if (protocol >= 0) this.#put(PROTOCOL, protocol, end);
    this.#readTarget(target, protocol < 0 ? end : Math.max(protocol - 1, target));
    return true;
  }

  /** Returns the bytes that hold path or query of the last request read. */
  bytesOf(field: number): Bytes {
    const states = this.#states;
    if (states[field] === RAW) states[field] = this.#decode(field) ? DECODED : READY;
    return states[field] === DECODED ? this.#scratch : this.#bytes;
  }

  #put(field: number, from: number, to: number): void {
    this.#from[field] = from;
    this.#to[field] = to;
  }

  #readTarget(from: number, to: number): void {
    const { array } = this.#bytes;
    this.#put(TARGET, from, to);
    let at = from | 0;
    while (at < to && array[at] !== QUESTION_MARK && array[at] !== HASH) at++;
    this.#put(RAW_PATH, from, at);
    this.#put(PATH, from, at);
    while (at < to && array[at] !== QUESTION_MARK) at++;
    if (at === to) return;
    this.#put(RAW_QUERY, at + 1, to);
    this.#put(QUERY, at + 1, to);
  }

  /** Decodes a field into the scratch; false: the message has it in plain form. */
  #decode(field: number): boolean {
    const from = this.#from[field]!;
    const to = this.#to[field]!;
    if (from < 0 || isPlain(this.#bytes.array, from, to, field === PATH)) return false;
    // Decoded text is never longer: invalid UTF-8 becomes three bytes, and so many encode one byte.
    this.#scratch = withRoom(this.#scratch, this.#used + to - from);
    const start = this.#used;
    const end = this.#decodeASCII(field, start);
    this.#used = end < 0 ? start + this.#decodeText(field, start) : end;
    this.#put(field, start, this.#used);
    return true;
  }

  /**
   * Decodes a field byte by byte. Returns its end in the scratch, or -1 if it may be invalid UTF-8.
   */
  #decodeASCII(field: number, start: number): number {
    const { array } = this.#bytes;
    const scratch = this.#scratch.array;
    const end = this.#to[field]!;
    let out = start;
    for (let at = this.#from[field]!; at < end; at++) {
      let byte = array[at]!;
      if (byte === PERCENT && at + 2 < end) {
        const high = hexDigit(array[at + 1]!);
        const low = hexDigit(array[at + 2]!);
        if (high >= 0 && low >= 0) {
          byte = high << 4 | low;
          if (byte > 127) return -1;
          at += 2;
        }
      }
      if (field === PATH && byte === SLASH && out > start) {
        if (scratch[out - 1] === POINT && out > start + 1 && scratch[out - 2] === SLASH) out--;
        if (scratch[out - 1] === SLASH) continue;
      }
      scratch[out++] = byte;
    }
    return out;
  }

  /** Decodes a field as text. Returns the number of its bytes in the scratch. */
  #decodeText(field: number, start: number): number {
    const text = decodePercent(decode(this.#bytes, this.#from[field]!, this.#to[field]!));
    const decoded = field === PATH ? mergeSlashes(text) : text;
    return encoder.encodeInto(decoded, this.#scratch.array.subarray(start)).written;
  }
}

/** Returns the place of the blank behind the method; -1: there is no method. */
function endOfMethod(array: Uint8Array, start: number, end: number): number {
  let at = start | 0;
  while (at < end && isOfMethod(array[at]!)) at++;
  const isMethod = at < end && array[at] === SPACE && isUpper(array[start]!);
  return isMethod ? at : -1;
}

/** Reports whether a target in absolute form begins at `at`. */
function isAbsolute(array: Uint8Array, at: number, end: number): boolean {
  if (at === end || (array[at]! | LOWER) !== LOWER_H) return false;
  return SCHEME.test(String.fromCharCode(...array.subarray(at, Math.min(end, at + MAX_SCHEME))));
}

function isOfMethod(byte: number): boolean {
  return isUpper(byte) || byte === UNDERSCORE || byte === DASH;
}

/**
 * Returns the start of the protocol behind the last blank, which is at `blank` or later; -1: none.
 */
function startOfProtocol(bytes: Bytes, blank: number, end: number): number {
  const { array } = bytes;
  for (const length of PROTOCOL_LENGTHS) {
    const start = end - length;
    if (start <= blank || array[start - 1] !== SPACE || !HTTP.isAt(bytes, start)) continue;
    const isVersion = isDigit(array[start + 5]!) &&
      (length === 6 || (array[start + 6] === POINT && isDigit(array[start + 7]!)));
    return isVersion ? start : -1;
  }
  return -1;
}

/** Reports whether a path or query needs no decoding. */
function isPlain(array: Uint8Array, from: number, to: number, isPath: boolean): boolean {
  for (let at = from; at < to; at++) {
    const byte = array[at]!;
    if (byte === PERCENT) return false;
    if (!isPath || byte !== SLASH) continue;
    const next = array[at + 1] === POINT ? at + 2 : at + 1;
    if (next < to && array[next] === SLASH) return false;
  }
  return true;
}
