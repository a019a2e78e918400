import { basename } from "node:path";
import type { Condition, ModuleRules, Rule } from "../rules/rule.ts";
import { listed } from "../core/text.ts";
import { hasEnded, type Micros, now } from "../core/time.ts";
import { isOfPackets } from "../core/scope.ts";
import { banOf, commandsOf, type ConfiguredFirewall, firewallsOf } from "./firewalls.ts";
import { isWide, longestOfEach } from "./whitelist.ts";
import type { Config, WhitelistConfig } from "./types.ts";
import type { WhitelistFile } from "./whitelist_file.ts";

/** Most rules or entries that one warning names. */
const MOST_NAMED = 3;

/** Returns a sentence for each setting of `config` that is allowed but probably a mistake. */
export function configWarnings(config: Config, time = now()): string[] {
  return [
    ...firewallsOf(config).flatMap((firewall) => warnOfCommands(firewall, config.modules)),
    ...warnOfUnused(config),
    ...warnOfWhitelist(config.whitelist, time),
    ...warnOfFew(config.following),
    ...config.modules.flatMap((module) => warnOfProxies(module, banOf(config, module.module.name))),
    ...config.modules.flatMap(({ module, rules }) => [
      ...(module.form.warnings?.() ?? []).map((warning) => `[${module.name}] ${warning}`),
      ...warnOfEndlessRules(module.name, rules),
      ...warnOfBlindRules(module.name, rules),
      ...warnOfIdleRules(module.name, rules),
    ]),
  ];
}

function warnOfWhitelist({ members, files }: WhitelistConfig, time: Micros): string[] {
  const all = [
    ...members.flatMap(({ address, isName }) => isName ? [] : address),
    ...files.flatMap((file) => file.read().content.wide),
  ];
  return [
    ...all.flatMap((address) => wideWarning(address) ?? []),
    ...members.filter((member) => hasEnded(member, time)).map(({ address }) =>
      `whitelist ${address} has ended: it is banned like others`
    ),
    ...files.flatMap((file) => warnOfFile(file, time)),
  ];
}

/** Warns if `min_reports` is higher than the number of servers in `accept_from`. */
function warnOfFew(following: Config["following"]): string[] {
  const few = following?.acceptFrom?.size ?? Infinity;
  if (following === null || following.minReports <= few) return [];
  return [
    `fleet.min_reports is ${following.minReports}, and accept_from names ${few}: no ban of another server is followed`,
  ];
}

function warnOfFile(file: WhitelistFile, time: Micros): string[] {
  const { complaints, networks, names } = file.read().content;
  if (![...networks, ...names].some((part) => hasEnded(part, time))) return [...complaints];
  const ended = longestOfEach(file.members()).filter((member) => hasEnded(member, time));
  const named = listed(ended.map(({ address }) => address), MOST_NAMED);
  return ended.length === 0 ? [...complaints] : [
    ...complaints,
    `${file.path}: ${named} ended: banned like others`,
  ];
}

/**
 * Returns a warning about a whitelisted network that is too large; null for any other address or
 * network. `network` is in canonical form.
 */
export function wideWarning(network: string): string | null {
  return isWide(network) ? `whitelist ${network} is so large that few or none are ever banned` : null;
}

function warnOfCommands(firewall: ConfiguredFirewall, modules: Config["modules"]): string[] {
  const { module: own, ban } = firewall;
  const isCarried = ({ module }: ModuleRules) => own === null || own === module.name;
  const ends = modules.some((module) =>
    isCarried(module) && module.rules.some((rule) => rule.banTime !== null)
  );
  const warnings: string[] = [];
  if (!ban.command && ban.unban) warnings.push("unban_command has no use without ban_command");
  if (ban.command && !ban.unban && ends) {
    warnings.push("ban_time is set but unban_command is not: bans that run out are not lifted by a command");
  }
  for (const { key, command } of commandsOf(firewall)) {
    const shell = command.find((word) => SHELLS.has(basename(word)));
    if (shell) warnings.push(`${key.at(-1)} runs ${shell}: whoever may run a shell may run anything`);
  }
  return own === null ? warnings : warnings.map((warning) => `[${own}] ${warning}`);
}

/** Warns of settings that only nftables can carry out. */
function warnOfUnused({ ban: { firewall, unbanOnStop }, modules }: Config): string[] {
  if (firewall === "nftables") return [];
  const scoped = modules.filter(({ rules }) =>
    rules.some(({ scope }) => scope !== "all" && isOfPackets(scope))
  );
  return [
    ...scoped.map(({ module }) =>
      `[${module.name}] ports and protocol have no use without "firewall": "nftables": whole addresses are banned`
    ),
    ...(unbanOnStop ? ['unban_on_stop has no use without "firewall": "nftables"'] : []),
  ];
}

