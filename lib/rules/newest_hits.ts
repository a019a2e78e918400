import type { Micros } from "../core/time.ts";
import type { RuleGroups } from "./rule_groups.ts";

/** How often each rule was hit, and when last: kept by group of rules, as two numbers for each note. */
export class NewestHits {
  readonly #groups: RuleGroups;
  /** By group, where all of its rules counted, and by rule, where only some did; 0: never. */
  #ofGroup = new Float64Array(64);
  readonly #ofRule: Float64Array;
  /** Hits in the same order. */
  #countOfGroup = new Float64Array(64);
  readonly #countOfRule: Float64Array;

  constructor(groups: RuleGroups) {
    this.#groups = groups;
    this.#ofRule = new Float64Array(groups.ruleCount);
    this.#countOfRule = new Float64Array(groups.ruleCount);
  }

  /** Takes in a hit of rules of a group, as bits. */
  note(group: number, bits: number, time: Micros): void {
    if (bits !== this.#groups.allOf(group)) return this.#noteRules(group, bits, { time, count: 1 });
    if (group >= this.#ofGroup.length) this.#grow(group);
    if (time > this.#ofGroup[group]!) this.#ofGroup[group] = time;
    this.#countOfGroup[group]!++;
  }

  /** Takes the rules that were hit since the last call, how often, and when at the latest. */
  take(): { rule: number; time: Micros; count: number }[] {
    this.#ofGroup.forEach((time, group) => {
      const count = this.#countOfGroup[group]!;
      if (count > 0) this.#noteRules(group, this.#groups.allOf(group), { time, count });
    });
    const newest = [...this.#ofRule].flatMap((time, rule) =>
      time > 0 ? [{ rule, time, count: this.#countOfRule[rule]! }] : []
    );
    for (const numbers of [this.#ofGroup, this.#ofRule, this.#countOfGroup, this.#countOfRule]) {
      numbers.fill(0);
    }
    return newest;
  }

  #noteRules(group: number, bits: number, { time, count }: { time: Micros; count: number }): void {
    this.#groups.rulesOf(group).forEach((rule, i) => {
      if ((bits & 1 << i) === 0) return;
      if (time > this.#ofRule[rule]!) this.#ofRule[rule] = time;
      this.#countOfRule[rule]! += count;
    });
  }

  #grow(group: number): void {
    const larger = (numbers: Float64Array) => {
      const more = new Float64Array(2 * group);
      more.set(numbers);
      return more;
    };
    this.#ofGroup = larger(this.#ofGroup);
    this.#countOfGroup = larger(this.#countOfGroup);
  }
}
