import { counted } from "../../core/text.ts";
import { localTime, type Micros, now } from "../../core/time.ts";
import { nameOf } from "../../deciding/ban.ts";
import { leakText } from "../../monitor/leaks.ts";
import { type ProblemKind, problemsOf } from "../../monitor/problems.ts";
import { isOverdue, type MonitorReport } from "../../monitor/report.ts";
import type { Status } from "./text.ts";

/** Most failing bans and leaks that are listed one by one. */
const MOST = 5;

type Troubles = Omit<Status, "recorded" | "bans"> & { readonly bans: Pick<Status["bans"], "failing"> };

/** Returns a sentence for each problem, the worst first; an empty list: all works. */
export function statusProblems(status: Troubles): string[] {
  const { running, report, failing, bans, unusable } = status;
  if (!running) return [stoppedText(report?.failure ?? null)];
  // The report of a monitor that was stopped in order is not of the one that runs now.
  if (!report?.running) return ["the monitor has not reported yet"];
  const leaks = report.leaks.map(leakText);
  const refused = failing.map((ban) => {
    const what = ban.ended === null ? "ban" : "lift";
    return `${nameOf(ban)}: the ${what} failed ${counted(ban.attempts, "time")}: ${ban.error}`;
  });
  // Name each leak and refusal, where a notice counts them. Say nothing of bans that are back already.
  const others: { readonly [kind in ProblemKind]?: readonly string[] } = {
    getting_through: first(leaks, leaks.length),
    bans_failing: first(refused, bans.failing),
    bans_gone: [],
  };
  const unreadable = new Map(report.sources.map(({ name, problems }) => [name, problems]));
  return [
    ...isOverdue(report, now()) && !status.isInMemory ? [hangingText(report)] : [],
    ...problemsOf({ ...status, report, losses: [] }).flatMap(({ kind, subject, text }) =>
      kind === "source_unreadable" ? unreadable.get(subject)! : others[kind] ?? text
    ),
    ...tellingProblems(report),
    // A refused reload says the same.
    ...unusable && !report.refused ? [unusableText(unusable, report.loaded)] : [],
  ];
}

/** Returns sentences about notices and metrics: of these, a notice could not tell. */
export function tellingProblems({ notify, metricsError }: MonitorReport): string[] {
  return [
    ...notify?.error ? [`Cannot send notices by ${notify.program}: ${notify.error}`] : [],
    ...metricsError === null ? [] : [metricsError],
  ];
}

/** Says that no monitor runs, and why if the last one knew. */
function stoppedText(failure: string | null): string {
  const why = failure === null ? "" : `: ${failure}`;
  return `no monitor runs on this state${why}; \`strongmonitor doctor\` tells how to start it`;
}

/** Says that the monitor goes on, but could not start again. */
function unusableText(mistakes: string, loaded: Micros): string {
  return `The next start of the monitor would fail, and the configuration of ${localTime(loaded)} ` +
    `is in force until then: ${mistakes}`;
}

/** Says that a monitor hangs. */
export function hangingText({ time, pid }: Pick<MonitorReport, "time" | "pid">): string {
  return `the monitor has not reported since ${localTime(time!)}: process ${pid} hangs, or its disk does`;
}

/** Returns the first of `all` sentences, and the number of the others. */
function first(sentences: readonly string[], all: number): string[] {
  return all <= MOST ? [...sentences] : [...sentences.slice(0, MOST), `and ${all - MOST} more like these`];
}
