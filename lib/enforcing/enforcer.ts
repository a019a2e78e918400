/**
 * Makes the firewall follow the state. In: bans in force that the firewall lacks, and ended bans
 * that it has. Out: calls, and their outcomes in the state. Failed calls are repeated until they
 * succeed.
 */
import { nextTurn } from "../core/async.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { type Micros, MINUTE, SECOND } from "../core/time.ts";
import { type Ban, nameOf } from "../deciding/ban.ts";
import type { Outcome } from "../firewall/firewall.ts";
import { type BacklogState, Congestion } from "./congestion.ts";
import type { Ends, EndsState } from "./ends.ts";
import { Queue, type QueueOptions, type QueueState, type Work } from "./queue.ts";
import { type Refusal, Refusals } from "./refusals.ts";

/** The state's methods that the enforcer uses. */
export interface EnforcerState extends QueueState, BacklogState {
  nextDue(firewall: string): Micros | null;
  trying(ids: readonly number[], firewall: string): void;
  untried(id: number): void;
  applied(ids: readonly number[], by: { firewall: string; time: Micros }): void;
  reapply(bans: readonly Pick<Ban, "address" | "scope">[]): number;
  lifted(ids: readonly number[]): void;
  failed(id: number, failure: { error: string; time: Micros }): void;
}

/** Options of the enforcer. */
export interface EnforcerOptions extends QueueOptions {
  readonly state: EnforcerState;
  readonly bans: Pick<EndsState, "transaction">;
  readonly log: Log;
  /** Ends bans whose time is up before each round. */
  readonly ends: Pick<Ends, "expire" | "endIfWhitelisted">;
  /** Returns a ban's end for the firewall; null: never. */
  readonly endOf: (ban: Pick<Ban, "until">) => Micros | null;
}

/** Longest wait of a timer: setTimeout takes 31 bits of milliseconds, and the clock may be set. */
const LONGEST_WAIT: Micros = MINUTE;
/** Milliseconds before the first retry of an unusable state, and before later ones at most. */
const [FIRST_RETRY, LONGEST_RETRY] = [1_000, 60_000];
/** Delay before a firewall that is not ready is asked again: see `Firewall.parallel`. */
const NOT_READY: Micros = SECOND;

/**
 * A call with `BURST` bans begins a pause, in which the bans of a flood gather. It ends after
 * `QUIET` milliseconds without news, or after `LONGEST_PAUSE`.
 */
const [BURST, QUIET, LONGEST_PAUSE] = [50, 30, 200];

/** Tells the firewall of bans and lifts that are due. */
export class Enforcer {
  readonly #options: EnforcerOptions;
  readonly #stop = new AbortController();
  /** Bans and lifts that are under way. */
  readonly queue: Queue;
  readonly #refusals: Refusals;
  readonly #congestion: Congestion;
  #calls = 0;
  #idle: (() => void) | null = null;
  #stopping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** End of the pause, by `performance.now()`. */
  #pauseEnd = -Infinity;
  /** Time of the last news or pause, by `performance.now()`. */
  #lastWake = -Infinity;
  /** Milliseconds before the next try of the state, and the logged error; null: it works. */
  #retry: { readonly wait: number; readonly error: string } | null = null;

  constructor(options: EnforcerOptions) {
    this.#options = options;
    this.queue = new Queue(options);
    this.#refusals = new Refusals(options.log, options.clock);
    this.#congestion = new Congestion(options);
  }

