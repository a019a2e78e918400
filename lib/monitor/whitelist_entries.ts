/** Whitelist entries of the state, for the parts that find addresses around this machine. */
import { DAY, type Micros } from "../core/time.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";

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
