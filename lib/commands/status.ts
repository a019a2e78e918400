import { absence } from "../core/read_denial.ts";
import type { Holding } from "../enforcing/reconciler.ts";
import { isLocked } from "../state/lock.ts";
import { type BanStatus, nameOf } from "../deciding/ban.ts";
import { counted } from "../core/text.ts";
import { hasUnknownFormat, type ModuleActivity } from "../reading/activity.ts";
import type { Leak } from "../monitor/leaks.ts";
import { type MonitorReport, readReport, type SourceReport } from "../monitor/report.ts";
import type { NotifierStatus } from "../monitor/notifier.ts";
import type { FleetStatus } from "../postgres/fleet.ts";
import type { BanTotals } from "../state/ban_table.ts";
import { banJson, totalsText } from "./bans.ts";
import { withState } from "./open.ts";
import { type CommonOptions, isoTime, isoTimeOrNull, localTime, print, printJson } from "./output.ts";

interface Status {
  readonly running: boolean;
  readonly report: MonitorReport | null;
  /** Lines that are kept. */
  readonly recorded: number;
  readonly bans: BanTotals;
  readonly failing: readonly BanStatus[];
  readonly backlog: number;
}

/**
 * `status`: whether the monitor runs, and how everything it does is going. Exit code 1 when it does not run or cannot read a
 * file, or when banned addresses still get through.
 */
export function statusCommand(options: CommonOptions): number {
  const status = withState(options, (state): Status => {
    const report = readReport(state.report());
    return {
      running: isLocked(state.directory),
      report,
      recorded: state.log.count(),
      bans: totalsOf(state.bans.totals(), report),
      failing: state.bans.failing(),
      backlog: state.outbox.backlog(),
    };
  });
  if (options.json) printJson(statusJson(status));
  else statusLines(status).forEach(print);
  const isBlind = status.report?.sources.some(({ problems }) => problems.length > 0) ?? false;
  return status.running && !isBlind && leaksOf(status).length === 0 ? 0 : 1;
}

/** What a firewall lost at a boot waits since the monitor started, whenever the ban began. */
function totalsOf(bans: BanTotals, report: MonitorReport | null): BanTotals {
  const { waitingSince } = bans;
  return { ...bans, waitingSince: waitingSince && Math.max(waitingSince, report?.started ?? 0) };
}

/** Banned addresses that still get through, as the monitor reported last. */
function leaksOf({ report }: Status): readonly Leak[] {
  return report?.leaks ?? [];
}

function leakJson({ address, scope, since, modules, lines, lastLine }: Leak): unknown {
  return { address, scope, since: isoTime(since), modules, lines, last_line: isoTime(lastLine) };
}

function leakLine({ address, scope, since, modules, lines, lastLine }: Leak): string {
  const name = scope === "all" ? address : `${address} (${scope})`;
  return `          ${name}: banned since ${time(since)} and still getting through: ${lines} lines of ${
    modules.join(", ")
  }, the last at ${time(lastLine)}`;
}

function statusJson(status: Status): unknown {
  const { running, report, recorded, bans, failing, backlog } = status;
  return {
    running,
    pid: running ? report?.pid ?? null : null,
    started: isoTimeOrNull(report?.started ?? null),
    config: report?.config ?? null,
    firewall: report?.firewall ?? null,
    holding: report?.holding ? holdingJson(report.holding) : null,
    trial_end: isoTimeOrNull(report?.trialEnd ?? null),
    sources: report?.sources.map(({ name, running, lastBatch, delivery, problems, waiting }) => ({
      name,
      running,
      delivery,
      last_batch: isoTimeOrNull(lastBatch),
      problems,
      waiting,
    })) ?? [],
    modules: report?.modules.map(moduleJson) ?? [],
    given_up: report?.givenUp ?? [],
    counts: report?.counts ?? null,
    tracked: report?.tracked ?? 0,
    evicted: report?.forgotten ?? 0,
    recorded,
    bans: {
      all: bans.all,
      decided: bans.decided,
      in_force: bans.inForce,
      waiting: bans.waiting,
      waiting_since: isoTimeOrNull(bans.waitingSince),
      failing: bans.failing,
    },
    failing: failing.map(banJson),
    getting_through: leaksOf(status).map(leakJson),
    database: report?.database ? databaseJson(report.database, backlog) : null,
    notify: report?.notify ? noticesJson(report.notify) : null,
  };
}

function databaseJson({ connected, error, lastShipped, setAside }: FleetStatus, backlog: number): unknown {
  return { connected, error, last_shipped: isoTimeOrNull(lastShipped), set_aside: setAside, backlog };
}

function noticesJson({ program, told, failed, lastTold, error }: NotifierStatus): unknown {
  return { program, told, failed, last_told: isoTimeOrNull(lastTold), error };
}

function moduleJson(module: ModuleActivity): unknown {
  return {
    name: module.name,
    last_line: isoTimeOrNull(module.lastLine),
    last_hit: isoTimeOrNull(module.lastHit),
    lines_last_hour: module.lines,
    understood_last_hour: module.understood,
    unknown_format: hasUnknownFormat(module),
    rules: module.rules.map(({ name, lastHit }) => ({ name, last_hit: isoTimeOrNull(lastHit) })),
  };
}

