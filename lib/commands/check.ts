import type { Config } from "../config/types.ts";
import { configWarnings } from "../config/warnings.ts";
import { describeConfig } from "../config/describe.ts";
import { whitelistProblem } from "../config/whitelist_file.ts";
import { counted } from "../core/text.ts";
import { type Micros, SECOND } from "../core/time.ts";
import type { Growth, Rule } from "../rules/rule.ts";
import { inspectFiles } from "../sources/files/inspection.ts";
import { openConfig, permissionProblem } from "./open.ts";
import { type CommonOptions, print, printJson, printLines } from "./output.ts";
import { programWarnings } from "./programs.ts";
import { runRuleTests } from "./rule_tests.ts";

/**
 * `check`: reads the configuration with its password file, and explains it. Throws `UserError` (78)
 * when the configuration is wrong, when this program lacks a permission for it, and when a
 * whitelist file cannot be read. Exit code 1 when a rule fails a test, or this user may not read a
 * log file.
 */
export function checkCommand(options: CommonOptions): number {
  const config = openConfig(options, { withPassword: true });
  const programs = programWarnings(config);
  const tests = runRuleTests(config);
  const problem = permissionProblem(config, options) ?? whitelistProblem(config.whitelist);
  // Without its permissions this program cannot tell.
  const files = problem === null ? filesOf(config).map(inspectFiles) : [];
  const unreadable = files.flatMap(({ problems }) => problems);
  const isGood = tests.failures.length === 0 && unreadable.length === 0;
  if (options.json) {
    const warnings = [...configWarnings(config), ...programs];
    const ok = problem === null && isGood;
    printJson({ ok, error: problem?.message ?? null, ...configJson(config), files, warnings, tests });
  } else {
    printLines(describeConfig(config).split("\n"));
    programs.forEach((warning) => print(`Warning: ${warning}`));
    for (const { pattern, found } of files) {
      print(`Files: ${pattern}: ${found > 0 ? `${found} found` : "none that can be read yet"}`);
    }
    if (tests.tried > 0) {
      print(`Tests: ${counted(tests.tried, "line")} tried, ${tests.failures.length} failed`);
    }
    [...unreadable, ...tests.failures].forEach((sentence) => print(`Failed: ${sentence}`));
  }
  if (problem !== null) throw problem;
  return isGood ? 0 : 1;
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
