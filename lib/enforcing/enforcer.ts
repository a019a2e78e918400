/**
 * Has the firewall follow the state. Comes in: bans in force that the firewall does not have, and ended ones that it still has,
 * as the state tells them. Goes out: calls of the firewall, and their outcomes in the state. What fails is tried again until it
 * is done.
 */
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import { type Ban, type BanStatus, keyOf, nameOf } from "../deciding/ban.ts";
import type { Firewall, Outcome } from "../firewall/firewall.ts";

/** Which bans a firewall is to be told of next. */
export interface DueBans {
  readonly firewall: string;
  readonly now: Micros;
  readonly limit: number;
}

/** What the enforcer needs of the state. */
export interface EnforcerStore {
  toApply(due: DueBans): BanStatus[];
  toLift(due: DueBans): BanStatus[];
  nextDue(firewall: string): Micros | null;
  trying(ids: readonly number[], firewall: string): void;
  untried(id: number): void;
  applied(ids: readonly number[], by: { firewall: string; time: Micros }): void;
  reapply(bans: readonly Pick<Ban, "address" | "scope">[]): number;
  lifted(ids: readonly number[]): void;
  failed(id: number, failure: { error: string; time: Micros }): void;
}

/** What the enforcer works with. */
export interface EnforcerOptions {
  readonly store: EnforcerStore;
  /** Does `work` as a whole in the state, or nothing of it. */
  readonly transaction: (work: () => void) => void;
  readonly firewall: Firewall;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** Ends bans whose time is up, many in steps; called before each round. True: there are more. */
  readonly expire: () => boolean;
  /** Ends a ban that must not be applied, as its address is whitelisted; false where it may be. */
  readonly drop: (ban: Ban) => boolean;
  /** When a ban ends as far as the firewall is concerned; null: never. */
  readonly endOf: (ban: Ban) => Micros | null;
}

/** A timer's longest wait: setTimeout takes 31 bits of milliseconds, and a clock may be set meanwhile. */
const LONGEST_WAIT: Micros = 60_000_000;
/** Milliseconds until the first and before any later try when the state cannot be read or written. */
const [FIRST_HOLD_UP, LAST_HOLD_UP] = [1_000, 60_000];
/** How soon a firewall that is not ready is asked again: a command that was given up on still runs. */
const NOT_READY: Micros = 1_000_000;
/**
 * A call with so many bans is followed by a pause in which more gather, as in a flood: until none came for `LULL` milliseconds,
 * and `GATHER` at most.
 */
const MANY = 50;
const LULL = 30;
const GATHER = 200;
/** Refusals that are remembered. */
const MOST_REFUSALS = 1_000;

/** One call of the firewall. */
interface Work {
  readonly bans: readonly BanStatus[];
  readonly isLift: boolean;
}

/** Tells the firewall what is due. */
export class Enforcer {
  readonly #options: EnforcerOptions;
  readonly #stop = new AbortController();
  /** Addresses that the firewall is being told of: no two calls under way are about the same one. */
  readonly #busy = new Set<string>();
  /** The bans under way by `keyOf()`, and those among them that have changed meanwhile and are to be told once more. */
  readonly #underWay = new Set<string>();
  readonly #again = new Set<string>();
  /** Errors of the firewall that the log was told of. */
  readonly #refusals = new Set<string>();
  #calls = 0;
  #idle: (() => void) | null = null;
  #stopping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Until then, by `performance.now()`, bans gather. */
  #gathering = -Infinity;
  /** When there was last something new. */
  #news = -Infinity;
  /** Milliseconds until the state is tried again, and the error that was logged; null: the state works. */
  #heldUp: { readonly wait: number; readonly error: string } | null = null;

  constructor(options: EnforcerOptions) {
    this.#options = options;
  }

  /** Reports whether the firewall is being told of a ban. */
  isUnderWay(ban: Pick<Ban, "address" | "scope">): boolean {
    return this.#underWay.has(keyOf(ban));
  }

