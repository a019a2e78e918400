import type { Micros } from "../core/time.ts";
import type { Rule, Trip } from "./rule.ts";
import type { Counted } from "./counters.ts";

/** What has changed the counters of a rule: those that began anew, then hits in the order in which they came. */
export interface RuleTally {
  /** Name of the module. */
  readonly service: string;
  readonly rule: string;
  /** Addresses that passed the limit and are counted from nothing again. */
  readonly spent: readonly string[];
  /** Each hit as the number of its event in the tally. */
  readonly hits: readonly number[];
  /** Of each hit what a rule with `distinct` counts, shortened; empty for any other rule. */
  readonly values: readonly string[];
}

/** What has changed counters, for those that have to count it again: in this order. */
export interface Tally {
  /** When none of it matters any more; null: never. */
  readonly until: Micros | null;
  /** Addresses whose counters have all begun anew. */
  readonly forgotten: readonly string[];
  /** Of each event that hit one of the rules, or several, its address and its time: columns take a third of the room that objects do. */
  readonly addresses: readonly string[];
  readonly times: readonly Micros[];
  readonly rules: readonly RuleTally[];
}

/** A rule, as its hits are told of. */
export interface HitRule extends Pick<Rule, "name" | "window"> {
  readonly service: string;
}

/** What a batch of events led to, in order. */
export class Findings {
  #trips: Trip[] = [];
  /** Events that were hits, whatever the number of rules. */
  readonly #addresses: string[] = [];
  readonly #times: Micros[] = [];
  /** The rules by their numbers. */
  readonly #rules: readonly HitRule[];
  /** Of each hit the number of its rule and that of its event. They are sorted when somebody asks: a look into the past never does. */
  readonly #hits: number[] = [];
  /** What was counted, by the hits that have such. */
  readonly #values = new Map<number, string>();
  /** Numbers of hits, the first being 1, that led to trips. */
  readonly #spent: number[] = [];
  /** How many hits there were when an address was forgotten. */
  readonly #forgotten = new Map<string, number>();

  /** @param rules those that are counted by, known by their places here */
  constructor(rules: readonly HitRule[]) {
    this.#rules = rules;
  }

  /** Rules whose limit was passed. */
  get trips(): readonly Trip[] {
    return this.#trips;
  }

  /** Hits that count: of a rule with `distinct` one for each value. */
  get hits(): number {
    return this.#hits.length / 2;
  }

  /** Takes a hit of the rule with that number. */
  hit(rule: number, { address, time, value }: Counted): void {
    const last = this.#times.length - 1;
    if (last < 0 || this.#times[last] !== time || this.#addresses[last] !== address) {
      this.#addresses.push(address);
      this.#times.push(time);
    }
    if (value !== null) this.#values.set(this.hits, value);
    this.#hits.push(rule, this.#times.length - 1);
  }

  /** Takes a trip, which the last hit has led to: the counter of its rule has begun anew. */
  trip(trip: Trip): void {
    this.#trips.push(trip);
    this.#spent.push(this.hits);
  }

  /** Drops what has come of an address: it is counted from nothing again. */
  forget(address: string): void {
    this.#trips = this.#trips.filter((trip) => trip.address !== address);
    this.#forgotten.set(address, this.hits);
  }

  /**
   * What is to be kept as of `now`, which no hit is later than: counters that began anew, as long as any hit that was counted before,
   * and the hits that none of these has used up.
   */
  tallies(now: Micros): Tally[] {
    const drafts = new Map<Micros | null, Draft>();
    for (const [{ service, name: rule, window }, hits] of this.#byRule()) {
      let draft = drafts.get(window);
      if (!draft) drafts.set(window, draft = new Draft(this.#addresses, this.#times));
      const left = hits.left(this.#addresses);
      if (window !== null) {
        const latest = left.spent.length > 0 ? Math.max(now, hits.latest) : hits.latest;
        draft.until = Math.max(draft.until ?? 0, latest + window);
      }
      draft.rules.push({ service, rule, ...left, hits: draft.take(left.hits) });
    }
    return [...drafts.values()].map((draft) => draft.tally());
  }

  #byRule(): ReadonlyMap<HitRule, RuleHits> {
    const byRule = new Map<HitRule, RuleHits>();
    let spent = 0;
    for (let i = 0; i < this.hits; i++) {
      const event = this.#hits[2 * i + 1]!;
      const isSpent = this.#spent[spent] === i + 1;
      if (isSpent) spent++;
      if (this.#forgotten.size > 0 && i < (this.#forgotten.get(this.#addresses[event]!) ?? 0)) continue;
      const rule = this.#rules[this.#hits[2 * i]!]!;
      let hits = byRule.get(rule);
      if (!hits) byRule.set(rule, hits = new RuleHits());
      hits.add(event, { time: this.#times[event]!, value: this.#values.get(i) ?? null });
      if (isSpent) hits.spend(this.#addresses[event]!);
    }
    return byRule;
  }
}

/** The hits of one rule. */
class RuleHits {
  latest: Micros = 0;
  /** Each as the number of its event. */
  readonly #events: number[] = [];
  readonly #values: string[] = [];
  /** Up to which hit those of an address are used up. */
  readonly #spent = new Map<string, number>();

  add(event: number, { time, value }: Omit<Counted, "address">): void {
    this.#events.push(event);
    if (value !== null) this.#values.push(value);
    if (time > this.latest) this.latest = time;
  }

  spend(address: string): void {
    this.#spent.set(address, this.#events.length);
  }

  /** All but what is used up. */
  left(addresses: readonly string[]): Omit<RuleTally, "service" | "rule"> {
    const spent = this.#spent;
    const [hits, values] = [this.#events, this.#values];
    if (spent.size === 0) return { spent: [], hits, values };
    const isLeft = hits.map((event, i) => i >= (spent.get(addresses[event]!) ?? 0));
    return {
      spent: [...spent.keys()],
      hits: hits.filter((_, i) => isLeft[i]),
      values: values.filter((_, i) => isLeft[i]),
    };
  }
}

/** A tally in the making, with those of all events that its rules name. */
class Draft {
  until: Micros | null = null;
  readonly rules: RuleTally[] = [];
  readonly #addresses: readonly string[];
  readonly #times: readonly Micros[];
  readonly #taken: number[] = [];
  /** Of each event the number that it has among those taken, and one more; 0: it is not. */
  readonly #numbers: Uint32Array;

  constructor(addresses: readonly string[], times: readonly Micros[]) {
    this.#addresses = addresses;
    this.#times = times;
    this.#numbers = new Uint32Array(addresses.length);
  }

  /** Takes events in; gives their numbers in the tally. */
  take(events: readonly number[]): number[] {
    return events.map((event) => {
      if (this.#numbers[event] === 0) this.#numbers[event] = this.#taken.push(event);
      return this.#numbers[event]! - 1;
    });
  }

  tally(): Tally {
    return {
      until: this.until,
      forgotten: [],
      addresses: this.#taken.map((event) => this.#addresses[event]!),
      times: this.#taken.map((event) => this.#times[event]!),
      rules: this.rules,
    };
  }
}
