import type { Micros } from "../types.ts";
import type { Tail } from "./tail.ts";

const STEP = 1 << 16;

/**
 * Where the first line of a file begins that was written at `since` or later, by halving: lines are taken to be in the
 * order of their times. The file's end where no line tells a time.
 */
export function firstLineSince(
  tail: Tail,
  { since, timeOf }: { since: Micros; timeOf: (line: string) => Micros | null },
): number {
  const size = tail.size;
  let [low, high] = [0, size];
  // Everything before `low` is too old; the line that begins at `high` or behind it is not.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const line = nextTimed(tail, { from: middle, timeOf });
    if (line === null || line.time >= since) high = middle;
    else low = Math.max(line.next, middle + 1);
  }
  const found = nextTimed(tail, { from: low, timeOf });
  return found === null || found.time < since ? size : found.start;
}

interface TimedLine {
  readonly start: number;
  /** Where the line behind it begins. */
  readonly next: number;
  readonly time: Micros;
}

/** The first line with a time that begins at `from` or behind it, not too far on. */
function nextTimed(
  tail: Tail,
  { from, timeOf }: { from: number; timeOf: (line: string) => Micros | null },
): TimedLine | null {
  const begin = Math.max(0, from - 1);
  const bytes = tail.bytesAt(begin, STEP);
  let start = from === 0 ? 0 : bytes.indexOf(0x0a) + 1;
  if (from > 0 && start === 0) return null;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) return null;
    const time = timeOf(new TextDecoder().decode(bytes.subarray(start, end)));
    if (time !== null) return { start: begin + start, next: begin + end + 1, time };
    start = end + 1;
  }
}
