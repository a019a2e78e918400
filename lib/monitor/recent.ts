/**
 * What came within the last minutes, report by report: the plot of `watch` would begin empty without. Comes in: the counts of each
 * report. Goes out: their differences, oldest first.
 */
import { type Micros, MILLISECOND } from "../core/time.ts";
import type { MonitorReport } from "./report.ts";

/** Reports that are remembered: five minutes, and 2 KB of each report. */
const MOST = 150;

type RecentCounts = NonNullable<MonitorReport["recent"]>[number];

/** Remembers differences between reports. */
export class Recent {
  #list: RecentCounts[] = [];
  #last: { readonly time: Micros; readonly counts: MonitorReport["counts"] } | null = null;

  /** Takes the counts of the report that is written at `time`; returns what came in each of the last ones. */
  add(time: Micros, counts: MonitorReport["counts"]): readonly RecentCounts[] {
    const last = this.#last;
    if (last !== null && time > last.time) {
      this.#list.push([
        Math.round((time - last.time) / MILLISECOND),
        counts.entries - last.counts.entries,
        counts.hits - last.counts.hits,
        counts.bans - last.counts.bans,
      ]);
      this.#list = this.#list.slice(-MOST);
    }
    this.#last = { time, counts: { ...counts } };
    return this.#list;
  }
}
