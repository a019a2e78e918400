import { formatScope, parseScope, type Scope } from "../core/scope.ts";
import type { BanChange, BanStatus, Provenance } from "../deciding/ban.ts";
import type { Database } from "./database.ts";
import type { Value } from "./sqlite.ts";

/** A row of the table `ban` in the names of `BanStatus`. */
interface Row extends Omit<BanStatus, "scope" | "provenance"> {
  readonly change: number;
  readonly scope: string;
  readonly provenance: Provenance["kind"];
  readonly name: string;
}

const COLUMNS = `id, change, address, scope, provenance, name, reason, count, start, until, ended,
  end_reason AS endReason, applied_by AS appliedBy, applied_at AS appliedAt, attempts, error`;
/** The columns as arguments of `json_object()`. */
const PAIRS = COLUMNS.split(/,\s*/).map((column) => column.split(" AS ").at(-1)!)
  .map((name) => `'${name}', ${name}`).join();

/** Ids or addresses as one parameter. One statement for many rows is many times as fast as many. */
export const AMONG = "IN (SELECT value FROM json_each(?))";

/** Most ended bans of one address returned, and kept, for later decisions. */
export const MOST_PAST = 100;

/** Returns a query's bans, given from `WHERE` on. */
export function selectBans(db: Database, where: string, values: readonly Value[] = []): BanStatus[] {
  return select(db, where, values).map(({ change: _, ...ban }) => ban);
}

/** Returns at most `limit` bans of this server changed after `change`, ascending by change. */
export function selectChanges(db: Database, change: number, limit: number): BanChange[] {
  return select(db, "WHERE change > ? AND provenance <> 'fleet' ORDER BY change LIMIT ?", [change, limit]);
}

function select(db: Database, where: string, values: readonly Value[]): (BanStatus & BanChange)[] {
  const rows = db.list<Row>(
    `json_object(${PAIRS})`,
    `(SELECT ${COLUMNS} FROM ban ${where})`,
    values,
  );
  return rows.map(({ scope, provenance, name, ...ban }) => ({
    ...ban,
    scope: readScope(scope),
    provenance: { kind: provenance, name },
  }));
}

/**
 * Returns the scope of a row. Earlier programs took ports above 65535 from lists: such a ban cuts
 * off nothing, and as a ban of everything it can be seen and lifted.
 */
export function readScope(text: string): Scope {
  return parseScope(text) ?? "all";
}

/** Returns bans as a parameter for `json_each()`, each a list of `values`. */
export function jsonOf<T extends { readonly scope: Scope }>(
  bans: readonly T[],
  values: (ban: T, scope: string) => readonly Value[],
): string {
  return JSON.stringify(bans.map((ban) => values(ban, formatScope(ban.scope))));
}
