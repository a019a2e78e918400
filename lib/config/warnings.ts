import { basename } from "node:path";
import type { Condition, Rule } from "../rules/rule.ts";
import type { Micros } from "../core/time.ts";
import type { Config, WhitelistConfig, WhitelistFile, WhitelistMember } from "./types.ts";

/** What is allowed in `config` but probably not meant, a sentence each. */
export function configWarnings(config: Config, now: Micros = Date.now() * 1_000): string[] {
  return [
    ...warnOfCommands(config),
    ...warnOfWhitelist(config.whitelist, now),
    ...config.modules.flatMap(({ module, rules }) => [
      ...warnOfBlindRules(module.name, rules),
      ...warnOfIdleRules(module.name, rules),
    ]),
  ];
}

function warnOfWhitelist({ members, files }: WhitelistConfig, now: Micros): string[] {
  const all = [...members, ...files.flatMap((file) => file.members)];
  return [
    ...all.flatMap(({ address, isName }) => isName ? [] : vastWarning(address) ?? []),
    ...members.filter((member) => hasEnded(member, now)).map(({ address }) =>
      `whitelist ${address} has ended: it is banned like others`
    ),
    ...files.flatMap((file) => warnOfFile(file, now)),
  ];
}

function warnOfFile({ path, members, complaints }: WhitelistFile, now: Micros): string[] {
  const ended = members.filter((member) => hasEnded(member, now));
  const names = ended.slice(0, 3).map(({ address }) => address).join(", ");
  const rest = ended.length > 3 ? ` and ${ended.length - 3} more` : "";
  return [...complaints, ...(ended.length > 0 ? [`${path}: ${names}${rest} ended: banned like others`] : [])];
}

function hasEnded({ until }: WhitelistMember, now: Micros): boolean {
  return until !== null && until <= now;
}

/** What is to be said against a canonical address or network on the whitelist; null: nothing. */
export function vastWarning(network: string): string | null {
  return isVast(network) ? `whitelist ${network} is so large that few or none are ever banned` : null;
}

function warnOfCommands({ ban, modules }: Config): string[] {
  const ends = modules.some(({ rules }) => rules.some((rule) => rule.banTime !== null));
  const warnings: string[] = [];
  if (ban.firewall !== "nftables") warnings.push(...warnOfUnused(ban, modules));
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

/** What is set and only nftables heeds. */
function warnOfUnused({ unbanOnStop }: Config["ban"], modules: Config["modules"]): string[] {
  const scoped = modules.filter(({ rules }) => rules.some(({ scope }) => scope !== "all"));
  return [
    ...scoped.map(({ module }) =>
      `[${module.name}] ports and protocol have no use without "firewall": "nftables": whole addresses are banned`
    ),
    ...(unbanOnStop ? ['unban_on_stop has no use without "firewall": "nftables"'] : []),
  ];
}

const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ksh", "fish"]);

/** Wider than the largest network that one party is ever given. */
function isVast(network: string): boolean {
  const [address, bits] = network.split("/");
  return bits !== undefined && Number(bits) < (address!.includes(":") ? 16 : 8);
}

/** Rules whose own exceptions leave nothing over. */
function warnOfBlindRules(module: string, rules: readonly Rule[]): string[] {
  return rules
    .filter(({ condition, except }) => condition !== null && except.some((other) => covers(other, condition)))
    .map(({ name }) => `[${module}] ${name} never hits: its exceptions leave nothing of what it looks for`);
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
    lasts(other.banTime, rule.banTime) && (other.distinct === null || other.distinct === rule.distinct) &&
    seesAllOf(other, rule);
}

/** Whether every event that is a hit of `rule` is one of `other` as well, as far as can be told. */
function seesAllOf(other: Rule, rule: Rule): boolean {
  return (other.condition === null || (rule.condition !== null && covers(other.condition, rule.condition))) &&
    (other.status === null ||
      (rule.status !== null && [...rule.status].every((n) => other.status!.has(n)))) &&
    other.except.every((exception) => rule.except.some((wider) => covers(wider, exception)));
}

/** Whether `span` is as long as `least`; null is for ever. */
function lasts(span: Micros | null, least: Micros | null): boolean {
  return span === null || (least !== null && span >= least);
}

/** Whether whatever meets `narrow` meets `wide` as well; false where that cannot be told. */
function covers(wide: Condition, narrow: Condition): boolean {
  if (narrow.ignoreCase && !wide.ignoreCase) return false;
  const given = wide.ignoreCase && narrow.mode !== "regex"
    ? narrow.texts.map((text) => text.toLowerCase())
    : narrow.texts;
  return narrow.fields.every((field) => wide.fields.includes(field)) &&
    given.every((text) =>
      wide.texts.some((wider) => isFoundBy({ ...wide, text: wider }, { ...narrow, text }))
    );
}

/** A text with the place where it must stand. */
interface Sought extends Pick<Condition, "mode"> {
  readonly text: string;
}

/** Whether every field with `narrow` in its place has `wide` in its own. */
function isFoundBy(wide: Sought, narrow: Sought): boolean {
  if (wide.mode === "regex" || narrow.mode === "regex") {
    return wide.mode === narrow.mode && wide.text === narrow.text;
  }
  if (wide.mode === "anywhere") return narrow.text.includes(wide.text);
  return narrow.mode === "start" && narrow.text.startsWith(wide.text);
}
