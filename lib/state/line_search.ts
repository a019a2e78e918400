/**
 * Finds the newest lines of an address or network. Chapters whose filter rules the target out are skipped; lines that are in no
 * chapter, as the newest ones, are read as a whole.
 */
import { beginningOf, enclosing, prefixLength, putAddress } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import type { Micros } from "../core/time.ts";
import type { Database } from "./database.ts";
import { INDEXED, mayHold } from "./line_index.ts";

/** A recorded line with what brought it. */
export interface FoundLine {
  readonly time: Micros;
  readonly module: string;
  readonly address: string;
  readonly message: string;
  /** Name of the source; null: recorded by a program that did not note it. */
  readonly source: string | null;
}

/** The newest lines of somebody. */
export interface FoundLines {
  /** Newest first, in the order in which they were recorded. */
  readonly lines: readonly FoundLine[];
  /** All lines that are older were looked at, too. */
  readonly isComplete: boolean;
  /** Lines recorded before this time were not looked at; null where all were. */
  readonly searchedSince: Micros | null;
}

/** How far a search goes. */
export interface SearchLimits {
  /** Lines that are wanted. */
  readonly most: number;
  /** Milliseconds after which it goes no further. */
  readonly patience: number;
}

/** Lines numbered `from < seq <= to`, and the filter of those that are a chapter. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly filter: Uint8Array | null;
}

interface Batch {
  readonly last: number;
  readonly time: Micros;
  readonly base: Micros | null;
  readonly source: string | null;
  readonly content: string;
}

/** Lines of a stretch that are read at a time. */
const STEP = 1 << 15;
/** How many bits larger than an indexed network one may be that is looked for by all of those inside of it. */
const MOST_ASKED = 12;
/** One line of a batch. */
const LINE = /\["(?:[^"\\]|\\.)*","[^"]*",-?\d+,"(?:[^"\\]|\\.)*"\]/y;

/** The newest lines of `target`, canonical. */
export function findLines(db: Database, target: string, { most, patience }: SearchLimits): FoundLines {
  const end = performance.now() + patience;
  const lines: FoundLine[] = [];
  const isWanted = filterOf(target);
  for (const stretch of stretches(db)) {
    if (stretch.filter !== null && !isWanted(stretch.filter)) continue;
    for (let to = stretch.to; to > stretch.from; to -= STEP) {
      const from = Math.max(stretch.from, to - STEP);
      for (const batch of batches(db, { from, to }, target)) {
        lines.push(...linesOf(batch, target));
        if (lines.length >= most) {
          return { lines: lines.slice(0, most), isComplete: false, searchedSince: batch.time };
        }
      }
      if (performance.now() > end && from > 0) {
        const searchedSince = timeAt(db, from);
        if (searchedSince !== null) return { lines, isComplete: false, searchedSince };
      }
    }
  }
  return { lines, isComplete: true, searchedSince: null };
}

/** All lines, newest first. */
function* stretches(db: Database): Generator<Stretch> {
  let to = db.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'log_batch'")?.seq ?? 0;
  const oldest = db.get<{ first: number | null }>(
    "SELECT last - lines AS first FROM log_batch ORDER BY last LIMIT 1",
  )?.first ?? to;
  const chapters = db.each<{ last: number; lines: number; filter: Uint8Array }>(
    "SELECT last, lines, filter FROM log_index WHERE last > ? ORDER BY last DESC",
    oldest,
  );
  for (const { last, lines, filter } of chapters) {
    if (last > to) continue;
    if (last < to) yield { from: last, to, filter: null };
    yield { from: last - lines, to: last, filter };
    to = last - lines;
  }
  if (to > oldest) yield { from: oldest, to, filter: null };
}

/** Tells of filters whether lines of a target may be where they were filled. */
function filterOf(target: string): (filter: Uint8Array) => boolean {
  const isIPv4 = !target.includes(":");
  const length = prefixLength(target);
  if (!target.includes("/")) {
    const words = wordsOf(target);
    return (filter) => mayHold(filter, words);
  }
  const [longest, ...others] = isIPv4 ? INDEXED.ipv4 : INDEXED.ipv6;
  const indexed = [longest, ...others].find((indexed) => indexed <= length);
  if (indexed !== undefined) {
    const words = wordsOf(enclosing(target, indexed).split("/")[0]!);
    return (filter) => mayHold(filter, words);
  }
  if (!isIPv4 || longest - length > MOST_ASKED) return () => true;
  const first = wordsOf(target)[3]!;
  const inside = Array.from(
    { length: 1 << longest - length },
    (_, i) => Int32Array.of(0, 0, 0xffff, first + (i << 32 - longest)),
  );
  return (filter) => inside.some((words) => mayHold(filter, words));
}

function wordsOf(address: string): Int32Array {
  const words = new Int32Array(4);
  putAddress(address, words);
  return words;
}

/** The batches of a stretch in which a target may stand, newest first. */
function batches(db: Database, { from, to }: Pick<Stretch, "from" | "to">, target: string): Iterable<Batch> {
  return db.each<Batch>(
    `SELECT last, time, base, content, (SELECT name FROM source WHERE number = log_batch.source) AS source
     FROM log_batch WHERE last > ? AND last <= ? AND instr(content, ?) > 0 ORDER BY last DESC`,
    from,
    to,
    needleOf(target),
  );
}

/** What stands in a batch before or at an address of a target. */
function needleOf(target: string): string {
  return `,"${beginningOf(target)}${target.includes("/") ? "" : '",'}`;
}

/** The lines of a batch that are of a target, newest first. */
function linesOf({ content, time, base, source }: Batch, target: string): FoundLine[] {
  const network = new NetworkSet([target]);
  const needle = needleOf(target);
  const found: FoundLine[] = [];
  // No line holds the needle but before its address: JSON escapes the quotes of a message.
  for (let at = content.indexOf(needle); at >= 0; at = content.indexOf(needle, at + 1)) {
    LINE.lastIndex = content.lastIndexOf('["', at);
    const text = LINE.exec(content)?.[0];
    if (text === undefined) continue;
    const [module, address, earlier, message] = JSON.parse(text) as [string, string, number, string];
    if (!network.covers(address)) continue;
    found.push({ module, address, message, source, time: (base ?? time) - earlier });
    at = LINE.lastIndex;
  }
  return found.reverse();
}

/** Time of the newest line of the batch that ends at or before the line numbered `seq`; null: there is none. */
function timeAt(db: Database, seq: number): Micros | null {
  return db.get<{ time: Micros }>(
    "SELECT time FROM log_batch WHERE last <= ? ORDER BY last DESC LIMIT 1",
    seq,
  )
    ?.time ?? null;
}
