/**
 * Cursors of the journal, such as `s=b7…;i=4a9;b=d1…;m=1f2;t=5e8…;x=8e1…`: file, number in the
 * file, boot, time since the boot, time, and a hash of the entry.
 */
import { type Bytes, hexDigit } from "../../core/bytes.ts";
import type { Micros } from "../../core/time.ts";

/** Hexadecimal digits of the hash in a mark: as many as fit into a number beside a time. */
const MARK_DIGITS = 12;

/**
 * Reports whether two cursors name the same entry. An entry that was copied to another file
 * (`journalctl --flush`) has another file and number, behind `s=` and `i=`, but the same boot,
 * times and hash.
 */
export function isSameEntry(a: string, b: string): boolean {
  const [boot, fileOfB] = [b.indexOf(";b="), b.slice(0, b.indexOf(";"))];
  return a === b || (boot > 0 && a.endsWith(b.slice(boot)) && !a.startsWith(fileOfB));
}

/** Returns the time of the entry of a cursor; NaN if the cursor tells none. */
export function timeIn(cursor: string): Micros {
  return parseInt(/;t=([0-9a-f]+)/.exec(cursor)?.[1] ?? "", 16);
}

/** Returns the end of the hash in the cursor `bytes[from, to)`, as a number; 0 if it has none. */
export function hashMark({ array }: Bytes, from: number, to: number): number {
  let mark = 0;
  let factor = 1;
  for (let at = to - 1; at >= from && at >= to - MARK_DIGITS; at--) {
    const digit = hexDigit(array[at]!);
    if (digit < 0) break;
    mark += factor * digit;
    factor *= 16;
  }
  return mark;
}
