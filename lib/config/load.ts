import { dirname, resolve } from "node:path";
import type { DatabaseConfig } from "../postgres/database_config.ts";
import type { Micros } from "../core/time.ts";
import { tried, UserError } from "../core/error.ts";
import { lockedFiles } from "../core/state_files.ts";
import type { BuildTarget } from "./build_hint.ts";
import { Document, lenientValue, type Mistake, type Path } from "./document.ts";
import { readConfig, readPassword } from "./file.ts";
import { locate, toBanConfig, toModuleBans } from "./firewalls.ts";
import { lockedFileMistakes } from "./module_mistakes.ts";
import { makeModules } from "./modules.ts";
import { inherit, makeGrowth } from "./rules.ts";
import { firewallMistakes, fleetMistakes, moduleMistakes, refuse, schemaMistakes } from "./mistakes.ts";
import { type Settings, settingsSchema } from "./schema.ts";
import { withShippedRules } from "./shipped.ts";
import type { FollowRules } from "../deciding/following.ts";
import type { Config, LoadOptions, WhitelistConfig } from "./types.ts";
import { longestOfEach } from "./whitelist.ts";
import { whitelistFile } from "./whitelist_file.ts";

/**
 * Reads, checks and completes the configuration in the file `path`.
 * @throws {UserError} code 78: a sentence for each mistake, one a line, in the file's order
 */
export function loadConfig(path: string, options: LoadOptions): Config {
  return configOf(readConfig({ config: path, state: options.state }), path, options);
}

/** Checks and completes `text` as if the file `path` held it. See `loadConfig()`. */
export function configOf(text: string, path: string, options: LoadOptions): Config {
  const document = new Document(text, options.name ?? path);
  const settings = check(document, options);
  const { modules, tests, mistakes } = makeModules(settings, { document, known: options.known });
  const file = absolute(path);
  const folder = dirname(file);
  const stateDirectory = options.state === undefined
    ? resolve(folder, settings.state)
    : absolute(options.state);
  refuse([...mistakes, ...stateMistakes(settings, { document, folder, stateDirectory })]);
  const trust = settings.trust_logins;
  const networkBans = settings.network_bans.map((step) => ({
    ipv4: step.ipv4 ?? null,
    ipv6: step.ipv6 ?? null,
    limit: step.limit,
    window: step.window,
    banTime: inherit(step.ban_time, settings.ban_time),
    growth: makeGrowth([step, settings]),
  }));
  const target = { config: file, state: options.state };
  return {
    path: file,
    target,
    name: options.name ?? file,
    stateDirectory,
    modules,
    tests,
    journalWake: settings.journal_wake,
    ban: toBanConfig(settings, folder),
    moduleBans: toModuleBans(settings, folder),
    database: toDatabase(settings, folder),
    following: toFollowing(settings),
    metricsFile: settings.metrics_file === undefined ? null : resolve(folder, settings.metrics_file),
    notify: settings.notify &&
      { ...settings.notify, program: locate([settings.notify.program], folder)![0]! },
    ipv6Prefix: settings.ipv6_prefix,
    networkBans,
    trust: trust ? { span: trust.for, methods: new Set(trust.methods), factor: trust.factor } : null,
    whitelist: toWhitelist(settings, target),
    knock: settings.knock,
    keepLog: settings.keep_log ?? null,
    keepLogSize: settings.keep_log_size,
    keepBans: keepBans(settings.keep_bans, { modules, networkBans }),
    // The parsed text takes half a mebibyte, and complaints are rare: read it again for them.
    complain: (key, complaint) => new Document(text, options.name ?? path).complain(key, complaint),
  };
}

/**
 * Returns the state's directory that the configuration `path` names, even if the rest is wrong or
 * lacks a brace; the default one if it names none or cannot be read.
 */
