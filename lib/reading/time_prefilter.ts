/** Excludes times by a few bytes: fewer lines need an expression. */
import {
  APOSTROPHE,
  AT_SIGN,
  COLON,
  COMMA,
  DASH,
  DELETE,
  EQUALS,
  LEFT_BRACKET,
  LEFT_PARENTHESIS,
  LESS_THAN,
  LOWER_A,
  LOWER_M,
  LOWER_P,
  LOWER_T,
  LOWER_Z,
  PLUS,
  POINT,
  QUOTE,
  SLASH,
  SPACE,
  TAB,
  UNDERSCORE,
  UPPER_T,
} from "../core/ascii.ts";
import { type Bytes, endOfDigits, isDigit, isUpper, Literal } from "../core/bytes.ts";

const STREAM = new Literal("std");

/** Reports whether `array[from, to)` may begin with a time; if not, no expression is needed. */
export function mayBeTime(array: Uint8Array, from: number, to: number): boolean {
  if (from >= to) return false;
  const first = array[from]!;
  if (first === LESS_THAN || first === AT_SIGN || first === LEFT_BRACKET) return true;
  if (first === QUOTE || first === APOSTROPHE || first === LEFT_PARENTHESIS) {
    return isDigit(array[from + 1]!) || isUpper(array[from + 1]!);
  }
  // A name may precede a time: `t`, `ts`, `time` or `timestamp`.
  if (first === LOWER_T) {
    return array[from + 1] === EQUALS || array[from + 2] === EQUALS || array[from + 4] === EQUALS ||
      array[from + 9] === EQUALS;
  }
  if (isUpper(first)) return isBehindName(array, from + 3);
  const end = endOfDigits(array, from);
  const length = end - from;
  if (length === 0) return false;
  switch (array[end]!) {
    case SPACE:
    case TAB:
    case DASH:
    case SLASH:
      return true;
    case UNDERSCORE:
    case UPPER_T:
      return length >= 6;
    // An address may begin like a date.
    case POINT:
      return length === 4 || length >= 9 || (length === 2 && array[end + 3] === POINT);
    case COMMA:
      return length >= 9;
    case COLON:
      return length >= 9 || length === 4;
    default:
      return false;
  }
}

/**
 * Reports whether the text at `at` may belong to the gap before it: a zone, a year, a half of a day,
 * a stream.
 */
export function mayContinueGap(bytes: Bytes, at: number): boolean {
  const { array } = bytes;
  const first = array[at]!;
  if (first <= SPACE || first >= DELETE || first === LEFT_BRACKET) return true;
  if (first === PLUS || first === DASH || first === COLON) return true;
  if (isUpper(first)) {
    let end = at + 1;
    while (isUpper(array[end]!)) end++;
    return end - at <= 5 && !isWord(array[end]!);
  }
  if (isDigit(first)) return endOfDigits(array, at) === at + 4;
  if (first === LOWER_A || first === LOWER_P) return array[at + 1] === LOWER_M || array[at + 1] === POINT;
  return STREAM.isAt(bytes, at);
}

/** Longest name of a month, `September`, in bytes. */
const LONGEST_NAME = 9;

/** Reports whether a short name of a day or month ends at `at`, or a long one before a number. */
function isBehindName(array: Uint8Array, at: number): boolean {
  if (isGap(array[at]!) || array[at] === COMMA) return true;
  const most = at + LONGEST_NAME - 3;
  while (at < most && isWord(array[at]!)) at++;
  return isGap(array[at]!) && isDigit(array[at + 1]!);
}

function isGap(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function isWord(byte: number): boolean {
  return isUpper(byte) || (byte >= LOWER_A && byte <= LOWER_Z) || isDigit(byte) || byte === UNDERSCORE;
}
