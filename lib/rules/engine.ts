import type { LogEvent } from "../reading/module.ts";
import type { Micros } from "../core/time.ts";
import type { ModuleRules, Rule, Trip } from "./rule.ts";
import { Findings, type RuleTally, type Tally } from "./findings.ts";
import { detached } from "../core/text.ts";
import { type Counted, Counters } from "./counters.ts";
import { Matcher } from "./matcher.ts";
import type { Subject } from "./views.ts";

/** Characters of a value that are kept as they are. */
const MAX_VALUE = 64;

/** What counting goes by. */
export interface EngineOptions {
  /** What an address is counted as: itself unless told. */
  readonly countedAs?: (address: string) => string;
  /** How many times as high limits are for what is counted as `address`; 1 unless told. */
  readonly lenience?: (address: string, time: Micros) => number;
}

/** A rule with the number that counters know it by. */
interface NumberedRule extends Rule {
  readonly number: number;
  readonly service: string;
  readonly reason: string;
}

/** Matches events against the rules and counts their hits, on the events' own time. Knows no clock. */
export class Engine {
  readonly #matchers: ReadonlyMap<string, Matcher<NumberedRule>>;
  readonly #rules: readonly NumberedRule[];
  readonly #counters: Counters;
  /** Time of the newest hit of each rule that has not been told of yet; 0: there is none. */
  readonly #newest: Float64Array;
  readonly #countedAs: (address: string) => string;
  readonly #lenience: (address: string, time: Micros) => number;

  constructor(
    modules: readonly ModuleRules[],
    { countedAs = (address) => address, lenience = () => 1 }: EngineOptions = {},
  ) {
    this.#countedAs = countedAs;
    this.#lenience = lenience;
    const all = modules.flatMap(({ module: { name: service }, rules }) =>
      rules.map((rule) => ({ ...rule, service, reason: `[${service}] ${rule.name}` }))
    );
    this.#rules = all.map((rule, number) => ({ ...rule, number }));
    this.#matchers = new Map(
      modules.map(({ module: { name } }) => [
        name,
        new Matcher(this.#rules.filter(({ service }) => service === name)),
      ]),
    );
    this.#newest = new Float64Array(all.length);
    this.#counters = new Counters(all.map(({ limit, window: span }) => ({ limit, span })));
  }

  /** The names of the rules that an event of `service` hits, counting nothing. */
  match(service: string, event: Subject): string[] {
    return (this.#matchers.get(service)?.match(event) ?? []).map(({ name }) => name);
  }

  /** Takes what events lead to. */
  findings(): Findings {
    return new Findings(this.#rules);
  }

  /** Counts an event, and adds to `findings` what follows. Returns whether some rule matches; none does an untrusted event. */
  add(event: LogEvent, findings: Findings): boolean {
    const rules = event.trusted ? this.#matchers.get(event.service)!.match(event) : [];
    if (rules.length === 0) return false;
    const hit: Counted = { address: this.#countedAs(event.address), time: event.time, value: null };
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (rule.distinct === null) this.#count(rule, hit, { source: event.address, findings });
      else this.#countValue(rule, hit, { event, findings });
    }
    return true;
  }

  #countValue(
    rule: NumberedRule,
    hit: Counted,
    { event, findings }: { event: LogEvent; findings: Findings },
  ): void {
    const value = valueOf(event, rule.distinct!);
    if (value === undefined) return;
    const valued = { ...hit, value };
    if (!this.#counters.knows(rule.number, valued)) {
      this.#count(rule, valued, { source: event.address, findings });
    }
  }

  #count(
    rule: NumberedRule,
    hit: Counted,
    { source, findings }: { source: string; findings: Findings },
  ): void {
    findings.hit(rule.number, hit);
    if (hit.time > this.#newest[rule.number]!) this.#newest[rule.number] = hit.time;
    const count = this.#counters.hit(rule.number, hit, this.#lenience);
    if (count > 0) findings.trip(tripOf(hit, { rule, source, count }));
  }

  /** Rules that were hit since the last call, and when at the latest. */
  takeNewest(): { service: string; rule: string; time: Micros }[] {
    const newest = this.#rules.flatMap(({ service, name: rule, number }) => {
      const time = this.#newest[number]!;
      return time > 0 ? [{ service, rule, time }] : [];
    });
    this.#newest.fill(0);
    return newest;
  }

  /** Counts again what was stored, in its order; what is of rules no longer configured is left out. */
  restore(tallies: Iterable<Tally>): void {
    const rules = new Map(this.#rules.map((rule) => [`${rule.service} ${rule.name}`, rule]));
    for (const tally of tallies) {
      for (const address of tally.forgotten) this.#counters.forget(address);
      for (const counted of tally.rules) {
        const rule = rules.get(`${counted.service} ${counted.rule}`);
        if (rule) this.#restoreRule(rule, counted, tally);
      }
    }
  }

  #restoreRule(
    { number, distinct }: NumberedRule,
    { spent, hits, values }: RuleTally,
    { addresses, times }: Tally,
  ): void {
    for (const address of spent) this.#counters.reset(number, address);
    // A rule may count something else than it did when the hits were stored.
    if ((distinct === null) !== (values.length === 0)) return;
    hits.forEach((n, i) => {
      this.#counters.add(number, { address: addresses[n]!, time: times[n]!, value: values[i] ?? null });
    });
  }

  /** Counts an address from nothing again, in every rule. */
  forget(address: string): void {
    this.#counters.forget(address);
  }

  /** Gives back the memory of addresses that fell silent before their windows ending at `now`. */
  sweep(now: Micros): void {
    this.#counters.sweep(now);
  }

  /** Addresses being counted. */
  get tracked(): number {
    return this.#counters.size;
  }

  /** How many of them were given up as there were too many. */
  get forgotten(): number {
    return this.#counters.forgotten;
  }
}

/** Lives as long as the ban that may follow. */
function tripOf(
  hit: Counted,
  { rule, source, count }: { rule: NumberedRule; source: string; count: number },
): Trip {
  const { reason, banTime, growth, scope } = rule;
  return {
    address: detached(hit.address),
    source: detached(source),
    time: hit.time,
    count,
    reason,
    banTime,
    growth,
    scope,
  };
}

/** What a rule counts that counts the values of `field`; undefined where the event has none. */
function valueOf({ message, fields }: LogEvent, field: string): string | undefined {
  const value: unknown = field === "message" ? message : fields[field];
  return typeof value === "string" ? shortened(value) : undefined;
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
