import {
  type BanStatus,
  type BanStore,
  type Due,
  type Firewall,
  type Log,
  messageOf,
  type Micros,
  type Outcome,
} from "../types.ts";

/** What the enforcer works with. */
export interface EnforcerOptions {
  readonly store: BanStore;
  readonly firewall: Firewall;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** Ends bans whose time is up; called before each round. */
  readonly expire: () => void;
  /** Ends a ban that is to be applied no more; false where it is. */
  readonly drop: (ban: BanStatus) => boolean;
  /** When a ban ends as far as the firewall is concerned; null: never. */
  readonly endOf: (ban: BanStatus) => Micros | null;
}

/** A timer's longest wait: setTimeout takes 31 bits of milliseconds, and a clock may be set meanwhile. */
const LONGEST_WAIT: Micros = 60_000_000;
/** Milliseconds until the next try when the store fails. */
const HOLD_UP = 5_000;
/** Bans that make a call a large one, and milliseconds that pass after such a call so that the next is large as well. */
const MANY = 50;
const GATHER = 100;

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
  #calls = 0;
  #idle: (() => void) | null = null;
  #stopping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Until then what is due gathers. */
  #gathering = -Infinity;

  constructor(options: EnforcerOptions) {
    this.#options = options;
  }

  /** The firewall is being told of this address. */
  isBusy(address: string): boolean {
    return this.#busy.has(address);
  }

  /** Aborted when calls of the firewall are to end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Gives the firewall as much as it takes at once, and wakes again for what comes later. */
  pump(): void {
    if (this.#stopping) return;
    clearTimeout(this.#timer);
    try {
      this.#options.expire();
      const gathering = this.#gathering - performance.now();
      if (gathering > 0) return this.#sleep(gathering);
      while (this.#calls < this.#options.firewall.parallel) {
        const work = this.#nextWork();
        if (work === null) break;
        void this.#carryOut(work);
      }
      this.#sleep();
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
    const bans = store.toApply(due).filter(free).filter((ban) => !drop(ban));
    if (bans.length > 0) return { bans: bans.slice(0, firewall.batch), isLift: false };
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
      if (bans.length >= MANY && bans.length < firewall.batch) this.#gathering = performance.now() + GATHER;
      done = true;
    } catch (error) {
      this.#holdUp(error);
    } finally {
      this.#calls--;
      bans.forEach(({ address }) => this.#busy.delete(address));
      if (this.#calls === 0) this.#idle?.();
      if (done) this.pump();
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
    const done: number[] = [];
    for (const { id, address, attempts } of bans) {
      const { error = null, uncertain = false } = byAddress.get(address) ?? {};
      if (error !== null) {
        if (attempts === 0) log.error(`the firewall refused, trying again: ${error}`);
        if (!isLift && !uncertain) store.untried(id);
        store.failed(id, { error, time: clock() });
        continue;
      }
      if (attempts > 0) log.info(`the firewall took ${address} after ${attempts} failed tries`);
      done.push(id);
    }
    if (isLift) store.lifted(done);
    else store.applied(done, { firewall: firewall.name, time: clock() });
  }

  /** The state could not be read or written, as when the disk is full: what is due stays due. */
  #holdUp(error: unknown): void {
    this.#options.log.error(`bans are held up: ${messageOf(error)}`);
    clearTimeout(this.#timer);
    if (!this.#stopping) this.#timer = setTimeout(() => this.pump(), HOLD_UP);
  }

  /** Wakes when something falls due, and not before `least` milliseconds. */
  #sleep(least = 0): void {
    const { store, firewall, clock } = this.#options;
    const due = store.nextDue(firewall.name);
    if (due === null) return;
    // What is due already waits for a call under way, whose end pumps again, or for more to gather.
    const wait = due > clock() ? Math.min(due - clock(), LONGEST_WAIT) : least > 0 ? 0 : LONGEST_WAIT;
    this.#timer = setTimeout(() => this.pump(), Math.max(least, wait / 1_000));
  }
}
