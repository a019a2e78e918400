/**
 * Tells lines that a client may have written into an error log. nginx escapes nothing there, so a
 * line break in a path (`%0a` in the request) makes a record of several lines. The client chooses
 * all of them but the start of the first and the end of the last. nginx writes a record at once, so
 * that the end, with the request, follows in the same bytes.
 */
import { LINE_FEED } from "../../lib/core/ascii.ts";
import { type Bytes, decode } from "../../lib/core/bytes.ts";
import { beginsRecord, LONGEST } from "./error.ts";

/** Stands for bytes of invalid UTF-8. */
const REPLACED = "\ufffd";
const CLIENT = ", client: ";
const REQUEST = ', request: "';
const LINE_BREAK = /%0a/gi;

/**
 * Reports whether the line `bytes[from, to)` belongs to a record with further lines: a line behind
 * it has the request with as many line breaks, or ends a record that was cut. Lines of invalid UTF-8
 * count as such, because they are copied, without the lines behind them.
 */
export function hasLinesBehind(bytes: Bytes, from: number, to: number): boolean {
  const { array } = bytes;
  if (decode(bytes, from, to).includes(REPLACED)) return true;
  const limit = Math.min(array.length, from + LONGEST);
  for (let lines = 1, start = to + 1; start < limit; lines++) {
    const length = array.subarray(start, limit).indexOf(LINE_FEED);
    const end = length < 0 ? limit : start + length;
    const text = decode(bytes, start, end);
    if (breaksIn(text) >= lines) return true;
    if (!text.includes(CLIENT) && isStart(array, end + 1 - LONGEST, from)) return true;
    start = end + 1;
  }
  return false;
}

/** Returns the number of line breaks in the paths of a record that ends with `text`. */
function breaksIn(text: string): number {
  const paths = text.split(REQUEST).slice(1).map((request) => request.split("?", 1)[0]!);
  return paths.join().match(LINE_BREAK)?.length ?? 0;
}

/** Reports whether a record begins at `at`, not behind the line at `from`. */
function isStart(array: Uint8Array, at: number, from: number): boolean {
  return at >= 0 && at <= from && (at === 0 || array[at - 1] === LINE_FEED) && beginsRecord(array, at);
}
