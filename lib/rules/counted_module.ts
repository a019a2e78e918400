import type { MessageForm } from "../reading/message_reader.ts";
import { Answer } from "./answer.ts";
import { Bursts } from "./bursts.ts";
import type { NumberedRule } from "./note_plan.ts";
import type { Rule } from "./rule.ts";
import { RuleSet } from "./rule_set.ts";
import { Users } from "./users.ts";

/** A module's name, rules and form of messages. */
export interface RuledModule {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly form: Pick<MessageForm, "fields" | "literals" | "parts">;
}

/** Rules, users and bursts of one module. */
export class CountedModule {
  readonly name: string;
  readonly rules: readonly NumberedRule[];
  readonly users = new Users();
  readonly answer: Answer;
  readonly bursts = new Bursts();
  readonly #module: RuledModule;
  #set: RuleSet | null = null;

  constructor(module: RuledModule, rules: readonly NumberedRule[]) {
    this.name = module.name;
    this.rules = rules;
    this.#module = module;
    this.answer = new Answer(module.form.fields);
  }

  /** Its rules, prepared for its first message: a service that is silent costs no start anything. */
  get set(): RuleSet {
    return this.#set ??= new RuleSet(this.rules, this.#module.form);
  }

  clear(): void {
    this.#set?.clear();
    this.bursts.clear();
  }
}
