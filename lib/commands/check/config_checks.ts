/** Checks of a configuration that `check` and `doctor` share. */
import type { Config } from "../../config/types.ts";
import { configWarnings } from "../../config/warnings.ts";
import { whitelistProblem } from "../../config/whitelist_file.ts";
import { tried } from "../../core/error.ts";
import { type Refusals, refusalsOf } from "../common/open_config.ts";
import { withState } from "../common/open_state.ts";
import { notifyProblem } from "./programs.ts";
import { runRuleTests, type TestResult } from "./rule_tests.ts";

/** Result of the checks. Remedies stand in a sentence behind semicolons. */
export interface ConfigChecks {
  readonly refusals: Refusals;
  /** Sentences on parts that would not work. */
  readonly problems: readonly string[];
  /** Sentences on probable mistakes. */
  readonly warnings: readonly string[];
  readonly tests: TestResult;
}

/** Checks `config`; with `syntax` only for what makes `run` refuse it. */
export function checkConfig(config: Config, { syntax = false }: { syntax?: boolean } = {}): ConfigChecks {
  const isKnown = (path: string) => isInState(path, config);
  // A monitor goes on by the state's copy of a whitelist file.
  const copied = whitelistProblem(config.whitelist, (path) => !isKnown(path))?.sentences
    .map((sentence) => `${sentence}; its last entries stay whitelisted`) ?? [];
  const tests = syntax ? { tried: 0, failures: [] } : runRuleTests(config);
  const notify = syntax ? null : notifyProblem(config);
  return {
    refusals: refusalsOf(config, isKnown),
    problems: [...syntax ? [] : copied, ...notify === null ? [] : [notify], ...tests.failures],
    warnings: [...configWarnings(config), ...syntax ? copied : []],
    tests,
  };
}

/** Reports whether the state has a copy of a whitelist file. */
function isInState(path: string, { path: config, stateDirectory }: Config): boolean {
  const options = { config, state: stateDirectory };
  return tried(() => withState(options, (state) => state.whitelistCopy(path))) !== null;
}
