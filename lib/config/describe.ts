import { formatScope, isOfPackets } from "../core/scope.ts";
import { counted, printable } from "../core/text.ts";
import { formatDuration, localTime, type Micros, spanText } from "../core/time.ts";
import type { Condition, Growth, ModuleRules, Rule } from "../rules/rule.ts";
import type { ModuleMatch } from "../reading/module.ts";
import type { NetworkStep } from "../deciding/networks.ts";
import { spellServer } from "../postgres/database_config.ts";
import { firewallsOf } from "./firewalls.ts";
import type { BanConfig, Config } from "./types.ts";
import type { WhitelistMember } from "./whitelist.ts";

/** Describes `config` for people, with `rules` each rule in full. Leaves out the password. */
export function describeConfig(config: Config, { rules = false } = {}): string {
  const { stateDirectory, keepLog, keepLogSize, keepBans } = config;
  const size = keepLogSize === null ? "" : ` in at most ${sizeText(keepLogSize)}`;
  const kept = `recorded lines are kept ${keeping(keepLog)}${size}, ended bans ${keeping(keepBans)}`;
  return [
    `Configuration: ${config.name}`,
    `State: ${stateDirectory}, ${kept}`,
    describeDatabase(config),
    ...describeNotify(config),
    ...config.metricsFile === null ? [] : [`Metrics: written to ${config.metricsFile}`],
    ...describeBans(config),
    ...describeGrowth(config),
    ...config.networkBans.map(describeStep),
    ...describeWhitelist(config),
    describeTrust(config),
    ...describeFollowing(config),
    ...config.modules.flatMap((module) => describeModule(module, { rules })),
  ].map(printable).join("\n");
}

function sizeText(bytes: number): string {
  const gibibytes = bytes / 2 ** 30;
  return Number.isInteger(gibibytes) ? `${gibibytes} GiB` : `${bytes / 2 ** 20} MiB`;
}

function keeping(span: Micros | null): string {
  return span === null ? "for ever" : `for ${formatDuration(span)}`;
}

function describeDatabase({ database }: Config): string {
  if (!database) return "Database: none, all records stay in the state";
  const encryption = database.sslmode === undefined ? "" : `, sslmode ${database.sslmode}`;
  return `Database: ${database.database} on ${spellServer(database)} as ${database.user}${encryption}`;
}

function describeNotify({ notify }: Config): string[] {
  if (notify === null) return [];
  const bans = notify.bans === null ? "" : ` and, at most every ${formatDuration(notify.bans)}, of bans`;
  return [`Notices: ${quoteWords([notify.program])} is told of problems${bans}`];
}

function describeBans(config: Config): string[] {
  return firewallsOf(config).flatMap(({ module, ban }) =>
    module === null
      ? describeBan(ban)
      : describeBan(ban).map((line) => line.replace("Bans", `Bans for ${module}`))
  );
}

function describeBan(ban: BanConfig): string[] {
  if (ban.firewall === "nftables") {
    const stop = ban.unbanOnStop ? "; none holds while the monitor is stopped" : "";
    return [`Bans: by nftables, through ${quoteWords(ban.nft)}${stop}`];
  }
  if (ban.firewall === "observe" || !ban.command) return ["Bans: recorded only, nothing is carried out"];
  const unban = ban.unban ? quoteWords(ban.unban) : "no command";
  const limits = `${ban.concurrency} at once, each for at most ${formatDuration(ban.timeout)}`;
  return [`Bans: by ${quoteWords(ban.command)}`, `  lifted by ${unban}`, `  ${limits}`];
}

/** Joins words as a shell reads them: those with blanks, quotes or backslashes in double quotes. */
function quoteWords(words: readonly string[]): string {
  return words.map((word) => /^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word)).join(" ");
}

function describeWhitelist({ whitelist: { members, files, refresh } }: Config): string[] {
  const sorted = [...members.filter(({ isName }) => !isName), ...members.filter(({ isName }) => isName)];
  const named = sorted.map(describeMember).join(", ") ||
    (files.length ? "" : "nobody but this machine, its gateways and name servers");
  const hasNames = members.some(({ isName }) => isName) ||
    files.some((file) => file.read().content.names.length > 0);
  const resolved = hasNames ? ` (names resolved every ${formatDuration(refresh)})` : "";
  return [
    `Whitelist: ${named || "from files"}${resolved}`,
    ...files.map((file) =>
      `  and ${counted(file.read().content.entries, "entry", "entries")} of ${file.path}`
    ),
  ];
}

function describeMember({ address, note, until }: WhitelistMember): string {
  const end = until === null ? "" : `until ${localTime(until)}`;
  const more = [note, end].filter((part) => part !== "").join(", ");
  return more === "" ? address : `${address} (${more})`;
}

function describeTrust({ trust }: Config): string {
  if (!trust) return "Logins: only an address with an open session is not banned";
  const { span, methods, factor } = trust;
  return `Logins: an address is not banned for ${formatDuration(span)} after one by ` +
    `${[...methods].join(", ")}; after others its limits are ${factor} times as high`;
}

