import { formatDuration } from "../duration.ts";
import type { Micros, ModuleRules, Rule } from "../types.ts";
import type { Config } from "./types.ts";
import { configWarnings } from "./warnings.ts";

/** What `config` means, in lines for people to read, without the password; warnings come last. */
export function describeConfig(config: Config): string {
  return [
    `Configuration: ${config.path}`,
    `State: ${config.stateDirectory}, recorded lines are kept ${keeping(config.keepLog)}`,
    describeDatabase(config),
    ...describeBans(config),
    describeWhitelist(config),
    ...config.modules.flatMap(describeModule),
    ...configWarnings(config).map((warning) => `Warning: ${warning}`),
  ].join("\n");
}

function keeping(span: Micros | null): string {
  return span === null ? "for ever" : `for ${formatDuration(span)}`;
}

function describeDatabase({ database }: Config): string {
  if (!database) return "Database: none, all records stay in the state";
  const { host, port, user, database: name } = database;
  return `Database: ${name} on ${host.includes(":") ? `[${host}]` : host}:${port} as ${user}`;
}

function describeBans({ ban }: Config): string[] {
  if (!ban.command) return ["Bans: recorded only, nothing is carried out"];
  const unban = ban.unban ? quoteWords(ban.unban) : "no command";
  const limits = `${ban.concurrency} at once, each for at most ${formatDuration(ban.timeout)}`;
  return [`Bans: by ${quoteWords(ban.command)}`, `  lifted by ${unban}`, `  ${limits}`];
}

/** Words as one could type them, those with blanks or quotes inside in quotes. */
function quoteWords(words: readonly string[]): string {
  return words.map((word) => /^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word)).join(" ");
}

function describeWhitelist({ whitelist: { networks, names, refresh } }: Config): string {
  const members = [...networks, ...names].join(", ") || "nobody but this machine itself";
  return `Whitelist: ${members}${names.length ? ` (names resolved every ${formatDuration(refresh)})` : ""}`;
}

function describeModule({ module, noLog, rules }: ModuleRules): string[] {
  const unrecorded = noLog.length ? ["  not recorded: lines that start with", ...texts(noLog)] : [];
  return [`Module ${module.name}:`, ...unrecorded, ...rules.flatMap(describeRule)];
}

function describeRule({ name, str, mode, except, limit, window, banTime }: Rule): string[] {
  const ban = banTime === null ? "for good" : `for ${formatDuration(banTime)}`;
  const within = window === null ? ", however far apart" : ` within ${formatDuration(window)}`;
  const hits = `${limit} ${limit === 1 ? "hit" : "hits"}${within}`;
  const verb = mode === "start" ? "starts with" : "contains";
  return [
    `  ${name}: bans ${ban} at more than ${hits}; a hit is a line that ${verb}`,
    ...texts(str),
    ...(except.length ? ["    and does not start with", ...texts(except)] : []),
  ];
}

function texts(list: readonly string[]): string[] {
  return list.map((text, i) => `    ${i > 0 ? "or " : ""}${JSON.stringify(text)}`);
}
