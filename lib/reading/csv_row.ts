/** Rows of exports: a time, and a message that quotes may surround. */
import { COMMA, TAB } from "../core/ascii.ts";
import { type Bytes, decode } from "../core/bytes.ts";
import type { Stamp } from "../core/stamp.ts";
import { readTime } from "../core/timestamp.ts";

/** A text in quotes, in which quotes are doubled. */
const QUOTED = '"(?<quoted>(?:[^"]|"")*)"';
/** How severe Windows' events are, in English and German. A stranger's text could follow other words. */
const LEVEL = "(?:Informa\\p{L}+|Warning|Error|Critical|Verbose|Warnung|Fehler|Kritisch|Ausführlich)";
/** The text of each form follows its time; a text without quotes has no separator. */
const ROWS = [
  // Of CloudWatch. In times other than milliseconds, a comma begins a fraction.
  `^(?<time>[^",]+),${QUOTED}$`,
  '^(?<time>\\d{13}),(?<plain>[^",]+)$',
  // Of Windows' PowerShell: time, number and level.
  `^"(?<time>[^"]+)","\\d{1,5}","${LEVEL}",${QUOTED}$`,
  // Of Windows' Event Viewer: level, time, source, number and category.
  `^${LEVEL}(?<by>[,\\t])(?<time>[^",\\t]+)\\k<by>(?<source>[\\w-]+)\\k<by>\\d+\\k<by>[^",\\t]*\\k<by>` +
  `(?:${QUOTED}|(?<plain>[^",\\t]+))$`,
].map((source) => new RegExp(source, "su"));
/** Most bytes before the first separator. */
const LONGEST = 36;

/** A row of an export. */
export interface CsvRow {
  readonly stamp: Stamp;
  /** Program that the row names; null: none. */
  readonly program: string | null;
  readonly text: string;
}

/**
 * Reads the row `bytes[from, to)`: `1773029106250,"user ""x"" refused"`. Null for any other line: a
 * quote that is not doubled may be a stranger's.
 */
export function readCsvRow(bytes: Bytes, from: number, to: number): CsvRow | null {
  const start = bytes.array.subarray(from, Math.min(to, from + LONGEST));
  if (!start.includes(COMMA) && !start.includes(TAB)) return null;
  const line = decode(bytes, from, to);
  for (const row of ROWS) {
    const { time, source = null, quoted, plain } = row.exec(line)?.groups ?? {};
    const text = quoted?.replaceAll('""', '"') ?? plain;
    const read = time === undefined ? null : readTime(time);
    if (text && read?.length === time!.length) return { stamp: read.stamp, program: source, text };
  }
  return null;
}
