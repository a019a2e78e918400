import { canonicalAddress } from "../core/address.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";
import { entriesText, withEnd } from "./whitelist_entries.ts";

/** Options of `OwnAddresses`. */
export interface OwnAddressesParts {
  readonly state: Pick<State, "whitelist">;
  readonly log: Log;
  /** Stores `entries` as this machine's. */
  readonly store: (entries: readonly WhitelistEntry[]) => void;
}

/** Remembers this machine's addresses, which are never banned. */
export class OwnAddresses {
  readonly #parts: OwnAddressesParts;
  /** The addresses at the last look. */
  #last: string;

  constructor(parts: OwnAddressesParts) {
    this.#parts = parts;
    this.#last = this.#addressesText();
  }

  /** Reports whether the addresses have changed since the last look. */
  look(): boolean {
    const before = this.#last;
    this.#last = this.#addressesText();
    return this.#last !== before;
  }

  /**
   * Returns this machine's addresses of now and of the last day: at a start an interface may not be
   * up yet. Stores them if they have changed.
   */
  recent(now: Micros): string[] {
    const { state, store } = this.#parts;
    const before = state.whitelist("machine", now);
    const present = new Set(this.#present());
    const gone = before.filter(({ address }) => !present.has(address)).map((entry) => withEnd(entry, now));
    const after = [...[...present].map((address) => ({ address, note: "", until: null })), ...gone];
    if (entriesText(after) !== entriesText(before)) store(after);
    return after.map(({ address }) => address);
  }

  #addressesText(): string {
    return this.#present().sort().join();
  }

  #present(): string[] {
    try {
      return ownAddresses();
    } catch (error) {
      this.#parts.log.debug(() => `Cannot list this machine's addresses: ${messageOf(error)}`);
      return [];
    }
  }
}

/** Returns this machine's own addresses in canonical form. */
export function ownAddresses(): string[] {
  return Deno.networkInterfaces().flatMap(({ address }) => canonicalAddress(address) ?? []);
}
