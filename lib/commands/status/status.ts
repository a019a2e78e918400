import { absolute } from "../../config/load.ts";
import { isDenial } from "../../core/denial.ts";
import { tried } from "../../core/error.ts";
import { isoTime, isoTimeOrNull } from "../../core/time.ts";
import { isLocked } from "../../state/lock.ts";
import type { State } from "../../state/state.ts";
import { hasUnknownFormat } from "../../reading/activity.ts";
import { type Leak, type MonitorReport, readReport, type SourceReport } from "../../monitor/report.ts";
import { banJson, totalsOf } from "../bans/bans.ts";
import { waitUntil } from "../common/change.ts";
import { refusalOf, refusalsOf } from "../common/open_config.ts";
import { type Loaded, withState } from "../common/open_state.ts";
import { type CommonOptions, finishUnread, printResult } from "../common/output.ts";
import { type Status, statusLines } from "./lines.ts";
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
    return { ...statusOf(state), unusable: unusableText(options, { state, loaded }) };
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

/**
 * Says why a monitor could not start again by the configuration on disk that it has read; null: it
 * could, or this user cannot tell. A configuration of another monitor does not matter.
 */
export function unusableText(
  options: CommonOptions,
  { state, loaded }: { readonly state: State; readonly loaded: () => Loaded },
): string | null {
  const path = options.config === "-" ? null : tried(() => absolute(options.config));
  if (path === null || path !== readReport(state.report())?.config) return null;
  const { config, error } = loaded();
  const refusal = error ??
    refusalOf(refusalsOf(config, (path) => state.whitelistCopy(path) !== null));
  if (refusal === null || refusal.code === 77) return null;
  const sentences = refusal.sentences.filter((sentence) => !isDenial(sentence));
  return sentences.length === 0 ? null : mistakesText({ sentences });
}

/** Returns a leak as JSON. */
export function leakJson({ address, scope, since, modules, lines, lastLine }: Leak): unknown {
  return { address, scope, since: isoTime(since), modules, lines, last_line: isoTime(lastLine) };
}

function statusJson(status: Status, problems: readonly string[]): unknown {
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

function sourceJson(source: SourceReport): unknown {
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
