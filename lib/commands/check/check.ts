import { describeConfig } from "../../config/describe.ts";
import { JOURNAL, missingNeeds } from "../../config/permissions.ts";
import type { Config } from "../../config/types.ts";
import { configWarnings } from "../../config/warnings.ts";
import { whitelistProblem } from "../../config/whitelist_file.ts";
import { isDenial, userName } from "../../core/denial.ts";
import { messageOf, tried, UserError } from "../../core/error.ts";
import { counted } from "../../core/text.ts";
import { now } from "../../core/time.ts";
import { journalMatches } from "../../monitor/feeds.ts";
import { isInJournal } from "../../reading/module.ts";
import { encryptionOf } from "../../postgres/encryption.ts";
import { inspectFiles, type Inspection } from "../../sources/files/inspection.ts";
import { openJournal } from "../../sources/journal/journal.ts";
import { configJson } from "./json.ts";
import { hasCopyIn, openConfig, refusalOf, type Refusals, refusalsOf } from "../common/open_config.ts";
import { withState } from "../common/open_state.ts";
import { type CommonOptions, finishUnread, print, printJson, printLines } from "../common/output.ts";
import { readTwice } from "./double_reading.ts";
import { unnamedProxies } from "./nginx_proxies.ts";
import { notifyProblem, programProblems } from "./programs.ts";
import { runRuleTests, type TestResult } from "./rule_tests.ts";
import { complaintOf, inputName } from "../common/words.ts";

/** Options of `check`. */
export interface CheckOptions extends CommonOptions {
  /** Print only problems and warnings. */
  readonly quiet?: boolean;
  /** Check only whether `run` accepts the configuration. */
  readonly syntax?: boolean;
  /** Explain each rule. */
  readonly rules?: boolean;
}

/**
 * `check`: explains the configuration (`-`: standard input), and prints problems, warnings and a
 * verdict. Exit code 66 or 77: it cannot be read, or not by this program. 78: it is wrong, this
 * program lacks a permission for it, or its password or a whitelist file cannot be read. 1, never
 * with `syntax`: a rule fails a test, a ban command cannot run, or this user may not read the
 * journal or a log file.
 */
export async function checkCommand(options: CheckOptions): Promise<number> {
  finishUnread();
  const config = configOrCode(options);
  if (typeof config === "number") return config;
  const { refusal, files, problems, warnings, tests } = await lookHere(config, options);
  const ok = refusal === null && problems.length === 0;
  if (options.json) {
    const error = refusal?.message ?? null;
    printJson({ ok, error, ...configJson(config), files, problems, warnings, tests });
  } else {
    if (!options.quiet) explain(config, { files, tests, rules: options.rules });
    if (!options.quiet || !ok || warnings.length > 0) conclude(config.name, { refusal, problems, warnings });
  }
  return refusal !== null ? refusal.code : ok ? 0 : 1;
}

/** Result of the checks that `check` and `doctor` share. Remedies stand in a sentence behind semicolons. */
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
    .map((sentence) => {
      const { complaint, remedies } = complaintOf(sentence);
      return [`${complaint} (its last entries stay whitelisted)`, ...remedies].join("; ");
    }) ?? [];
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
  return tried(() => withState(options, (state) => hasCopyIn(state)(path))) ?? false;
}

/** Problems that keep a monitor from running here, as far as this user can see. */
export interface Look extends Omit<ConfigChecks, "refusals"> {
  /** Error with which `run` refuses the configuration; null: none. */
  readonly refusal: UserError | null;
  readonly files: readonly Inspection[];
}

/** Looks for what `config` needs here; with `syntax` only for what makes `run` refuse it. */
export async function lookHere(config: Config, { syntax }: CheckOptions): Promise<Look> {
  const { refusals, problems, warnings, tests } = checkConfig(config, { syntax });
  const forbidden = missingNeeds(config);
  const files = syntax || forbidden.some(({ kind, key }) => kind === "read" && key?.[0] === "modules")
    ? []
    : filesOf(config).map(inspectFiles);
  const lacking = syntax ? [] : [
    ...programProblems(config),
    ...forbidden.some(({ key }) => key?.[0] === "DB")
      ? []
      // Whether the connection can be encrypted as configured.
      : await complaintIn(() => config.database && encryptionOf(config.database)),
    ...forbidden.some(({ item }) => item === JOURNAL) ? [] : await journalProblems(config),
    ...files.flatMap(({ problems }) => problems),
  ];
  return {
    refusal: refusalOf(refusals),
    files,
    problems: [...problems, ...lacking],
    warnings: [
      ...warnings,
      ...absences(config, files),
      ...syntax ? [] : [...unnamedProxies(config), ...readTwice(config)],
    ],
    tests,
  };
}

