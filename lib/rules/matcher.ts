import type { Rule } from "./rule.ts";
import { CompiledRule } from "./compiled_rule.ts";
import { SignIndex, Signs } from "./signs.ts";
import type { Subject, View } from "./views.ts";

/**
 * Says which rules an event hits. Time is linear in the event's length; the number of rules hardly matters, as their texts are sought
 * all at once, and a regular expression is asked only where a text stands that it needs.
 *
 * What rules look for in an event are signs: a text at a place of a field, or a status. Events of a log show the same few
 * combinations of signs again and again, and what each combination means for all the rules is found out once (`Signs`).
 */
export class Matcher<R extends Rule = Rule> {
  readonly #index: SignIndex<R>;
  readonly #views: readonly View[];
  #none: Signs<R>;

  constructor(rules: readonly R[]) {
    this.#index = new SignIndex(rules.map((rule) => new CompiledRule(rule)));
    this.#views = this.#index.views;
    this.#none = new Signs(this.#index);
  }

  /** The rules that an event hits, in configured order. */
  match(event: Subject): readonly R[] {
    if (this.#index.isFull) this.#none = this.#index.forget();
    let signs = this.#none;
    for (let i = 0; i < this.#views.length; i++) {
      const found = this.#views[i]!.look(event);
      for (let j = 0; j < found.length; j++) signs = signs.and(found[j]!);
    }
    return signs.hits(event);
  }
}
