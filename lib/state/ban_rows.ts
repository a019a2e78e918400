import { formatScope, parseScope, type Scope } from "../core/scope.ts";
import type { BanChange, BanStatus, Provenance } from "../deciding/ban.ts";
import type { Database, Value } from "./database.ts";

/** A row of the table `ban` in the names of `BanStatus`. */
interface Row extends Omit<BanStatus, "scope" | "provenance"> {
  readonly change: number;
  readonly scope: string;
  readonly provenance: Provenance["kind"];
  readonly name: string;
}

const COLUMNS = `id, change, address, scope, provenance, name, reason, count, start, until, ended,
  end_reason AS endReason, applied_by AS appliedBy, applied_at AS appliedAt, attempts, error`;
/** Those as `json_object()` takes them. */
const PAIRS = COLUMNS.split(/,\s*/).map((column) => column.split(" AS ").at(-1)!)
  .map((name) => `'${name}', ${name}`).join();

/** Ids or addresses as one parameter: a statement for many rows costs a fraction of as many statements. */
export const AMONG = "IN (SELECT value FROM json_each(?))";

/** Ended bans of one address that are told and kept for later decisions. */
export const MOST_PAST = 100;

/** The bans of a query, given from its `WHERE` on. They come out of SQLite as one text, which is many times as fast as rows. */
export function selectBans(db: Database, where: string, ...values: Value[]): BanStatus[] {
  return select(db, where, values).map(({ change: _, ...ban }) => ban);
}

/** At most `limit` bans of this server whose latest change is later than `change`, ascending by it. */
export function selectChanges(db: Database, change: number, limit: number): BanChange[] {
  return select(db, "WHERE change > ? AND provenance <> 'fleet' ORDER BY change LIMIT ?", [change, limit]);
}

function select(db: Database, where: string, values: readonly Value[]): (BanStatus & BanChange)[] {
  const row = db.get<{ list: string }>(
    `SELECT json_group_array(json_object(${PAIRS})) AS list FROM (SELECT ${COLUMNS} FROM ban ${where})`,
    ...values,
  );
  return (JSON.parse(row!.list) as Row[]).map(({ scope, provenance, name, ...ban }) => ({
    ...ban,
    scope: readScope(scope),
    provenance: { kind: provenance, name },
  }));
}

/**
 * The scope that a row names. Earlier programs took ports above 65535 from lists: a ban of those alone cuts off nothing, and
 * as one of everything it can at least be seen and lifted.
 */
export function readScope(text: string): Scope {
  return parseScope(text) ?? "all";
}

/** Bans as a parameter for `json_each()`, each a list of `values`. */
export function jsonOf<T extends { readonly scope: Scope }>(
  bans: readonly T[],
  values: (ban: T, scope: string) => readonly Value[],
): string {
  return JSON.stringify(bans.map((ban) => values(ban, formatScope(ban.scope))));
}