const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ksh", "fish"]);

/** Programs that filter packets by their source address. */
const PACKET_FILTERS = new Set([
  "nft",
  "iptables",
  "ip6tables",
  "ipset",
  "ufw",
  "firewall-cmd",
  "ip",
  "route",
]);

/** Returns the packet filter that carries out bans; undefined: none, or one hidden in a script. */
function packetFilter({ firewall, command }: Config["ban"]): string | undefined {
  if (firewall === "nftables") return firewall;
  return firewall === "observe"
    ? undefined
    : command?.map((word) => basename(word)).find((word) => PACKET_FILTERS.has(word));
}

/** Warns if a proxy could be banned, or if packets of banned clients come from a proxy. */
function warnOfProxies({ module, trustedProxies }: ModuleRules, ban: Config["ban"]): string[] {
  const isCarriedOut = ban.firewall === "nftables" || (ban.firewall !== "observe" && ban.command !== null);
  if (trustedProxies === null && isCarriedOut) {
    return [
      `[${module.name}] trusted_proxies is not set: a proxy in front could be banned with all its visitors. Name ` +
      "the proxies, or say [] if there are none; until then requests that nginx refused before it had read them (400 and " +
      "such) do not count",
    ];
  }
  const filter = packetFilter(ban);
  if (trustedProxies === null || trustedProxies.length === 0 || filter === undefined) return [];
  return [
    `[${module.name}] ${filter} cuts off nobody behind trusted_proxies: packets come from the proxies. Give the module ` +
    "a ban_command of its own that bans in the service or in the proxy (docs/firewalls.md)",
  ];
}

/** Warns of rules without a window, and of bans without an end. */
function warnOfEndlessRules(module: string, rules: readonly Rule[]): string[] {
  const [noWindow, noEnd] = [
    rules.filter(({ window }) => window === null),
    rules.filter(({ banTime }) => banTime === null),
  ];
  const both = noWindow.filter((rule) => noEnd.includes(rule));
  const warning = (rules: readonly Rule[], what: string) =>
    rules.length > 0 ? [`[${module}] ${listed(rules.map(({ name }) => name), MOST_NAMED)}: ${what}`] : [];
  return [
    ...warning(both, "bans are for good, and hits count however far apart: set window and ban_time"),
    ...warning(noWindow.filter((rule) => !both.includes(rule)), "hits count however far apart: set window"),
    ...warning(noEnd.filter((rule) => !both.includes(rule)), "bans are for good: set ban_time"),
  ];
}

/** Warns of rules that never hit, as their exceptions cover their condition. */
function warnOfBlindRules(module: string, rules: readonly Rule[]): string[] {
  return rules
    .filter(({ condition, except }) => condition !== null && except.some((other) => covers(other, condition)))
    .map(({ name }) => `[${module}] ${name} never hits: its exceptions leave nothing of what it looks for`);
}

/** Warns of rules that never act, as another rule hits the same lines and bans no later. */
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

/**
 * Reports whether every hit of `rule` is also a hit of `other`; false if the texts cannot prove it.
 */
function seesAllOf(other: Rule, rule: Rule): boolean {
  return (other.condition === null || (rule.condition !== null && covers(other.condition, rule.condition))) &&
    (other.status === null ||
      (rule.status !== null && [...rule.status].every((n) => other.status!.has(n)))) &&
    other.except.every((exception) => rule.except.some((wider) => covers(wider, exception)));
}

/** Reports whether `span` is at least as long as `least`; null is endless. */
function lasts(span: Micros | null, least: Micros | null): boolean {
  return span === null || (least !== null && span >= least);
}

/**
 * Reports whether every text that meets `narrow` also meets `wide`; false if the texts cannot prove
 * it.
 */
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

/** A text with the mode of its condition. */
interface Sought extends Pick<Condition, "mode"> {
  readonly text: string;
}

/** Reports whether every field that meets `narrow` also meets `wide`. */
function isFoundBy(wide: Sought, narrow: Sought): boolean {
  if (wide.mode === "regex" || narrow.mode === "regex") {
    return wide.mode === narrow.mode && wide.text === narrow.text;
  }
  if (wide.mode === "anywhere") return narrow.text.includes(wide.text);
  return narrow.mode === "start" && narrow.text.startsWith(wide.text);
}
