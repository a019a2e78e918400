/**
 * Positions in the journal: the cursor of the last entry, and, until a proof that the journalctl
 * which printed the last entries has omitted none (proof.ts), what finds an omission after a crash:
 *
 *     s=b7…;i=4a9;…;x=8e1… 1772323200000000 212 3811098471027612 s=b7…;i=3c0;…;x=0c4…
 *
 * are the cursor, mark of the last printed entry, number of the unproved ones, sum of their marks,
 * and the cursor from which nothing is proved, or `@` and an instant.
 */
import type { Start } from "../source.ts";

/** What is known of unproved entries. */
export interface Unproved {
  /** The place before the first one. */
  readonly since: Start;
  /** Mark of the last one. */
  readonly last: number;
  readonly count: number;
  readonly sum: number;
}

/** Marks are below this number, and the sum of two is exact. */
const MODULUS = 2 ** 52;

/** Returns the sum of marks with one more. */
export function sumOf(sum: number, mark: number): number {
  return (sum + mark) % MODULUS;
}

/** Returns the position behind the entry `cursor`, up to which entries are unproved. */
export function positionOf(cursor: string, { since, last, count, sum }: Unproved): string {
  return [cursor, last, count, sum, since.after ?? `@${since.since}`].join(" ");
}

/** Returns the place of a position, and its unproved entries; null: there are none. */
export function readPosition({ after, since }: Start): { start: Start; unproved: Unproved | null } {
  const [cursor, last, count, sum, from] = (after ?? "").split(" ");
  if (from === undefined) return { start: { after, since }, unproved: null };
  const unprovedSince = from.startsWith("@")
    ? { after: null, since: Number(from.slice(1)) }
    : { after: from, since };
  return {
    start: { after: cursor!, since },
    unproved: { since: unprovedSince, last: Number(last), count: Number(count), sum: Number(sum) },
  };
}

/**
 * Returns the marks of the entries that were omitted among `marks`, those of all entries that were
 * to be printed, in order. They follow each other, as they are the end of a file that journald
 * closed. Empty: none was, or the sum fits no such row.
 */
export function omittedAmong(
  marks: readonly number[],
  { count, sum }: Pick<Unproved, "count" | "sum">,
): readonly number[] {
  const length = marks.length - count;
  if (length <= 0) return [];
  const all = marks.reduce(sumOf, 0);
  let row = marks.slice(0, length).reduce(sumOf, 0);
  for (let from = 0;; from++) {
    if (sumOf(sum, row) === all) return marks.slice(from, from + length);
    if (from + length === marks.length) return [];
    row = sumOf(sumOf(row, MODULUS - marks[from]!), marks[from + length]!);
  }
}
