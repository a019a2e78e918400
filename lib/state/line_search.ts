/**
 * Finds the newest lines of an address or network. It skips chapters whose filter excludes the
 * target, and reads all lines outside of chapters, such as the newest ones.
 */
import { beginningOf, enclosing, prefixLength, putAddress } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import type { Micros } from "../core/time.ts";
import type { Database } from "./database.ts";
import { INDEXED, lastLine, mightContain } from "./line_index.ts";

/** A recorded line with its source. */
export interface FoundLine {
  readonly time: Micros;
  readonly module: string;
  readonly address: string;
  readonly message: string;
  /** Name of the source; null: recorded by an older program without it. */
  readonly source: string | null;
}

/** The newest lines of an address or network. */
export interface FoundLines {
  /** Newest first, in the order in which they were recorded. */
  readonly lines: readonly FoundLine[];
  /** Whether all older lines were searched. */
  readonly isComplete: boolean;
  /** Lines recorded before this time were not searched; null: all were. */
  readonly searchedSince: Micros | null;
  /** Time of the oldest recorded line, if all were searched; null: there is none. */
  readonly oldest?: Micros | null;
}

/** Lines to search for. */
export interface WantedLines {
  /** Text that a batch has if one of its lines is wanted, as in JSON. */
  readonly text: string;
  /** Reports whether a chapter with this filter may have wanted lines. */
  mayBeIn(filter: Uint8Array): boolean;
  has(line: Pick<FoundLine, "module" | "address" | "message">): boolean;
}

/** Bounds of a search. */
export interface SearchLimits {
  readonly most: number;
  /** Milliseconds after which the search stops. */
  readonly patience: number;
}

/** Lines numbered `from < seq <= to`, with their filter if they are a chapter. */
interface LineRange {
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

/** Lines of a range read at a time. */
const STEP = 1 << 15;
/** Most bits by which a network may exceed an indexed length and still be searched by all parts. */
const MOST_ASKED = 12;
/** One line of a batch. */
const LINE = /\["(?:[^"\\]|\\.)*","[^"]*",-?\d+,"(?:[^"\\]|\\.)*"\]/y;

/** Returns the lines of the canonical `target`. */
export function linesAbout(target: string): WantedLines {
  const network = new NetworkSet([target]);
  return {
    // Only an address follows this text: JSON escapes the quotes of messages.
    text: `,"${beginningOf(target)}${target.includes("/") ? "" : '",'}`,
    mayBeIn: filterOf(target),
    has: ({ address }) => network.covers(address),
  };
}

/** Returns the newest wanted lines. */
export function findLines(db: Database, wanted: WantedLines, { most, patience }: SearchLimits): FoundLines {
  const end = performance.now() + patience;
  const lines: FoundLine[] = [];
  for (const range of ranges(db)) {
    if (range.filter !== null && !wanted.mayBeIn(range.filter)) continue;
    for (let to = range.to; to > range.from; to -= STEP) {
      const from = Math.max(range.from, to - STEP);
      for (const batch of batches(db, { from, to }, wanted.text)) {
        lines.push(...linesOf(batch, wanted));
        if (lines.length >= most) {
          return { lines: lines.slice(0, most), isComplete: false, searchedSince: batch.time };
        }
      }
      if (performance.now() > end && from > 0) {
        const timeAt = "SELECT time FROM log_batch WHERE last <= ? ORDER BY last DESC LIMIT 1";
        const searchedSince = db.value<Micros>(timeAt, [from]);
        if (searchedSince !== null) return { lines, isComplete: false, searchedSince };
      }
    }
  }
  const oldest = db.value<Micros>("SELECT ifnull(base, time) FROM log_batch ORDER BY last LIMIT 1");
  return { lines, isComplete: true, searchedSince: null, oldest };
}

/** Yields all lines in ranges, newest first. */
function* ranges(db: Database): Generator<LineRange> {
  let to = lastLine(db);
  const oldest = db.value<number>("SELECT last - lines FROM log_batch ORDER BY last LIMIT 1") ?? to;
  const chapters = db.each<{ last: number; lines: number; filter: Uint8Array }>(
    "SELECT last, lines, filter FROM log_index WHERE last > ? ORDER BY last DESC",
    [oldest],
  );
  for (const { last, lines, filter } of chapters) {
    if (last > to) continue;
    if (last < to) yield { from: last, to, filter: null };
    yield { from: last - lines, to: last, filter };
    to = last - lines;
  }
  if (to > oldest) yield { from: oldest, to, filter: null };
}

/** Returns a test whether a filter may hold lines of a target. */
function filterOf(target: string): (filter: Uint8Array) => boolean {
  const isIPv4 = !target.includes(":");
  const length = prefixLength(target);
  if (!target.includes("/")) {
    const words = wordsOf(target);
    return (filter) => mightContain(filter, words);
  }
  const [longest, ...others] = isIPv4 ? INDEXED.ipv4 : INDEXED.ipv6;
  const indexed = [longest, ...others].find((indexed) => indexed <= length);
  if (indexed !== undefined) {
    const words = wordsOf(enclosing(target, indexed).split("/")[0]!);
    return (filter) => mightContain(filter, words);
  }
  if (!isIPv4 || longest - length > MOST_ASKED) return () => true;
  const first = wordsOf(target)[3]!;
  const inside = Array.from(
    { length: 1 << longest - length },
    (_, i) => Int32Array.of(0, 0, 0xffff, first + (i << 32 - longest)),
  );
  return (filter) => inside.some((words) => mightContain(filter, words));
}

function wordsOf(address: string): Int32Array {
  const words = new Int32Array(4);
  putAddress(address, words);
  return words;
}

/** Yields batches of a range that have a text, newest first. */
function batches(
  db: Database,
  { from, to }: Pick<LineRange, "from" | "to">,
  text: string,
): Iterable<Batch> {
  return db.each<Batch>(
    `SELECT last, time, base, content, (SELECT name FROM source WHERE number = log_batch.source) AS source
     FROM log_batch WHERE last > ? AND last <= ? AND instr(content, ?) > 0 ORDER BY last DESC`,
    [from, to, text],
  );
}

/** Returns the wanted lines of a batch, newest first. */
function linesOf({ content, time, base, source }: Batch, wanted: WantedLines): FoundLine[] {
  const found: FoundLine[] = [];
  for (let at = content.indexOf(wanted.text); at >= 0; at = content.indexOf(wanted.text, at + 1)) {
    LINE.lastIndex = content.lastIndexOf('["', at);
    const text = LINE.exec(content)?.[0];
    if (text === undefined) continue;
    const [module, address, earlier, message] = JSON.parse(text) as [string, string, number, string];
    // A line may have the text many times: it is asked about once.
    at = LINE.lastIndex;
    if (!wanted.has({ module, address, message })) continue;
    found.push({ module, address, message, source, time: (base ?? time) - earlier });
  }
  return found.reverse();
}
