import { isoTime, isoTimeOrNull } from "../core/time.ts";
import type { Holding } from "../enforcing/reconciler.ts";
import { isLocked } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import { hasUnknownFormat } from "../reading/activity.ts";
import { type Leak, type MonitorReport, readReport } from "../monitor/report.ts";
import type { NotifierStatus } from "../monitor/notifier.ts";
import type { FleetStatus } from "../postgres/fleet.ts";
import { banJson, totalsOf } from "./bans.ts";
import { withState } from "./open.ts";
import { type CommonOptions, print, printJson } from "./output.ts";
import { leaksOf, type Status, statusLines } from "./status_lines.ts";
import { statusProblems } from "./status_problems.ts";

/** Exit code if no monitor runs. */
const STOPPED = 69;

/**
 * `status`: prints whether the monitor runs and how well. Exit codes for Nagios: 0 only if all
 * works, 69 if no monitor runs, 1 if something fails. Throws `UserError` (69).
 */
export function statusCommand(options: CommonOptions): number {
  const status = withState(options, statusOf);
  const problems = statusProblems(status);
  if (options.json) printJson(statusJson(status, problems));
  else statusLines(status, problems).forEach(print);
  return !status.running ? STOPPED : problems.length > 0 ? 1 : 0;
}

/** Reads the status of a state's monitor. */
export function statusOf(state: State): Status {
  const report = readReport(state.report());
  return {
    running: isLocked(state.directory),
    report,
    recorded: state.log.count(),
    bans: totalsOf(state, report),
    failing: state.bans.failing(),
    backlog: state.outbox.backlog(),
    isInMemory: state.isInMemory,
  };
}

/** Returns a leak as JSON. */
export function leakJson({ address, scope, since, modules, lines, lastLine }: Leak): unknown {
  return { address, scope, since: isoTime(since), modules, lines, last_line: isoTime(lastLine) };
}

function statusJson(status: Status, problems: readonly string[]): unknown {
  const { running, report, recorded, bans, failing, backlog } = status;
  const { evicted = 0, ...counts } = report?.counts ?? {};
  return {
    running,
    problems,
    pid: running ? report?.pid ?? null : null,
    started: isoTimeOrNull(report?.started ?? null),
    loaded: isoTimeOrNull(report?.loaded ?? null),
    refused: report?.refused ? { time: isoTime(report.refused.time), error: report.refused.error } : null,
    failure: report?.failure ?? null,
    config: report?.config ?? null,
    firewall: report?.firewall ?? null,
    own_firewalls: report?.moduleFirewalls ?? [],
    holding: report?.holding ? holdingJson(report.holding) : null,
    trial_end: isoTimeOrNull(report?.trialEnd ?? null),
    sources: report?.sources.map((
      { name, modules = [], running, stopped, lastBatch, delivery, problems, waiting },
    ) => ({
      name,
      modules,
      running,
      stopped: stopped ? { since: isoTime(stopped.time), error: stopped.error } : null,
      delivery,
      last_batch: isoTimeOrNull(lastBatch),
      problems,
      waiting,
    })) ?? [],
    modules: report?.modules.map(moduleJson) ?? [],
    given_up: report?.modules.flatMap(({ name, givenUp }) => givenUp === undefined ? [] : name) ?? [],
    counts: report && counts,
    tracked: report?.tracked ?? 0,
    evicted,
    recorded,
    bans: {
      all: bans.all,
      decided: bans.decided,
      in_force: bans.confirmed,
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

function moduleJson(module: MonitorReport["modules"][0]): unknown {
  return {
    name: module.name,
    last_line: isoTimeOrNull(module.lastLine),
    last_hit: isoTimeOrNull(module.lastHit),
    lines_last_hour: module.lines,
    understood_last_hour: module.understood,
    unknown_format: hasUnknownFormat(module),
    given_up_since: isoTimeOrNull(module.givenUp ?? null),
    rules: module.rules.map(({ name, lastHit }) => ({ name, last_hit: isoTimeOrNull(lastHit) })),
  };
}

function holdingJson({ time, held, missing, stray, error }: Holding): unknown {
  return { time: isoTimeOrNull(time), held, missing, stray, error };
}
