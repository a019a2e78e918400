/**
 * Copies readable rows of one state into another. In: a connection to a state with damage anywhere.
 * Out: its rows in a sound state, and whether any was lost.
 */
import { DatabaseSync } from "node:sqlite";
import { messageOf, tried } from "../core/error.ts";
import { isKnown, migrate, version } from "./schema.ts";
import { iterate, queryNumber, transact, type Value } from "./sqlite.ts";

/** Tables of a state with the order of their rows, most important first; `tally` is of 1.0. */
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
  ["tally", "id"],
  ["rollup", "span, start"],
  ["source", "number"],
  ["log_index", "last"],
  ["log_batch", "last"],
] as const;

type Table = typeof TABLES[number][0];

/** Result of a copy. */
export interface Salvage {
  readonly rows: Readonly<Record<Table, number>>;
  /** Whether nothing was lost. */
  readonly isWhole: boolean;
}

/** Options of a copy. */
export interface SalvageOptions {
  /** Whether to copy recorded lines too, and not only their numbering. */
  readonly lines: boolean;
}

/**
 * Copies readable rows of `from` into `to` in one transaction. Of an older version it copies no
 * recorded lines: they go through memory. Throws if `to` is not writable.
 */
export function salvage(from: DatabaseSync | null, to: DatabaseSync, { lines }: SalvageOptions): Salvage {
  const rows = Object.fromEntries(TABLES.map(([table]) => [table, 0])) as Record<Table, number>;
  const found = from && tried(() => version(from));
  if (from === null || found === null) return { rows, isWhole: false };
  if (found !== version(to)) return { ...salvageOlder({ from, found, to }) ?? { rows }, isWhole: false };
  let isWhole = true;
  return transact(to, () => {
    for (const [table, order] of TABLES) {
      if (table.startsWith("log_") && !lines) continue;
      const copied = copyTable({ from, to, table, order });
      rows[table] = copied.count;
      isWhole &&= copied.isWhole;
    }
    continueNumbers(from, to);
    return { rows, isWhole };
  });
}

/** Copies a state of an older version by way of memory, where it is migrated; null: it is unknown. */
function salvageOlder(
  { from, found, to }: { from: DatabaseSync; found: number; to: DatabaseSync },
): Salvage | null {
  if (!isKnown(found)) return null;
  const copy = new DatabaseSync(":memory:");
  try {
    migrate(copy, found);
    salvage(from, copy, { lines: false });
    try {
      migrate(copy);
    } catch {
      // Counters may hold anything where pages were zeroed or swapped: bans go on without them.
      copy.exec("DELETE FROM tally");
      migrate(copy);
    }
    return salvage(copy, to, { lines: false });
  } finally {
    copy.close();
  }
}

/** Copies a table from its start to a damage, and from its end back to one. */
function copyTable(
  { from, to, table, order }: { from: DatabaseSync; to: DatabaseSync; table: Table; order: string },
): { count: number; isWhole: boolean } {
  const info = to.prepare(`PRAGMA table_info(${table})`).all() as { name: string }[];
  const columns = info.map(({ name }) => name);
  if (columns.length === 0) return { count: 0, isWhole: true };
  const insert = to.prepare(
    `INSERT OR REPLACE INTO ${table} (${columns.join()}) VALUES (${columns.map(() => "?").join()})`,
  );
  // A missing page yields rows of NULLs, which are lost.
  const put = (values: Value[]) => {
    try {
      insert.run(...values);
    } catch (error) {
      if (!/constraint failed/.test(messageOf(error))) throw error;
    }
  };
  const copy = (direction: string) => {
    const by = order.split(", ").map((column) => `${column} ${direction}`).join();
    const query = `SELECT ${columns.join()} FROM ${table} ORDER BY ${by}`;
    for (const row of readable(from, query)) put(columns.map((name) => row[name]!));
  };
  const count = (db: DatabaseSync) =>
    tried(() => queryNumber(db, `SELECT count(*) FROM ${table} NOT INDEXED`)!);
  copy("ASC");
  const all = count(from);
  if (all !== count(to)) copy("DESC");
  return { count: count(to)!, isWhole: all === count(to) };
}

/** Yields the rows of a query up to the first unreadable one. */
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
 * Continues numbers above all that were given, even if their rows were lost: PostgreSQL would take
 * a line or change with an old number for one that it has.
 */
function continueNumbers(from: DatabaseSync, to: DatabaseSync): void {
  const given = new Map<string, number>();
  for (const { name, seq } of readable(from, "SELECT name, seq FROM sqlite_sequence")) {
    given.set(String(name), Number(seq));
  }
  const shipped = queryNumber(to, "SELECT value FROM meta WHERE key = 'shipped_log'") ?? 0;
  const largest = (table: string, column: string) =>
    Math.max(given.get(table) ?? 0, queryNumber(to, `SELECT ifnull(max(${column}), 0) FROM ${table}`)!);
  const numbers = { log_batch: Math.max(largest("log_batch", "last"), shipped), ban: largest("ban", "id") };
  for (const [name, seq] of Object.entries(numbers)) {
    to.prepare("DELETE FROM sqlite_sequence WHERE name = ?").run(name);
    to.prepare("INSERT INTO sqlite_sequence VALUES (?, ?)").run(name, seq);
  }
  // Changes are numbered behind the largest present.
  to.exec(`UPDATE meta SET value = min(value, (SELECT ifnull(max(change), 0) FROM ban))
    WHERE key IN ('shipped_ban', 'sent_ban')`);
}
