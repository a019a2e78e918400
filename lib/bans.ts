import {
  type BanStatus,
  type BanStore,
  type Due,
  type Firewall,
  type Log,
  messageOf,
  type Micros,
  type NewBan,
  type Outcome,
  type Trip,
} from "./types.ts";
import { formatDuration } from "./duration.ts";
import type { Whitelist } from "./rules/whitelist.ts";

/** What bans are made with. */
export interface BansOptions {
  readonly store: BanStore;
  readonly firewall: Firewall;
  readonly whitelist: Whitelist;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** When the machine started: what the firewall had before is gone. */
  readonly boot: Micros;
}

/** A timer's longest wait: setTimeout takes 31 bits of milliseconds, and a clock may be set meanwhile. */
const LONGEST_WAIT: Micros = 60_000_000;
/** Milliseconds until the next try when the store fails. */
const HOLD_UP = 5_000;

/** One call of the firewall. */
interface Work {
  readonly bans: readonly BanStatus[];
  readonly isLift: boolean;
}

/**
 * The bans that follow from trips: one for an address, the longest, and none that is no longer than the one in force.
 * @param standing how long the ban in force for an address lasts from its start to its end, Infinity for good;
 *   undefined: there is none
 */
export function decideBans(
  trips: readonly Trip[],
  standing: (address: string) => Micros | undefined,
): NewBan[] {
  const decided = new Map<string, NewBan>();
  for (const { address, scope, reason, count, time, banTime } of trips) {
    const before = decided.get(address);
    const span = before ? spanOf(before) : standing(address) ?? 0;
    if ((banTime ?? Infinity) <= span) continue;
    decided.set(address, {
      address,
      scope,
      reason,
      count,
      start: time,
      until: banTime === null ? null : time + banTime,
    });
  }
  return [...decided.values()];
}

/** How long a ban lasts; Infinity for good. */
export function spanOf({ start, until }: Pick<NewBan, "start" | "until">): Micros {
  return until === null ? Infinity : until - start;
}

/**
 * Decides bans and keeps the firewall in step with the store, which is always written first: what stands
 * there and not in the firewall is tried until it does.
 */
