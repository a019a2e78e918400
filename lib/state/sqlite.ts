/** Additions to `node:sqlite`: transactions, and iterators that Deno before 2.9 does not break. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { tried } from "../core/error.ts";

/** A value that SQLite stores. */
export type Value = string | number | null | Uint8Array;

/** Runs all of `work` in one write transaction or, if it throws, nothing. */
export function transact<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite may have rolled back already, as it does when the disk is full.
    tried(() => db.exec("ROLLBACK"));
    throw error;
  }
}

/** Returns the number that a query makes; undefined: it has no row. */
export function queryNumber(db: DatabaseSync, sql: string): number | undefined {
  const row = db.prepare(sql).get();
  return row && Object.values(row)[0] as number;
}

/** Statements in use. Before Deno 2.9 an iterator keeps none alive, and its next read crashes. */
const iterated = new Set<StatementSync>();

/** Yields the rows of a statement one by one. */
export function* iterate<Row>(
  statement: StatementSync,
  values: readonly Value[] = [],
): Generator<Row> {
  iterated.add(statement);
  try {
    yield* statement.iterate(...values) as IterableIterator<Row>;
  } finally {
    iterated.delete(statement);
  }
}
