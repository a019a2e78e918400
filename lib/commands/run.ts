import { abortedWith, clearNoEmptySets } from "../core/async.ts";
import { lookAt } from "../core/file_identity.ts";
import { localTime, type Micros, now } from "../core/time.ts";
import type { BanConfig, Config } from "../config/types.ts";
import { wakeMonitor } from "../monitor/control.ts";
import { Monitor } from "../monitor/monitor.ts";
import { readReport } from "../monitor/report.ts";
import { Totals } from "../monitor/totals.ts";
import { hasLockFile, type Lock, takeLock } from "../state/lock.ts";
import { State } from "../state/state.ts";
import { countMessages, lastLinesWritten, type Log } from "../core/log.ts";
import { databaseOf } from "../core/state_files.ts";
import { linesOf, tried, UserError } from "../core/error.ts";
import { whitelistProblem } from "../config/whitelist_file.ts";
import { hasCopyIn, openUsableConfig } from "./common/open_config.ts";
import { makeStateDirectory, withState } from "./common/open_state.ts";
import { waitUntil } from "./common/change.ts";
import { requireSpan } from "./common/values.ts";
import type { CommonOptions } from "./common/output.ts";
import { CONFIRM, leftText } from "./common/words.ts";

/** Signals to a running monitor. */
export interface RunSignals {
  /** Aborts to stop the monitor in order. */
  readonly stop: AbortSignal;
  /** Registers `reload`, called for each request to read the configuration again. */
  onReload(reload: () => void): void;
}

/** Options of `run`. */
export interface RunOptions extends CommonOptions {
  /** Span of a trial: without `confirm`, its bans end and the monitor stops then. */
  readonly trial?: string;
  /** Id of the machine's boot; without it, uptime and clock identify the boot. */
  readonly bootId?: string;
}

interface RunParts {
  readonly log: Log;
  readonly signals: RunSignals;
}

/** Milliseconds that a start waits for another monitor to recreate the lock's file. */
const LOCK_ANSWER = 1_000;

/**
 * `run`: monitors until told to stop, or until an unconfirmed trial ends. A reload with a wrong
 * configuration keeps the old one. Throws `UserError` (66, 69, 77, 78), or the error that stopped the last
 * source.
 */
export async function runCommand(options: RunOptions, parts: RunParts): Promise<number> {
  try {
    return await run(options, parts);
  } finally {
    await lastLinesWritten();
  }
}

async function run(options: RunOptions, { log: given, signals }: RunParts): Promise<number> {
  if (options.config === "-") throw new UserError("Cannot run by standard input: name a file", 64);
  clearNoEmptySets();
  const span = options.trial === undefined ? null : requireSpan("--trial", options.trial);
  let config = openUsableConfig(options, null);
  const totals = new Totals();
  const log = countMessages(given, totals.messages);
  const { state, lock } = await claimState(config.stateDirectory, { options, log });
  // A reload may come before the first monitor: it then begins by the new configuration.
  let next = new AbortController();
  signals.onReload(() => {
    try {
      config = reloaded(options, { old: config, state });
      totals.refused = null;
      log.info(`configuration reloaded from ${config.path}`);
      next.abort();
    } catch (error) {
      for (const line of linesOf(error)) log.error(line);
      log.error("the old configuration stays in force");
      totals.refused = { time: now(), error: linesOf(error)[0]! };
    }
  });
  try {
    const problem = whitelistProblem(config.whitelist, hasCopyIn(state));
    if (problem !== null) throw problem;
    beginTrial(state, { span, log });
    while (!signals.stop.aborted) {
      using stop = next = abortedWith(signals.stop);
      announce(config, { state, log });
      const { bootId } = options;
      const monitor = new Monitor(config, { state, lock, log, totals, trial: state.trial(), bootId });
      const successor = () => next.signal.aborted && !signals.stop.aborted ? config : null;
      if (await monitor.run(stop.signal, successor)) break;
    }
    log.info("stopped");
    return 0;
  } finally {
    // The program ends anyway, and all commits are on disk.
    tried(() => state.close());
    lock.release();
  }
}

/** Ends the bans of an earlier unconfirmed trial, and begins a new trial if `span` is given. */
function beginTrial(state: State, { span, log }: { span: Micros | null; log: Log }): void {
  const unconfirmed = state.trial();
  if (unconfirmed !== null) {
    log.warn("nobody has confirmed the last trial: its bans are lifted");
    state.bans.endNewer(unconfirmed.lastBan, { reason: "trial", time: now() });
  }
  const end = span === null ? null : now() + span;
  state.setTrial(end === null ? null : { end, lastBan: state.bans.lastId() });
  if (end !== null) {
    log.warn(`trial until ${localTime(end)}: bans end then, unless you say ${CONFIRM}`);
  }
}

/** Opens or creates the state; takes the lock first, as others open `state.db` once it exists. */
async function claimState(
  directory: string,
  { options, log }: { options: CommonOptions; log: Log },
): Promise<{ state: State; lock: Lock }> {
  for (const sentence of makeStateDirectory(directory, options)) log.warn(sentence);
  if (!hasLockFile(directory) && mayRun(directory, options)) await askForLock(directory);
  const lock = takeLock(directory);
  if (lock === null) {
    throw new UserError(`Another monitor runs on the state ${directory}${whoRuns(directory, options)}`, 69);
  }
  try {
    return { state: new State(directory, log), lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Names the process of a running monitor, as far as its last report tells. */
function whoRuns(directory: string, options: CommonOptions): string {
  const report = tried(() =>
    withState({ ...options, state: directory }, (state) => readReport(state.report()))
  );
  return report?.running ? `, with pid ${report.pid}` : "";
}

/** Asks a running monitor to recreate a removed lock file, and waits for it. */
async function askForLock(directory: string): Promise<void> {
  // The disk may be full: a monitor checks by itself within half a second.
  tried(() => wakeMonitor(directory));
  await waitUntil(() => hasLockFile(directory), performance.now() + LOCK_ANSWER);
}

/** Reports whether a monitor may run on a state: by its last report, true if that is unreadable. */
function mayRun(directory: string, options: CommonOptions): boolean {
  if (!lookAt(databaseOf(directory))?.isFile) return false;
  const isRunning = (state: State) => readReport(state.report())?.running ?? false;
  return tried(() => withState({ ...options, state: directory }, isRunning)) ?? true;
}

function reloaded(options: CommonOptions, { old, state }: { old: Config; state: State }): Config {
  const config = openUsableConfig(options, state);
  if (config.stateDirectory !== old.stateDirectory) {
    throw new UserError("the state cannot move while the monitor runs: restart it", 78);
  }
  return config;
}

function announce(config: Config, { state, log }: { state: State; log: Log }): void {
  const names = config.modules.map(({ module }) => module.name).join(", ");
  const own = config.moduleBans.map(({ module, ban }) => `; for ${module} ${banningText(ban)}`).join("");
  log.info(`monitoring ${names} by ${config.path}, ${banningText(config.ban)}${own}`);
  const { confirmed } = state.bans.totals();
  if (config.ban.firewall === "observe" && confirmed > 0) log.warn(leftText(confirmed));
}

function banningText({ firewall, command, nft }: BanConfig): string {
  if (firewall === "nftables") return `banning by nftables through ${nft.join(" ")}`;
  return firewall === "command" ? `banning by ${command!.join(" ")}` : "observing: it bans nobody";
}
