import type { BanStatus, BanStore, Due, Firewall, Log, Micros, NewBan, Outcome, Trip } from "./types.ts";
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

/**
 * Decides bans and keeps the firewall in step with the store, which is always written first: what stands
 * there and not in the firewall is tried until it does.
 */
export class Bans {
  readonly #options: BansOptions;
  readonly #stop = new AbortController();
  #inForce: Set<string>;
  #running: Promise<void> | null = null;
  #again = false;
  #stopping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BansOptions) {
    this.#options = options;
    this.#inForce = this.#loadInForce();
  }

  /** The bans that follow from trips: none for the whitelisted, one for an address. Changes nothing yet. */
  decide(trips: readonly Trip[]): NewBan[] {
    const decided = new Map<string, NewBan>();
    for (const { address, reason, count, time, banTime } of trips) {
      if (this.#inForce.has(address) || decided.has(address)) continue;
      const origin = this.#options.whitelist.covering(address);
      if (origin !== null) {
        this.#options.log.info(`not banning ${address}, whitelisted by ${origin}: ${reason}, ${count} hits`);
        continue;
      }
      const until = banTime === null ? null : time + banTime;
      decided.set(address, { address, reason, count, start: time, until });
    }
    return [...decided.values()];
  }

  /** Takes note of bans that have been stored, and sees to it that the firewall gets them. */
  enforce(stored: readonly NewBan[] = []): void {
    const { firewall, log } = this.#options;
    for (const { address, reason, count, start, until } of stored) {
      this.#inForce.add(address);
      const span = until === null ? "for good" : `for ${formatDuration(until - start)}`;
      const verb = firewall.name === "observe" ? "would ban" : "banning";
      log.warn(`${verb} ${address} ${span}: ${reason}, ${count} hits`);
    }
    if (this.#stopping) return;
    this.#again = true;
    this.#running ??= this.#work()
      .catch((error) => this.#holdUp(error))
      .finally(() => this.#running = null);
  }

  /**
   * Ends what the whitelist now covers and takes over what a command changed in the store. Returns the
   * addresses whose bans have ended since the last call.
   */
  refresh(): string[] {
    const { store, whitelist, log, clock } = this.#options;
    for (const { address } of store.inForce()) {
      const origin = whitelist.covering(address);
      if (origin === null) continue;
      store.end(address, { reason: "whitelisted", time: clock() });
      log.info(`unbanning ${address}: whitelisted by ${origin}`);
    }
    const before = this.#inForce;
    this.#inForce = this.#loadInForce();
    this.enforce();
    return [...before].filter((address) => !this.#inForce.has(address));
  }

  /** Stops; a command under way gets until `deadline` to end, and what is left undone is done at the next start. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (deadline.aborted) this.#stop.abort();
    else deadline.addEventListener("abort", () => this.#stop.abort(), { once: true });
    await this.#running;
    this.#stop.abort();
  }

  #loadInForce(): Set<string> {
    return new Set(this.#options.store.inForce().map(({ address }) => address));
  }

  /** Round after round until nothing is due: new bans come first, lifts follow in as small a portion. */
  async #work(): Promise<void> {
    clearTimeout(this.#timer);
    do {
      this.#again = false;
      this.#expire();
      const applied = await this.#apply();
      const lifted = await this.#lift();
      if (applied + lifted > 0) this.#again = true;
    } while (this.#again && !this.#stopping);
    this.#sleep();
  }

  /** The state could not be read or written, as when the disk is full: what is due stays due. */
  #holdUp(error: unknown): void {
    this.#options.log.error(`bans are held up: ${error instanceof Error ? error.message : error}`);
    this.#timer = setTimeout(() => this.enforce(), HOLD_UP);
  }

  #expire(): void {
    for (const address of this.#options.store.expire(this.#options.clock())) {
      this.#inForce.delete(address);
      this.#options.log.info(`unbanning ${address}: its time is up`);
    }
  }

  async #apply(): Promise<number> {
    const { store, firewall } = this.#options;
    const due = store.toApply(this.#due());
    if (due.length === 0) return 0;
    const outcomes = await firewall.ban(due, this.#stop.signal);
    this.#settle(
      due,
      outcomes,
      (id) => store.applied(id, { firewall: firewall.name, time: this.#options.clock() }),
    );
    return due.length;
  }

  async #lift(): Promise<number> {
    const { store, firewall, log } = this.#options;
    const due = store.toLift(this.#due());
    if (due.length === 0) return 0;
    if (!firewall.canUnban) {
      for (const { id, address } of due) {
        log.warn(`${address} stays in the firewall: there is no unban_command`);
        store.lifted(id);
      }
      return due.length;
    }
    this.#settle(due, await firewall.unban(due, this.#stop.signal), (id) => store.lifted(id));
    return due.length;
  }

  #settle(due: readonly BanStatus[], outcomes: readonly Outcome[], done: (id: number) => void): void {
    if (this.#stop.signal.aborted) return;
    const errors = new Map(outcomes.map(({ address, error }) => [address, error]));
    for (const { id, address, attempts } of due) {
      const error = errors.get(address) ?? null;
      if (error === null) {
        if (attempts > 0) {
          this.#options.log.info(`the firewall took ${address} after ${attempts} failed tries`);
        }
        done(id);
      } else {
        if (attempts === 0) this.#options.log.error(`the firewall refused, trying again: ${error}`);
        this.#options.store.failed(id, { error, time: this.#options.clock() });
      }
    }
  }

  #due(): Due {
    const { firewall, boot, clock } = this.#options;
    return { firewall: firewall.name, now: clock(), boot, limit: Math.min(firewall.batch, 1_000_000) };
  }

  #sleep(): void {
    if (this.#stopping) return;
    const due = this.#options.store.nextDue(this.#options.firewall.name);
    if (due === null) return;
    const wait = Math.min(Math.max(due - this.#options.clock(), 1_000), LONGEST_WAIT);
    this.#timer = setTimeout(() => this.enforce(), wait / 1_000);
  }
}
