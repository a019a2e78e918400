/**
 * Counts of the last minutes, report by report: without them the plot of `watch` begins empty. In:
 * the counts of each report. Out: their differences, oldest first.
 */
import { type Micros, MILLISECOND } from "../core/time.ts";
import type { MonitorReport } from "./report.ts";

/** Number of differences kept: five minutes of them take 2 KB in each report. */
const MOST = 150;

type Difference = NonNullable<MonitorReport["recent"]>[number];

/** Remembers differences between reports. */
export class RecentCounts {
  #differences: Difference[] = [];
  #last: { readonly time: Micros; readonly counts: MonitorReport["counts"] } | null = null;

  /** Takes the counts of a report at `time`; returns the differences of the last reports. */
  add(time: Micros, counts: MonitorReport["counts"]): readonly Difference[] {
    const last = this.#last;
    if (last !== null && time > last.time) {
      this.#differences.push([
        Math.round((time - last.time) / MILLISECOND),
        counts.entries - last.counts.entries,
        counts.hits - last.counts.hits,
        counts.bans - last.counts.bans,
      ]);
      this.#differences = this.#differences.slice(-MOST);
    }
    this.#last = { time, counts: { ...counts } };
    return this.#differences;
  }
}
