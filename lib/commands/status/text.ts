/** Formats `status` for people, from the state and the monitor's report. */
import { counted } from "../../core/text.ts";
import { localTime } from "../../core/time.ts";
import type { ModuleActivity } from "../../reading/activity.ts";
import type { NotifierStatus } from "../../monitor/notifier.ts";
import type { ProblemView } from "../../monitor/problems.ts";
import type { MonitorReport, SourceReport } from "../../monitor/report.ts";
import type { BanTotals } from "../../state/ban_reader.ts";
import { allText } from "../bans/bans.ts";
import { zoneName } from "../common/output.ts";
import { awaitedOf, awaitedText, CONFIRM, leftText, uncountedText, worksText } from "../common/words.ts";

/** Input of `statusLines()`. */
export interface Status extends Pick<ProblemView, "failing" | "backlog" | "isInMemory"> {
  readonly running: boolean;
  readonly report: MonitorReport | null;
  /** Number of recorded lines in the state. */
  readonly recorded: number;
  readonly bans: BanTotals;
  /** Why the monitor could not start again by its configuration on disk; null: it could. */
  readonly unusable: string | null;
}

/** Returns lines for people: first problems, then what works. */
export function statusLines(status: Status, problems: readonly string[]): string[] {
  const { report, bans } = status;
  return [
    firstLine(status, problems),
    ...problems.map((sentence) => `problem   ${sentence}`),
    ...status.running ? awaitedOf(report).map((source) => `awaited   ${awaitedText(source)}`) : [],
    ...report === null ? [] : reportLines(report, bans),
    `bans      ${allText(bans)}`,
    `state     ${counted(status.recorded, "line")} recorded`,
    ...report?.database ? [databaseLine(report.database, status.backlog)] : [],
    ...report?.notify ? [noticesLine(report.notify)] : [],
    `times     of ${zoneName()}`,
  ];
}

function firstLine({ running, report }: Status, problems: readonly string[]): string {
  if (!running) return "not running";
  const since = !report?.running ? "" : `, pid ${report.pid}, since ${localTime(report.started)}`;
  return `running${since}: ` +
    (problems.length === 0 ? worksText(report) : counted(problems.length, "problem"));
}

function reportLines(report: MonitorReport, bans: BanTotals): string[] {
  const { started, loaded } = report;
  return [
    ...loaded > started ? [`config    read anew ${localTime(loaded)}`] : [],
    ...report.modules.flatMap((module) => moduleLines(module, isBlind(module, report))),
    ...report.sources.map(sourceLine),
    ...countLines(report),
    ...firewallLines(report, bans),
    ...report.moduleFirewalls.map(({ module, firewall }) =>
      `          for ${module} ${firewall}${firewall === "observe" ? ": nobody is really banned" : ""}`
    ),
    ...report.trialEnd === null ? [] : [
      `trial     its bans end at ${localTime(report.trialEnd)} unless you say ${CONFIRM}`,
    ],
  ];
}

/** Reports whether no file that a module reads exists yet. */
function isBlind({ name }: ModuleActivity, report: MonitorReport): boolean {
  const own = report.sources.filter(({ modules }) => modules.includes(name));
  return own.length > 0 && own.length === awaitedOf({ sources: own }).length;
}

function moduleLines({ name, lastLine, rules }: ModuleActivity, isBlind: boolean): string[] {
  const hit = rules.filter(({ lastHit }) => lastHit !== null);
  const unhit = rules.filter(({ lastHit }) => lastHit === null).map(({ name }) => name);
  const width = Math.max(...hit.map(({ name }) => name.length));
  const digits = Math.max(...hit.map(({ hits }) => String(hits).length));
  return [
    `module    ${name}: ${last("line", lastLine)}${isBlind ? "; no file that it reads exists yet" : ""}` +
    (hit.length === 0 ? "" : "; hits since the start:"),
    ...hit.map(({ name, hits, lastHit }) =>
      `          ${name.padEnd(width)}  ${String(hits).padStart(digits)}, last ${localTime(lastHit!)}`
    ),
    ...unhit.length === 0
      ? []
      : hit.length === 0
      ? [`          no hit yet of ${counted(unhit.length, "rule")}`]
      : [`          no hit yet: ${unhit.join(", ")}`],
  ];
}

function sourceLine({ name, running, lastBatch, delivery, waiting }: SourceReport): string {
  const doing = running ? `${waiting ? "waiting" : "reading"}${delivery ? `, ${delivery}` : ""}` : "stopped";
  const came = lastBatch === null ? "no lines since the start" : `lines last came ${localTime(lastBatch)}`;
  return `source    ${name}: ${doing}; ${came}`;
}

function countLines(report: MonitorReport): string[] {
  const { counts, tracked } = report;
  const { entries, unknown, events, recorded, hits, damaged, suppressed, untrusted, uncounted, evicted } =
    counts;
  const more: readonly (readonly [count: number, text: string])[] = [
    [tracked, `${counted(tracked, "address")} being counted`],
    [
      evicted,
      `${counted(evicted, "address")} evicted, the oldest first: there were too many to count`,
    ],
    [unknown, `${unknown} of a form that no module knows`],
    [damaged, `${damaged} damaged: cut or dropped`],
    [suppressed, `${suppressed} dropped by journald, as their service wrote too many (RateLimitBurst=)`],
    [untrusted, `${untrusted} that any user could have forged: recorded, not counted`],
    [uncounted, uncountedText(uncounted)],
  ];
  return [
    `lines     ${entries} read, ${events} named an address, ${recorded} recorded, ${counted(hits, "hit")}`,
    "          since the start",
    ...more.flatMap(([count, text]) => count > 0 ? [`          ${text}`] : []),
  ];
}

function firewallLines({ firewall, holding }: MonitorReport, { confirmed }: BanTotals): string[] {
  if (firewall === "observe") {
    return [`firewall  observe: ${confirmed === 0 ? "nobody is really banned" : leftText(confirmed)}`];
  }
  if (holding === null || holding.error !== null) return [`firewall  ${firewall}`];
  const { held, missing, stray } = holding;
  const found = held === null
    ? "cannot tell whether bans hold"
    : `${counted(held, "ban")} held at the last look, ${localTime(holding.time)}` +
      (missing > 0 ? `; ${counted(missing, "was", "were")} gone and being put back` : "");
  return [
    `firewall  ${firewall}: ${found}`,
    ...stray.length > 0
      ? [`          also bans, unknown to the state: ${stray.join(", ")} (docs/firewalls.md)`]
      : [],
  ];
}

function databaseLine(database: NonNullable<MonitorReport["database"]>, backlog: number): string {
  const { connected, error } = database;
  const state = connected ? "connected" : error === null ? "connecting" : "not connected";
  return `database  ${state}; ${counted(backlog, "row")} waiting, ${last("shipment", database.lastShipped)}`;
}

function noticesLine({ program, told, lastTold }: NotifierStatus): string {
  const last = lastTold === null ? "" : `, the last at ${localTime(lastTold)}`;
  return `notices   ${told} told by ${program}${last}`;
}

/** Says when the last one occurred since the monitor started. */
function last(what: string, instant: number | null | undefined): string {
  return instant === null || instant === undefined ? `no ${what} yet` : `last ${what} ${localTime(instant)}`;
}
