/**
 * Ends bans in the state: those whose time is up, and those that the whitelist covers. Comes in: the clock and the whitelist.
 * Goes out: addresses whose bans have ended, which are counted from nothing again.
 */
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import { type Ban, type BanRange, nameOf } from "../deciding/ban.ts";
import type { Whitelist } from "../deciding/whitelist.ts";
import { Walk } from "./walk.ts";

/** What ending bans needs of the state. */
export interface EndsStore {
  transaction<T>(work: () => T): T;
  expire(now: Micros): { bans: readonly Pick<Ban, "address" | "scope">[]; isMore: boolean };
  /** Ends all bans of an address; returns how many. */
  end(address: string, end: { reason: string; time: Micros }): number;
  lastId(): number;
  /** Addresses with a ban in force of a range, each once. */
  addresses(range: BanRange): string[];
}

/** What ending bans works with. */
export interface EndsOptions {
  readonly store: EndsStore;
  readonly whitelist: Whitelist;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** Called when a later slice has ended bans. */
  readonly ended: () => void;
  /** Called with the addresses of bans whose time was up. */
  readonly expired?: (addresses: readonly string[]) => void;
  /** Told why a later slice failed, as when the state cannot be written; it is tried again. */
  readonly failed: (error: unknown) => void;
}

/** Ends bans. */
export class Ends {
  readonly #options: EndsOptions;
  /** Holds the bans in force against a whitelist that has changed. */
  readonly #walk: Walk;
  /** Revision of the whitelist that all bans in force were last held against. */
  #revision: number | null = null;
  readonly #addresses = new Set<string>();

  constructor(options: EndsOptions) {
    this.#options = options;
    const { failed } = options;
    this.#walk = new Walk({ slice: (range) => this.#spare(range), done: () => {}, failed });
  }

  /** Ends bans whose time is up, many in steps; true: there are more. */
  expire(): boolean {
    const { store, clock, log, expired } = this.#options;
    const { bans, isMore } = store.expire(clock());
    for (const ban of bans) log.info(`unbanning ${nameOf(ban)}: its time is up`);
    if (bans.length > 0) expired?.(bans.map(({ address }) => address));
    return isMore;
  }

  /** Ends the bans of an address that is whitelisted; false where it is not. */
  endIfWhitelisted(address: string): boolean {
    const { store, whitelist, log, clock } = this.#options;
    const origin = whitelist.covering(address);
    if (origin === null) return false;
    store.end(address, { reason: "whitelisted", time: clock() });
    log.info(`unbanning ${address}: whitelisted by ${origin}`);
    return true;
  }

  /** Ends the bans that the whitelist covers, if it has changed: the first 5,000 at once, the others soon. */
  endWhitelisted(): void {
    const { store, whitelist } = this.#options;
    if (whitelist.revision === this.#revision) return;
    this.#walk.begin(store.lastId());
    this.#revision = whitelist.revision;
  }

  /** Takes note that somebody else has ended the bans of an address. */
  note(address: string): void {
    this.#addresses.add(address);
  }

  /** The addresses whose bans have ended before their time since the last call. */
  take(): string[] {
    const addresses = [...this.#addresses];
    this.#addresses.clear();
    return addresses;
  }

  /** Leaves the rest of the whitelisted for later. */
  stop(): void {
    this.#walk.stop();
  }

  #spare(range: BanRange): void {
    const { store, ended } = this.#options;
    const spared = store.transaction(() =>
      store.addresses(range).filter((address) => this.endIfWhitelisted(address))
    );
    spared.forEach((address) => this.note(address));
    if (range.after > 0 && spared.length > 0) ended();
  }
}
