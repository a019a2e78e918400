import { grown } from "../core/bytes.ts";
import { GROUP_RULES } from "./note_record.ts";
import type { Micros } from "../core/time.ts";
import type { RuleGroups } from "./rule_groups.ts";

/** Hits of one rule since the last call: time of the newest, and number. */
export interface HitsOfRule {
  /** Number of the rule. */
  readonly rule: number;
  readonly time: Micros;
  readonly count: number;
}

/** Time of the newest hit and number of hits by group of rules: two numbers to write per note. */
export class RuleHits {
  readonly #groups: RuleGroups;
  /** By group for hits of all its rules, by rule for hits of some; 0: never. */
  #newestOfGroup = new Float64Array(64);
  #countOfGroup = new Float64Array(64);
  readonly #newestOfRule: Float64Array;
  readonly #countOfRule: Float64Array;

  constructor(groups: RuleGroups) {
    this.#groups = groups;
    this.#newestOfRule = new Float64Array(groups.ruleCount);
    this.#countOfRule = new Float64Array(groups.ruleCount);
  }

  /** Adds a hit of rules of a group, as bits. */
  add(group: number, bits: number, time: Micros): void {
    if (bits !== this.#groups.allOf(group)) return this.#addToRules(group, bits, { time, count: 1 });
    if (group >= this.#newestOfGroup.length) this.#grow(group);
    this.#countOfGroup[group]!++;
    if (time > this.#newestOfGroup[group]!) this.#newestOfGroup[group] = time;
  }

  /** Returns the hits since the last call, of each rule that has some. */
  take(): HitsOfRule[] {
    for (let group = 0; group < this.#countOfGroup.length; group++) {
      const count = this.#countOfGroup[group]!;
      if (count === 0) continue;
      this.#addToRules(group, this.#groups.allOf(group), { time: this.#newestOfGroup[group]!, count });
      this.#countOfGroup[group] = this.#newestOfGroup[group] = 0;
    }
    const hits: HitsOfRule[] = [];
    for (let rule = 0; rule < this.#countOfRule.length; rule++) {
      const count = this.#countOfRule[rule]!;
      if (count === 0) continue;
      hits.push({ rule, time: this.#newestOfRule[rule]!, count });
      this.#countOfRule[rule] = this.#newestOfRule[rule] = 0;
    }
    return hits;
  }

  #addToRules(group: number, bits: number, { time, count }: Omit<HitsOfRule, "rule">): void {
    this.#groups.eachRule(group << GROUP_RULES | bits, (rule) => {
      this.#countOfRule[rule]! += count;
      if (time > this.#newestOfRule[rule]!) this.#newestOfRule[rule] = time;
    });
  }

  #grow(group: number): void {
    this.#newestOfGroup = grown(this.#newestOfGroup, 2 * group);
    this.#countOfGroup = grown(this.#countOfGroup, 2 * group);
  }
}
