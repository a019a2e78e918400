import { absolute } from "../../config/load.ts";
import { isDenial } from "../../core/denial.ts";
import { tried } from "../../core/error.ts";
import { isLocked } from "../../state/lock.ts";
import type { State } from "../../state/state.ts";
import { type MonitorReport, readReport } from "../../monitor/report.ts";
import { totalsOf } from "../bans/bans.ts";
import { waitUntil } from "../common/change.ts";
import { hasCopyIn, refusalOf, refusalsOf } from "../common/open_config.ts";
import { type Loaded, withState } from "../common/open_state.ts";
import { type CommonOptions, finishUnread, printResult } from "../common/output.ts";
import { statusJson } from "./json.ts";
import { type Status, statusLines } from "./text.ts";
import { statusProblems } from "./problems.ts";
import { mistakesText } from "../common/words.ts";

/** Exit code if no monitor runs. */
const STOPPED = 69;

/**
 * `status`: prints whether the monitor runs and how well. Exit codes for Nagios: 0 only if all
 * works, 69 if no monitor runs, 1 if something fails. Throws `UserError` (69).
 */
export async function statusCommand(options: CommonOptions): Promise<number> {
  finishUnread();
  const status = await withState(options, async (state, loaded) => {
    await awaitStarting(state);
    return statusOf(state, unusableBy(options, { state, loaded }));
  });
  const problems = statusProblems(status);
  printResult(options, statusJson(status, problems), ...statusLines(status, problems));
  return !status.running ? STOPPED : problems.length > 0 ? 1 : 0;
}

/**
 * Milliseconds that a person at a terminal waits for a monitor that is starting: systemd calls it
 * started before it has its lock.
 */
const STARTING = 3_000;

/** Waits for a monitor that is starting if a person reads the output; scripts get an answer at once. */
export async function awaitStarting(state: State): Promise<void> {
  if (Deno.stdout.isTerminal()) await runsSoon(state, STARTING);
}

/** Waits at most `patience` milliseconds until a monitor runs and has reported; false: none does. */
export function runsSoon(state: State, patience: number): Promise<boolean> {
  const runs = () => isLocked(state.directory) && readReport(state.report())?.running === true;
  return waitUntil(runs, performance.now() + patience);
}

/** Says of a monitor's last report why that monitor could not start again; null: it could. */
export type Unusable = (report: MonitorReport | null) => string | null;

/** Reads the status of a state's monitor. */
export function statusOf(state: State, unusable: Unusable = () => null): Status {
  const report = readReport(state.report());
  return {
    running: isLocked(state.directory),
    report,
    recorded: state.log.count(),
    bans: totalsOf(state, report),
    failing: state.bans.failing(),
    backlog: state.outbox.backlog(),
    isInMemory: state.isInMemory,
    unusable: unusable(report),
  };
}

/**
 * Returns what says why a monitor could not start again by the configuration on disk that it has
 * read. It says nothing of what this user cannot tell, nor of a configuration of another monitor.
 */
export function unusableBy(
  options: CommonOptions,
  { state, loaded }: { readonly state: State; readonly loaded: () => Loaded },
): Unusable {
  return (report) => {
    const path = options.config === "-" ? null : tried(() => absolute(options.config));
    if (path === null || path !== report?.config) return null;
    const { config, error } = loaded();
    const refusal = error ?? refusalOf(refusalsOf(config, hasCopyIn(state)));
    if (refusal === null || refusal.code === 77) return null;
    const sentences = refusal.sentences.filter((sentence) => !isDenial(sentence));
    return sentences.length === 0 ? null : mistakesText({ sentences });
  };
}
