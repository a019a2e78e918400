import type { Ban } from "../deciding/ban.ts";
import { type Listing, NO_TABLE } from "./nft_list.ts";
import { ADD_MARK, addRules, addSet, chains, elements, type Place, TABLE, timeout } from "./nft_script.ts";

/** A ban to put into force or to lift. */
export interface Order {
  readonly ban: Pick<Ban, "address" | "scope">;
  /** Null: nft has no place for it. */
  readonly place: Place | null;
  /** Seconds until the kernel ends it; null: never; 0: lift it. */
  readonly seconds: number | null;
}

/** Time-out in seconds of an element that is added to be deleted by the next statement. */
const BRIEFLY = 60;

/** Returns the transaction of `orders` on the table of `listing`, which then has the sets `all`. */
export function scriptFor(
  orders: readonly Order[],
  { listing, all }: { listing: Listing; all: readonly string[] },
): string {
  const lines: string[] = listing.isSpoiled ? [`delete table ${TABLE}`] : [];
  const { isIntact, isMarked, sets, chains: present } = listing.isSpoiled ? NO_TABLE : listing;
  const fresh = all.filter((set) => !sets.includes(set));
  if (!isIntact) lines.push(...chains(present));
  if (!isMarked) lines.push(ADD_MARK);
  lines.push(...fresh.map(addSet), ...(isIntact ? fresh : all).flatMap(addRules));
  for (const set of all) lines.push(...changes(set, { orders, fresh: fresh.includes(set) }));
  return lines.join("\n") + "\n";
}

/**
 * Returns statements for one set: deletes all elements that orders name, then adds those in force.
 * `delete` refuses a missing element, so `add` comes first.
 */
function changes(set: string, { orders, fresh }: { orders: readonly Order[]; fresh: boolean }): string[] {
  const mine = new Map<string, number | null>(), leaving = new Set<string>();
  for (const { place, seconds } of orders) {
    const { set: its, element } = place!;
    if (its !== set) continue;
    leaving.add(element);
    if (seconds !== 0) mine.set(element, seconds);
    else mine.delete(element);
  }
  const lines: string[] = [];
  if (!fresh && leaving.size > 0) {
    const gone = [...leaving];
    lines.push(
      elements("add", set, gone.map((e) => `${e} ${timeout(BRIEFLY)}`)),
      elements("delete", set, gone),
    );
  }
  if (mine.size > 0) {
    const members = [...mine].map(([e, seconds]) => seconds === null ? e : `${e} ${timeout(seconds)}`);
    lines.push(elements("add", set, members));
  }
  return lines;
}
