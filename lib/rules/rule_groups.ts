import { GROUP_MASK, GROUP_RULES } from "../core/note_record.ts";
import type { Micros } from "../core/time.ts";

/** What counting needs to know of a rule. */
export interface CountedRule {
  /** Hits allowed within the window. */
  readonly limit: number;
  /** Length of the window; null: hits never grow old. */
  readonly window: Micros | null;
  /** Field of which each value counts once; null: every hit counts. */
  readonly distinct: string | null;
  /** Names the rule in the state. */
  readonly service: string;
  readonly name: string;
}

/** A group as the state keeps it: its rules' service, name and `distinct`, and whether hits never grow old, as JSON. */
export interface StoredGroup {
  readonly number: number;
  readonly rules: string;
}

/** In place of a `distinct` that is not known: any field will do. */
const ANY_FIELD = "*";

type StoredRule = readonly [service: string, name: string, distinct: string | null, isLasting: boolean];

/** A row: how many rules, the lowest limit, rules that count values as bits, the class of the longest window, the rules. */
const [COUNT, LIMIT, VALUES, SPAN_CLASS] = [0, 1, 2, 3];
/** Where the rules begin in a row, and how long a row is. */
export const [FIRST_RULE, ROW] = [4, 4 + GROUP_RULES];
/** Groups of several rules at most. Hostile lines can hit any combination; beyond that, each rule gets a note of its own. */
const MOST = 16_384;

/**
 * Rules that are hit together, as numbered groups of up to `GROUP_RULES`. A note names a group and which rules of it count. The
 * state keeps the names, so that notes of an earlier configuration are understood: what they say of rules that are gone, or
 * that count something else now, is left out.
 */
export class RuleGroups {
  /** Lengths of windows by rule; Infinity where hits never grow old. */
  readonly spans: Float64Array;
  readonly limits: Float64Array;
  /** All different lengths of windows. */
  readonly spanClasses: readonly Micros[];
  /** Rows by group; replaced when there are more groups than rows. */
  rows = new Int32Array(64 * ROW);
  readonly #rules: readonly CountedRule[];
  readonly #numbers = new Map<string, number>();
  /** Rules of stored groups that still count, as bits; of others, all. */
  readonly #masks: number[] = [];
  /** Whether notes of a group are stored without an end. */
  readonly #lasting: boolean[] = [];
  readonly #services: string[] = [];
  readonly #valueSpans: Micros[] = [];
  readonly #members: (readonly number[])[] = [];
  #used: boolean[] = [];
  #next = 0;
  #several = 0;
  #made: StoredGroup[] = [];
  /** All groups as the state has, or is to have, them; by number. */
  readonly #stored: StoredGroup[] = [];

  constructor(rules: readonly CountedRule[]) {
    this.#rules = rules;
    this.spans = Float64Array.from(rules, ({ window }) => window ?? Infinity);
    this.limits = Float64Array.from(rules, ({ limit }) => limit);
    this.spanClasses = [...new Set(this.spans)];
  }

  /** How many rules there are. */
  get ruleCount(): number {
    return this.#rules.length;
  }

