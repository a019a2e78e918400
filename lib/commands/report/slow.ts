/** Finds slow attackers. Input: counts of each hour. Output: addresses active in many hours. */
import { DAY, HOUR } from "../../core/time.ts";
import type { RollupRow } from "../../state/rollup_table.ts";

/** An address active in many hours with few hits in each. */
export interface SlowAttacker {
  readonly address: string;
  /** Hours and days (UTC) with hits. */
  readonly hours: number;
  readonly days: number;
  readonly hits: number;
  /** Hits of the busiest hour. */
  readonly most: number;
  /** Bans that began in the period, and whether one has not ended. */
  readonly made: number;
  readonly isBanned: boolean;
}

/** Least hours, and most hits in any of them: fewer than most rules allow in ten minutes. */
const [FEWEST_HOURS, MOST_HITS] = [6, 10];

/** Counts the active hours of addresses. */
export class SlowBuilder {
  readonly #addresses = new Map<
    string,
    { hours: number; days: number; hits: number; most: number; last: number }
  >();

  /** Counts a row of an hour, in order. Ignores whole days: they do not count hours. */
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

  /** Returns the `most` addresses with the most hours, in that order. */
  slowest(most: number): Omit<SlowAttacker, "made" | "isBanned">[] {
    return [...this.#addresses]
      .filter(([, { hours, most }]) => hours >= FEWEST_HOURS && most <= MOST_HITS)
      .sort(([a, one], [b, other]) => other.hours - one.hours || other.hits - one.hits || (a < b ? -1 : 1))
      .slice(0, most)
      .map(([address, { last: _, ...sum }]) => ({ address, ...sum }));
  }
}