  /** Aborted when the firewall's calls must end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Handles news: gives the firewall all that it takes now, and sets a timer for later bans. */
  wake(): void {
    this.#lastWake = performance.now();
    // While the state is unusable, only the timer tries it.
    if (this.#retry === null) this.#work();
  }

  #work(): void {
    if (this.#stopping) return;
    clearTimeout(this.#timer);
    try {
      const isMore = this.#options.ends.expire();
      const pause = Math.min(this.#pauseEnd, this.#lastWake + QUIET) - performance.now();
      if (pause > 0) return this.#sleep(pause);
      if (this.#options.firewall.parallel > 0) this.#congestion.stuck(false);
      while (this.#calls < this.#options.firewall.parallel) {
        const work = this.queue.next();
        if (work === null) break;
        this.#begin(work);
      }
      this.#congestion.look();
      this.#endBackOff();
      if (isMore) this.#timer = setTimeout(() => this.#work());
      else this.#sleep();
    } catch (error) {
      this.#backOff(error);
    }
  }

  /** Stops. A call under way may run until `deadline`; the next start does the rest. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const abort = () => this.#stop.abort();
    if (deadline.aborted) abort();
    else deadline.addEventListener("abort", abort, { once: true });
    if (this.#calls > 0) await new Promise<void>((resolve) => this.#idle = resolve);
    deadline.removeEventListener("abort", abort);
    abort();
  }

  /** Records that the firewall may have the bans, and calls it. Throws the state's errors. */
  #begin(work: Work): void {
    const { state, firewall } = this.#options;
    if (!work.isLift) state.trying(work.bans.map(({ id }) => id), firewall.name);
    this.queue.begin(work);
    this.#calls++;
    void this.#carryOut(work);
  }

  async #carryOut(work: Work): Promise<void> {
    const { firewall, log } = this.#options;
    const { bans } = work;
    let failure: unknown = null;
    try {
      const began = performance.now();
      const outcomes = await this.#tell(work);
      log.debug(() => answerText(outcomes, { firewall: firewall.name, began }));
      if (!this.#stop.signal.aborted) this.#options.bans.transaction(() => this.#settle(work, outcomes));
      // After a full call more bans are due, as at a start: no pause.
      if (bans.length >= BURST && bans.length < firewall.batch) {
        this.#lastWake = performance.now();
        this.#pauseEnd = this.#lastWake + LONGEST_PAUSE;
      }
    } catch (error) {
      failure = error ?? new Error("unknown");
    }
    this.#calls--;
    this.queue.end(work);
    if (this.#calls === 0) this.#idle?.();
    // The timer of a back-off goes on: calls at the same time fail for the same reason.
    if (this.#retry !== null) return;
    if (failure !== null) this.#backOff(failure);
    else this.#work();
  }

  async #tell({ bans, isLift }: Work): Promise<readonly Outcome[]> {
    const { firewall, log, endOf } = this.#options;
    const { signal } = this.#stop;
    log.debug(() => `${firewall.name} ${isLift ? "lifts" : "bans"} ${bans.map(nameOf).join(", ")}`);
    if (!isLift) return await firewall.ban(bans.map((ban) => ({ ...ban, until: endOf(ban) })), signal);
    if (firewall.canUnban) return await firewall.unban(bans, signal);
    bans.forEach((ban) => this.#refusals.stays(ban));
    await nextTurn();
    return bans.map(({ address }) => ({ address, error: null }));
  }

  /** Writes the outcomes of a call, one per ban, in order. */
  #settle({ bans, isLift }: Work, outcomes: readonly Outcome[]): void {
    const { state, firewall, clock } = this.#options;
    const done: number[] = [];
    const refused: Refusal[] = [];
    for (const [i, ban] of bans.entries()) {
      const outcome = outcomes[i]!;
      const { error, uncertain = false } = outcome;
      if (error === null) {
        if (ban.attempts > 0) this.#refusals.taken(ban);
        done.push(ban.id);
        continue;
      }
      refused.push({ ban, outcome });
      // The firewall still has a ban that it had before the call.
      if (!isLift && !uncertain && ban.appliedBy === null) state.untried(ban.id);
      state.failed(ban.id, { error, time: clock() });
    }
    this.#refusals.refused(refused);
    this.#congestion.carriedOut(done.length);
    if (isLift) return state.lifted(done);
    state.applied(done, { firewall: firewall.name, time: clock() });
    state.reapply(bans.filter((ban) => this.queue.isMarked(ban)));
  }

  /** Backs off if the state is unusable, as on a full disk; work stays due. Logs an error once. */
  #backOff(error: unknown): void {
    const message = messageOf(error);
    if (message !== this.#retry?.error) this.#options.log.error(`bans are held up: ${message}`);
    const wait = Math.min(LONGEST_RETRY, this.#retry === null ? FIRST_RETRY : 2 * this.#retry.wait);
    this.#retry = { wait, error: message };
    clearTimeout(this.#timer);
    if (!this.#stopping) this.#timer = setTimeout(() => this.#work(), wait);
  }

  #endBackOff(): void {
    if (this.#retry === null) return;
    this.#retry = null;
    this.#options.log.info("bans are held up no longer");
  }

  /** Returns the wait of due bans: for more to gather, for a call under way or for the firewall. */
  #overdue(least: number): Micros {
    if (least > 0) return 0;
    if (this.#calls > 0) return LONGEST_WAIT;
    this.#congestion.stuck(this.#options.firewall.parallel < 1);
    return NOT_READY;
  }

  /** Sets a timer for the next due ban, `least` milliseconds ahead or more. */
  #sleep(least = 0): void {
    const { state, firewall, clock } = this.#options;
    const due = state.nextDue(firewall.name);
    if (due === null) return;
    const wait = Math.min(due > clock() ? due - clock() : this.#overdue(least), LONGEST_WAIT);
    this.#timer = setTimeout(() => this.#work(), Math.max(least, wait / 1_000));
  }
}

/** Returns a debug line on a firewall's call that began at `began` by `performance.now()`. */
function answerText(
  outcomes: readonly Outcome[],
  { firewall, began }: { firewall: string; began: number },
): string {
  const refused = outcomes.filter(({ error }) => error !== null).length;
  const time = Math.round(performance.now() - began);
  return `${firewall} answered within ${time} ms: ${outcomes.length - refused} done, ${refused} refused`;
}
