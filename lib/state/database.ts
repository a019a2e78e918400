import type { DatabaseSync, StatementSync } from "node:sqlite";
import { messageOf } from "../core/error.ts";
import { databaseOf } from "../core/state_files.ts";
import { connect, faultOf, openAsItIs, stateError } from "./connect.ts";
import type { FileRecovery } from "./recovery.ts";
import { iterate, transact, type Value } from "./sqlite.ts";

/**
 * One connection to `<directory>/state.db` with up-to-date tables. Statements are prepared once.
 * Any number of processes may open the file; writers wait for each other up to 5 s.
 */
export class Database {
  #db: DatabaseSync;
  readonly #recovery: FileRecovery | null;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;
  /** Whether the connection has changed since `look()`. */
  #hasChanged = false;

  /** Throws `UserError` (69) if unusable; without a recovery, methods do so too on faults. */
  constructor(readonly directory: string, recovery: FileRecovery | null = null) {
    this.#recovery = recovery;
    this.#db = recovery?.open() ?? open(directory);
  }

  /** Returns the rows of a query; `values` replace its question marks. */
  all<Row>(sql: string, values: readonly Value[] = []): Row[] {
    return this.#attempt(() => this.#prepare(sql).all(...values) as Row[]);
  }

  /** Yields the rows of a query one by one, for results too large for memory. */
  *each<Row>(sql: string, values: readonly Value[] = []): Generator<Row> {
    // Its own statement: before Deno 2.9 one could be iterated over only once.
    const statement = this.#attempt(() => this.#db.prepare(sql));
    yield* iterate<Row>(statement, values);
  }

  /** Returns the first row of a query, or null. */
  get<Row>(sql: string, values: readonly Value[] = []): Row | null {
    return this.#attempt(() => (this.#prepare(sql).get(...values) as Row | undefined) ?? null);
  }

  /** Returns the first column of a query's first row; null: NULL, or no row. */
  value<T extends Value>(sql: string, values: readonly Value[] = []): T | null {
    return Object.values(this.get<Record<string, T>>(sql, values) ?? {})[0] ?? null;
  }

  /** Returns `item` of each row of a table or query. SQLite makes one text, much faster than rows. */
  list<Item>(item: string, from: string, values: readonly Value[] = []): Item[] {
    const text = this.value<string>(`SELECT json_group_array(${item}) FROM ${from}`, values)!;
    return JSON.parse(text) as Item[];
  }

  /** Returns a value of the table `meta`; null: there is none. */
  meta<T extends Value>(key: string): T | null {
    return this.value<T>("SELECT value FROM meta WHERE key = ?", [key]);
  }

  /** Stores a value in the table `meta`; null deletes it. */
  setMeta(key: string, value: Value): void {
    if (value === null) this.run("DELETE FROM meta WHERE key = ?", [key]);
    else this.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value]);
  }

  /** Runs a statement; returns the number of changed rows. */
  run(sql: string, values: readonly Value[] = []): number {
    return this.#attempt(() => Number(this.#prepare(sql).run(...values).changes));
  }

  /**
   * Runs all of `work` in one write transaction or, if it throws, nothing. `work` runs again if the
   * recovery has another connection.
   */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    return this.#attempt(() =>
      transact(this.#db, () => {
        this.#depth++;
        try {
          return work();
        } finally {
          this.#depth--;
        }
      })
    );
  }

  /** Switches to a better connection, if any; true: changed since then. Throws `UserError` (69). */
  look(): boolean {
    if (this.#depth === 0) this.#adopt(this.#recovery?.look(this.#db) ?? null);
    const hasChanged = this.#hasChanged;
    this.#hasChanged = false;
    return hasChanged;
  }

  /** Whether data stays in memory for now. */
  get isInMemory(): boolean {
    return this.#recovery?.isInMemory ?? false;
  }

  /** Whether lines can be written. */
  get hasRoom(): boolean {
    return this.#recovery?.hasRoom(this.#db) ?? true;
  }

  close(): void {
    if (this.#recovery === null) this.#db.close();
    else this.#recovery.close(this.#db);
  }

  /** Does `work`, and repeats it on another connection after a failure. */
  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (this.#depth > 0) throw error;
      if (this.#recovery === null) throw this.#explained(error);
      if (!this.#adopt(this.#recovery.replace(this.#db, error))) throw error;
      return work();
    }
  }

  /** Returns a sentence for a fault of the file, its disk or its users, and any other error as it is. */
  #explained(error: unknown): unknown {
    if (faultOf(error, this.#db) === null) return error;
    return stateError("use", databaseOf(this.directory), error);
  }

  #adopt(db: DatabaseSync | null): boolean {
    if (db === null) return false;
    this.#statements.clear();
    this.#db = db;
    return this.#hasChanged = true;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }
}

/** A part of the state: its methods read and write some of the tables. */
export abstract class Table {
  constructor(protected readonly db: Database) {}
}

function open(directory: string): DatabaseSync {
  const file = databaseOf(directory);
  try {
    return connect(file);
  } catch (error) {
    // On a full disk without a monitor there is no room for `-shm`: commands can read still.
    const db = /disk I\/O error/.test(messageOf(error)) ? openAsItIs(file) : null;
    if (db === null) throw stateError("open", file, error);
    return db;
  }
}
