import { DAY, type Micros } from "../core/time.ts";
import type { NewBan } from "../deciding/ban.ts";
import type { Counts } from "./report.ts";
import type { Totals } from "./totals.ts";

/** The counts of one commit. */
export interface Committed extends Readonly<Omit<Counts, "entries" | "bans" | "suppressed">> {
  readonly source: string;
  readonly records: number;
  /** Age of the newest event when it came. */
  readonly lag: Micros;
  readonly bans: readonly NewBan[];
}

/** Counts that a commit adds as they are. */
const SUMMED = [
  "unknown",
  "events",
  "recorded",
  "hits",
  "damaged",
  "untrusted",
  "ahead",
  "uncounted",
  "evicted",
] as const;

/** Counts the records that a pipeline commits, and measures how late they come. */
export class Throughput {
  /** Counts since the program's start. */
  readonly counts: Counts;
  /** The same of bans, by the names of their provenances. */
  readonly decided: Map<string, number>;
  /** By source, the age of its newest event when it came. */
  readonly lags = new Map<string, Micros>();

  /** @param totals to count on in */
  constructor({ counts, decided }: Pick<Totals, "counts" | "decided">) {
    this.counts = counts;
    this.decided = decided;
  }

  add(committed: Committed): void {
    const { source, records, events, lag, bans } = committed;
    if (events > 0) this.lags.set(source, lag);
    const { counts, decided } = this;
    counts.entries += records;
    counts.bans += bans.length;
    for (const name of SUMMED) counts[name] += committed[name];
    for (const { provenance: { name } } of bans) decided.set(name, (decided.get(name) ?? 0) + 1);
  }

  /**
   * Returns the time before which no more lines are expected: `now` less the lag of the slowest
   * source (a backlog, or another clock), but at most a day.
   */
  watermark(now: Micros): Micros {
    return now - Math.min(DAY, Math.max(0, ...this.lags.values()));
  }
}
