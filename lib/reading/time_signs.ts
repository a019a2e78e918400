/** Excludes times by a few bytes, so that fewer lines need an expression. */
import { type Bytes, endOfDigits, isDigit, Literal } from "../core/bytes.ts";

const [TAB, BLANK, DELETE, T] = [9, 32, 127, 116];
const [DOUBLE, SINGLE, ROUND, SQUARE, LESS, AT] = [34, 39, 40, 91, 60, 64];
const [PLUS, COMMA, MINUS, POINT, SLASH, COLON, EQUALS] = [43, 44, 45, 46, 47, 58, 61];
const STREAM = new Literal("std");

/** Reports whether `array[from, to)` may begin with a time; if not, no expression is needed. */
export function mayBeTime(array: Uint8Array, from: number, to: number): boolean {
  if (from >= to) return false;
  const first = array[from]!;
  if (first === LESS || first === AT || first === SQUARE) return true;
  if (first === DOUBLE || first === SINGLE || first === ROUND) {
    return isDigit(array[from + 1]!) || isCapital(array[from + 1]!);
  }
  // A name may precede a time: `t`, `ts`, `time` or `timestamp`.
  if (first === T) {
    return array[from + 1] === EQUALS || array[from + 2] === EQUALS || array[from + 4] === EQUALS ||
      array[from + 9] === EQUALS;
  }
  if (isCapital(first)) return isGap(array[from + 3]!) || array[from + 3] === COMMA;
  const end = endOfDigits(array, from);
  const behind = array[end]!;
  switch (end - from) {
    case 0:
      return false;
    case 1:
    case 2:
    case 4:
      return isGap(behind) || behind === MINUS || behind === SLASH;
    default:
      return isGap(behind) ||
        (end - from >= 9 && (behind === POINT || behind === COMMA || behind === COLON));
  }
}

/** Reports whether the text at `at` may belong to the gap before it: a zone, a year, a stream. */
export function mayGoOn(bytes: Bytes, at: number): boolean {
  const { array } = bytes;
  const first = array[at]!;
  if (first <= BLANK || first >= DELETE || first === SQUARE) return true;
  if (first === PLUS || first === MINUS || first === COLON) return true;
  if (isCapital(first)) {
    let end = at + 1;
    while (isCapital(array[end]!)) end++;
    return end - at <= 5 && !isWord(array[end]!);
  }
  if (isDigit(first)) return endOfDigits(array, at) === at + 4;
  return STREAM.isAt(bytes, at);
}

function isGap(byte: number): boolean {
  return byte === BLANK || byte === TAB;
}

function isCapital(byte: number): boolean {
  return byte >= 65 && byte <= 90;
}

function isWord(byte: number): boolean {
  return isCapital(byte) || (byte >= 97 && byte <= 122) || isDigit(byte) || byte === 95;
}
