/** Figures of several rounds, and their comparison with targets. */

/** Values by side, in milliseconds unless a row says otherwise. */
export type Figures = Readonly<Record<string, number>>;

/** A target of a row. */
export interface Target {
  /** Text in the table: `>= 5 x sshg-parser`. */
  readonly words: string;
  /** Returns the value that a round's figures give. */
  readonly value: (figures: Figures) => number;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Unit behind the value: ` x`, ` ms`… */
  readonly unit: string;
}

/** A target and its result. */
export interface Verdict {
  readonly target: string;
  /** Median of the rounds. */
  readonly value: number;
  readonly unit: string;
  readonly isMet: boolean;
}

/** Returns the median; of an even number of values the mean of the middle two, of none NaN. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Returns the value that a share of `values` does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

/** Returns a duration without the program's start; NaN if the start took as long. */
export function without(start: number, milliseconds: number): number {
  return milliseconds > start ? milliseconds - start : NaN;
}

/** Returns the median of each figure over the rounds that have it. */
export function medians(rounds: readonly Figures[]): Figures {
  const names = [...new Set(rounds.flatMap((round) => Object.keys(round)))];
  const values = (name: string) => rounds.map((round) => round[name] ?? NaN).filter((v) => !Number.isNaN(v));
  return Object.fromEntries(names.map((name) => [name, median(values(name))]));
}

/** Returns a target's median value over the rounds; null if no round has its figures. */
export function judge(target: Target, rounds: readonly Figures[]): Verdict | null {
  const values = rounds.map(target.value).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return null;
  const value = median(values);
  const { words, unit, atLeast = -Infinity, atMost = Infinity } = target;
  return { target: words, value, unit, isMet: value >= atLeast && value <= atMost };
}

/** Formats a value with three figures. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
