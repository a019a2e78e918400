import { basename } from "node:path";
import type { Micros, Rule } from "../types.ts";
import type { Config } from "./types.ts";

/** What is allowed in `config` but probably not meant, a sentence each. */
export function configWarnings(config: Config): string[] {
  return [
    ...warnOfCommands(config),
    ...config.whitelist.networks.filter(isVast).map((network) =>
      `whitelist ${network} is so large that few or none are ever banned`
    ),
    ...config.modules.flatMap(({ module, rules }) => warnOfIdleRules(module.name, rules)),
  ];
}

function warnOfCommands({ ban, modules }: Config): string[] {
  const ends = modules.some(({ rules }) => rules.some((rule) => rule.banTime !== null));
  const warnings: string[] = [];
  if (!ban.command && ban.unban) warnings.push("unban_command has no use without ban_command");
  if (ban.command && !ban.unban && ends) {
    warnings.push("ban_time is set but unban_command is not: bans that run out are not lifted by a command");
  }
  for (const [key, command] of [["ban_command", ban.command], ["unban_command", ban.unban]] as const) {
    const shell = command?.find((word) => SHELLS.has(basename(word)));
    if (shell) warnings.push(`${key} runs ${shell}: whoever may run a shell may run anything`);
  }
  return warnings;
}

const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ksh", "fish"]);

/** Wider than the largest network that one party is ever given. */
function isVast(network: string): boolean {
  const [address, bits] = network.split("/");
  return bits !== undefined && Number(bits) < (address!.includes(":") ? 16 : 8);
}

/** Rules that can never be the first to ban, as another one sees all that they see and is no milder. */
function warnOfIdleRules(module: string, rules: readonly Rule[]): string[] {
  return rules.flatMap((rule, i) => {
    const other = rules.find((other, j) =>
      overrules(other, rule) && !(overrules(rule, other) && j > i) && i !== j
    );
    return other
      ? [`[${module}] ${rule.name} never acts: ${other.name} sees the same lines and bans no later`]
      : [];
  });
}

function overrules(other: Rule, rule: Rule): boolean {
  return other.limit <= rule.limit && lasts(other.window, rule.window) &&
    lasts(other.banTime, rule.banTime) && other.except.every((text) => rule.except.includes(text)) &&
    rule.str.every((text) => other.str.some((wider) => covers({ ...other, text: wider }, { ...rule, text })));
}

/** Whether `span` is as long as `least`; null is for ever. */
function lasts(span: Micros | null, least: Micros | null): boolean {
  return span === null || (least !== null && span >= least);
}

type Sought = Pick<Rule, "mode"> & { text: string };

/** Whether every message with `narrow` in its place has `wide` in its own. */
function covers(wide: Sought, narrow: Sought): boolean {
  if (wide.mode === "anywhere") return narrow.text.includes(wide.text);
  return narrow.mode === "start" && narrow.text.startsWith(wide.text);
}
