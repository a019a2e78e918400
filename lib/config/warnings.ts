import { basename } from "node:path";
import type { Condition, ModuleRules, Rule } from "../rules/rule.ts";
import { listed } from "../core/text.ts";
import { hasEnded, type Micros, now } from "../core/time.ts";
import { isOfPackets } from "../core/scope.ts";
import type { MessageForm } from "../reading/message_reader.ts";
import { banOf, commandsOf, firewallsOf } from "./firewalls.ts";
import { isWide, longestOfEach } from "./whitelist.ts";
import type { Config, ConfiguredFirewall, WhitelistConfig } from "./types.ts";
import type { WhitelistFile } from "./whitelist_file.ts";

/** Most rules or entries that one warning names. */
const MOST_NAMED = 3;

/** Returns a sentence for each setting of `config` that is allowed but probably a mistake. */
export function configWarnings(config: Config, time = now()): string[] {
  const { modules } = config;
  return [
    ...firewallsOf(config).flatMap((firewall) => named(firewall.module, warnOfCommands(firewall, modules))),
    ...warnOfUnused(config),
    ...warnOfWhitelist(config.whitelist, time),
    ...warnOfFew(config.following),
    ...ofEach(modules, (module) => warnOfProxies(module, banOf(config, module.module.name))),
    ...ofEach(modules, warnOfRules),
  ];
}

function ofEach(modules: Config["modules"], warn: (module: ModuleRules) => Iterable<string>): string[] {
  return modules.flatMap((module) => named(module.module.name, warn(module)));
}

function named(module: string | null, warnings: Iterable<string>): string[] {
  return [...warnings].map((warning) => module === null ? warning : `[${module}] ${warning}`);
}

function* warnOfWhitelist({ members, files }: WhitelistConfig, time: Micros): Generator<string> {
  const all = [
    ...members.flatMap(({ address, isName }) => isName ? [] : address),
    ...files.flatMap((file) => file.read().content.wide),
  ];
  yield* all.flatMap((address) => wideWarning(address) ?? []);
  for (const member of members) {
    if (hasEnded(member, time)) yield `whitelist ${member.address} has ended: it is banned like others`;
  }
  for (const file of files) yield* warnOfFile(file, time);
}

/** Warns if `min_reports` is higher than the number of servers in `accept_from`. */
function* warnOfFew(following: Config["following"]): Generator<string> {
  const few = following?.acceptFrom?.size ?? Infinity;
  if (following === null || following.minReports <= few) return;
  yield `fleet.min_reports is ${following.minReports}, and accept_from names ${few}: no ban of another server is followed`;
}

function* warnOfFile(file: WhitelistFile, time: Micros): Generator<string> {
  const { complaints, networks, names } = file.read().content;
  yield* complaints;
  if (![...networks, ...names].some((part) => hasEnded(part, time))) return;
  const ended = longestOfEach(file.members()).filter((member) => hasEnded(member, time));
  const some = listed(ended.map(({ address }) => address), MOST_NAMED);
  if (ended.length > 0) yield `${file.path}: ${some} ended: banned like others`;
}

/**
 * Returns a warning about a whitelisted network that is too large; null for any other address or
 * network. `network` is in canonical form.
 */
export function wideWarning(network: string): string | null {
  return isWide(network) ? `whitelist ${network} is so large that few or none are ever banned` : null;
}

function* warnOfCommands(firewall: ConfiguredFirewall, modules: Config["modules"]): Generator<string> {
  const { module: own, ban } = firewall;
  const isCarried = ({ module }: ModuleRules) => own === null || own === module.name;
  const ending = modules.filter(isCarried).flatMap(({ module, rules }) =>
    rules.filter(({ banTime }) => banTime !== null).map(({ name }) => `[${module.name}] ${name}`)
  );
  if (!ban.command && ban.unban) yield "unban_command has no use without ban_command";
  if (ban.command && !ban.unban && ending.length > 0) {
    yield `bans by ${listed(ending, 1)} end after a ban_time, but no unban_command lifts them`;
  }
  for (const { key, command } of commandsOf(firewall)) {
    const shell = command.find((word) => SHELLS.has(basename(word)));
    if (shell) yield `${key.at(-1)} runs ${shell}: whoever may run a shell may run anything`;
  }
}

