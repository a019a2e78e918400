import { withPassword } from "../../config/load.ts";
import { isDenial } from "../../core/denial.ts";
import { tried } from "../../core/error.ts";
import { counted } from "../../core/text.ts";
import { folded } from "../common/layout.ts";
import { monitorEntry, serviceUser, type SystemUser, unitHere } from "../common/machine.ts";
import { type CommonOptions, finishUnread, print, printResult } from "../common/output.ts";
import { examineConfig } from "./config.ts";
import { AS_ROOT, type Finding } from "./finding.ts";
import { examineFirewall } from "./firewall.ts";
import { bansBySudo, examineFiles, examineUnit, examineUser } from "./installation.ts";
import { examineLogs } from "./logs.ts";
import { examineMonitor } from "./monitor.ts";
import { examineClock, examineDatabase } from "./surroundings.ts";

/** Columns of a result, and of result and subject. */
const [RESULT, INDENT] = [9, 20];
const ARROW = "  -> ";

/**
 * `doctor`: checks everything that monitoring and banning need, and prints each problem with its
 * remedy. Continues after a wrong configuration. Exit code 1 if a check fails.
 */
export async function doctorCommand(options: CommonOptions): Promise<number> {
  finishUnread();
  const results: Finding["result"][] = [];
  const user = await serviceUser();
  for await (const found of examine(options, user)) {
    const finding = isOnlyHere(found, user) ? { ...found, remedy: AS_ROOT } : found;
    results.push(finding.result);
    printResult(options, finding, ...linesOf(finding));
  }
  const failures = results.filter((result) => result === "failure").length;
  const warnings = results.filter((result) => result === "warning").length;
  const warned = warnings === 0 ? "" : `, ${counted(warnings, "warning")}`;
  const verdict = failures === 0 ? "Everything works" : counted(failures, "failure");
  if (!options.json) print(`${verdict}${warned}.`);
  return failures === 0 ? 0 : 1;
}

/** Reports whether a missing right may be this user's alone: the monitor runs as another `user`. */
function isOnlyHere({ text }: Finding, user: SystemUser | null): boolean {
  const isOther = user !== null && ![0, user.uid].includes(Deno.uid()!);
  return isOther && isDenial(text);
}

async function* examine(options: CommonOptions, user: SystemUser | null): AsyncGenerator<Finding> {
  yield examineUser(user);
  const { config, isWrong, isHidden, findings } = examineConfig(options);
  yield* findings;
  yield* examineFiles(config, user);
  if (!isHidden) yield* examineLogs(config, user);
  const entry = await monitorEntry(user);
  const unit = unitHere(entry, bansBySudo(config));
  const monitor = await examineMonitor({ ...options, state: config.stateDirectory }, unit);
  if (!isWrong) {
    yield* examineFirewall(config, { ...monitor, unit });
    yield* examineUnit(config, { service: user, entry, unit });
    // Without its password, which a finding above names, there is no database to ask.
    const database = tried(() => withPassword(config))?.database ?? null;
    if (database !== null) yield* examineDatabase(database);
  }
  yield await examineClock(monitor.newest);
  yield* monitor.findings;
}

/** Formats a finding for people: result, subject, text, and the remedy below. */
function linesOf({ subject, result, text, remedy }: Finding): string[] {
  return [
    ...folded(text, `${result.padEnd(RESULT)}${subject.padEnd(INDENT - RESULT)}`),
    ...(remedy === null ? [] : folded(remedy, ARROW)),
  ];
}
