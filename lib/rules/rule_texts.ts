import { Automaton } from "../reading/automaton.ts";
import type { MessageForm } from "../reading/message_reader.ts";
import { compileCondition } from "./condition.ts";
import type { Rule } from "./rule.ts";
import { type RuleConditions, RuleOutputs } from "./rule_outputs.ts";

/** The texts of rules for the messages of one module. */
export class RuleTexts {
  /** Finds the texts. The reader of the module's messages may run it. */
  readonly automaton: Automaton;
  readonly outputs: RuleOutputs;
  /** By index of the rule. */
  readonly conditions: readonly RuleConditions[];

  /** @param form fields and literals of the module's messages */
  constructor(
    rules: readonly Pick<Rule, "condition" | "except">[],
    { fields, literals }: Pick<MessageForm, "fields" | "literals">,
  ) {
    this.conditions = rules.map(({ condition, except }) => ({
      condition: condition && compileCondition(condition, fields),
      except: except.map((one) => compileCondition(one, fields)),
    }));
    this.outputs = new RuleOutputs(this.conditions);
    this.automaton = new Automaton(this.outputs.dictionaries, literals);
  }
}
