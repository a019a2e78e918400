/**
 * Notifies an operator by a hook, a program that reads JSON on its standard input. It never delays
 * monitoring: nothing waits for the hook, one runs at a time and for a limited time, and a failed
 * one is tried again after growing pauses. The failure of a hook goes to the log, not into a
 * notice.
 */
import { pause } from "../core/async.ts";
import { Runner, type RunResult, whyFailed } from "../core/child_process.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import type { NotifyConfig } from "../config/types.ts";
import { noticeJson, type Sender } from "./notice_json.ts";
import { type Notice, Notices, type NoticeState } from "./notices.ts";
import type { Problem } from "./problems.ts";

/** Milliseconds until the hook is tried again after its first failure by default, and at most. */
const [FIRST_RETRY, LAST_RETRY] = [10_000, 3_600_000];
/** Factor between one pause and the next. */
const GROWTH = 3;
/** Milliseconds that the monitor's end waits for the hook: without an error, and with one. */
const [STOP, FAILURE] = [2_000, 5_000];

/** Options of `Notifier`. */
export interface NotifierParts {
  readonly config: NotifyConfig;
  readonly state: NoticeState;
  readonly sender: Sender;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** Milliseconds until the hook is tried again after its first failure; 10 seconds by default. */
  readonly firstRetry?: number;
  /** Counts of earlier notifiers, to go on from. */
  readonly totals: NoticeTotals;
}

/** Runs of the hook since the start. */
export interface NoticeTotals {
  told: number;
  failed: number;
  /** When the hook last took a notice. */
  lastTold: Micros | null;
}

/** Results of the notices since the start. */
export interface NotifierStatus extends Readonly<NoticeTotals> {
  readonly program: string;
  /** Why the last try failed; null: it did not. */
  readonly error: string | null;
}

/** Runs the hook `program` on a notice in JSON. */
export function runHook(
  runner: Runner,
  json: string,
  { program, timeout, signal }: Pick<NotifyConfig, "program" | "timeout"> & { signal: AbortSignal },
): Promise<RunResult> {
  return runner.run([program], { timeout, signal, leadsGroup: true, input: `${json}\n` });
}

/** Runs the hook for the notices that are due. */
export class Notifier {
  readonly #parts: NotifierParts;
  readonly #notices: Notices;
  readonly #runner = new Runner();
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #failures = 0;
  /** Earliest time of the next try, by `performance.now()`. */
  #nextTry = 0;
  readonly #totals: NoticeTotals;
  #error: string | null = null;

  constructor(parts: NotifierParts) {
    const { config: { bans }, state, totals } = parts;
    this.#parts = parts;
    this.#notices = new Notices(state, bans);
    this.#totals = totals;
  }

  get status(): NotifierStatus {
    return { program: this.#parts.config.program, ...this.#totals, error: this.#error };
  }

  /** Takes the present problems, and starts the hook if a notice is due. Throws state errors. */
  look(problems: readonly Problem[]): void {
    const now = this.#parts.clock();
    this.#notices.see(problems, now);
    const isFree = this.#running === null && this.#runner.abandoned === 0;
    if (isFree && performance.now() >= this.#nextTry) this.#begin(this.#notices.due(now));
  }

  /** Tells the hook the problem that ends the monitor, if any, and waits a little. Never throws. */
  async end(problem: Problem | null): Promise<void> {
    const deadline = pause(problem === null ? STOP : FAILURE, this.#stop.signal).then(() =>
      this.#stop.abort()
    );
    await this.#running;
    try {
      const now = this.#parts.clock();
      if (problem !== null) this.#notices.add(problem, now);
      if (problem !== null && !this.#stop.signal.aborted) this.#begin(this.#notices.due(now));
    } catch (error) {
      this.#parts.log.error(`Cannot find out what to notify of: ${messageOf(error)}`);
    }
    await this.#running;
    this.#stop.abort();
    await deadline;
  }

  #begin(notice: Notice | null): void {
    if (notice !== null) this.#running = this.#tell(notice).finally(() => this.#running = null);
  }

  async #tell(notice: Notice): Promise<void> {
    const { config, sender, log } = this.#parts;
    const result = await runHook(this.#runner, noticeJson(notice, sender), {
      ...config,
      signal: this.#stop.signal,
    });
    const failure = whyFailed(result);
    if (failure !== null) return this.#failed(failure);
    if (this.#failures > 0) log.info(`${config.program} takes notices again`);
    this.#failures = 0;
    this.#totals.told++;
    this.#totals.lastTold = notice.time;
    this.#error = null;
    try {
      this.#notices.tell(notice);
    } catch (error) {
      log.error(`Cannot keep in mind what was notified: ${messageOf(error)}`);
    }
  }

  #failed(failure: string): void {
    if (this.#stop.signal.aborted) return;
    const { firstRetry = FIRST_RETRY } = this.#parts;
    const wait = Math.min(LAST_RETRY, firstRetry * GROWTH ** this.#failures);
    this.#failures++;
    this.#nextTry = performance.now() + wait;
    const { config: { program }, log } = this.#parts;
    if (failure !== this.#error) {
      log.warn(`Cannot notify by ${program}, trying again in ${wait / 1_000} s: ${failure}`);
    }
    this.#totals.failed++;
    this.#error = failure;
  }
}
