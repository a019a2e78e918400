/**
 * Computes rates of lines, hits and bans. Input: the monitor's reports, which count from its start.
 * Output: amounts in slots of two seconds, from differences of reports. Time is an argument.
 */
import { type Micros, MILLISECOND, MINUTE, SECOND } from "../../core/time.ts";
import type { MonitorReport } from "../../monitor/report.ts";

/** Amounts with rates. */
export const RATES = ["lines", "hits", "bans"] as const;
export type Rate = typeof RATES[number];
type Amounts = Readonly<Record<Rate, number>>;

/** Reports come every two seconds if anything has changed. */
export const SLOT: Micros = 2 * SECOND;
/** After a longer gap between reports, all changes fall into its last two seconds. */
const LONGEST: Micros = 5 * SECOND;
/** Slots kept: 40 minutes, more than any terminal's width. */
const MOST = 1_200;

/** Counts amounts in slots. */
export class Rates {
  readonly #slots = new Map<number, Record<Rate, number>>();
  #last: { readonly started: Micros; readonly time: Micros; readonly counts: Amounts } | null = null;

  /** Takes a report read at `now`; the first one also gives the minutes before. */
  add({ started, counts, recent = [], ...report }: MonitorReport, now: Micros): void {
    const time = report.time ?? now;
    const amounts = { lines: counts.entries, hits: counts.hits, bans: counts.bans };
    const last = this.#last;
    if (last === null) this.#addRecent(recent, time);
    if (last?.started === started && time > last.time) {
      const came = { ...amounts };
      for (const rate of RATES) came[rate] -= last.counts[rate];
      this.#spread(came, last.time, time);
    }
    this.#last = { started, time, counts: amounts };
    for (const slot of this.#slots.keys()) if (slot < now / SLOT - MOST) this.#slots.delete(slot);
  }

  #addRecent(recent: NonNullable<MonitorReport["recent"]>, end: Micros): void {
    let to = end;
    for (const [milliseconds, lines, hits, bans] of recent.toReversed()) {
      const from = to - milliseconds * MILLISECOND;
      this.#spread({ lines, hits, bans }, from, to);
      to = from;
    }
  }

  /** Spreads the difference of two reports evenly over its slots. */
  #spread(amounts: Amounts, start: Micros, end: Micros): void {
    const from = end - start > LONGEST ? end - SLOT : start;
    if (!(end > from)) return;
    for (let slot = Math.floor(from / SLOT); slot * SLOT < end; slot++) {
      const overlap = Math.min(end, (slot + 1) * SLOT) - Math.max(from, slot * SLOT);
      const counts = this.#slots.get(slot) ?? { lines: 0, hits: 0, bans: 0 };
      for (const rate of RATES) counts[rate] += Math.max(0, amounts[rate]) * overlap / (end - from);
      this.#slots.set(slot, counts);
    }
  }

  /** Returns rates of the last `count` complete slots, oldest first, a second; bans: a minute. */
  series(rate: Rate, { count, now }: { count: number; now: Micros }): number[] {
    // The last slot's report is still to come.
    const end = Math.floor((now - 2 * SLOT) / SLOT);
    const of = (slot: number) => this.#slots.get(slot)?.[rate] ?? 0;
    const slots = Array.from({ length: count }, (_, i) => end - count + 1 + i);
    if (rate !== "bans") return slots.map((slot) => of(slot) / (SLOT / SECOND));
    const inMinute = Array.from({ length: MINUTE / SLOT }, (_, i) => i);
    return slots.map((slot) => inMinute.reduce((sum, back) => sum + of(slot - back), 0));
  }
}
