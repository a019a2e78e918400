import type { Hit, LogEvent, Micros, ModuleRules, Rule, Trip } from "../types.ts";
import { Matcher, type Subject } from "./matcher.ts";
import { DistinctWindow, SlidingWindow, type Window } from "./window.ts";

/** What one event led to. */
export interface Judgement {
  /** Whether some rule matches. */
  readonly isMatch: boolean;
  /** Those that count: a rule with `distinct` counts each value once. */
  readonly hits: readonly Hit[];
  /** Rules whose limit this event passed; their counters start anew. */
  readonly trips: readonly Trip[];
}

/** Addresses that one rule counts at most, unless told otherwise. */
export const CAPACITY = 200_000;

const NOTHING: Judgement = { isMatch: false, hits: [], trips: [] };
/** Characters of a value that are kept as they are. */
const MAX_VALUE = 64;

interface Counter {
  readonly rule: Rule;
  readonly window: Window;
}

/** What counting goes by. */
export interface EngineOptions {
  /** Addresses that one rule counts at most. */
  readonly capacity?: number;
  /** What an address is counted as: itself unless told. */
  readonly countedAs?: (address: string) => string;
  /** How many times as high limits are for what is counted as `address`; 1 unless told. */
  readonly lenience?: (address: string, time: Micros) => number;
}

/** Matches events against the rules and counts their hits, on the events' own time. Knows no clock. */
export class Engine {
  readonly #matchers = new Map<string, Matcher>();
  readonly #counters = new Map<string, Map<string, Counter>>();

  readonly #countedAs: (address: string) => string;
  readonly #lenience: (address: string, time: Micros) => number;

  constructor(
    modules: readonly ModuleRules[],
    { capacity = CAPACITY, countedAs = (address) => address, lenience = () => 1 }: EngineOptions = {},
  ) {
    this.#countedAs = countedAs;
    this.#lenience = lenience;
    for (const { module, rules } of modules) {
      this.#matchers.set(module.name, new Matcher(rules));
      this.#counters.set(module.name, new Map(rules.map((rule) => [rule.name, counter(rule, capacity)])));
    }
  }

  /** The names of the rules that an event of `service` hits, counting nothing. */
  match(service: string, event: Subject): string[] {
    return (this.#matchers.get(service)?.match(event) ?? []).map(({ name }) => name);
  }

  /** Counts an event. An untrusted one hits nothing. */
  add(event: LogEvent): Judgement {
    const rules = event.trusted ? this.#matchers.get(event.service)?.match(event) : undefined;
    if (!rules || rules.length === 0) return NOTHING;
    const address = this.#countedAs(event.address);
    const hits = rules.flatMap((rule) => hitOf(rule, { ...event, address }) ?? []).filter((hit) =>
      !this.#knows(hit)
    );
    return { isMatch: true, hits, trips: hits.flatMap((hit) => this.#count(hit, event.address) ?? []) };
  }

  /** Counts hits again that were stored earlier, oldest first; those of rules no longer configured are left out. */
  restore(hits: Iterable<Hit>): void {
    for (const hit of hits) this.#count(hit, hit.address);
  }

  /** Counts an address from nothing again, in every rule. */
  forget(address: string): void {
    for (const { window } of this.#all()) window.forget(address);
  }

  /** Gives back the memory of addresses that fell silent before their windows ending at `now`. */
  sweep(now: Micros): void {
    for (const { window } of this.#all()) window.sweep(now);
  }

  /** Addresses being counted, each once per rule. */
  get tracked(): number {
    return this.#all().reduce((sum, { window }) => sum + window.size, 0);
  }

  #knows(hit: Hit): boolean {
    return this.#counters.get(hit.service)!.get(hit.rule)!.window.knows(hit);
  }

  #count(hit: Hit, source: string): Trip | null {
    const counter = this.#counters.get(hit.service)?.get(hit.rule);
    // A rule may count something else than it did when the hit was stored.
    if (!counter || (counter.rule.distinct === null) !== (hit.value === null)) return null;
    const { service, rule, address, time } = hit;
    const count = counter.window.hit(hit, () => this.#lenience(address, time));
    if (count === 0) return null;
    return {
      service,
      rule,
      address,
      source,
      time,
      count,
      reason: `[${service}] ${rule}`,
      banTime: counter.rule.banTime,
      growth: counter.rule.growth,
      scope: counter.rule.scope,
    };
  }

  #all(): Counter[] {
    return [...this.#counters.values()].flatMap((rules) => [...rules.values()]);
  }
}

function counter(rule: Rule, capacity: number): Counter {
  const bounds = { limit: rule.limit, span: rule.window, capacity };
  return { rule, window: rule.distinct === null ? new SlidingWindow(bounds) : new DistinctWindow(bounds) };
}

/** The hit of a rule; null where the field that it counts is missing. */
function hitOf({ name, distinct }: Rule, event: LogEvent): Hit | null {
  const { service, address, time, message, fields } = event;
  const hit = { service, rule: name, address, time };
  if (distinct === null) return { ...hit, value: null };
  const value: unknown = distinct === "message" ? message : fields[distinct];
  return typeof value === "string" ? { ...hit, value: shortened(value) } : null;
}

/** A value bounded in length, in which long ones that differ anywhere still differ. */
function shortened(value: string): string {
  if (value.length <= MAX_VALUE) return value;
  // Two halves of FNV-1a with different primes.
  let [high, low] = [0x811c9dc5, 0x811c9dc5];
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x85ebca6b);
  }
  const hash = [high, low].map((half) => (half >>> 0).toString(36)).join("");
  return `${value.slice(0, MAX_VALUE / 2)}…${hash}`;
}

/** The longest span that any rule looks back over; `fallback` where none has a window. */
export function longestWindow(modules: readonly ModuleRules[], fallback: Micros): Micros {
  const windows = modules.flatMap(({ rules }) => rules.flatMap(({ window }) => window ?? []));
  return windows.length > 0 ? Math.max(...windows) : fallback;
}
