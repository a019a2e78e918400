/** Rows of CloudWatch's exports: a time, and a message that quotes may surround. */
import { COMMA } from "../core/ascii.ts";
import { type Bytes, decode } from "../core/bytes.ts";
import type { Stamp } from "../core/stamp.ts";
import { readTime } from "../core/timestamp.ts";

/** A text without quotes has no comma. In times other than milliseconds, a comma begins a fraction. */
const ROW = /^(?:([^",]+),"((?:[^"]|"")*)"|(\d{13}),([^",]+))$/s;
/** Most bytes of a time. */
const LONGEST = 36;

/**
 * Reads the row `bytes[from, to)`: `1773029106250,"user ""x"" refused"`. Null for any other line: a
 * quote that is not doubled may be a stranger's.
 */
export function readCsvRow(bytes: Bytes, from: number, to: number): { stamp: Stamp; text: string } | null {
  const comma = bytes.array.subarray(from, Math.min(to, from + LONGEST)).indexOf(COMMA);
  if (comma < 0) return null;
  const [, time, quoted, milliseconds, plain] = ROW.exec(decode(bytes, from, to)) ?? [];
  const [told, text] = [time ?? milliseconds, quoted?.replaceAll('""', '"') ?? plain];
  if (told === undefined || !text) return null;
  const read = readTime(told);
  return read?.length === told.length ? { stamp: read.stamp, text } : null;
}
