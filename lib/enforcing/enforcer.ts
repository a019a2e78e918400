import type { BanStatus, Due } from "../deciding/ban.ts";
import type { BanStore } from "./ban_store.ts";
import type { Firewall, Outcome } from "../firewall/firewall.ts";
import type { Log } from "../core/log.ts";
import { messageOf } from "../core/error.ts";
import type { Micros } from "../core/time.ts";

/** What the enforcer works with. */
export interface EnforcerOptions {
  readonly store: BanStore;
  readonly firewall: Firewall;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** Ends bans whose time is up, many in steps; called before each round. True: there are more. */
  readonly expire: () => boolean;
  /** Ends a ban that is to be applied no more; false where it is. */
  readonly drop: (ban: BanStatus) => boolean;
  /** When a ban ends as far as the firewall is concerned; null: never. */
  readonly endOf: (ban: BanStatus) => Micros | null;
}

/** A timer's longest wait: setTimeout takes 31 bits of milliseconds, and a clock may be set meanwhile. */
const LONGEST_WAIT: Micros = 60_000_000;
/** Milliseconds until the next try when the store fails. */
const HOLD_UP = 5_000;
/** A firewall that is not ready is asked again after this long: a command that was given up on still runs. */
const NOT_READY: Micros = 1_000_000;
/**
 * Bans that make a call a large one, and milliseconds that pass after such a call so that the next is large as well: as long as there
 * is no lull in what comes, and so many at most.
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

/** Keeps the firewall in step with the store: what stands there and not in the firewall is tried until it does. */
export class Enforcer {
  readonly #options: EnforcerOptions;
  readonly #stop = new AbortController();
  /** Addresses that the firewall is being told of. */
  readonly #busy = new Set<string>();
  /** Those of them whose bans have changed since, and of which it is to be told once more. */
  readonly #again = new Set<string>();
  /** What it has refused with since this program started. */
  readonly #refusals = new Set<string>();
  #calls = 0;
  #idle: (() => void) | null = null;
  #stopping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Until then what is due gathers. */
  #gathering = -Infinity;
  /** When there was last something new. */
  #news = -Infinity;

  constructor(options: EnforcerOptions) {
    this.#options = options;
  }

  /** The firewall is being told of this address. */
  isBusy(address: string): boolean {
    return this.#busy.has(address);
  }

  /** Has the firewall told once more of those that it is being told of: of these addresses among them, or of all. */
  retell(addresses: Iterable<string> = this.#busy): void {
    for (const address of addresses) if (this.#busy.has(address)) this.#again.add(address);
  }

  /** Aborted when calls of the firewall are to end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** There is something new: gives the firewall as much as it takes at once, and wakes again for what comes later. */
  pump(): void {
    this.#news = performance.now();
    this.#pump();
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
        void this.#carryOut(work);
      }
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
    const due: Due = {
      firewall: firewall.name,
      now: this.#options.clock(),
      limit: firewall.batch + this.#busy.size,
    };
    const free = ({ address }: BanStatus) => !this.#busy.has(address);
    for (let found = store.toApply(due).filter(free); found.length > 0;) {
      const bans = found.filter((ban) => !drop(ban));
      if (bans.length > 0) return { bans: bans.slice(0, firewall.batch), isLift: false };
      found = store.toApply(due).filter(free);
    }
    const lifts = store.toLift(due).filter(free).slice(0, firewall.batch);
    return lifts.length > 0 ? { bans: lifts, isLift: true } : null;
  }

  async #carryOut({ bans, isLift }: Work): Promise<void> {
    const { store, firewall } = this.#options;
    bans.forEach(({ address }) => this.#busy.add(address));
    this.#calls++;
    let done = false;
    try {
      if (!isLift) store.trying(bans.map(({ id }) => id), firewall.name);
      const outcomes = await this.#tell({ bans, isLift });
      if (!this.#stop.signal.aborted) store.transaction(() => this.#settle({ bans, isLift }, outcomes));
      // After a call as large as they get there is more to be told, as at a start.
      if (bans.length >= MANY && bans.length < firewall.batch) {
        this.#news = performance.now();
        this.#gathering = this.#news + GATHER;
      }
      done = true;
    } catch (error) {
      this.#holdUp(error);
    } finally {
      this.#calls--;
      for (const { address } of bans) {
        this.#busy.delete(address);
        this.#again.delete(address);
      }
      if (this.#calls === 0) this.#idle?.();
      if (done) this.#pump();
    }
  }

  #tell({ bans, isLift }: Work): Promise<readonly Outcome[]> {
    const { firewall, log, endOf } = this.#options;
    const { signal } = this.#stop;
    if (!isLift) return firewall.ban(bans.map((ban) => ({ ...ban, until: endOf(ban) })), signal);
    if (firewall.canUnban) return firewall.unban(bans, signal);
    for (const { address } of bans) log.warn(`${address} stays in the firewall: there is no unban_command`);
    return Promise.resolve(bans.map(({ address }) => ({ address, error: null })));
  }

  #settle({ bans, isLift }: Work, outcomes: readonly Outcome[]): void {
    const { store, firewall, log, clock } = this.#options;
    const byAddress = new Map(outcomes.map((outcome) => [outcome.address, outcome]));
    const done: number[] = [], refused = new Map<string, BanStatus[]>();
    for (const ban of bans) {
      const { id, address, attempts, appliedBy } = ban;
      const { error = null, uncertain = false } = byAddress.get(address) ?? {};
      if (error !== null) {
        const others = refused.get(error);
        if (others) others.push(ban);
        else refused.set(error, [ban]);
        // What it had before it has still.
        if (!isLift && !uncertain && appliedBy === null) store.untried(id);
        store.failed(id, { error, time: clock() });
        continue;
      }
      if (attempts > 0) log.info(`the firewall took ${address} after ${attempts} failed tries`);
      done.push(id);
    }
    this.#complain(refused);
    if (isLift) return store.lifted(done);
    store.applied(done, { firewall: firewall.name, time: clock() });
    store.reapply([...this.#again]);
  }

  /** Tells of refusals: of each when a ban first meets with it, and when this program does. */
  #complain(refused: ReadonlyMap<string, readonly BanStatus[]>): void {
    for (const [error, bans] of refused) {
      if (this.#refusals.has(error) && bans.every(({ attempts }) => attempts > 0)) continue;
      const all = bans.length > 1 ? ` ${bans.length} bans` : "";
      this.#options.log.error(`the firewall refused${all}, trying again: ${error}`);
      if (this.#refusals.size >= MOST_REFUSALS) this.#refusals.clear();
      this.#refusals.add(error);
    }
  }

  /** The state could not be read or written, as when the disk is full: what is due stays due. */
  #holdUp(error: unknown): void {
    this.#options.log.error(`bans are held up: ${messageOf(error)}`);
    clearTimeout(this.#timer);
    if (!this.#stopping) this.#timer = setTimeout(() => this.#pump(), HOLD_UP);
  }

  /** What is due already waits for more to gather, for a call under way, whose end pumps again, or for a firewall to be ready. */
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