/** Warns of modules that read files alone, none of which exists. */
function absences({ modules }: Config, inspections: readonly Inspection[]): string[] {
  const absent = new Set(
    inspections.filter(({ found, problems }) => found === 0 && problems.length === 0)
      .map(({ pattern }) => pattern),
  );
  return modules.map(({ module }) => module)
    .filter((module) => !isInJournal(module) && module.files.every((pattern) => absent.has(pattern)))
    .map(({ name, files }) =>
      `[${name}] there is no file ${files.join(" nor ")} yet: see whether the path in match is right`
    );
}

/** Returns the configuration; if it is wrong or unread, an exit code, after printing why. */
function configOrCode(options: CheckOptions): Config | UserError["code"] {
  try {
    return openConfig(options);
  } catch (error) {
    if (!(error instanceof UserError) || options.json) throw error;
    conclude(inputName(options.config), { refusal: error, problems: [], warnings: [] });
    return error.code;
  }
}

type Faults = Pick<Look, "refusal" | "problems" | "warnings">;

/** Prints each problem with its remedies below it, the warnings, and the verdict. */
function conclude(path: string, { refusal, problems, warnings }: Faults): void {
  const refused = refusal?.sentences ?? [];
  refused.forEach(printProblem);
  if (refusal?.advice) print(`  or ${refusal.advice}`);
  problems.forEach(printProblem);
  warnings.forEach((warning) => print(`Warning: ${warning}`));
  const all = [...refused, ...problems];
  const warned = warnings.length === 0 ? "" : `, with ${counted(warnings.length, "warning")}`;
  if (all.length === 0) print(`${path} is good${warned}`);
  // A denial says nothing against the configuration.
  else if (all.every(isDenial)) {
    print(`No verdict on ${path}: user ${userName()} may not read all that it takes`);
  } else if (refusal?.code === 66 || refusal?.code === 77) print(`No verdict on ${path}: it cannot be read`);
  else print(`${path} is NOT good: ${counted(all.length, "problem")}${warned}`);
}

/** Prints a problem, and below it the remedies that its sentence names behind semicolons. */
function printProblem(sentence: string): void {
  const { complaint, remedies } = complaintOf(sentence);
  print(`Problem: ${complaint}`);
  for (const remedy of remedies) print(`  ${remedy}`);
}

function explain(
  config: Config,
  { files, tests, rules }: { files: readonly Inspection[]; tests: TestResult; rules?: boolean },
): void {
  printLines(describeConfig(config, { rules }).split("\n"));
  if (!rules) print("Rules: --rules explains each of them");
  for (const { pattern, found } of files) {
    print(`Files: ${pattern}: ${found > 0 ? `${found} found` : "none that can be read yet"}`);
  }
  if (tests.tried > 0) {
    print(`Tests: ${counted(tests.tried, "line")} tried, ${tests.failures.length} failed`);
  }
}

/** Longest run of journalctl, in milliseconds. */
const JOURNAL_PATIENCE = 10_000;

/** Says why this user cannot read the journal, if modules read it. */
async function journalProblems({ modules }: Config): Promise<string[]> {
  const matches = journalMatches(modules);
  if (!isInJournal(matches)) return [];
  const time = now();
  const journal = openJournal({ ...matches, follow: false, until: time });
  return await complaintIn(async () => {
    const signal = AbortSignal.timeout(JOURNAL_PATIENCE);
    for await (const _ of journal.batches({ after: null, since: time }, signal)) break;
  });
}

/** Returns the message of the error that `work` throws; empty if it throws none. */
async function complaintIn(work: () => unknown): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** Returns the patterns of log files that modules read, each once. */
export function filesOf({ modules }: Config): string[] {
  return [...new Set(modules.flatMap(({ module }) => module.files))];
}