  /** Has the firewall told once more of these bans, as far as it is being told of them. */
  retell(bans: Iterable<Pick<Ban, "address" | "scope">>): void {
    if (this.#underWay.size === 0) return;
    for (const ban of bans) if (this.isUnderWay(ban)) this.#again.add(keyOf(ban));
  }

  /** Has the firewall told once more of all bans that it is being told of. */
  retellAll(): void {
    for (const key of this.#underWay) this.#again.add(key);
  }

  /** Aborted when calls of the firewall are to end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Takes note that something is new: gives the firewall as much as it takes at once, and wakes again for later bans. */
  pump(): void {
    this.#news = performance.now();
    // While the state cannot be used, the timer alone tries it.
    if (this.#heldUp === null) this.#pump();
  }

  #pump(): void {
    if (this.#stopping) return;
    clearTimeout(this.#timer);
    try {
      const isMore = this.#options.expire();
      const gathering = Math.min(this.#gathering, this.#news + LULL) - performance.now();
      if (gathering > 0) return this.#sleep(gathering);
      while (this.#calls < this.#options.firewall.parallel) {
        const work = this.#nextWork();
        if (work === null) break;
        this.#begin(work);
      }
      this.#goOn();
      if (isMore) this.#timer = setTimeout(() => this.#pump());
      else this.#sleep();
    } catch (error) {
      this.#holdUp(error);
    }
  }

  /** Stops; a call under way gets until `deadline` to end, and what is left undone is done at the next start. */
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

  /** New bans come first. */
  #nextWork(): Work | null {
    const { store, firewall, drop } = this.#options;
    const limit = firewall.batch + this.#underWay.size;
    const due = { firewall: firewall.name, now: this.#options.clock(), limit };
    for (let found = this.#free(store.toApply(due)); found.length > 0;) {
      const bans = found.filter((ban) => !drop(ban));
      if (bans.length > 0) return { bans: bans.slice(0, firewall.batch), isLift: false };
      found = this.#free(store.toApply(due));
    }
    const lifts = this.#free(store.toLift(due)).slice(0, firewall.batch);
    return lifts.length > 0 ? { bans: lifts, isLift: true } : null;
  }

  /** The bans of addresses that no call under way is about; of each address one where the firewall knows no scopes. */
  #free(bans: readonly BanStatus[]): BanStatus[] {
    const free = bans.filter(({ address }) => !this.#busy.has(address));
    if (this.#options.firewall.knowsScopes) return free;
    return [...new Map(free.toReversed().map((ban) => [ban.address, ban])).values()].reverse();
  }

  /** Notes in the state that the firewall may have the bans, and calls it. Throws where the state cannot be written. */
  #begin(work: Work): void {
    const { store, firewall } = this.#options;
    if (!work.isLift) store.trying(work.bans.map(({ id }) => id), firewall.name);
    for (const ban of work.bans) {
      this.#busy.add(ban.address);
      this.#underWay.add(keyOf(ban));
    }
    this.#calls++;
    void this.#carryOut(work);
  }

  async #carryOut(work: Work): Promise<void> {
    const { transaction, firewall, log } = this.#options;
    const { bans } = work;
    let failure: unknown = null;
    try {
      const began = performance.now();
      const outcomes = await this.#tell(work);
      log.debug(() => answerText(outcomes, { firewall: firewall.name, began }));
      if (!this.#stop.signal.aborted) transaction(() => this.#settle(work, outcomes));
      // After a call with as many as it takes there is more to be told, as at a start.
      if (bans.length >= MANY && bans.length < firewall.batch) {
        this.#news = performance.now();
        this.#gathering = this.#news + GATHER;
      }
    } catch (error) {
      failure = error ?? new Error("unknown");
    }
    this.#calls--;
    for (const ban of bans) {
      this.#busy.delete(ban.address);
      this.#underWay.delete(keyOf(ban));
      this.#again.delete(keyOf(ban));
    }
    if (this.#calls === 0) this.#idle?.();
    if (failure !== null) this.#holdUp(failure);
    else if (this.#heldUp === null) this.#pump();
  }

  #tell({ bans, isLift }: Work): Promise<readonly Outcome[]> {
    const { firewall, log, endOf } = this.#options;
    const { signal } = this.#stop;
    log.debug(() => `${firewall.name} ${isLift ? "lifts" : "bans"} ${bans.map(nameOf).join(", ")}`);
    if (!isLift) return firewall.ban(bans.map((ban) => ({ ...ban, until: endOf(ban) })), signal);
    if (firewall.canUnban) return firewall.unban(bans, signal);
    for (const { address } of bans) log.warn(`${address} stays in the firewall: there is no unban_command`);
    return Promise.resolve(bans.map(({ address }) => ({ address, error: null })));
  }

  /** Writes the outcomes of a call, one for each ban in order. */
  #settle({ bans, isLift }: Work, outcomes: readonly Outcome[]): void {
    const { store, firewall, log, clock } = this.#options;
    const done: number[] = [];
    const refused = new Map<string, BanStatus[]>();
    for (const [i, ban] of bans.entries()) {
      const { error, uncertain = false } = outcomes[i]!;
      if (error === null) {
        if (ban.attempts > 0) {
          log.info(`the firewall took ${nameOf(ban)} after ${ban.attempts} failed tries`);
        }
        done.push(ban.id);
        continue;
      }
      refused.set(error, [...refused.get(error) ?? [], ban]);
      // A ban that the firewall had before the call, it still has.
      if (!isLift && !uncertain && ban.appliedBy === null) store.untried(ban.id);
      store.failed(ban.id, { error, time: clock() });
    }
    this.#complain(refused);
    if (isLift) return store.lifted(done);
    store.applied(done, { firewall: firewall.name, time: clock() });
    store.reapply(bans.filter((ban) => this.#again.has(keyOf(ban))));
  }

  /** Logs refusals: each when a ban first meets with it, and when this program does. */
  #complain(refused: ReadonlyMap<string, readonly BanStatus[]>): void {
    for (const [error, bans] of refused) {
      if (this.#refusals.has(error) && bans.every(({ attempts }) => attempts > 0)) continue;
      const all = bans.length > 1 ? ` ${bans.length} bans` : "";
      this.#options.log.error(`the firewall refused${all}, trying again: ${error}`);
      if (this.#refusals.size >= MOST_REFUSALS) this.#refusals.clear();
      this.#refusals.add(error);
    }
  }

  /** Backs off where the state cannot be read or written, as when the disk is full: what is due stays due. Logs an error once. */
  #holdUp(error: unknown): void {
    const message = messageOf(error);
    if (message !== this.#heldUp?.error) this.#options.log.error(`bans are held up: ${message}`);
    const wait = Math.min(LAST_HOLD_UP, this.#heldUp === null ? FIRST_HOLD_UP : 2 * this.#heldUp.wait);
    this.#heldUp = { wait, error: message };
    clearTimeout(this.#timer);
    if (!this.#stopping) this.#timer = setTimeout(() => this.#pump(), wait);
  }

  #goOn(): void {
    if (this.#heldUp === null) return;
    this.#heldUp = null;
    this.#options.log.info("bans are held up no longer");
  }

  /** How long bans that are due wait: for more to gather, for a call under way, whose end pumps, or for the firewall. */
  #overdue(least: number): Micros {
    if (least > 0) return 0;
    return this.#calls > 0 ? LONGEST_WAIT : NOT_READY;
  }

  /** Wakes when something falls due, and not before `least` milliseconds. */
  #sleep(least = 0): void {
    const { store, firewall, clock } = this.#options;
    const due = store.nextDue(firewall.name);
    if (due === null) return;
    const wait = Math.min(due > clock() ? due - clock() : this.#overdue(least), LONGEST_WAIT);
    this.#timer = setTimeout(() => this.#pump(), Math.max(least, wait / 1_000));
  }
}

/** What a firewall made of a call that began at `began` by `performance.now()`, for debug lines. */
function answerText(
  outcomes: readonly Outcome[],
  { firewall, began }: { firewall: string; began: number },
): string {
  const refused = outcomes.filter(({ error }) => error !== null).length;
  const time = Math.round(performance.now() - began);
  return `${firewall} answered within ${time} ms: ${outcomes.length - refused} done, ${refused} refused`;
}