export class Bans {
  readonly #options: BansOptions;
  readonly #stop = new AbortController();
  /** How long the bans in force last. */
  readonly #inForce: Map<string, Micros>;
  /** Number of the store's latest change that `#inForce` knows. */
  #lastChange: number;
  /** Revision of the whitelist that all bans in force were last held against. */
  #whitelistSeen: number | null = null;
  /** Addresses that the firewall is being told of. */
  readonly #busy = new Set<string>();
  #calls = 0;
  #idle: (() => void) | null = null;
  #stopping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BansOptions) {
    this.#options = options;
    const { store, firewall, boot } = options;
    store.begin(firewall.name, { boot, takesOver: firewall.takesOver });
    this.#lastChange = store.lastChange();
    this.#inForce = new Map(store.inForce().map((ban) => [ban.address, spanOf(ban)]));
  }

  /** The bans that follow from trips: none for the whitelisted. Changes nothing yet. */
  decide(trips: readonly Trip[]): NewBan[] {
    const { whitelist, log } = this.#options;
    const wanted = trips.filter(({ address, reason, count }) => {
      const origin = whitelist.covering(address);
      if (origin !== null) {
        log.info(`not banning ${address}, whitelisted by ${origin}: ${reason}, ${count} hits`);
      }
      return origin === null;
    });
    return decideBans(wanted, (address) => this.#inForce.get(address));
  }

  /** Takes note of bans that have been stored, and sees to it that the firewall gets them. */
  enforce(stored: readonly NewBan[] = []): void {
    const { firewall, log } = this.#options;
    for (const { address, reason, count, start, until } of stored) {
      this.#inForce.set(address, spanOf({ start, until }));
      const span = until === null ? "for good" : `for ${formatDuration(until - start)}`;
      const verb = firewall.name === "observe" ? "would ban" : "banning";
      log.warn(`${verb} ${address} ${span}: ${reason}, ${count} hits`);
    }
    this.#pump();
  }

  /**
   * Ends what the whitelist now covers and takes over what a command changed in the store. Returns the
   * addresses whose bans have ended since the last call.
   */
  refresh(): string[] {
    const ended = [...this.#takeOverChanges(), ...this.#endWhitelisted()];
    this.#pump();
    return ended.filter((address) => !this.#inForce.has(address));
  }

  /** Stops; a command under way gets until `deadline` to end, and what is left undone is done at the next start. */
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

  /** Follows the store; returns the addresses whose bans others have ended. */
  #takeOverChanges(): string[] {
    const ended: string[] = [];
    for (const ban of this.#options.store.changedSince(this.#lastChange)) {
      this.#lastChange = ban.change;
      if (ban.ended === null) this.#inForce.set(ban.address, spanOf(ban));
      else if (this.#inForce.delete(ban.address)) ended.push(ban.address);
    }
    return ended;
  }

  /** Ends the bans that the whitelist covers, if it is another than the last time; returns their addresses. */
  #endWhitelisted(): string[] {
    const { store, whitelist } = this.#options;
    if (whitelist.revision === this.#whitelistSeen) return [];
    const addresses = [...this.#inForce.keys()];
    const ended = store.transaction(() => addresses.filter((address) => this.#endIfWhitelisted(address)));
    ended.forEach((address) => this.#inForce.delete(address));
    this.#whitelistSeen = whitelist.revision;
    return ended;
  }

  #endIfWhitelisted(address: string): boolean {
    const { store, whitelist, log, clock } = this.#options;
    const origin = whitelist.covering(address);
    if (origin === null) return false;
    store.end(address, { reason: "whitelisted", time: clock() });
    log.info(`unbanning ${address}: whitelisted by ${origin}`);
    return true;
  }

  /** Gives the firewall as much as it takes at once, and wakes again for what comes later. */
  #pump(): void {
    if (this.#stopping) return;
    clearTimeout(this.#timer);
    try {
      this.#expire();
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

  #expire(): void {
    for (const address of this.#options.store.expire(this.#options.clock())) {
      this.#inForce.delete(address);
      this.#options.log.info(`unbanning ${address}: its time is up`);
    }
  }

  /** New bans come first. */
  #nextWork(): Work | null {
    const { store, firewall } = this.#options;
    const due: Due = {
      firewall: firewall.name,
      now: this.#options.clock(),
      limit: firewall.batch + this.#busy.size,
    };
    const free = ({ address }: BanStatus) => !this.#busy.has(address);
    const bans = store.toApply(due).filter(free).filter((ban) => !this.#dropIfWhitelisted(ban));
    if (bans.length > 0) return { bans: bans.slice(0, firewall.batch), isLift: false };
    const lifts = store.toLift(due).filter(free).slice(0, firewall.batch);
    return lifts.length > 0 ? { bans: lifts, isLift: true } : null;
  }

  /** The whitelist may have grown since the ban was decided, and a ban by hand asks nobody. */
  #dropIfWhitelisted({ address }: BanStatus): boolean {
    if (!this.#endIfWhitelisted(address)) return false;
    this.#inForce.delete(address);
    return true;
  }

  async #carryOut({ bans, isLift }: Work): Promise<void> {
    const { store, firewall } = this.#options;
    bans.forEach(({ address }) => this.#busy.add(address));
    this.#calls++;
    let done = false;
    try {
      if (!isLift) store.transaction(() => bans.forEach(({ id }) => store.trying(id, firewall.name)));
      const outcomes = await this.#tell({ bans, isLift });
      if (!this.#stop.signal.aborted) store.transaction(() => this.#settle({ bans, isLift }, outcomes));
      done = true;
    } catch (error) {
      this.#holdUp(error);
    } finally {
      this.#calls--;
      bans.forEach(({ address }) => this.#busy.delete(address));
      if (this.#calls === 0) this.#idle?.();
      if (done) this.#pump();
    }
  }

  #tell({ bans, isLift }: Work): Promise<readonly Outcome[]> {
    const { firewall, log } = this.#options;
    const { signal } = this.#stop;
    if (!isLift) return firewall.ban(bans, signal);
    if (firewall.canUnban) return firewall.unban(bans, signal);
    for (const { address } of bans) log.warn(`${address} stays in the firewall: there is no unban_command`);
    return Promise.resolve(bans.map(({ address }) => ({ address, error: null })));
  }

  #settle({ bans, isLift }: Work, outcomes: readonly Outcome[]): void {
    const { store, firewall, log, clock } = this.#options;
    const byAddress = new Map(outcomes.map((outcome) => [outcome.address, outcome]));
    for (const { id, address, attempts } of bans) {
      const { error = null, uncertain = false } = byAddress.get(address) ?? {};
      if (error !== null) {
        if (attempts === 0) log.error(`the firewall refused, trying again: ${error}`);
        if (!isLift && !uncertain) store.untried(id);
        store.failed(id, { error, time: clock() });
        continue;
      }
      if (attempts > 0) log.info(`the firewall took ${address} after ${attempts} failed tries`);
      if (isLift) store.lifted(id);
      else store.applied(id, { firewall: firewall.name, time: clock() });
    }
  }

  /** The state could not be read or written, as when the disk is full: what is due stays due. */
  #holdUp(error: unknown): void {
    this.#options.log.error(`bans are held up: ${messageOf(error)}`);
    clearTimeout(this.#timer);
    if (!this.#stopping) this.#timer = setTimeout(() => this.#pump(), HOLD_UP);
  }

  #sleep(): void {
    const { store, firewall, clock } = this.#options;
    const due = store.nextDue(firewall.name);
    if (due === null) return;
    // What is due already waits for a call under way, whose end pumps again.
    const wait = due <= clock() ? LONGEST_WAIT : Math.min(due - clock(), LONGEST_WAIT);
    this.#timer = setTimeout(() => this.#pump(), wait / 1_000);
  }
}
