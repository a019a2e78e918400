/** Whitelist entries, for the parts that gather a whitelist and find addresses around this machine. */
import type { Config } from "../config/types.ts";
import { canonicalAddress } from "../core/address.ts";
import { DAY, hasEnded, type Micros } from "../core/time.ts";
import { isName, longestOfEach, type WhitelistMember } from "../config/whitelist.ts";
import type { WhitelistContent } from "../config/whitelist_content.ts";
import {
  KEPT_ORIGINS,
  type KeptOrigin,
  type WhitelistEntry,
  type WhitelistOrigin,
} from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";

/**
 * Returns what people have whitelisted that has not ended at `now`: addresses and networks of the
 * configuration and of its files, DNS names also of commands, and the next end of the first two.
 * @param state null: none, which has no commands
 */
export function givenMembers(
  { whitelist: { members } }: Pick<Config, "whitelist">,
  { contents, state, now }: {
    readonly contents: readonly WhitelistContent[];
    readonly state: Pick<State, "whitelist"> | null;
    readonly now: Micros;
  },
) {
  const inForce = (entry: Pick<WhitelistMember, "until">) => !hasEnded(entry, now);
  const own = members.filter(inForce);
  const listed = contents.flatMap(({ networks }) => networks).filter(inForce);
  const listedNames = contents.flatMap(({ names }) => names).filter(inForce);
  const commanded = state?.whitelist("command", now) ?? [];
  const ends = [...own, ...listed, ...listedNames].map(({ until }) => until ?? Infinity);
  return {
    configured: own.flatMap(({ address, isName }) => isName ? [] : address),
    listed,
    names: longestOfEach([...own, ...listedNames, ...commanded].filter(({ address }) => isName(address))),
    nextEnd: ends.reduce((next, end) => Math.min(next, end), Infinity),
  };
}

/**
 * Returns the addresses and networks at `now` that the state keeps, by origin.
 * @param others those of DNS names and of this machine, and none of a database that is not
 * configured
 */
export function keptMembers(
  state: Pick<State, "whitelist">,
  now: Micros,
  others: { readonly [origin in KeptOrigin]?: readonly string[] },
): [WhitelistOrigin, readonly string[]][] {
  const addresses = (origin: KeptOrigin) => state.whitelist(origin, now).map(({ address }) => address);
  const known = { command: addresses("command").filter((address) => !isName(address)), ...others };
  return Object.entries(KEPT_ORIGINS).map(([kept, origin]) => [
    origin,
    known[kept as KeptOrigin] ?? addresses(kept as KeptOrigin),
  ]);
}

/** Returns this machine's own addresses in canonical form. */
export function ownAddresses(): string[] {
  return Deno.networkInterfaces().flatMap(({ address }) => canonicalAddress(address) ?? []);
}

/** How long an address stays whitelisted after it has disappeared: an interface may come back. */
const GRACE: Micros = DAY;

/** Returns the entry of an address that has disappeared, with an end. */
export function withEnd(entry: WhitelistEntry, now: Micros): WhitelistEntry {
  return { ...entry, until: entry.until ?? now + GRACE };
}

/** Writes entries as text in a fixed order, for comparisons. */
export function entriesText(entries: readonly WhitelistEntry[]): string {
  return JSON.stringify(entries.map(({ address, note, until }) => [address, note, until]).sort());
}