function describeFollowing({ following }: Config): string[] {
  if (following === null) return [];
  const { minReports, window, acceptFrom, modules, maxBans } = following;
  const from = acceptFrom === null ? "other servers" : [...acceptFrom].join(", ");
  const what = modules === null ? "bans" : `bans of ${[...modules].join(", ")}`;
  const enough = minReports === 1 ? "" : `, once ${minReports} of them ban within ${formatDuration(window)}`;
  return [`Fleet: ${what} of ${from} are in force here too${enough}, at most ${maxBans}`];
}

function describeStep({ ipv4, ipv6, limit, window, banTime, growth }: NetworkStep): string {
  const networks = [ipv4, ipv6].flatMap((bits) => bits === null ? [] : `/${bits}`).join(" or ");
  return `Networks: a ${networks} with more than ${counted(limit, "ban")} inside within ` +
    `${formatDuration(window)} is banned ${lasting(banTime, growth)}`;
}

/** Describes how long the first ban lasts, and whether later ones grow. */
function lasting(banTime: Micros | null, { factor }: Growth): string {
  return spanText(banTime) + (banTime === null || factor === 1 ? "" : " (longer each time)");
}

function describeGrowth({ modules }: Config): string[] {
  const lines = modules.flatMap(({ rules }) => rules).flatMap(({ growth: { factor, most, forgetAfter } }) => {
    const bound = most === null ? "" : `, up to ${formatDuration(most)}`;
    const reset = forgetAfter === null ? "" : `; ${formatDuration(forgetAfter)} without a ban start over`;
    return factor === 1
      ? []
      : [`  each further ban of an address lasts ${factor} times as long${bound}${reset}`];
  });
  return [...new Set(lines)];
}

/** End of a sentence about hits that do not count because their address may be a proxy's. */
export const UNTIL_PROXIES_ARE_NAMED =
  "until trusted_proxies says which proxies stand in front, or [] for none";
const UNKNOWN_PROXIES =
  `  not counted: requests that nginx refused before it had read them (400 and such), ${UNTIL_PROXIES_ARE_NAMED}`;

function describeModule(
  { module, noLog, record, trustedProxies, rules }: ModuleRules,
  { rules: isFull }: { rules: boolean },
): string[] {
  const scope = rules[0]?.scope ?? "all";
  const only = record === "hits" ? ["  recorded: lines that a rule hits, and no others"] : [];
  const unrecorded = noLog.length ? ["  not recorded: lines that start with", ...texts(noLog)] : [];
  return [
    `Module ${module.name}: ${describeMatch(module)}`,
    ...(module.zone ? [`  times without a zone are those of ${module.zone.name}`] : []),
    ...(scope === "all" || !isOfPackets(scope) ? [] : [`  bans cut off ${formatScope(scope)} only`]),
    ...(trustedProxies === null ? [UNKNOWN_PROXIES] : []),
    ...only,
    ...isFull
      ? [...unrecorded, ...rules.flatMap(describeRule)]
      : [`  ${counted(rules.length, "rule")}: ${rules.map(({ name }) => name).join(", ")}`],
  ];
}

function describeMatch({ identifiers, units, files }: ModuleMatch): string {
  const entries = identifiers.length
    ? `of ${identifiers.join(", ")}`
    : units.length
    ? `of ${units.join(", ")}`
    : "";
  const parts = [entries && `journal entries ${entries}`, files.length ? `lines of ${files.join(", ")}` : ""];
  return parts.filter((part) => part !== "").join("; ");
}

function describeRule(
  { name, condition, status, except, distinct, limit, window, banTime, growth }: Rule,
): string[] {
  const ban = lasting(banTime, growth);
  const within = window === null ? ", however far apart" : ` within ${formatDuration(window)}`;
  const hits = distinct === null
    ? counted(limit, "hit")
    : `${counted(limit, "hit")} with different ${distinct}`;
  const hasStatus = status === null ? "" : ` with status ${describeStatus(status)}`;
  const what = condition === null
    ? `any line${hasStatus}`
    : `a line${hasStatus} ${describeCondition(condition)}`;
  return [
    `  ${name}: bans ${ban} at more than ${hits}${within}; a hit is ${what}`,
    ...(condition === null ? [] : texts(condition.texts)),
    ...[...Map.groupBy(except, describeCondition)].flatMap(([condition, alike]) => [
      `    unless it is one ${condition}`,
      ...texts(alike.flatMap(({ texts }) => texts)),
    ]),
  ];
}

const VERBS = { start: "starts with", anywhere: "contains", regex: "matches" } as const;

function describeCondition({ fields, mode, ignoreCase }: Condition): string {
  const subject = fields.join() === "message" ? "that" : `whose ${fields.join(" or ")}`;
  return `${subject} ${VERBS[mode]}${ignoreCase ? " in any case" : ""}`;
}

/** Lists codes as numbers, and complete classes as `4xx`. */
function describeStatus(status: ReadonlySet<number>): string {
  const classes = Map.groupBy(status, (code) => Math.floor(code / 100));
  return [...classes].map(([first, codes]) => codes.length === 100 ? `${first}xx` : codes.join(", ")).join(
    ", ",
  );
}

function texts(list: readonly string[]): string[] {
  return list.map((text, i) => `    ${i > 0 ? "or " : ""}${JSON.stringify(text)}`);
}
