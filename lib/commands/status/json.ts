/** The JSON of `status`, parts of which `why` and `report` print too. */
import { isoTime, isoTimeOrNull } from "../../core/time.ts";
import type { Leak, MonitorReport, SourceReport } from "../../monitor/report.ts";
import { hasUnknownFormat } from "../../reading/activity.ts";
import { banJson } from "../bans/bans.ts";
import type { Status } from "./text.ts";

/** Returns a leak as JSON. */
export function leakJson({ address, scope, since, modules, lines, lastLine }: Leak): unknown {
  return { address, scope, since: isoTime(since), modules, lines, last_line: isoTime(lastLine) };
}

/** Returns the object of docs/json.md. */
export function statusJson(status: Status, problems: readonly string[]): unknown {
  const { running, report, recorded, bans, failing, backlog } = status;
  const { evicted = 0, ...counts } = report?.counts ?? {};
  const { database = null, notify = null } = report ?? {};
  return {
    running,
    problems,
    pid: running && report?.running ? report.pid : null,
    started: isoTimeOrNull(report?.started ?? null),
    loaded: isoTimeOrNull(report?.loaded ?? null),
    refused: report?.refused ? { time: isoTime(report.refused.time), error: report.refused.error } : null,
    failure: report?.failure ?? null,
    config: report?.config ?? null,
    firewall: report?.firewall ?? null,
    own_firewalls: report?.moduleFirewalls ?? [],
    holding: report?.holding ? { ...report.holding, time: isoTime(report.holding.time) } : null,
    trial_end: isoTimeOrNull(report?.trialEnd ?? null),
    sources: report?.sources.map(sourceJson) ?? [],
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
    getting_through: report?.leaks.map(leakJson) ?? [],
    database: database && {
      connected: database.connected,
      error: database.error,
      last_shipped: isoTimeOrNull(database.lastShipped),
      set_aside: database.setAside,
      backlog,
    },
    notify: notify && {
      program: notify.program,
      told: notify.told,
      failed: notify.failed,
      last_told: isoTimeOrNull(notify.lastTold),
      error: notify.error,
    },
  };
}

/** Returns a source as JSON. */
export function sourceJson(source: SourceReport): unknown {
  const { name, modules, running, stopped, lastBatch, delivery, problems, waiting } = source;
  const since = stopped ? { since: isoTime(stopped.time), error: stopped.error } : null;
  const last_batch = isoTimeOrNull(lastBatch);
  return { name, modules, running, stopped: since, delivery, last_batch, problems, waiting };
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
    rules: module.rules.map(({ name, lastHit, hits }) => ({ name, last_hit: isoTimeOrNull(lastHit), hits })),
  };
}
