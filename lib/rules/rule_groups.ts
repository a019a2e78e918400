import { grown } from "../core/bytes.ts";
import { GROUP_MASK, GROUP_RULES } from "./note_record.ts";
import type { Micros } from "../core/time.ts";

/** The parts of a rule that counting uses. */
export interface CountedRule {
  /** Hits allowed within the window. */
  readonly limit: number;
  /** Length of the window; null: hits never grow old. */
  readonly window: Micros | null;
  /** Field whose distinct values count; null: every hit counts. */
  readonly distinct: string | null;
  /** Module and name identify the rule in the state. */
  readonly module: string;
  readonly name: string;
}

/** A stored group: module, name, `distinct` of its rules, and if hits never grow old, as JSON. */
export interface StoredGroup {
  readonly number: number;
  readonly rules: string;
}

/** Stands for an unknown `distinct`: any field. */
const ANY_FIELD = "*";

type StoredRule = readonly [module: string, name: string, distinct: string | null, isLasting: boolean];

/** A row: number of rules, lowest limit, distinct rules as bits, class of the longest window. */
const [COUNT, LIMIT, DISTINCT, SPAN_CLASS] = [0, 1, 2, 3];
/** Start of the rules in a row, and length of a row. */
export const [FIRST_RULE, ROW] = [4, 4 + GROUP_RULES];
/** Most groups of several rules, as hostile lines hit any. Beyond, a note has one rule. */
const MOST = 16_384;

/**
 * Numbered groups of up to `GROUP_RULES` rules that are hit together. A note names a group and its
 * rules that count. The state keeps rules' names, to read notes of an earlier configuration: rules
 * that are gone or count something else now are skipped.
 */
export class RuleGroups {
  /** Lengths of windows by rule; Infinity: hits never grow old. */
  readonly spans: Float64Array;
  readonly limits: Float64Array;
  /** All distinct lengths of windows. */
  readonly spanClasses: readonly Micros[];
  /** Rows by group; the array is replaced when it grows. */
  rows = new Int32Array(64 * ROW);
  readonly #rules: readonly CountedRule[];
  readonly #numbers = new Map<string, number>();
  /** Rules of each stored group that still count, as bits; all rules for other groups. */
  readonly #masks: number[] = [];
  /** Whether each group's notes are stored without an end. */
  readonly #lasting: boolean[] = [];
  readonly #modules: string[] = [];
  readonly #distinctSpans: Micros[] = [];
  #used: boolean[] = [];
  #next = 0;
  #several = 0;
  #new: StoredGroup[] = [];
  /** All groups by number, as stored or to be stored. */
  readonly #stored: StoredGroup[] = [];

  constructor(rules: readonly CountedRule[]) {
    this.#rules = rules;
    this.spans = Float64Array.from(rules, ({ window }) => window ?? Infinity);
    this.limits = Float64Array.from(rules, ({ limit }) => limit);
    this.spanClasses = [...new Set(this.spans)];
  }

  /** Number of rules. */
  get ruleCount(): number {
    return this.#rules.length;
  }

