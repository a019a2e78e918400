import { BACKSLASH, DELETE, LOWER_U, QUOTE, RIGHT_BRACE } from "../core/ascii.ts";
import { type Bytes, hexDigit, Literal, makeBytes, withRoom } from "../core/bytes.ts";

const [BEGINNING, STREAM, ATTRIBUTES, TIME, END] = [
  new Literal('{"log":"'),
  new Literal('","stream":"std'),
  new Literal(',"attrs":{'),
  new Literal(',"time":"'),
  new Literal('"}'),
];
const STREAMS = [new Literal('out"'), new Literal('err"')];
/** Bytes that JSON's escapes stand for, by the byte after the backslash; 0: not an escape. */
const ESCAPED = new Uint8Array(256);
for (const [i, byte] of [...'"\\/bfnrt'].entries()) {
  ESCAPED[byte.charCodeAt(0)] = '"\\/\b\f\n\r\t'.charCodeAt(i);
}
/** First size of the text's buffer, in bytes; a longer line makes a larger one. */
const SCRATCH = 4_096;

/**
 * Reads lines of Docker's driver json-file:
 * `{"log":"text\n","stream":"stdout","time":"2026-05-06T10:56:10.123456789Z"}`, perhaps with
 * `attrs` before `time`. `readCollected()` reads other lines of it.
 */
export class DockerLog {
  /** The text without escapes is `bytes[0, end)`, a buffer of its own until the next call. */
  bytes = makeBytes(SCRATCH);
  end = 0;
  /** Place of the time in the line. */
  timeFrom = 0;
  timeTo = 0;

  /** Reads the line `bytes[from, to)`. Returns false for a line of another form. */
  read(bytes: Bytes, from: number, to: number): boolean {
    if (!BEGINNING.isWithin(bytes, from, to)) return false;
    this.bytes = withRoom(this.bytes, to - from);
    const quote = this.#unescape(bytes.array, from + BEGINNING.length, to);
    if (quote < 0) return false;
    const stream = quote + STREAM.length;
    const behind = stream + STREAMS[0]!.length;
    if (behind >= to || !STREAM.isAt(bytes, quote)) return false;
    return STREAMS.some((name) => name.isAt(bytes, stream)) && this.#findTime(bytes, behind, to);
  }

  /**
   * Removes the escapes of the text at `at`. Returns the place of its closing quote; -1: none, or an
   * escape of a character that is not ASCII.
   */
  #unescape(array: Uint8Array, at: number, to: number): number {
    const target = this.bytes.array;
    let end = 0;
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
        const character = hexOf(array, at + 1);
        // Docker escapes < and the like, but hardly anything above ASCII.
        if (character < 0 || character >= DELETE) return -1;
        target[end++] = character;
        at += 4;
      } else if (at < to && ESCAPED[escape] !== 0) target[end++] = ESCAPED[escape]!;
      else return -1;
    }
    return -1;
  }

  /** Finds the time at the end of the line; from `at` on, only attributes may precede it. */
  #findTime(bytes: Bytes, at: number, to: number): boolean {
    const { array } = bytes;
    const end = to - END.length;
    if (end < at || !END.isAt(bytes, end)) return false;
    let from = end;
    while (from > at && array[from - 1] !== QUOTE) from--;
    const key = from - TIME.length;
    if (key < at || !TIME.isAt(bytes, key)) return false;
    [this.timeFrom, this.timeTo] = [from, end];
    return key === at || (array[key - 1] === RIGHT_BRACE && ATTRIBUTES.isAt(bytes, at));
  }
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
