import { strict as assert } from "node:assert";
import { loadConfig } from "../../lib/config/load.ts";
import { numberRules } from "../../lib/rules/note_plan.ts";
import { RuleSet } from "../../lib/rules/rule_set.ts";
import type { Rule } from "../../lib/rules/rule.ts";
import { NGINX_RULE_SAMPLES } from "../samples/nginx_rules.ts";
import { known, SHIPPED } from "../support/configs.ts";
import { eventOf } from "../support/events.ts";

const RULES = loadConfig(SHIPPED, { known }).modules.find(({ module }) => module.name === "NGINX")!.rules;
const EXPRESSIONS = RULES.filter(({ condition }) => condition?.mode === "regex");

/** Whether `text`, in the fields that a rule compares, is a hit. */
function hits(rule: Rule, text: string): boolean {
  const names = ["message", ...rule.condition!.fields, "status"];
  const fields = Object.fromEntries(rule.condition!.fields.map((field) => [field, text]));
  const status: Record<string, string> = rule.status === null ? {} : { status: String([...rule.status][0]) };
  const rules = new RuleSet(numberRules([{ name: "", rules: [rule] }]), { fields: names, literals: [] });
  return rules.verdict(eventOf({ fields: { ...fields, ...status } }, names)).rules.length > 0;
}

Deno.test("every shipped rule with regular expressions has samples and near misses, and there are none of others", () => {
  assert.deepEqual(NGINX_RULE_SAMPLES.map(({ rule }) => rule), EXPRESSIONS.map(({ name }) => name));
  for (const { rule, match, miss } of NGINX_RULE_SAMPLES) {
    assert.ok(match.length > 0 && miss.length > 0, rule);
  }
});

for (const rule of EXPRESSIONS) {
  const { match, miss } = NGINX_RULE_SAMPLES.find((sample) => sample.rule === rule.name)!;
  Deno.test(`the shipped rule ${rule.name} hits all that it is for, by each of its expressions, and no near miss`, () => {
    for (const text of match) assert.ok(hits(rule, text), text);
    for (const text of miss) assert.ok(!hits(rule, text), text);
    for (const expression of rule.condition!.texts) {
      const alone = { ...rule, condition: { ...rule.condition!, texts: [expression] } };
      assert.ok(match.some((text) => hits(alone, text)), `no sample for ${expression}`);
    }
  });
}
