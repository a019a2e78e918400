import type { DatabaseSync } from "node:sqlite";
import { tried } from "../core/error.ts";

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
