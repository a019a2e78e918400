/**
 * Copies what can be read of one state into another. Comes in: a connection to a state that may be damaged anywhere. Goes out:
 * its rows in a sound state, and whether any was lost.
 */
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../core/error.ts";
import { iterate, type Value } from "./database.ts";

/** Tables of a state by what they matter for, most first, with the order of their rows. */
const TABLES = [
  ["meta", "key"],
  ["position", "source"],
  ["whitelist", "origin, address"],
  ["knock_key", "name"],
  ["login", "address, method"],
  ["session", "address, port"],
  ["ban", "id"],
  ["note_group", "number"],
  ["note", "id"],
  ["rollup", "span, start"],
  ["source", "number"],
  ["log_index", "last"],
  ["log_batch", "last"],
] as const;

type Table = typeof TABLES[number][0];

/** What was copied. */
export interface Salvage {
  readonly rows: Readonly<Record<Table, number>>;
  /** Nothing was lost. */
  readonly isWhole: boolean;
}

/** Which rows are copied. */
export interface SalvageOptions {
  /** Recorded lines are copied too; otherwise their numbers alone go on. */
  readonly lines: boolean;
}

/** Copies what can be read of `from` into `to`, which has all tables, in one transaction. Throws where `to` cannot be written. */
export function salvage(from: DatabaseSync | null, to: DatabaseSync, { lines }: SalvageOptions): Salvage {
  const rows = Object.fromEntries(TABLES.map(([table]) => [table, 0])) as Record<Table, number>;
  if (from === null || versionOf(from) !== versionOf(to)) return { rows, isWhole: false };
  let isWhole = true;
  to.exec("BEGIN IMMEDIATE");
  try {
    for (const [table, order] of TABLES) {
      if (table.startsWith("log_") && !lines) continue;
      const copied = copyTable({ from, to, table, order });
      rows[table] = copied.count;
      isWhole &&= copied.isWhole;
    }
    goOnCounting(from, to);
    to.exec("COMMIT");
    return { rows, isWhole };
  } catch (error) {
    to.exec("ROLLBACK");
    throw error;
  }
}

/** Null where it cannot be read. */
function versionOf(db: DatabaseSync): number | null {
  return tried(() => db.prepare("PRAGMA user_version").get() as { user_version: number })?.user_version ??
    null;
}

/** Copies a table from its beginning up to a damage, and from its end back to one. */
function copyTable(
  { from, to, table, order }: { from: DatabaseSync; to: DatabaseSync; table: Table; order: string },
): { count: number; isWhole: boolean } {
  const columns = (to.prepare(`PRAGMA table_info(${table})`).all() as { name: string }[]).map(({ name }) =>
    name
  );
  const insert = to.prepare(
    `INSERT OR REPLACE INTO ${table} (${columns.join()}) VALUES (${columns.map(() => "?").join()})`,
  );
  // Of a page that is missing SQLite makes rows of NULLs, which are lost.
  const put = (values: Value[]) => {
    try {
      insert.run(...values);
    } catch (error) {
      if (!/constraint failed/.test(messageOf(error))) throw error;
    }
  };
  const copy = (direction: string) => {
    for (
      const row of readable(
        from,
        `SELECT ${columns.join()} FROM ${table} ORDER BY ${withDirection(order, direction)}`,
      )
    ) {
      put(columns.map((name) => row[name]!));
    }
  };
  const count = (db: DatabaseSync) =>
    tried(() => db.prepare(`SELECT count(*) AS n FROM ${table} NOT INDEXED`).get() as { n: number })?.n ??
      null;
  copy("ASC");
  const all = count(from);
  if (all !== count(to)) copy("DESC");
  return { count: count(to)!, isWhole: all === count(to) };
}

function withDirection(order: string, direction: string): string {
  return order.split(", ").map((column) => `${column} ${direction}`).join();
}

/** The rows of a query up to the first that cannot be read. */
function* readable(db: DatabaseSync, sql: string): Generator<Record<string, Value>> {
  const rows = tried(() => iterate<Record<string, Value>>(db.prepare(sql)));
  if (rows === null) return;
  for (;;) {
    const next = tried(() => rows.next());
    if (next === null || next.done) return;
    yield next.value;
  }
}

/**
 * Numbers go on above all that were given away, also where their rows were lost: PostgreSQL would take a line or a change with an
 * old number for one that it has.
 */
function goOnCounting(from: DatabaseSync, to: DatabaseSync): void {
  const given = new Map<string, number>();
  for (const { name, seq } of readable(from, "SELECT name, seq FROM sqlite_sequence")) {
    given.set(String(name), Number(seq));
  }
  const meta = (key: string) =>
    (to.prepare("SELECT value FROM meta WHERE key = ?").get(key) as { value: number } | undefined)?.value ??
      0;
  const largest = (table: string, column: string) =>
    (to.prepare(`SELECT ifnull(max(${column}), 0) AS n FROM ${table}`).get() as { n: number }).n;
  const numbers = {
    log_batch: Math.max(given.get("log_batch") ?? 0, largest("log_batch", "last"), meta("shipped_log")),
    ban: Math.max(given.get("ban") ?? 0, largest("ban", "id")),
  };
  for (const [name, seq] of Object.entries(numbers)) {
    to.prepare("DELETE FROM sqlite_sequence WHERE name = ?").run(name);
    to.prepare("INSERT INTO sqlite_sequence VALUES (?, ?)").run(name, seq);
  }
  // Changes are numbered behind the largest that is there.
  to.prepare(
    "UPDATE meta SET value = min(value, (SELECT ifnull(max(change), 0) FROM ban)) WHERE key = 'shipped_ban'",
  )
    .run();
}

function tried<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
