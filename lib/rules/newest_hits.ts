import type { Micros } from "../core/time.ts";
import type { RuleGroups } from "./rule_groups.ts";

/** When each rule was hit last: kept by group of rules, as one number for each note. */
export class NewestHits {
  readonly #groups: RuleGroups;
  /** By group, where all of its rules counted, and by rule, where only some did; 0: never. */
  #ofGroup = new Float64Array(64);
  readonly #ofRule: Float64Array;

  constructor(groups: RuleGroups) {
    this.#groups = groups;
    this.#ofRule = new Float64Array(groups.ruleCount);
  }

  /** Takes in a hit of rules of a group, as bits. */
  note(group: number, bits: number, time: Micros): void {
    if (bits !== this.#groups.allOf(group)) return this.#noteRules(group, bits, time);
    if (group >= this.#ofGroup.length) this.#grow(group);
    if (time > this.#ofGroup[group]!) this.#ofGroup[group] = time;
  }

  /** Takes the rules that were hit since the last call, and when at the latest. */
  take(): { rule: number; time: Micros }[] {
    this.#ofGroup.forEach((time, group) => {
      if (time > 0) this.#noteRules(group, this.#groups.allOf(group), time);
    });
    const newest = [...this.#ofRule].flatMap((time, rule) => time > 0 ? [{ rule, time }] : []);
    this.#ofGroup.fill(0);
    this.#ofRule.fill(0);
    return newest;
  }

  #noteRules(group: number, bits: number, time: Micros): void {
    this.#groups.rulesOf(group).forEach((rule, i) => {
      if ((bits & 1 << i) !== 0 && time > this.#ofRule[rule]!) this.#ofRule[rule] = time;
    });
  }

  #grow(group: number): void {
    const newest = new Float64Array(2 * group);
    newest.set(this.#ofGroup);
    this.#ofGroup = newest;
  }
}
