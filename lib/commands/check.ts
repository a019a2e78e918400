import { type Config, configWarnings, describeConfig, whitelistProblem } from "../config.ts";
import { SECOND } from "../duration.ts";
import type { Micros, Rule } from "../types.ts";
import { openConfig, permissionProblem } from "./open.ts";
import { type CommonOptions, print, printJson } from "./output.ts";
import { programWarnings } from "./programs.ts";
import { runRuleTests } from "./rule_tests.ts";

/**
 * `check`: reads the configuration, its password file included, and says what it means. Throws `UserError` (78) when
 * it is wrong, and when `run` would refuse it because this program was built for less or a whitelist file cannot be read. Exit code 1 when a rule fails
 * its tests.
 */
export function checkCommand(options: CommonOptions): number {
  const config = openConfig(options, { withPassword: true });
  const programs = programWarnings(config);
  const tests = runRuleTests(config);
  const problem = permissionProblem(config, options) ?? whitelistProblem(config.whitelist);
  if (options.json) {
    const warnings = [...configWarnings(config), ...programs];
    const ok = problem === null && tests.failures.length === 0;
    printJson({ ok, error: problem?.message ?? null, ...configJson(config), warnings, tests });
  } else {
    print(describeConfig(config));
    programs.forEach((warning) => print(`Warning: ${warning}`));
    if (tests.tried > 0) print(`Tests: ${tests.tried} lines tried, ${tests.failures.length} failed`);
    tests.failures.forEach((sentence) => print(`Failed: ${sentence}`));
  }
  if (problem !== null) throw problem;
  return tests.failures.length === 0 ? 0 : 1;
}

/** A configuration as machines read it, without the password; spans are seconds, null is for ever. */
function configJson({ path, stateDirectory, keepLog, database, ban, whitelist, modules }: Config) {
  return {
    config: path,
    state: stateDirectory,
    keep_log: seconds(keepLog),
    database: database && { ...database, password: undefined },
    ban_command: ban.command,
    unban_command: ban.unban,
    whitelist: whitelist.members.map(({ address }) => address),
    whitelist_files: whitelist.files.map(({ path, members }) => ({ path, entries: members.length })),
    modules: modules.map(({ module, rules }) => ({ name: module.name, rules: rules.map(ruleJson) })),
  };
}

function ruleJson({ name, limit, window, banTime }: Rule) {
  return { name, limit, window: seconds(window), ban_time: seconds(banTime) };
}

function seconds(span: Micros | null): number | null {
  return span === null ? null : span / SECOND;
}
