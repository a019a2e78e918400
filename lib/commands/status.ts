import type { Holding } from "../enforcing/reconciler.ts";
import { isLocked } from "../state/database.ts";
import { type BanStatus, nameOf } from "../deciding/ban.ts";
import { hasUnknownFormat, type ModuleActivity } from "../reading/activity.ts";
import { type MonitorReport, readReport } from "../monitor/report.ts";
import type { FleetStatus } from "../postgres/fleet.ts";
import { banJson } from "./bans.ts";
import { withState } from "./open.ts";
import { type CommonOptions, isoTimeOrNull, localTime, print, printJson } from "./output.ts";

interface Status {
  readonly running: boolean;
  readonly report: MonitorReport | null;
  /** Lines that are kept. */
  readonly recorded: number;
  readonly bans: { readonly all: number; readonly inForce: number; readonly failing: number };
  readonly failing: readonly BanStatus[];
  readonly backlog: number;
}

/** `status`: whether the monitor runs, and how everything it does is going; exit code 1 when it does not run. */
export function statusCommand(options: CommonOptions): number {
  const status = withState(options, (state): Status => {
    return {
      running: isLocked(state.directory),
      report: readReport(state.report()),
      recorded: state.log.count(),
      bans: state.bans.totals(),
      failing: state.bans.failing(),
      backlog: state.outbox.backlog(),
    };
  });
  if (options.json) printJson(statusJson(status));
  else statusLines(status).forEach(print);
  return status.running ? 0 : 1;
}

function statusJson({ running, report, recorded, bans, failing, backlog }: Status): unknown {
  return {
    running,
    pid: running ? report?.pid ?? null : null,
    started: isoTimeOrNull(report?.started ?? null),
    config: report?.config ?? null,
    firewall: report?.firewall ?? null,
    holding: report?.holding ? holdingJson(report.holding) : null,
    trial_end: isoTimeOrNull(report?.trialEnd ?? null),
    sources: report?.sources.map(({ name, running, lastBatch, delivery }) => ({
      name,
      running,
      delivery,
      last_batch: isoTimeOrNull(lastBatch),
    })) ?? [],
    modules: report?.modules.map(moduleJson) ?? [],
    given_up: report?.givenUp ?? [],
    counts: report?.counts ?? null,
    tracked: report?.tracked ?? 0,
    evicted: report?.forgotten ?? 0,
    recorded,
    bans: { all: bans.all, in_force: bans.inForce, failing: bans.failing },
    failing: failing.map(banJson),
    database: report?.database ? databaseJson(report.database, backlog) : null,
  };
}

function databaseJson({ connected, error, lastShipped, setAside }: FleetStatus, backlog: number): unknown {
  return { connected, error, last_shipped: isoTimeOrNull(lastShipped), set_aside: setAside, backlog };
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
    for (const { name, running, lastBatch, delivery } of report.sources) {
      const doing = running ? `reading${delivery ? `, ${delivery}` : ""}` : "stopped";
      lines.push(`source    ${name}: ${doing}; last line ${time(lastBatch)}`);
    }
    const { entries, unknown, events, recorded, hits, damaged, suppressed, untrusted } = report.counts;
    lines.push(`lines     ${entries} read, ${events} named an address, ${recorded} recorded, ${hits} hits`);
    const { tracked, forgotten: evicted } = report;
    if (tracked > 0) lines.push(`          ${tracked} addresses being counted`);
    if (evicted > 0) {
      lines.push(`          ${evicted} addresses evicted, the oldest first: there were too many to count`);
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
  lines.push(`bans      ${bans.inForce} in force, ${bans.all} in all, ${bans.failing} failing`);
  for (const ban of failing) {
    lines.push(`          ${nameOf(ban)}: tried ${ban.attempts} times: ${ban.error}`);
  }
  lines.push(`state     ${status.recorded} lines recorded`);
  if (report?.database) lines.push(databaseLine(report.database, status.backlog));
  return lines;
}

function firewallLines({ firewall, holding }: MonitorReport): string[] {
  if (firewall === "observe") return ["firewall  observe: nobody is really banned"];
  if (holding === null) return [`firewall  ${firewall}`];
  const { held, missing, stray, error } = holding;
  const found = error !== null
    ? `NOT KNOWN whether bans hold: ${error}`
    : held === null
    ? "cannot tell whether bans hold"
    : `${held} bans hold${missing > 0 ? `, ${missing} were gone and are being put back` : ""}`;
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
  return `database  ${state}; ${backlog} rows waiting, last shipment ${time(database.lastShipped)}`;
}

function moduleLines(module: ModuleActivity, isGivenUp: boolean): string[] {
  const { name, lastLine, lines, understood, rules } = module;
  const width = Math.max(...rules.map((rule) => rule.name.length));
  return [
    `module    ${name}: last line ${time(lastLine)}${isGivenUp ? ", GIVEN UP after failing" : ""}`,
    ...(hasUnknownFormat(module)
      ? [
        `          WARNING: only ${understood} of ${lines} lines of the last hour were understood: has the format changed?`,
      ]
      : []),
    ...rules.map((rule) => `          ${rule.name.padEnd(width)}  last hit ${time(rule.lastHit)}`),
  ];
}

function time(instant: number | null | undefined): string {
  return instant === null || instant === undefined ? "never" : localTime(instant);
}