/** Warns of settings that only nftables can carry out. */
function* warnOfUnused({ ban: { firewall, unbanOnStop }, modules }: Config): Generator<string> {
  if (firewall === "nftables") return;
  yield* ofEach(modules, function* ({ rules }) {
    if (!rules.some(({ scope }) => scope !== "all" && isOfPackets(scope))) return;
    yield 'ports and protocol have no use without "firewall": "nftables": whole addresses are banned';
  });
  if (unbanOnStop) yield 'unban_on_stop has no use without "firewall": "nftables"';
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
function* warnOfProxies({ trustedProxies }: ModuleRules, ban: Config["ban"]): Generator<string> {
  const isCarriedOut = ban.firewall === "nftables" || (ban.firewall !== "observe" && ban.command !== null);
  if (trustedProxies === null && isCarriedOut) {
    yield "trusted_proxies is not set: a proxy in front could be banned with all its visitors. Name " +
      "the proxies, or say [] if there are none; until then requests that nginx refused before it had read them (400 and " +
      "such) do not count";
  }
  const filter = packetFilter(ban);
  if (trustedProxies === null || trustedProxies.length === 0 || filter === undefined) return;
  yield `${filter} cuts off nobody behind trusted_proxies: packets come from the proxies. Give the module ` +
    "a ban_command of its own that bans in the service or in the proxy (docs/firewalls.md)";
}

function* warnOfRules({ module, rules }: ModuleRules): Generator<string> {
  yield* module.form.warnings?.() ?? [];
  yield* warnOfEndlessRules(rules);
  yield* warnOfLostTexts(module.form, rules);
  for (const { name, condition, except } of rules) {
    if (condition !== null && except.some((other) => covers(other, condition))) {
      yield `${name} never hits: its exceptions leave nothing of what it looks for`;
    }
  }
  yield* warnOfIdleRules(rules);
}

/** Warns of texts with which no message begins, such as a path that no field is named for. */
function* warnOfLostTexts(form: MessageForm, rules: readonly Rule[]): Generator<string> {
  if (form.mayBegin === undefined) return;
  const isRequest = form.fields.includes("path");
  const remedy = isRequest ? 'name its field, such as "path"' : "compare it with a line of the log";
  for (const { name, condition, except } of rules) {
    for (const { fields, mode, texts, ignoreCase } of condition === null ? except : [condition, ...except]) {
      if (mode !== "start" || ignoreCase || fields.join() !== "message") continue;
      for (const text of texts) {
        if (form.mayBegin(text)) continue;
        yield `${name}: no message begins with "${text}": ${remedy}, or set "mode": "anywhere"`;
      }
    }
  }
}

/** Warns of rules without a window, and of bans without an end. */
function* warnOfEndlessRules(rules: readonly Rule[]): Generator<string> {
  const namesOf = (isEndless: (rule: Rule) => boolean) => rules.filter(isEndless).map(({ name }) => name);
  const both = namesOf(({ window, banTime }) => window === null && banTime === null);
  const noWindow = namesOf(({ window, banTime }) => window === null && banTime !== null);
  const noEnd = namesOf(({ window, banTime }) => window !== null && banTime === null);
  const warn = (names: readonly string[], what: string) =>
    names.length === 0 ? [] : [`${listed(names, MOST_NAMED)}: ${what}`];
  yield* warn(both, "bans are for good, and hits count however far apart: set window and ban_time");
  yield* warn(noWindow, "hits count however far apart: set window");
  yield* warn(noEnd, "bans are for good: set ban_time");
}

/** Warns of rules that never act, as another rule hits the same lines and bans no later. */
function* warnOfIdleRules(rules: readonly Rule[]): Generator<string> {
  for (const [i, rule] of rules.entries()) {
    const other = rules.find((other, j) =>
      overrules(other, rule) && !(overrules(rule, other) && j > i) && i !== j
    );
    if (other) yield `${rule.name} never acts: ${other.name} sees the same lines and bans no later`;
  }
}

function overrules(other: Rule, rule: Rule): boolean {
  return other.limit <= rule.limit && lasts(other.window, rule.window) &&
    lasts(other.banTime, rule.banTime) && (other.distinct === null || other.distinct === rule.distinct) &&
    seesAllOf(other, rule);
}

/** Reports whether the texts prove that every hit of `rule` is also a hit of `other`. */
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

/** Reports whether the texts prove that every text that meets `narrow` meets `wide`. */
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
