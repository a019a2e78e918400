/**
 * Finds the place in a file behind the lines that were read before, if these have moved: a log that
 * is trimmed at its start, kept as a ring, or edited.
 */
import { makeBytes } from "../../core/bytes.ts";
import type { Micros } from "../../core/time.ts";
import type { Content } from "./content.ts";
import { HEAD_SIZE, readBytes } from "./head.ts";
import { findData } from "./hole.ts";
import type { TimeOf } from "./since.ts";
import { LineNumbers, type Trace } from "./trace.ts";

/** Most bytes that are searched before and behind the offset where reading ended. */
const MAX_SEARCHED = 64 * 1_024 * 1_024;
const CHUNK = 1_024 * 1_024;
/** Bytes of a line that are read for its time. */
const MAX_LINE = 4_096;
/** Known lines for each unknown one from which the file counts as edited. */
const KNOWN_SHARE = 4;

/** The part of a file that was read, with the circumstances of its loss. */
export interface LostPart {
  readonly trace: Trace;
  /** Where reading ended before. */
  readonly offset: number;
  /** Whether another file also has the lines: these may be new lines that look alike. */
  readonly isElsewhere: boolean;
  /** Whether the file may be unfinished: then only the trace's last line counts as the place. */
  readonly isUnsettled: boolean;
  readonly timeOf: TimeOf | undefined;
}

/** Lines of a file. */
interface Lines {
  readonly numbers: number[];
  /** Starts of all lines, and of the next one after them. */
  readonly starts: number[];
}

/** Lines of a file, backwards from one line, that are in the trace. */
interface Match {
  /** From the last to the first one. */
  readonly known: readonly number[];
  /** Number of other lines among them. */
  readonly others: number;
  /** Whether no unknown line precedes them: all of the trace is there, or the file begins so. */
  readonly isWhole: boolean;
}

/** A place behind a line, and that line's number. */
export interface Place {
  readonly offset: number;
  readonly trace: Trace;
}

/** Finds the place behind the lines of a trace in a file; null if they are missing or no proof. */
export async function findBehind(content: Content, lost: LostPart): Promise<Place | null> {
  if (lost.trace.length === 0) return null;
  const lines = await readLines(content, lost.offset);
  const match = bestMatch(lines, lost.trace);
  if (match === null) return null;
  const last = match.known[0]!;
  const number = lines.numbers[last]!;
  if (lost.isUnsettled && number !== lost.trace.at(-1)) return null;
  if (!await isProof(match, { content, lines, lost })) return null;
  return { offset: lines.starts[last + 1]!, trace: [number] };
}

async function readLines(content: Content, offset: number): Promise<Lines> {
  const { size } = content.state();
  const first = await findData(content, 0);
  const from = Math.max(first, Math.min(size, offset) - MAX_SEARCHED);
  const until = Math.min(size, from + 2 * MAX_SEARCHED);
  const [numbers, starts] = [[] as number[], [from]];
  const lines = new LineNumbers();
  const chunk = new Uint8Array(CHUNK);
  for (let at = from; at < until;) {
    const count = await content.readAt(at, chunk);
    if (count === 0) break;
    lines.take(chunk.subarray(0, count), at, (number, end) => {
      numbers.push(number);
      starts.push(end);
    });
    at += count;
  }
  return { numbers, starts };
}

/** Returns the match with most of the trace, among all lines that the trace may end with. */
function bestMatch({ numbers }: Lines, trace: Trace): Match | null {
  const known = new Set(trace);
  let best: Match | null = null;
  for (const [index, number] of numbers.entries()) {
    if (!known.has(number)) continue;
    const match = matchBefore(numbers, index, trace);
    if (best === null || scoreOf(match) > scoreOf(best)) best = match;
    if (match.known.length === trace.length && match.others === 0) break;
  }
  return best;
}

function scoreOf({ known, others }: Match): number {
  return known.length - others;
}

/** Goes back through file and trace side by side; each may lack lines of the other. */
function matchBefore(numbers: readonly number[], last: number, trace: Trace): Match {
  const known: number[] = [];
  let [others, passed] = [0, 0];
  let left = trace.length;
  let index = last;
  for (; index >= 0 && left > 0 && last - index < 2 * trace.length; index--) {
    const place = trace.lastIndexOf(numbers[index]!, left - 1);
    if (place < 0) passed++;
    else {
      known.push(index);
      [others, left] = [others + passed, place];
      passed = 0;
    }
  }
  return { known, others, isWhole: left === 0 || (index < 0 && passed === 0) };
}

/**
 * Reports whether lines were read before, and are not new ones with the same text: they are
 * together, and have two times, or so many bytes that they make a head. If no other file has them,
 * two different lines of one time are enough.
 */
async function isProof(
  { known, others, isWhole }: Match,
  { content, lines, lost }: { content: Content; lines: Lines; lost: LostPart },
): Promise<boolean> {
  if (known.length < KNOWN_SHARE * others) return false;
  const different = [...new Map(known.map((index) => [lines.numbers[index], index])).values()];
  const lengths = different.map((index) =>
    Math.min(MAX_LINE, lines.starts[index + 1]! - lines.starts[index]!)
  );
  if (lengths.reduce((sum, length) => sum + length, 0) >= HEAD_SIZE) return true;
  if (!isWhole || lost.timeOf === undefined) return false;
  const times: Micros[] = [];
  for (const [i, index] of different.entries()) {
    const bytes = makeBytes(lengths[i]!);
    bytes.array.set(await readBytes(content, { from: lines.starts[index]!, size: lengths[i]! }));
    const time = lost.timeOf(bytes, 0, lengths[i]! - 1);
    if (!Number.isNaN(time)) times.push(time);
  }
  return (lost.isElsewhere ? new Set(times).size : times.length) > 1;
}
