/** Figures of several rounds, and what is said of them. */

/** Values by what they were measured of: milliseconds unless a row says otherwise. */
export type Figures = Readonly<Record<string, number>>;

/** What a row promises. */
export interface Target {
  /** In words, for the table: `>= 5 x sshg-parser`. */
  readonly words: string;
  /** What of a round's figures is held against it. */
  readonly value: (figures: Figures) => number;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Behind the value: ` x`, ` ms`… */
  readonly unit: string;
}

/** A target with what became of it. */
export interface Verdict {
  readonly target: string;
  /** Median of the rounds. */
  readonly value: number;
  readonly unit: string;
  readonly isMet: boolean;
}

/** The middle of some values; of an even number the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that so great a part of `values` does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

/** What took so long when the start of it is subtracted; NaN where the start is all that there is to see. */
export function without(start: number, milliseconds: number): number {
  return milliseconds > start ? milliseconds - start : NaN;
}

/** The medians of each figure over all rounds that have it. */
export function medians(rounds: readonly Figures[]): Figures {
  const names = [...new Set(rounds.flatMap((round) => Object.keys(round)))];
  const values = (name: string) => rounds.map((round) => round[name] ?? NaN).filter((v) => !Number.isNaN(v));
  return Object.fromEntries(names.map((name) => [name, median(values(name))]));
}

/** The median over all rounds of what each makes of a target; null where no round has its figures. */
export function judge(target: Target, rounds: readonly Figures[]): Verdict | null {
  const values = rounds.map(target.value).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return null;
  const value = median(values);
  const { words, unit, atLeast = -Infinity, atMost = Infinity } = target;
  return { target: words, value, unit, isMet: value >= atLeast && value <= atMost };
}

/** A value as people read it: three figures. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
