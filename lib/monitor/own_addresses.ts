import { canonicalAddress } from "../core/address.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";
import { ofLate, spell } from "./lately.ts";

/** What `OwnAddresses` works with. */
export interface OwnAddressesParts {
  readonly state: Pick<State, "whitelist">;
  readonly log: Log;
  /** Makes `entries` what the state has of this machine. */
  readonly store: (entries: readonly WhitelistEntry[]) => void;
}

/** Keeps this machine's addresses, which are never banned. */
export class OwnAddresses {
  readonly #parts: OwnAddressesParts;
  /** The addresses at the last look. */
  #spelled: string;

  constructor(parts: OwnAddressesParts) {
    this.#parts = parts;
    this.#spelled = this.#spell();
  }

  /** Returns whether the addresses are others than at the last look. */
  look(): boolean {
    const before = this.#spelled;
    this.#spelled = this.#spell();
    return this.#spelled !== before;
  }

  /**
   * Returns this machine's addresses, and those that it had within a day: at a start an interface may
   * not be up yet. Stores them where they have changed.
   */
  lately(now: Micros): string[] {
    const { state, store } = this.#parts;
    const before = state.whitelist("machine", now);
    const present = new Set(this.#present());
    const gone = before.filter(({ address }) => !present.has(address)).map((entry) => ofLate(entry, now));
    const after = [...[...present].map((address) => ({ address, note: "", until: null })), ...gone];
    if (spell(after) !== spell(before)) store(after);
    return after.map(({ address }) => address);
  }

  #spell(): string {
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
