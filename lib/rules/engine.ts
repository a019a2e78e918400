import type { Hit, LogEvent, Micros, ModuleRules, Rule, Trip } from "../types.ts";
import { Matcher } from "./matcher.ts";
import { SlidingWindow } from "./window.ts";

/** What one event led to. */
export interface Verdict {
  readonly hits: readonly Hit[];
  /** Rules whose limit this event passed; their counters start anew. */
  readonly trips: readonly Trip[];
}

/** Addresses that one rule counts at most, unless told otherwise. */
export const CAPACITY = 200_000;

const NOTHING: Verdict = { hits: [], trips: [] };

interface Counter {
  readonly rule: Rule;
  readonly window: SlidingWindow;
}

/** Matches events against the rules and counts their hits, on the events' own time. Knows no clock. */
export class Engine {
  readonly #matchers = new Map<string, Matcher>();
  readonly #counters = new Map<string, Map<string, Counter>>();

  constructor(modules: readonly ModuleRules[], capacity = CAPACITY) {
    for (const { module, rules } of modules) {
      this.#matchers.set(module.name, new Matcher(rules));
      this.#counters.set(
        module.name,
        new Map(rules.map((rule) => [
          rule.name,
          { rule, window: new SlidingWindow(rule.limit, rule.window, capacity) },
        ])),
      );
    }
  }

  /** The names of the rules that a message of `service` hits, counting nothing. */
  match(service: string, message: string): string[] {
    return (this.#matchers.get(service)?.match(message) ?? []).map(({ name }) => name);
  }

  /** Counts an event. An untrusted one hits nothing. */
  add(event: LogEvent): Verdict {
    const rules = event.trusted ? this.#matchers.get(event.service)?.match(event.message) : undefined;
    if (!rules || rules.length === 0) return NOTHING;
    const { service, address, time } = event;
    const hits = rules.map((rule) => ({ service, rule: rule.name, address, time }));
    return { hits, trips: hits.flatMap((hit) => this.#count(hit) ?? []) };
  }

  /** Counts hits again that were stored earlier, oldest first; those of rules no longer configured are left out. */
  restore(hits: Iterable<Hit>): void {
    for (const hit of hits) this.#count(hit);
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

  #count(hit: Hit): Trip | null {
    const counter = this.#counters.get(hit.service)?.get(hit.rule);
    if (!counter) return null;
    const count = counter.window.hit(hit.address, hit.time);
    if (count === 0) return null;
    return { ...hit, count, reason: `[${hit.service}] ${hit.rule}`, banTime: counter.rule.banTime };
  }

  #all(): Counter[] {
    return [...this.#counters.values()].flatMap((rules) => [...rules.values()]);
  }
}

/** The longest span that any rule looks back over; `fallback` where none has a window. */
export function longestWindow(modules: readonly ModuleRules[], fallback: Micros): Micros {
  const windows = modules.flatMap(({ rules }) => rules.flatMap(({ window }) => window ?? []));
  return windows.length > 0 ? Math.max(...windows) : fallback;
}
