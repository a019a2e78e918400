import { counted } from "../core/text.ts";
import { localTime, type Micros, now } from "../core/time.ts";
import { nameOf } from "../deciding/ban.ts";
import { hasUnknownFormat } from "../reading/activity.ts";
import { isOverdue, type MonitorReport } from "../monitor/report.ts";
import { leaksOf, type Status } from "./status_lines.ts";

/** Most failing bans and leaks that are listed one by one. */
const MOST = 5;

/** Input of `problemsOf()`. */
export type Troubles = Pick<Status, "running" | "report" | "failing" | "isInMemory"> & {
  readonly bans: Pick<Status["bans"], "failing">;
};

/** Returns a sentence for each problem, the worst first; an empty list: all works. */
export function problemsOf(status: Troubles): string[] {
  const { running, report, isInMemory } = status;
  const failure = report?.failure ? `: ${report.failure}` : "";
  if (!running) return [`no monitor runs on this state${failure}`];
  return report === null ? ["the monitor has not reported yet"] : [
    ...isInMemory
      ? [
        "the state cannot be written, so the monitor keeps it in memory, and commands show older bans: make room on its disk",
      ]
      : isOverdue(report, now())
      ? [hangingText(report)]
      : [],
    ...configProblems(report),
    ...report.sources.flatMap(({ name, running, stopped, problems }) => [
      ...running
        ? []
        : [`${name} is not being read${stopped ? `${since(stopped.time)}: ${stopped.error}` : ""}`],
      ...problems,
    ]),
    ...report.modules.flatMap(({ name, givenUp }) =>
      givenUp === undefined ? [] : [`module ${name} is given up${since(givenUp)}: it failed on messages`]
    ),
    ...report.modules.filter(hasUnknownFormat).map(({ name, understood, lines }) =>
      `${name}: only ${understood} of ${
        counted(lines, "line")
      } of the last hour were understood: has the format changed?`
    ),
    ...firewallProblems(status),
    ...report.database?.error ? [`PostgreSQL: ${report.database.error}`] : [],
    ...report.notify?.error
      ? [`Cannot send notices by ${report.notify.program}: ${report.notify.error}`]
      : [],
    ...report.metricsError === null ? [] : [report.metricsError],
    ...report.whitelistProblems,
  ];
}

function configProblems({ refused, loaded }: MonitorReport): string[] {
  return refused === undefined ? [] : [
    `the configuration on disk was refused ${localTime(refused.time)}, the one of ${
      localTime(loaded)
    } is in force: ${refused.error}`,
  ];
}

function firewallProblems(status: Troubles): string[] {
  const { report, failing, bans } = status;
  const error = report?.holding?.error ?? null;
  const leaks = leaksOf(status).map((leak) =>
    `${leak.address}${leak.scope === "all" ? "" : ` (${leak.scope})`}: banned since ${
      localTime(leak.since)
    } and still getting through: ${counted(leak.lines, "line")} of ${leak.modules.join(", ")}, the last at ${
      localTime(leak.lastLine)
    }`
  );
  return [
    ...error === null ? [] : [`nobody knows whether bans hold: ${error}`],
    ...first(leaks, leaks.length),
    ...first(
      failing.map((ban) =>
        `${nameOf(ban)}: the ${ban.ended === null ? "ban" : "lift"} failed ${
          counted(ban.attempts, "time")
        }: ${ban.error}`
      ),
      bans.failing,
    ),
  ];
}

/** Says that a monitor hangs. */
export function hangingText({ time, pid }: Pick<MonitorReport, "time" | "pid">): string {
  return `the monitor has not reported since ${localTime(time!)}: process ${pid} hangs, or its disk does`;
}

/** Says when something was given up, and how to restart it. */
function since(time: Micros): string {
  return ` since ${localTime(time)}, until a reload or restart`;
}

/** Returns the first of `all` sentences, and the number of the others. */
function first(sentences: readonly string[], all: number): string[] {
  return all <= MOST ? [...sentences] : [...sentences.slice(0, MOST), `and ${all - MOST} more like these`];
}
