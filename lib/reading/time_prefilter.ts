/** Excludes times by a few bytes: fewer lines need an expression. */
import {
  COLON,
  COMMA,
  DASH,
  DELETE,
  EQUALS,
  LOWER_A,
  LOWER_M,
  LOWER_P,
  LOWER_T,
  POINT,
  SPACE,
  TAB,
} from "../core/ascii.ts";
import { type Bytes, endOfDigits, isDigit, isUpper, Literal } from "../core/bytes.ts";

const STREAM = new Literal("std");

/** By byte: 1 before any time, 2 before a digit or capital. */
const OPENINGS = new Uint8Array(256);
for (const byte of "<@[") OPENINGS[byte.charCodeAt(0)] = 1;
for (const byte of "\"'(") OPENINGS[byte.charCodeAt(0)] = 2;
/** So many digits, or more, count as the last bit. */
const MOST_DIGITS = 9;
/** By the byte behind them: how many digits may begin a time, as bits. */
const COUNTS = new Uint16Array(256);
for (
  const [bytes, counts] of [
    [" \t-/", [1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ["_T", [6, 7, 8, 9]],
    // An address may begin like a date.
    [".:", [4, 9]],
    [",", [9]],
  ] as const
) for (const byte of bytes) for (const count of counts) COUNTS[byte.charCodeAt(0)]! |= 1 << count;
/** By byte: 1 if it belongs to the gap before it. */
const OF_GAP = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isOther = byte <= SPACE || byte >= DELETE;
  return isOther || "[+-:".includes(String.fromCharCode(byte)) ? 1 : 0;
});

/** Reports whether `array[from, to)` may begin with a time; if not, no expression is needed. */
export function mayBeTime(array: Uint8Array, from: number, to: number): boolean {
  if (from >= to) return false;
  const first = array[from]!;
  const opening = OPENINGS[first]!;
  if (opening > 0) return opening === 1 || isDigit(array[from + 1]!) || isUpper(array[from + 1]!);
  // A name may precede a time: `t`, `ts`, `time` or `timestamp`.
  if (first === LOWER_T && [1, 2, 4, 9].some((length) => array[from + length] === EQUALS)) return true;
  if (isUpper(first) && isBehindName(array, from + 3)) return true;
  const end = endOfDigits(array, from);
  const count = Math.min(end - from, MOST_DIGITS);
  const isPoints = count === 2 && array[end] === POINT && array[end + 3] === POINT;
  return (COUNTS[array[end]!]! >> count & 1) === 1 || isPoints || isBehindLocalName(array, from);
}

/**
 * Reports whether the text at `at` may belong to the gap before it: a zone, a year, a half of a day,
 * a stream.
 */
export function mayContinueGap(bytes: Bytes, at: number): boolean {
  const { array } = bytes;
  const first = array[at]!;
  if (OF_GAP[first] === 1) return true;
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

/** Most bytes of the name of a day or month in another language, with a point. */
const LONGEST_LOCAL_NAME = 11;

/** Reports whether a word at `at` precedes a day and an hour, ` 06 10:`, or a year, ` 2026-`. */
function isBehindLocalName(array: Uint8Array, at: number): boolean {
  const most = at + LONGEST_LOCAL_NAME;
  while (at < most && array[at]! > SPACE) at++;
  if (!isGap(array[at]!)) return false;
  while (isGap(array[at + 1]!)) at++;
  const digits = endOfDigits(array, at + 1) - at - 1;
  if (digits < 1) return false;
  return digits < 4
    ? isDigit(array[at + digits + 2]!) && array[at + digits + 4] === COLON
    : array[at + 5] === DASH;
}

function isGap(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** By byte: 1 for letters, digits and the underscore. */
const WORD = Uint8Array.from({ length: 256 }, (_, byte) => /\w/.test(String.fromCharCode(byte)) ? 1 : 0);

function isWord(byte: number): boolean {
  return WORD[byte] === 1;
}
