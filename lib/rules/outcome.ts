import type { Hit, Micros, Tally, Trip } from "../types.ts";

/** What a batch of events led to, in order. */
export class Outcome {
  /** Those that count: a rule with `distinct` counts each value once. */
  readonly hits: Hit[] = [];
  /** Rules whose limit was passed. */
  readonly trips: Trip[] = [];
  /** How many hits there were at each trip. */
  readonly #reaches: number[] = [];

  /** Takes a trip, which the hit before has led to: its counter has begun anew. */
  trip(trip: Trip): void {
    this.trips.push(trip);
    this.#reaches.push(this.hits.length);
  }

  /** What is to be kept: counters that began anew, and the hits that none of these has used up. */
  tallies(): Tally[] {
    const tallies = new Map<Micros | null, { until: Micros | null; spent: Trip[]; hits: Hit[] }>();
    const tallyOf = ({ window, time }: Hit | Trip) => {
      let tally = tallies.get(window);
      if (!tally) tallies.set(window, tally = { until: window && 0, spent: [], hits: [] });
      if (window !== null) tally.until = Math.max(tally.until!, time + window);
      return tally;
    };
    const spent = this.#spent();
    this.hits.forEach((hit, i) => {
      if (i >= (spent.get(hit.address)?.get(`${hit.service} ${hit.rule}`) ?? 0)) tallyOf(hit).hits.push(hit);
    });
    for (const trip of this.trips) tallyOf(trip).spent.push(trip);
    return [...tallies.values()].map((tally) => ({ ...tally, forgotten: [] }));
  }

  /** Up to which hit those of a counter are used up, by address and rule. */
  #spent(): Map<string, Map<string, number>> {
    const reaches = new Map<string, Map<string, number>>();
    this.trips.forEach(({ service, rule, address }, i) => {
      const ofAddress = reaches.get(address) ?? new Map<string, number>();
      reaches.set(address, ofAddress.set(`${service} ${rule}`, this.#reaches[i]!));
    });
    return reaches;
  }
}
