import type { Micros } from "../../core/time.ts";
import type { Content } from "./content.ts";

/** When a line says that it was written; null when it does not say. */
export type TimeOf = (line: string) => Micros | null;

/** What is sought, and in how much of the file. */
export interface Search {
  /** Bytes. */
  readonly size: number;
  readonly since: Micros;
  readonly timeOf: TimeOf;
}

/** A line that tells its time. */
interface Timed {
  /** Where it begins and where the next one does. */
  readonly start: number;
  readonly end: number;
  readonly time: Micros;
}

const WINDOW = 8 * 1_024;
/** How far a line with a time is looked for from any place. */
const MAX_PROBE = 64 * 1_024;
const NEWLINE = 10;

/**
 * Where the first line of `since` or later begins, in a file whose lines are in the order of their times; its end when all
 * are older; null when no line tells a time. Lines without one are passed over. Reads as often as the size has digits in
 * base two.
 */
export async function findSince(content: Content, search: Search): Promise<number | null> {
  let [low, high] = [0, search.size];
  let sawTime = false;
  while (high - low > WINDOW) {
    const middle = Math.floor((low + high) / 2);
    const line = await firstTimed(content, { from: middle, to: high, search });
    sawTime ||= line !== null;
    if (line !== null && line.time < search.since) low = line.end;
    else high = middle;
  }
  return await firstSince(content, { from: low, search, sawTime });
}

/** Looks at all lines from a place on that is hardly before what is sought. */
async function firstSince(
  content: Content,
  { from, search, sawTime }: { from: number; search: Search; sawTime: boolean },
): Promise<number | null> {
  let seen = sawTime;
  let at = from;
  for (;;) {
    const line = await firstTimed(content, { from: at, to: search.size, search });
    if (line === null) return seen ? at : null;
    if (line.time >= search.since) return line.start;
    [seen, at] = [true, line.end];
  }
}

/** The first line that begins at `from` or behind it and before `to`, not too far away, and tells a time. */
async function firstTimed(
  content: Content,
  { from, to, search }: { from: number; to: number; search: Search },
): Promise<Timed | null> {
  // One byte earlier: it tells whether a line begins just here.
  const base = Math.max(0, from - 1);
  const until = Math.min(to, from + MAX_PROBE);
  for (let size = WINDOW;; size *= 2) {
    const bytes = await readFrom(content, { base, size: Math.min(size, search.size - base) });
    const line = timedIn(bytes, { base, until, timeOf: search.timeOf });
    if (line !== null || base + size >= until) return line;
  }
}

function timedIn(
  bytes: Uint8Array,
  { base, until, timeOf }: { base: number; until: number; timeOf: TimeOf },
): Timed | null {
  const decoder = new TextDecoder();
  let start = base === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
  if (base > 0 && start === 0) return null;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start) + 1;
    if (end === 0 || base + start >= until) return null;
    const time = timeOf(decoder.decode(bytes.subarray(start, end - 1)).replace(/\r$/, ""));
    if (time !== null) return { start: base + start, end: base + end, time };
    start = end;
  }
}

async function readFrom(
  content: Content,
  { base, size }: { base: number; size: number },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(Math.max(0, size));
  return bytes.subarray(0, await content.readAt(base, bytes));
}
