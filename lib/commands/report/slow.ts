/** Who tries little and often. Comes in: what was counted of each hour. Goes out: addresses that came in many hours. */
import { DAY, HOUR } from "../../core/time.ts";
import type { RollupRow } from "../../state/rollup_table.ts";

/** An address that came in many hours and made few hits in each. */
export interface SlowAttacker {
  readonly address: string;
  /** Hours and days (UTC) that it came in. */
  readonly hours: number;
  readonly days: number;
  readonly hits: number;
  /** Hits of the hour with most. */
  readonly most: number;
  /** Bans that began in the period, and whether one has not ended. */
  readonly made: number;
  readonly isBanned: boolean;
}

/** Hours that it takes, and hits that none of them may pass: fewer than most rules allow within ten minutes. */
const [FEWEST_HOURS, MOST_HITS] = [6, 10];

/** Counts the hours that addresses come in. */
export class SlowBuilder {
  readonly #addresses = new Map<
    string,
    { hours: number; days: number; hits: number; most: number; last: number }
  >();

  /** Counts an hour; they come in order. Whole days do not tell in how many hours somebody came. */
  add({ span, start, content }: RollupRow): void {
    if (span !== HOUR) return;
    const day = Math.floor(start / DAY);
    for (const [address, count] of content.address) {
      const sum = this.#addresses.get(address) ?? { hours: 0, days: 0, hits: 0, most: 0, last: NaN };
      sum.hours++;
      if (sum.last !== day) sum.days++;
      sum.last = day;
      sum.hits += count;
      sum.most = Math.max(sum.most, count);
      this.#addresses.set(address, sum);
    }
  }

  /** The `most` that came in most hours, those first. */
  slowest(most: number): Omit<SlowAttacker, "made" | "isBanned">[] {
    return [...this.#addresses]
      .filter(([, { hours, most }]) => hours >= FEWEST_HOURS && most <= MOST_HITS)
      .sort(([a, one], [b, other]) => other.hours - one.hours || other.hits - one.hits || (a < b ? -1 : 1))
      .slice(0, most)
      .map(([address, { last: _, ...sum }]) => ({ address, ...sum }));
  }
}