export function stateDirectoryOf(path: string): string {
  const standard = settingsSchema.shape.state.parse(undefined);
  const named = tried(() => lenientValue(readConfig({ config: path }), "state"));
  if (typeof named !== "string" || named === "") return standard;
  return tried(() => resolve(dirname(absolute(path)), named)) ?? standard;
}

/**
 * Returns how long ended bans are kept: `keep_bans`, or longer if `forget_after` of growing bans or
 * the `window` of network bans looks further back. Growth without `forget_after` looks back as far
 * as bans are kept.
 */
function keepBans(
  configured: Micros | null,
  { modules, networkBans }: Pick<Config, "modules" | "networkBans">,
): Micros | null {
  if (configured === null) return null;
  const growths = [...modules.flatMap(({ rules }) => rules), ...networkBans].map(({ growth }) => growth);
  const forgets = growths.flatMap(({ factor, forgetAfter }) => factor > 1 ? forgetAfter ?? [] : []);
  return Math.max(configured, ...forgets, ...networkBans.map(({ window }) => window));
}

function check(document: Document, { known }: LoadOptions): Settings {
  const checked = settingsSchema.safeParse(withShippedRules(document.value));
  const issues = checked.success ? [] : checked.error.issues;
  refuse([
    ...document.duplicates,
    ...issues.flatMap((issue) => schemaMistakes(document, issue)),
    ...firewallMistakes(document),
    ...fleetMistakes(document),
    ...moduleMistakes(document, known),
  ]);
  return checked.data!;
}

/** Returns mistakes for logs and whitelist files that belong to the state. */
function stateMistakes(
  { modules, whitelist_files }: Settings,
  { document, folder, stateDirectory }: { document: Document; folder: string; stateDirectory: string },
): Mistake[] {
  const locked = lockedFiles(stateDirectory);
  const mistakesIn = (at: Path, patterns: readonly string[]) =>
    lockedFileMistakes(document, at, { patterns, locked });
  return [
    ...Object.entries(modules).flatMap(([name, { match }]) =>
      mistakesIn(["modules", name, "match", "file"], match?.file ?? [])
    ),
    ...mistakesIn(["whitelist_files"], whitelist_files.map((path) => resolve(folder, path))),
  ];
}

/** Resolves `path`. Throws `UserError` (78) if the program may not know its working directory. */
export function absolute(path: string): string {
  try {
    return resolve(path);
  } catch {
    throw new UserError(`Cannot find ${path} from the working directory: give an absolute path`, 78);
  }
}

/** Returns `config` with the database's password. Throws `UserError` (78). */
export function withPassword(config: Config): Config {
  const { database, target } = config;
  return database === null
    ? config
    : { ...config, database: { ...database, password: readPassword(target, database) } };
}

function toDatabase({ DB }: Settings, folder: string): DatabaseConfig | null {
  if (!DB) return null;
  const { sslrootcert } = DB;
  return { ...DB, ...sslrootcert && { sslrootcert: resolve(folder, sslrootcert) }, password: "" };
}

function toFollowing({ fleet }: Settings): FollowRules | null {
  if (!fleet.share_bans) return null;
  const named = (names: readonly string[] | undefined) => names === undefined ? null : new Set(names);
  return {
    minReports: fleet.min_reports,
    window: fleet.window,
    acceptFrom: named(fleet.accept_from),
    modules: named(fleet.modules),
    maxBans: fleet.max_bans,
  };
}

function toWhitelist(settings: Settings, target: BuildTarget): WhitelistConfig {
  const { whitelist, whitelist_files, whitelist_refresh: refresh, modules } = settings;
  // A ban of a proxy would cut off all clients behind it.
  const proxies = Object.values(modules).flatMap((module) => module.trusted_proxies ?? [])
    .map((address) => ({ address, isName: false, note: "trusted proxy", until: null }));
  const paths = new Set(whitelist_files.map((path) => resolve(dirname(target.config), path)));
  return {
    members: longestOfEach([...whitelist, ...proxies]),
    files: [...paths].map((path) => whitelistFile(path, target)),
    refresh,
  };
}
