import { CARRIAGE_RETURN, LINE_FEED } from "../../core/ascii.ts";
import { type Bytes, makeBytes } from "../../core/bytes.ts";
import type { Micros } from "../../core/time.ts";
import type { Content } from "./content.ts";

/** Returns the time that the line `bytes[from, to)` of the file `stream` tells; NaN if none. */
export type TimeOf = (bytes: Bytes, from: number, to: number, stream?: object) => Micros;

/** When the last line of a file reached it, and whether the source waited for it there. */
export interface FileEnd {
  readonly stream: object;
  readonly written: Micros;
  readonly isLive: boolean;
}

/** Learns the zone of a file's times from one of its last lines; false if the line has no time. */
export type LearnZone = (bytes: Bytes, from: number, to: number, end: FileEnd) => boolean;

/** Target of a search, and the part of the file to search. */
export interface Search {
  /** Start of the first line. */
  readonly from: number;
  /** Bytes. */
  readonly size: number;
  readonly since: Micros;
  readonly timeOf: (bytes: Bytes, from: number, to: number) => Micros;
}

/** A line with a time. */
interface Timed {
  /** Its start, and the start of the next line. */
  readonly start: number;
  readonly end: number;
  readonly time: Micros;
}

const EXCERPT = 8 * 1_024;
/** Most bytes from any place in which a line with a time is sought. */
const MAX_PROBE = 64 * 1_024;
/** Lines at a file's end among which one should have a time. */
const MAX_LINES_BACK = 10;

/** A piece of a file. */
interface Excerpt {
  readonly bytes: Bytes;
  readonly length: number;
}

/**
 * Returns the start of the first line of `since` or later, in a file whose lines are in the order
 * of their times; its end if all are older; null if no line has a time. Ignores lines without one.
 * The number of reads is the number of binary digits of the size.
 */
export async function findSince(content: Content, search: Search): Promise<number | null> {
  let [low, high] = [search.from, search.size];
  let sawTime = false;
  while (high - low > EXCERPT) {
    const middle = Math.floor((low + high) / 2);
    const line = await firstTimed(content, { from: middle, to: high, search });
    sawTime ||= line !== null;
    if (line !== null && line.time < search.since) low = line.end;
    else high = middle;
  }
  return await firstSince(content, { from: low, search, sawTime });
}

/** Checks all lines from a place shortly before the sought one. */
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

/** Returns the first line with a time that begins in `[from, to)`, within `MAX_PROBE`. */
async function firstTimed(
  content: Content,
  { from, to, search }: { from: number; to: number; search: Search },
): Promise<Timed | null> {
  // One byte earlier, to see whether a line begins exactly here.
  const base = from === search.from ? from : from - 1;
  const until = Math.min(to, from + MAX_PROBE);
  for (let size = EXCERPT;; size *= 2) {
    const excerpt = await readFrom(content, { base, size: Math.min(size, search.size - base) });
    const line = timedIn(excerpt, { base, isStart: base === search.from, until, timeOf: search.timeOf });
    if (line !== null || base + size >= until) return line;
  }
}

function timedIn(
  { bytes, length }: Excerpt,
  { base, isStart, until, timeOf }: {
    base: number;
    isStart: boolean;
    until: number;
    timeOf: Search["timeOf"];
  },
): Timed | null {
  const content = bytes.array.subarray(0, length);
  let start = isStart ? 0 : content.indexOf(LINE_FEED) + 1;
  if (!isStart && start === 0) return null;
  for (;;) {
    const end = content.indexOf(LINE_FEED, start) + 1;
    if (end === 0 || base + start >= until) return null;
    const isReturned = end - 2 >= start && content[end - 2] === CARRIAGE_RETURN;
    const time = timeOf(bytes, start, isReturned ? end - 2 : end - 1);
    if (!Number.isNaN(time)) return { start: base + start, end: base + end, time };
    start = end;
  }
}

/** Reads the last whole lines of the first `size` bytes, backwards, until `isEnough()`. */
export async function lookBack(
  content: Content,
  size: number,
  isEnough: (bytes: Bytes, from: number, to: number) => boolean,
): Promise<void> {
  const base = Math.max(0, size - EXCERPT);
  const { bytes, length } = await readFrom(content, { base, size: size - base });
  const text = bytes.array.subarray(0, length);
  let end = text.lastIndexOf(LINE_FEED);
  for (let tries = 0; end > 0 && tries < MAX_LINES_BACK; tries++) {
    const before = text.lastIndexOf(LINE_FEED, end - 1);
    if (before < 0 && base > 0) return;
    if (isEnough(bytes, before + 1, text[end - 1] === CARRIAGE_RETURN ? end - 1 : end)) return;
    end = before;
  }
}

async function readFrom(
  content: Content,
  { base, size }: { base: number; size: number },
): Promise<Excerpt> {
  const bytes = makeBytes(Math.max(0, size));
  const into = bytes.array.subarray(0, Math.max(0, size));
  return { bytes, length: await content.readAt(base, into) };
}