  /** The number of a group of at most `GROUP_RULES` rules; -1 where there are too many groups of several. */
  numberOf(rules: readonly number[]): number {
    const key = rules.join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (rules.length > 1 && this.#several >= MOST) return -1;
    while (this.#used[this.#next]) this.#next++;
    const number = this.#next;
    this.#set(number, rules);
    this.#masks[number] = GROUP_MASK;
    this.#lasting[number] = rules.some((rule) => this.spans[rule] === Infinity);
    this.#numbers.set(key, number);
    this.#services[number] = this.#rules[rules[0]!]!.service;
    const made = { number, rules: JSON.stringify(rules.map((rule) => this.#nameOf(rule))) };
    this.#stored[number] = made;
    this.#made.push(made);
    return number;
  }

  /** Takes up a group of the state. Call it before any `numberOf()`. */
  restore(group: StoredGroup): void {
    const { number, rules: names } = group;
    this.#stored[number] = group;
    const stored = (JSON.parse(names) as StoredRule[]).slice(0, GROUP_RULES);
    const rules = stored.map((one) => this.#find(one));
    this.#services[number] = stored[0]![0];
    this.#set(number, rules);
    this.#masks[number] = rules.reduce((mask, rule, i) => rule < 0 ? mask : mask | 1 << i, 0);
    this.#lasting[number] = stored.some(([, , , isLasting]) => isLasting);
    const isWhole = rules.every((rule, i) => rule >= 0 && isEqual(this.#nameOf(rule), stored[i]!));
    if (isWhole) this.#numbers.set(rules.join(), number);
  }

  /** Which of the rules in `rules` of a record still count, in the same form; 0: none. */
  stillCounting(rules: number): number {
    const group = rules >>> GROUP_RULES;
    if (!this.#used[group]) return 0;
    const bits = rules & GROUP_MASK & this.#masks[group]! &
      (1 << this.rows[group * ROW + COUNT]!) - 1;
    return bits === 0 ? 0 : group << GROUP_RULES | bits;
  }

  /**
   * Drops the groups of the state that no note names: their numbers can be given again. Those of groups that notes name and the
   * state has lost cannot: the notes would count for other rules.
   */
  keep(named: ReadonlySet<number>): void {
    for (const [key, number] of this.#numbers) if (!named.has(number)) this.#numbers.delete(key);
    this.#several = 0;
    this.#used = this.#used.map((isUsed, number) => isUsed && named.has(number));
    this.#used.forEach((isUsed, number) => {
      if (isUsed && this.rows[number * ROW + COUNT]! > 1) this.#several++;
    });
    for (const number of named) this.#used[number] = true;
  }

  /** Groups made since the last call, which the state does not know. */
  takeMade(): StoredGroup[] {
    const made = this.#made;
    this.#made = [];
    return made;
  }

  /** Has `takeMade()` give all groups once more: the state may have lost some. */
  makeAgain(): void {
    this.#made = this.#stored.filter(({ number }) => this.#used[number]);
  }

  /** All rules of a group, as bits. */
  allOf(group: number): number {
    return (1 << this.rows[group * ROW + COUNT]!) - 1;
  }

  /** Whether notes of a group are, or may be, stored without an end. */
  isLasting(group: number): boolean {
    return this.#lasting[group]!;
  }

  /** The module that the rules of a group belong to; null where the state does not know the group. */
  serviceOf(group: number): string | null {
    return this.#services[group] ?? null;
  }

  /** The rules of a group. */
  rulesOf(group: number): readonly number[] {
    return this.#members[group] ?? [];
  }

  /** The lowest limit of a group's rules. */
  lowestLimit(group: number): number {
    return this.rows[group * ROW + LIMIT]!;
  }

  /** Those of a group's rules that count each value once, as bits. */
  valuesOf(group: number): number {
    return this.rows[group * ROW + VALUES]!;
  }

  /** The longest window of a group's rules that count values. */
  valueSpanOf(group: number): Micros {
    return this.#valueSpans[group]!;
  }

  /** The longest window of a group's rules, as a place in `spanClasses`. */
  spanClassOf(group: number): number {
    return this.rows[group * ROW + SPAN_CLASS]!;
  }

  /** The bit that stands for a rule in a group; 0: none. */
  bitOf(group: number, rule: number): number {
    const { rows } = this;
    const first = group * ROW + FIRST_RULE;
    const count = rows[group * ROW + COUNT]!;
    for (let i = 0; i < count; i++) if (rows[first + i] === rule) return 1 << i;
    return 0;
  }

  #set(number: number, rules: readonly number[]): void {
    while ((number + 1) * ROW > this.rows.length) {
      const rows = new Int32Array(2 * this.rows.length);
      rows.set(this.rows);
      this.rows = rows;
    }
    // Those that are gone are below 0.
    const known = rules.filter((rule) => rule >= 0);
    const longest = Math.max(...known.map((rule) => this.spans[rule]!));
    const lowest = Math.min(...known.map((rule) => this.limits[rule]!));
    let values = 0;
    rules.forEach((rule, i) => {
      if (rule >= 0 && this.#rules[rule]!.distinct !== null) values |= 1 << i;
    });
    const valued = known.filter((rule) => this.#rules[rule]!.distinct !== null);
    this.#valueSpans[number] = Math.max(0, ...valued.map((rule) => this.spans[rule]!));
    this.rows.set([rules.length, lowest, values, this.spanClasses.indexOf(longest), ...rules], number * ROW);
    this.#members[number] = rules;
    this.#used[number] = true;
    if (rules.length > 1) this.#several++;
  }

  #nameOf(rule: number): StoredRule {
    const { service, name, distinct, window } = this.#rules[rule]!;
    return [service, name, distinct, window === null];
  }

  #find([service, name, distinct]: StoredRule): number {
    return this.#rules.findIndex((rule) =>
      rule.service === service && rule.name === name &&
      (distinct === ANY_FIELD ? rule.distinct !== null : rule.distinct === distinct)
    );
  }
}

function isEqual(a: StoredRule, b: StoredRule): boolean {
  return a.every((part, i) => part === b[i]);
}
