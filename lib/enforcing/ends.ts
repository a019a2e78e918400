/**
 * Ends bans in the state whose time is up or that the whitelist covers. In: the clock and the
 * whitelist. Out: addresses whose bans ended, to be counted from nothing.
 */
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import { type Ban, type BanRange, nameOf } from "../deciding/ban.ts";
import type { Whitelist } from "../deciding/whitelist.ts";
import { Walk } from "./walk.ts";

/** The state's methods that `Ends` uses. */
export interface EndsState {
  /** Does all of `work` in one transaction, or nothing. */
  transaction<T>(work: () => T): T;
  /** `isFollowed`: the ban followed another server. */
  expire(now: Micros): {
    bans: readonly (Pick<Ban, "address" | "scope"> & { readonly isFollowed: boolean })[];
    isMore: boolean;
  };
  /** Ends all bans of an address; returns their number. */
  end(address: string, end: { reason: string; time: Micros }): number;
  /** Returns the id of the newest ban; 0: there is none. */
  lastId(): number;
  /** Returns the addresses with a ban in force of a range, each once. */
  addresses(range: BanRange): string[];
}

/** Options of `Ends`. */
export interface EndsOptions {
  readonly state: EndsState;
  readonly whitelist: Whitelist;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** Called after a later slice has ended bans. */
  readonly ended: () => void;
  /** Called with the addresses of bans that expired or that the whitelist ended. */
  readonly freed?: (addresses: readonly string[]) => void;
  /** Called with the error of a later slice (an unwritable state, say), which is tried again. */
  readonly failed: (error: unknown) => void;
}

/** Ends bans. */
export class Ends {
  readonly #options: EndsOptions;
  /** Compares the bans in force with a changed whitelist. */
  readonly #walk: Walk;
  /** Revision of the whitelist at the last comparison with all bans in force. */
  #revision: number | null = null;
  readonly #addresses = new Set<string>();

  constructor(options: EndsOptions) {
    this.#options = options;
    const { failed } = options;
    this.#walk = new Walk({ slice: (range) => this.#spare(range), failed });
  }

  /** Ends bans whose time is up, many in steps; true: more are left. */
  expire(): boolean {
    const { state, clock, log, freed } = this.#options;
    const { bans, isMore } = state.expire(clock());
    for (const ban of bans) {
      const sentence = () => `unbanning ${nameOf(ban)}: its time is up`;
      // Another server may make bans without end.
      if (ban.isFollowed) log.debug(sentence);
      else log.info(sentence());
    }
    if (bans.length > 0) freed?.(bans.map(({ address }) => address));
    return isMore;
  }

  /** Ends the bans of an address if it is whitelisted; false: it is not. */
  endIfWhitelisted(address: string): boolean {
    const spared = this.#endCovered([address]);
    this.#tell(spared);
    return spared.length > 0;
  }

  /** Ends the bans that a changed whitelist covers: the first 5,000 at once, the others soon. */
  endWhitelisted(): void {
    const { state, whitelist } = this.#options;
    if (whitelist.revision === this.#revision) return;
    this.#walk.begin(state.lastId());
    this.#revision = whitelist.revision;
  }

  /** Notes that somebody else has ended the bans of an address, for `take()`, even if more fails first. */
  note(address: string): void {
    this.#addresses.add(address);
  }

  /** Returns the addresses whose bans ended before their time since the last call. */
  take(): string[] {
    const addresses = [...this.#addresses];
    this.#addresses.clear();
    return addresses;
  }

  /** Stops, and leaves the other whitelisted bans for later. */
  stop(): void {
    this.#walk.stop();
  }

  #spare(range: BanRange): void {
    const { state, ended } = this.#options;
    const spared = state.transaction(() => this.#endCovered(state.addresses(range)));
    this.#tell(spared);
    spared.forEach(({ address }) => this.note(address));
    if (range.after > 0 && spared.length > 0) ended();
  }

  /** Ends the bans of the addresses that the whitelist covers, and returns these. */
  #endCovered(addresses: readonly string[]): Spared[] {
    const { state, whitelist, clock } = this.#options;
    return addresses.flatMap((address) => {
      const origin = whitelist.covering(address);
      if (origin === null) return [];
      state.end(address, { reason: "whitelisted", time: clock() });
      return [{ address, origin }];
    });
  }

  #tell(spared: readonly Spared[]): void {
    const { log, freed } = this.#options;
    for (const { address, origin } of spared) log.info(`unbanning ${address}: whitelisted by ${origin}`);
    if (spared.length > 0) freed?.(spared.map(({ address }) => address));
  }
}

/** An address whose bans ended, and where it is whitelisted. */
interface Spared {
  readonly address: string;
  readonly origin: string;
}
