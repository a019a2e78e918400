import type { Micros, Rule, RuleTally, Tally, Trip } from "../types.ts";
import type { Counted } from "./counters.ts";

/** A rule, as its hits are told of. */
export interface HitRule extends Pick<Rule, "name" | "window"> {
  readonly service: string;
}

/** What a batch of events led to, in order. */
export class Findings {
  /** Rules whose limit was passed. */
  readonly trips: Trip[] = [];
  readonly #byRule = new Map<HitRule, RuleHits>();
  #hits = 0;

  /** Hits that count: of a rule with `distinct` one for each value. */
  get hits(): number {
    return this.#hits;
  }

  /** Takes a hit. */
  hit(rule: HitRule, hit: Counted): void {
    this.#hits++;
    let hits = this.#byRule.get(rule);
    if (!hits) this.#byRule.set(rule, hits = new RuleHits());
    hits.add(hit);
  }

  /** Takes a trip, which the last hit of the rule has led to: its counter has begun anew. */
  trip(rule: HitRule, trip: Trip): void {
    this.trips.push(trip);
    this.#byRule.get(rule)!.spend(trip.address);
  }

  /** What is to be kept: counters that began anew, and the hits that none of these has used up. */
  tallies(): Tally[] {
    const tallies = new Map<Micros | null, { until: Micros | null; rules: RuleTally[] }>();
    for (const [{ service, name: rule, window }, hits] of this.#byRule) {
      let tally = tallies.get(window);
      if (!tally) tallies.set(window, tally = { until: window && 0, rules: [] });
      if (window !== null) tally.until = Math.max(tally.until!, hits.latest + window);
      tally.rules.push({ service, rule, ...hits.left() });
    }
    return [...tallies.values()].map((tally) => ({ ...tally, forgotten: [] }));
  }
}

/** The hits of one rule. */
class RuleHits {
  latest: Micros = 0;
  readonly #addresses: string[] = [];
  readonly #times: Micros[] = [];
  readonly #values: string[] = [];
  /** Up to which hit those of an address are used up. */
  readonly #spent = new Map<string, number>();

  add({ address, time, value }: Counted): void {
    this.#addresses.push(address);
    this.#times.push(time);
    if (value !== null) this.#values.push(value);
    if (time > this.latest) this.latest = time;
  }

  spend(address: string): void {
    this.#spent.set(address, this.#addresses.length);
  }

  /** All but what is used up. */
  left(): Omit<RuleTally, "service" | "rule"> {
    const spent = this.#spent;
    const [addresses, times, values] = [this.#addresses, this.#times, this.#values];
    if (spent.size === 0) return { spent: [], addresses, times, values };
    const isLeft = (_: unknown, i: number) => i >= (spent.get(addresses[i]!) ?? 0);
    return {
      spent: [...spent.keys()],
      addresses: addresses.filter(isLeft),
      times: times.filter(isLeft),
      values: values.filter(isLeft),
    };
  }
}
