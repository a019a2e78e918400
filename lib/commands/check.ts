import type { Config } from "../config/types.ts";
import { configWarnings } from "../config/warnings.ts";
import { describeConfig } from "../config/describe.ts";
import { whitelistProblem } from "../config/whitelist_file.ts";
import { counted } from "../core/text.ts";
import { messageOf, UserError } from "../core/error.ts";
import { type Micros, now, SECOND } from "../core/time.ts";
import { journalMatches } from "../monitor/feeds.ts";
import { encryptionOf } from "../postgres/encryption.ts";
import { openJournal } from "../sources/journal/journal.ts";
import type { Growth, Rule } from "../rules/rule.ts";
import { inspectFiles, type Inspection } from "../sources/files/inspection.ts";
import { openConfig, permissionProblem } from "./open.ts";
import { type CommonOptions, print, printFailure, printJson, printLines } from "./output.ts";
import { programProblems } from "./programs.ts";
import { runRuleTests, type TestResult } from "./rule_tests.ts";

/** Options of `check`. */
export interface CheckOptions extends CommonOptions {
  /** Say only what is wrong. */
  readonly quiet?: boolean;
  /** Look at the configuration alone: whether `run` would take it. */
  readonly syntax?: boolean;
}

/**
 * `check`: reads the configuration with its password file (`-`: from standard input), explains it, and ends with a verdict. Exit
 * code 78 when the configuration is wrong, when this program lacks a permission for it, and when a whitelist file cannot be
 * read; 1 when a rule fails a test, a ban command cannot run, or this user may not read the journal or a log file, none of which
 * counts with `syntax`.
 */
export async function checkCommand(options: CheckOptions): Promise<number> {
  const config = configOrNull(options);
  if (config === null) return 78;
  const tests = options.syntax ? { tried: 0, failures: [] } : runRuleTests(config);
  const { refusal, files, problems: lacking } = await lookHere(config, options);
  const problems = [...lacking, ...tests.failures];
  const warnings = configWarnings(config);
  const ok = refusal === null && problems.length === 0;
  if (options.json) {
    const error = refusal?.message ?? null;
    printJson({ ok, error, ...configJson(config), files, problems, warnings, tests });
  } else {
    if (!options.quiet) explain(config, { files, tests });
    problems.forEach((sentence) => print(`Failed: ${sentence}`));
  }
  if (refusal !== null) printFailure(refusal.sentences, { code: refusal.code, json: false });
  if (!options.json && !(options.quiet && ok)) {
    print(verdict(config.path, { mistakes: problems.length + (refusal?.sentences.length ?? 0), warnings }));
  }
  return refusal !== null ? refusal.code : ok ? 0 : 1;
}

/** What keeps a monitor from running here by a configuration, as far as this user may see. */
export interface Look {
  /** What makes `run` refuse it; null: nothing does. */
  readonly refusal: UserError | null;
  readonly files: readonly Inspection[];
  /** Sentences. */
  readonly problems: readonly string[];
}

/** Looks here for what `config` needs; for this program's permissions alone with `syntax`. */
export async function lookHere(
  config: Config,
  options: CheckOptions,
): Promise<Look> {
  const refusal = permissionProblem(config, options) ?? whitelistProblem(config.whitelist);
  // Without its permissions this program cannot tell.
  const isMachineAsked = refusal === null && !options.syntax;
  const files = isMachineAsked ? filesOf(config).map(inspectFiles) : [];
  const problems = [
    ...options.syntax ? [] : programProblems(config),
    ...isMachineAsked ? [...databaseProblems(config), ...await journalProblems(config)] : [],
    ...files.flatMap(({ problems }) => problems),
  ];
  return { refusal, files, problems };
}

/** The configuration; null where it is wrong, which is told with a verdict. */
function configOrNull(options: CheckOptions): Config | null {
  try {
    return openConfig(options, { withPassword: true });
  } catch (error) {
    if (!(error instanceof UserError) || options.json) throw error;
    printFailure(error.sentences, { code: error.code, json: false });
    const name = options.config === "-" ? "standard input" : options.config;
    print(verdict(name, { mistakes: error.sentences.length, warnings: [] }));
    return null;
  }
}

