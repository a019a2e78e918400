import { clientIPv4, NOBODYS } from "../core/address_kind.ts";
import { NetworkSet, Target } from "../core/network_set.ts";
import type { Micros } from "../core/time.ts";

/** An address or network that is never banned. */
export interface WhitelistEntry {
  /** Canonical address or network. */
  readonly address: string;
  readonly note: string;
  /** End of the entry; null: for good. */
  readonly until: Micros | null;
}

/** Machines around this one that are whitelisted automatically. */
export const SURROUNDINGS = ["gateway", "name server", "database host"] as const;
export type Surrounding = typeof SURROUNDINGS[number];

/** Origins whose entries the state keeps: its own words, and the words for people. */
export const KEPT_ORIGINS = {
  "command": "command",
  "knock": "knock",
  "database": "database",
  "name": "DNS name",
  "machine": "this machine",
  "gateway": "gateway",
  "name server": "name server",
  "database host": "database host",
} as const;
export type KeptOrigin = keyof typeof KEPT_ORIGINS;

/** Origin of an entry, in words for people. */
export type WhitelistOrigin =
  | keyof typeof NOBODYS
  | "configuration"
  | "whitelist file"
  | "open session"
  | typeof KEPT_ORIGINS[KeptOrigin];

const NOBODYS_SETS = Object.entries(NOBODYS).map(([kind, networks]) =>
  [kind as keyof typeof NOBODYS, [new NetworkSet(networks)]] as const
);

/** Addresses and networks that are never banned, from all origins. */
export class Whitelist {
  readonly #parts = new Map<WhitelistOrigin, readonly NetworkSet[]>(NOBODYS_SETS);
  #sets = setsOf(this.#parts);
  readonly #texts = new Map<WhitelistOrigin, string>();
  /** Parsed address in question, and the IPv4 address of its client. */
  readonly #address = new Target();
  readonly #inside = new Target();
  #revision = 0;
  /** Last question and its answer, as each decision asks twice. */
  #last = { address: "", revision: -1, origin: null as WhitelistOrigin | null };

  /** Ascends with each change by `set()` or `setAll()`. */
  get revision(): number {
    return this.#revision;
  }

  /** Replaces the entries of `origin` by canonical addresses and networks. */
  set(origin: WhitelistOrigin, members: Iterable<string>): void {
    const list = [...members];
    const text = list.join();
    if (this.#texts.get(origin) === text) return;
    this.#texts.set(origin, text);
    this.#replace(origin, [new NetworkSet(list)]);
  }

  /** Replaces the entries of `origin` by existing sets. */
  setAll(origin: WhitelistOrigin, sets: readonly NetworkSet[]): void {
    const before = this.#parts.get(origin) ?? [];
    if (sets.length === before.length && sets.every((set, i) => set === before[i])) return;
    this.#replace(origin, sets);
  }

  /**
   * Returns the origin that whitelists `address`, its client's IPv4 address or, in a network, one
   * of its addresses; null: none.
   */
  covering(address: string): WhitelistOrigin | null {
    if (this.#last.address !== address || this.#last.revision !== this.#revision) {
      this.#last = { address, revision: this.#revision, origin: this.#originOf(address) };
    }
    return this.#last.origin;
  }

  #originOf(address: string): WhitelistOrigin | null {
    const target = this.#address.read(address);
    const client = clientIPv4(address);
    const inside = client === null ? target : this.#inside.read(client);
    for (const { origin, members } of this.#sets) {
      if (members.touches(target) || inside !== target && members.touches(inside)) return origin;
    }
    return null;
  }

  #replace(origin: WhitelistOrigin, sets: readonly NetworkSet[]): void {
    this.#parts.set(origin, sets);
    this.#sets = setsOf(this.#parts);
    this.#revision++;
  }
}

/** Returns the words for an address or network whitelisted by `origin`, in whole or in part. */
export function whitelistedBy(target: string, origin: WhitelistOrigin): string {
  return target.includes("/")
    ? `an address in it is whitelisted (${origin})`
    : `it is whitelisted (${origin})`;
}

/** Returns all sets that are not empty. */
function setsOf(parts: ReadonlyMap<WhitelistOrigin, readonly NetworkSet[]>) {
  return [...parts].flatMap(([origin, sets]) =>
    sets.filter(({ isEmpty }) => !isEmpty).map((members) => ({ origin, members }))
  );
}
