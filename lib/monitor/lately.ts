/** Addresses found around this machine, now and lately: an interface that is down may come back. */
import { DAY, type Micros } from "../core/time.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";

/** How long an address stays whitelisted after it has disappeared. */
const LATELY: Micros = DAY;

/** Returns the entry of an address that has disappeared, with an end. */
export function ofLate(entry: WhitelistEntry, now: Micros): WhitelistEntry {
  return { ...entry, until: entry.until ?? now + LATELY };
}

/** Writes entries as text in a fixed order, for comparisons. */
export function spell(entries: readonly WhitelistEntry[]): string {
  return JSON.stringify(entries.map(({ address, note, until }) => [address, note, until]).sort());
}