function verdict(
  path: string,
  { mistakes, warnings }: { mistakes: number; warnings: readonly string[] },
): string {
  const warned = warnings.length === 0 ? "" : `, with ${counted(warnings.length, "warning")}`;
  return mistakes === 0
    ? `${path} is good${warned}`
    : `${path} is NOT good: ${counted(mistakes, "problem")}${warned}`;
}

function explain(
  config: Config,
  { files, tests }: { files: readonly Inspection[]; tests: TestResult },
): void {
  printLines(describeConfig(config).split("\n"));
  for (const { pattern, found } of files) {
    print(`Files: ${pattern}: ${found > 0 ? `${found} found` : "none that can be read yet"}`);
  }
  if (tests.tried > 0) {
    print(`Tests: ${counted(tests.tried, "line")} tried, ${tests.failures.length} failed`);
  }
}

/** Milliseconds that journalctl may take. */
const JOURNAL_PATIENCE = 10_000;

/** Says why this user cannot read the journal, where modules read it. */
async function journalProblems({ modules }: Config): Promise<string[]> {
  const matches = journalMatches(modules);
  if (matches.identifiers.length + matches.units.length === 0) return [];
  const time = now();
  const journal = openJournal({ ...matches, follow: false, until: time });
  try {
    const signal = AbortSignal.timeout(JOURNAL_PATIENCE);
    for await (const _ of journal.batches({ after: null, since: time }, signal)) break;
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** Says why the connection to the database cannot be encrypted as asked, as far as this machine knows. */
function databaseProblems({ database }: Config): string[] {
  try {
    if (database !== null) encryptionOf(database);
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** Returns the patterns of log files that modules read, each once. */
export function filesOf({ modules }: Config): string[] {
  return [...new Set(modules.flatMap(({ module }) => module.files))];
}

/**
 * Makes the object of docs/json.md. Leaves out the password; spans are in seconds, null is endless.
 */
function configJson(config: Config) {
  const {
    path,
    stateDirectory,
    keepLog,
    keepLogSize,
    keepBans,
    journalWake,
    database,
    metricsFile,
    notify,
    ban,
    ipv6Prefix,
    networkBans,
    trust,
    following,
    whitelist,
  } = config;
  const { modules } = config;
  return {
    config: path,
    state: stateDirectory,
    keep_log: seconds(keepLog),
    keep_log_size: keepLogSize,
    keep_bans: seconds(keepBans),
    journal_wake: seconds(journalWake),
    database: database && { ...database, password: undefined },
    metrics_file: metricsFile,
    notify: notify && { ...notify, bans: seconds(notify.bans), timeout: seconds(notify.timeout) },
    firewall: ban.firewall,
    nft_command: ban.nft,
    unban_on_stop: ban.unbanOnStop,
    ban_command: ban.command,
    unban_command: ban.unban,
    own_firewalls: config.moduleBans.map(({ module, ban }) => ({
      ...{ module, firewall: ban.firewall, ban_command: ban.command, unban_command: ban.unban },
      ...{ ban_timeout: seconds(ban.timeout), ban_concurrency: ban.concurrency },
    })),
    ipv6_prefix: ipv6Prefix,
    network_bans: networkBans.map(({ ipv4, ipv6, limit, window, banTime, growth }) => ({
      ...{ ipv4, ipv6, limit, window: seconds(window), ban_time: seconds(banTime) },
      ...growthJson(growth),
    })),
    trust_logins: trust && { for: seconds(trust.span), methods: [...trust.methods], factor: trust.factor },
    fleet: following && {
      min_reports: following.minReports,
      window: seconds(following.window),
      accept_from: following.acceptFrom && [...following.acceptFrom],
      modules: following.modules && [...following.modules],
      max_bans: following.maxBans,
    },
    whitelist: whitelist.members.map(({ address }) => address),
    whitelist_files: whitelist.files.map((file) => ({
      path: file.path,
      entries: file.read().content.entries,
    })),
    modules: modules.map(({ module, rules }) => ({ name: module.name, rules: rules.map(ruleJson) })),
  };
}

function ruleJson({ name, limit, window, banTime, growth, scope }: Rule) {
  return { name, limit, scope, window: seconds(window), ban_time: seconds(banTime), ...growthJson(growth) };
}

function growthJson({ factor, most, forgetAfter }: Growth) {
  return { ban_time_factor: factor, max_ban_time: seconds(most), forget_after: seconds(forgetAfter) };
}

function seconds(span: Micros | null): number | null {
  return span === null ? null : span / SECOND;
}
