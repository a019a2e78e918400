import { parseScope, type Scope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import { inLowerCase } from "../reading/regex_safety.ts";
import type { Condition, Growth, Rule } from "../rules/rule.ts";
import type { ConditionSection, ModuleSection, RuleSection } from "./module_schema.ts";
import type { Settings } from "./schema.ts";

type Spans = Partial<
  Pick<Settings, "window" | "ban_time" | "ban_time_factor" | "max_ban_time" | "forget_after">
>;

function scopeOf({ ban_command, ports, protocol }: ModuleSection, module: string): Scope {
  if (ban_command !== undefined) return { module };
  if (ports === undefined) return protocol === undefined ? "all" : { protocol, ports: [] };
  return parseScope(`${protocol ?? "tcp"} ${ports}`)!;
}

/** Makes a rule of its section; missing keys come from its module, then from the outermost ones. */
export function makeRule(
  rule: RuleSection,
  { module, section, settings }: { module: string; section: ModuleSection; settings: Settings },
): Rule {
  const outer = [section, settings];
  const { name, str, status, except, distinct = null, limit } = rule;
  return {
    name,
    condition: str === undefined ? null : makeCondition({ ...rule, str }),
    status: status === undefined ? null : new Set(status),
    except: except.map((given) =>
      makeCondition(typeof given === "string" ? { ...rule, str: [given], mode: "start" } : given)
    ),
    distinct,
    limit,
    window: inherit(rule.window, ...outer.map(({ window }) => window)),
    banTime: inherit(rule.ban_time, ...outer.map(({ ban_time }) => ban_time)),
    growth: makeGrowth([rule, ...outer]),
    scope: scopeOf(section, module),
  };
}

/** Makes the growth of bans; for each key, the first section that has it counts. */
export function makeGrowth(given: readonly Spans[]): Growth {
  return {
    factor: given.find(({ ban_time_factor }) => ban_time_factor !== undefined)?.ban_time_factor ?? 1,
    most: inherit(...given.map(({ max_ban_time }) => max_ban_time)),
    forgetAfter: inherit(...given.map(({ forget_after }) => forget_after)),
  };
}

function makeCondition({ str, mode, field, ignore_case: ignoreCase }: ConditionSection): Condition {
  const inCase = mode === "regex" ? inLowerCase : (text: string) => text.toLowerCase();
  return { fields: field, mode, texts: ignoreCase ? str.map(inCase) : str, ignoreCase };
}

/** Returns the innermost span that is given; null, for ever, without one. */
export function inherit(...spans: (Micros | null | undefined)[]): Micros | null {
  return spans.find((span) => span !== undefined) ?? null;
}
