import { canonicalAddress } from "../core/address.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import { withEnd } from "./whitelist_entries.ts";

/** Watches this machine's addresses, which are never banned. */
export class OwnAddresses {
  readonly #log: Log;
  /** The addresses at the last look. */
  #last: string;

  constructor(log: Log) {
    this.#log = log;
    this.#last = this.#present().join();
  }

  /** Reports whether the addresses have changed since the last look. */
  look(): boolean {
    const before = this.#last;
    this.#last = this.#present().join();
    return this.#last !== before;
  }

  /**
   * Returns the entries of the present addresses, and of those in `before` that are gone, with an
   * end: at a start an interface may not be up yet.
   */
  entries(before: readonly WhitelistEntry[], now: Micros): WhitelistEntry[] {
    const present = new Set(this.#present());
    const gone = before.filter(({ address }) => !present.has(address)).map((entry) => withEnd(entry, now));
    return [...Array.from(present, (address) => ({ address, note: "", until: null })), ...gone];
  }

  #present(): string[] {
    try {
      return ownAddresses().sort();
    } catch (error) {
      this.#log.debug(() => `Cannot list this machine's addresses: ${messageOf(error)}`);
      return [];
    }
  }
}

/** Returns this machine's own addresses in canonical form. */
export function ownAddresses(): string[] {
  return Deno.networkInterfaces().flatMap(({ address }) => canonicalAddress(address) ?? []);
}