function statusLines(status: Status): string[] {
  const { running, report, bans, failing } = status;
  const lines = [running ? "running" : "not running"];
  if (report !== null) {
    if (running) lines[0] += `, pid ${report.pid}, since ${time(report.started)}`;
    lines.push(
      ...report.modules.flatMap((module) => moduleLines(module, report.givenUp.includes(module.name))),
    );
    lines.push(...report.sources.flatMap(sourceLines));
    const { entries, unknown, events, recorded, hits, damaged, suppressed, untrusted } = report.counts;
    lines.push(
      `lines     ${entries} read, ${events} named an address, ${recorded} recorded, ${counted(hits, "hit")}`,
    );
    const { tracked, forgotten: evicted } = report;
    if (tracked > 0) lines.push(`          ${counted(tracked, "address", "addresses")} being counted`);
    if (evicted > 0) {
      lines.push(
        `          ${
          counted(evicted, "address", "addresses")
        } evicted, the oldest first: there were too many to count`,
      );
    }
    if (unknown > 0) lines.push(`          ${unknown} of a form that no module knows`);
    if (damaged > 0) lines.push(`          ${damaged} damaged: cut or dropped`);
    if (suppressed > 0) {
      lines.push(
        `          ${suppressed} dropped by journald, as their service wrote too many (RateLimitBurst=)`,
      );
    }
    if (untrusted > 0) {
      lines.push(`          ${untrusted} that any user could have forged: recorded, not counted`);
    }
    lines.push(...firewallLines(report));
    if (report.trialEnd !== null) {
      lines.push(
        `trial     its bans end at ${time(report.trialEnd)} unless you say \`strongmonitor confirm\``,
      );
    }
  }
  lines.push(`bans      ${totalsText(bans)}; ${bans.failing} failing, ${bans.all} in all`);
  for (const ban of failing) {
    lines.push(`          ${nameOf(ban)}: tried ${counted(ban.attempts, "time")}: ${ban.error}`);
  }
  lines.push(...leaksOf(status).map(leakLine));
  lines.push(`state     ${counted(status.recorded, "line")} recorded`);
  if (report?.database) lines.push(databaseLine(report.database, status.backlog));
  if (report?.notify) lines.push(noticesLine(report.notify));
  return lines;
}

function sourceLines({ name, running, lastBatch, delivery, problems, waiting }: SourceReport): string[] {
  const reading = waiting ? `waiting, as ${absence(name.replace(/^file:/, ""))}` : "reading";
  const doing = running ? `${reading}${delivery ? `, ${delivery}` : ""}` : "stopped";
  return [
    `source    ${name}: ${doing}; last line ${time(lastBatch)}`,
    ...problems.map((sentence) => `          ${sentence}`),
  ];
}

function firewallLines({ firewall, holding }: MonitorReport): string[] {
  if (firewall === "observe") return ["firewall  observe: nobody is really banned"];
  if (holding === null) return [`firewall  ${firewall}`];
  const { held, missing, stray, error } = holding;
  const found = error !== null
    ? `NOT KNOWN whether bans hold: ${error}`
    : held === null
    ? "cannot tell whether bans hold"
    : counted(held, "ban holds", "bans hold") +
      (missing > 0 ? `, ${counted(missing, "was", "were")} gone and being put back` : "");
  return [
    `firewall  ${firewall}: ${found} (looked at ${time(holding.time)})`,
    ...(stray.length > 0 ? [`          not banned by anybody here: ${stray.join(", ")}`] : []),
  ];
}

function holdingJson({ time, held, missing, stray, error }: Holding): unknown {
  return { time: isoTimeOrNull(time), held, missing, stray, error };
}

function databaseLine(database: NonNullable<MonitorReport["database"]>, backlog: number): string {
  const state = database.connected ? "connected" : `not connected: ${database.error ?? "connecting"}`;
  return `database  ${state}; ${counted(backlog, "row")} waiting, last shipment ${
    time(database.lastShipped)
  }`;
}

function noticesLine({ program, told, lastTold, error }: NotifierStatus): string {
  const last = lastTold === null ? "" : `, the last at ${time(lastTold)}`;
  return `notices   ${told} told by ${program}${last}${error === null ? "" : `; FAILING: ${error}`}`;
}

function moduleLines(module: ModuleActivity, isGivenUp: boolean): string[] {
  const { name, lastLine, lines, understood, rules } = module;
  const width = Math.max(...rules.map((rule) => rule.name.length));
  return [
    `module    ${name}: last line ${time(lastLine)}${isGivenUp ? ", GIVEN UP after failing" : ""}`,
    ...(hasUnknownFormat(module)
      ? [
        `          WARNING: only ${understood} of ${
          counted(lines, "line")
        } of the last hour were understood: has the format changed?`,
      ]
      : []),
    ...rules.map((rule) => `          ${rule.name.padEnd(width)}  last hit ${time(rule.lastHit)}`),
  ];
}

function time(instant: number | null | undefined): string {
  return instant === null || instant === undefined ? "never" : localTime(instant);
}
