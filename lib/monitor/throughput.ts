import { DAY, type Micros } from "../core/time.ts";
import type { NewBan } from "../deciding/ban.ts";
import { COUNTS, type Counts } from "./report.ts";
import type { Totals } from "./totals.ts";

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

  /** Adds the counts of one commit of a source; `lag`: age of the newest event when it came. */
  add(source: string, counts: Counts, { lag, bans }: { lag: Micros; bans: readonly NewBan[] }): void {
    if (counts.events > 0) this.lags.set(source, lag);
    for (const name of COUNTS) this.counts[name] += counts[name];
    const { decided } = this;
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
