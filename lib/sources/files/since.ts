import { type Bytes, makeBytes } from "../../core/bytes.ts";
import type { Micros } from "../../core/time.ts";
import type { Content } from "./content.ts";

/**
 * When the line `bytes[from, to)` of the file `stream` says that it was written; NaN where it does
 * not say.
 */
export type TimeOf = (bytes: Bytes, from: number, to: number, stream?: object) => Micros;

/** When the last line of a file reached it, and whether somebody waited for it there. */
export interface FileEnd {
  readonly stream: object;
  readonly written: Micros;
  readonly isLive: boolean;
}

/** Learns the zone of a file's times from one of its last lines; false where the line tells no time. */
export type LearnZone = (bytes: Bytes, from: number, to: number, end: FileEnd) => boolean;

/** What is sought, and in how much of the file. */
export interface Search {
  /** Where the first line begins. */
  readonly from: number;
  /** Bytes. */
  readonly size: number;
  readonly since: Micros;
  readonly timeOf: (bytes: Bytes, from: number, to: number) => Micros;
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
/** Lines at a file's end of which one is expected to tell a time. */
const MAX_LINES_BACK = 10;
const [NEWLINE, RETURN] = [10, 13];

/** A piece of a file. */
interface Window {
  readonly bytes: Bytes;
  readonly length: number;
}

/**
 * Where the first line of `since` or later begins, in a file whose lines are in the order of their
 * times; its end when all are older; null when no line tells a time. Lines without one are passed
 * over. Reads as often as the size has digits in base two.
 */
export async function findSince(content: Content, search: Search): Promise<number | null> {
  let [low, high] = [search.from, search.size];
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
  const base = from === search.from ? from : from - 1;
  const until = Math.min(to, from + MAX_PROBE);
  for (let size = WINDOW;; size *= 2) {
    const window = await readFrom(content, { base, size: Math.min(size, search.size - base) });
    const line = timedIn(window, { base, isStart: base === search.from, until, timeOf: search.timeOf });
    if (line !== null || base + size >= until) return line;
  }
}

function timedIn(
  { bytes, length }: Window,
  { base, isStart, until, timeOf }: {
    base: number;
    isStart: boolean;
    until: number;
    timeOf: Search["timeOf"];
  },
): Timed | null {
  const content = bytes.array.subarray(0, length);
  let start = isStart ? 0 : content.indexOf(NEWLINE) + 1;
  if (!isStart && start === 0) return null;
  for (;;) {
    const end = content.indexOf(NEWLINE, start) + 1;
    if (end === 0 || base + start >= until) return null;
    const isReturned = end - 2 >= start && content[end - 2] === RETURN;
    const time = timeOf(bytes, start, isReturned ? end - 2 : end - 1);
    if (!Number.isNaN(time)) return { start: base + start, end: base + end, time };
    start = end;
  }
}

/** Looks at the last lines of the first `size` bytes, from the last whole one back, until `isEnough()`. */
export async function lookBack(
  content: Content,
  size: number,
  isEnough: (bytes: Bytes, from: number, to: number) => boolean,
): Promise<void> {
  const base = Math.max(0, size - WINDOW);
  const { bytes, length } = await readFrom(content, { base, size: size - base });
  const text = bytes.array.subarray(0, length);
  let end = text.lastIndexOf(NEWLINE);
  for (let tries = 0; end > 0 && tries < MAX_LINES_BACK; tries++) {
    const before = text.lastIndexOf(NEWLINE, end - 1);
    if (before < 0 && base > 0) return;
    if (isEnough(bytes, before + 1, text[end - 1] === RETURN ? end - 1 : end)) return;
    end = before;
  }
}

async function readFrom(
  content: Content,
  { base, size }: { base: number; size: number },
): Promise<Window> {
  const bytes = makeBytes(Math.max(0, size));
  const into = bytes.array.subarray(0, Math.max(0, size));
  return { bytes, length: await content.readAt(base, into) };
}
