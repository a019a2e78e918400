import { GROUP_RULES } from "./note_record.ts";
import type { Rule } from "./rule.ts";
import type { RuleGroups } from "./rule_groups.ts";

/** A rule with its number in notes. */
export interface NumberedRule extends Rule {
  readonly number: number;
  /** Name of its module. */
  readonly module: string;
  readonly reason: string;
}

/** Returns the rules of all modules, numbered in configured order. */
export function numberRules(
  modules: readonly { readonly name: string; readonly rules: readonly Rule[] }[],
): NumberedRule[] {
  return modules
    .flatMap(({ name: module, rules }) => rules.map((rule) => ({ rule, module })))
    .map(({ rule, module }, number) => ({ ...rule, number, module, reason: reasonOf(module, rule.name) }));
}

/** Returns the reason of the bans by a rule of a module. */
export function reasonOf(module: string, rule: string): string {
  return `[${module}] ${rule}`;
}

/** Rules of an event that share one note. */
export interface PlannedNote {
  readonly group: number;
  readonly rules: readonly NumberedRule[];
  /** All rules, and the rules that count distinct values, as bits. */
  readonly all: number;
  readonly distinct: number;
  /** Field of the distinct values; -1: there are none. */
  readonly field: number;
}

/** The notes of an event: nearly always one. */
export type NotePlan = readonly PlannedNote[];

/**
 * Returns the plan for events with `fields` that hit `rules`. A note holds `GROUP_RULES` rules and
 * the value of one field: distinct rules of one field share a note. The first note takes other
 * rules too.
 */
export function planNotes(
  groups: RuleGroups,
  { rules, fields }: { rules: readonly NumberedRule[]; fields: readonly string[] },
): NotePlan {
  const byField = Map.groupBy(rules, ({ distinct }) => distinct);
  const plain = byField.get(null) ?? [];
  byField.delete(null);
  // A rule is never hit if the module lacks the rule's field.
  const distinct = [...byField].filter(([field]) => fields.includes(field!));
  const [first, ...others] = distinct.map(([name, rules]) => ({ field: fields.indexOf(name!), rules }));
  return [
    ...notesOf(groups, { field: first?.field ?? -1, rules: [...plain, ...first?.rules ?? []] }),
    ...others.flatMap((one) => notesOf(groups, one)),
  ];
}

function notesOf(
  groups: RuleGroups,
  { field, rules }: { field: number; rules: readonly NumberedRule[] },
): PlannedNote[] {
  const sorted = rules.toSorted((a, b) => a.number - b.number);
  const notes: PlannedNote[] = [];
  for (let i = 0; i < sorted.length; i += GROUP_RULES) {
    const some = sorted.slice(i, i + GROUP_RULES);
    const isKnown = groups.numberOf(some.map(({ number }) => number)) >= 0;
    // With too many groups already, each rule makes a note of its own.
    for (const together of isKnown ? [some] : some.map((rule) => [rule])) {
      const group = groups.numberOf(together.map(({ number }) => number));
      const distinct = groups.distinctOf(group);
      notes.push({
        group,
        rules: together,
        all: groups.allOf(group),
        distinct,
        field: distinct === 0 ? -1 : field,
      });
    }
  }
  return notes;
}