  /** Returns the number of a group of up to `GROUP_RULES` rules; -1: too many of several. */
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
    this.#modules[number] = this.#rules[rules[0]!]!.module;
    const made = { number, rules: JSON.stringify(rules.map((rule) => this.#nameOf(rule))) };
    this.#stored[number] = made;
    this.#new.push(made);
    return number;
  }

  /** Restores a stored group. Call it before any `numberOf()`. */
  restore(group: StoredGroup): void {
    const { number, rules: names } = group;
    this.#stored[number] = group;
    const stored = (JSON.parse(names) as StoredRule[]).slice(0, GROUP_RULES);
    const rules = stored.map((one) => this.#find(one));
    this.#modules[number] = stored[0]![0];
    this.#set(number, rules);
    this.#masks[number] = rules.reduce((mask, rule, i) => rule < 0 ? mask : mask | 1 << i, 0);
    this.#lasting[number] = stored.some(([, , , isLasting]) => isLasting);
    const isWhole = rules.every((rule, i) => rule >= 0 && isEqual(this.#nameOf(rule), stored[i]!));
    if (isWhole) this.#numbers.set(rules.join(), number);
  }

  /** Returns the rules of a record's `rules` that still count, in the same form; 0: none. */
  stillCounting(rules: number): number {
    const group = rules >>> GROUP_RULES;
    if (!this.#used[group]) return 0;
    const bits = rules & GROUP_MASK & this.#masks[group]! &
      (1 << this.rows[group * ROW + COUNT]!) - 1;
    return bits === 0 ? 0 : group << GROUP_RULES | bits;
  }

  /**
   * Drops stored groups that no note names, to give their numbers again. Numbers in notes whose
   * group the state has lost stay taken: the notes would count for other rules.
   */
  keepOnly(named: ReadonlySet<number>): void {
    for (const [key, number] of this.#numbers) if (!named.has(number)) this.#numbers.delete(key);
    this.#several = 0;
    this.#used = this.#used.map((isUsed, number) => isUsed && named.has(number));
    this.#used.forEach((isUsed, number) => {
      if (isUsed && this.rows[number * ROW + COUNT]! > 1) this.#several++;
    });
    for (const number of named) this.#used[number] = true;
  }

  /** Returns the groups made since the last call, which the state lacks. */
  takeNew(): StoredGroup[] {
    const made = this.#new;
    this.#new = [];
    return made;
  }

  /** Makes `takeNew()` return all groups again, as the state may have lost some. */
  markAllNew(): void {
    this.#new = this.#stored.filter(({ number }) => this.#used[number]);
  }

  /** Returns all rules of a group, as bits. */
  allOf(group: number): number {
    return (1 << this.rows[group * ROW + COUNT]!) - 1;
  }

  /** Reports whether notes of a group are, or may be, stored without an end. */
  isLasting(group: number): boolean {
    return this.#lasting[group]!;
  }

  /** Returns the module of a group; null: the group is unknown. */
  moduleOf(group: number): string | null {
    return this.#modules[group] ?? null;
  }

  /** Calls `act` with each rule of a record's `rules`, and the rule's bit. */
  eachRule(rules: number, act: (rule: number, bit: number) => void): void {
    const first = (rules >>> GROUP_RULES) * ROW + FIRST_RULE;
    for (let bits = rules & GROUP_MASK; bits !== 0; bits &= bits - 1) {
      const bit = bits & -bits;
      act(this.rows[first + 31 - Math.clz32(bit)]!, bit);
    }
  }

  /** Returns the lowest limit of a group's rules. */
  lowestLimit(group: number): number {
    return this.rows[group * ROW + LIMIT]!;
  }

  /** Returns the rules of a group that count distinct values, as bits. */
  distinctOf(group: number): number {
    return this.rows[group * ROW + DISTINCT]!;
  }

  /** Returns the longest window of a group's rules that count distinct values. */
  distinctSpanOf(group: number): Micros {
    return this.#distinctSpans[group]!;
  }

  /** Returns the longest window of a group's rules, as an index into `spanClasses`. */
  spanClassOf(group: number): number {
    return this.rows[group * ROW + SPAN_CLASS]!;
  }

  /** Returns the bit of a rule in a group; 0: none. */
  bitOf(group: number, rule: number): number {
    const { rows } = this;
    const first = group * ROW + FIRST_RULE;
    const count = rows[group * ROW + COUNT]!;
    for (let i = 0; i < count; i++) if (rows[first + i] === rule) return 1 << i;
    return 0;
  }

  #set(number: number, rules: readonly number[]): void {
    while ((number + 1) * ROW > this.rows.length) this.rows = grown(this.rows);
    // Rules that are gone are below 0.
    const known = rules.filter((rule) => rule >= 0);
    const longest = Math.max(...known.map((rule) => this.spans[rule]!));
    const lowest = Math.min(...known.map((rule) => this.limits[rule]!));
    let bits = 0;
    rules.forEach((rule, i) => {
      if (rule >= 0 && this.#rules[rule]!.distinct !== null) bits |= 1 << i;
    });
    const distinct = known.filter((rule) => this.#rules[rule]!.distinct !== null);
    this.#distinctSpans[number] = Math.max(0, ...distinct.map((rule) => this.spans[rule]!));
    this.rows.set([rules.length, lowest, bits, this.spanClasses.indexOf(longest), ...rules], number * ROW);
    this.#used[number] = true;
    if (rules.length > 1) this.#several++;
  }

  #nameOf(rule: number): StoredRule {
    const { module, name, distinct, window } = this.#rules[rule]!;
    return [module, name, distinct, window === null];
  }

  #find([module, name, distinct]: StoredRule): number {
    return this.#rules.findIndex((rule) =>
      rule.module === module && rule.name === name &&
      (distinct === ANY_FIELD ? rule.distinct !== null : rule.distinct === distinct)
    );
  }
}

function isEqual(a: StoredRule, b: StoredRule): boolean {
  return a.every((part, i) => part === b[i]);
}
