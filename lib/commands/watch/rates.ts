/**
 * Rates of lines, hits and bans. Comes in: reports of a monitor, which count from its start. Goes out: what came within each slot
 * of two seconds, from the differences of two reports. Time is an argument.
 */
import { type Micros, MILLISECOND, MINUTE, SECOND } from "../../core/time.ts";
import type { MonitorReport } from "../../monitor/report.ts";

/** What there are rates of. */
export const RATES = ["lines", "hits", "bans"] as const;
export type Rate = typeof RATES[number];
type Amounts = Readonly<Record<Rate, number>>;

/** A report comes every two seconds, if anything has changed. */
export const SLOT: Micros = 2 * SECOND;
/** A longer time between two reports: nothing had changed before its last two seconds. */
const LONGEST: Micros = 5 * SECOND;
/** Slots that are kept: 40 minutes, more than any terminal is wide. */
const MOST = 1_200;

/** Counts what came in slots. */
export class Rates {
  readonly #slots = new Map<number, Record<Rate, number>>();
  #last: { readonly loaded: Micros; readonly time: Micros; readonly counts: Amounts } | null = null;

  /** Takes a report that was read at `now`; the first one tells of the minutes before it as well. */
  add({ started, loaded = started, counts, recent = [], ...report }: MonitorReport, now: Micros): void {
    const time = report.time ?? now;
    const amounts = { lines: counts.entries, hits: counts.hits, bans: counts.bans };
    const last = this.#last;
    if (last === null) this.#addRecent(recent, time);
    if (last?.loaded === loaded && time > last.time) {
      const came = { ...amounts };
      for (const rate of RATES) came[rate] -= last.counts[rate];
      this.#spread(came, last.time, time);
    }
    this.#last = { loaded, time, counts: amounts };
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

  /** Spreads what came between two reports evenly over its slots. */
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

  /** The rate in each of the last `count` slots that are complete at `now`, oldest first: a second; of bans, in a minute. */
  series(rate: Rate, { count, now }: { count: number; now: Micros }): number[] {
    // A report of the last slot is still to come.
    const end = Math.floor((now - 2 * SLOT) / SLOT);
    const of = (slot: number) => this.#slots.get(slot)?.[rate] ?? 0;
    const slots = Array.from({ length: count }, (_, i) => end - count + 1 + i);
    if (rate !== "bans") return slots.map((slot) => of(slot) / (SLOT / SECOND));
    const inMinute = Array.from({ length: MINUTE / SLOT }, (_, i) => i);
    return slots.map((slot) => inMinute.reduce((sum, back) => sum + of(slot - back), 0));
  }
}
