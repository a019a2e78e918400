/** Whitelist entries of the state, for the parts that find addresses around this machine. */
import { DAY, type Micros } from "../core/time.ts";
import { isName } from "../config/whitelist.ts";
import {
  KEPT_ORIGINS,
  type KeptOrigin,
  type WhitelistEntry,
  type WhitelistOrigin,
} from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";

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
