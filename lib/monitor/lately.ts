/** Addresses found around this machine, and those that were found before: what is down now may come back. */
import { DAY, type Micros } from "../core/time.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";

/** How long an address that is found no longer stays whitelisted. */
const LATELY: Micros = DAY;

/** The entry of an address that is found no longer. */
export function ofLate(entry: WhitelistEntry, now: Micros): WhitelistEntry {
  return { ...entry, until: entry.until ?? now + LATELY };
}

/** Spells entries out in one order, for comparisons. */
export function spell(entries: readonly WhitelistEntry[]): string {
  return JSON.stringify(entries.map(({ address, note, until }) => [address, note, until]).sort());
}
