import { DAY, type Micros } from "../core/time.ts";
import type { Growth } from "../rules/rule.ts";
import type { PastBan } from "./ban.ts";

/** Longest ban that ends: a century. */
const LONGEST: Micros = 100 * 365 * DAY;

/**
 * Returns the length of a ban that begins at `start`: `first` times `factor` for each ban served
 * before, back to a time of `forgetAfter` without a ban; at most `most`. Null: for good.
 * @param past ended bans, newest first; called only if their number matters
 */
export function banSpan(
  { first, growth, past }: { first: Micros | null; growth: Growth; past: () => readonly PastBan[] },
  start: Micros,
): Micros | null {
  if (first === null) return null;
  const served = growth.factor === 1 ? 0 : countServed(past(), { start, forgetAfter: growth.forgetAfter });
  const grown = Math.min(LONGEST, Math.round(first * growth.factor ** served));
  return growth.most === null ? grown : Math.min(grown, growth.most);
}

function countServed(
  past: readonly PastBan[],
  { start, forgetAfter }: { start: Micros; forgetAfter: Micros | null },
): number {
  let [served, freeUntil] = [0, start];
  for (const ban of past) {
    if (ban.endReason !== "expired") continue;
    if (forgetAfter !== null && freeUntil - ban.ended >= forgetAfter) break;
    served++;
    freeUntil = ban.start;
  }
  return served;
}
