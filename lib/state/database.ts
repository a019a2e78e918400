import type { DatabaseSync, StatementSync } from "node:sqlite";
import { messageOf, UserError } from "../core/error.ts";
import { databaseOf } from "../core/state_files.ts";
import { connect } from "./connect.ts";

/** A value that SQLite stores. */
export type Value = string | number | null | Uint8Array;

/** Gives a database other connections where its own fails: see `Keeper`. */
export interface Shelter {
  /** The first connection. Throws `UserError` (69). */
  open(): DatabaseSync;
  /** A connection to go on with after `error`, or null where there is nothing but to tell of the error. Closes `db` with the former. */
  replace(db: DatabaseSync, error: unknown): DatabaseSync | null;
  /** A better connection than `db`, which it then closes; null: there is none. Throws `UserError` (69) where nothing can be mended. */
  look(db: DatabaseSync): DatabaseSync | null;
  /** Reports whether the connection in use is to memory alone. */
  readonly isInMemory: boolean;
  /** Reports whether lines can be taken: not for ever where there is only memory. */
  hasRoom(db: DatabaseSync): boolean;
  /** Closes `db`, the last connection, and ends. */
  close(db: DatabaseSync): void;
}

/**
 * One connection to `<directory>/state.db`, the tables made or brought up to date. Statements are
 * prepared once. Any number of processes may have it open; writers wait for each other up to 5 s.
 */
export class Database {
  #db: DatabaseSync;
  readonly #shelter: Shelter | null;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;
  /** Went on with another connection since `look()`. */
  #isAnother = false;

  /** Throws `UserError` (69) when the directory cannot be used. Without a shelter all methods throw what SQLite throws. */
  constructor(readonly directory: string, shelter: Shelter | null = null) {
    this.#shelter = shelter;
    this.#db = shelter?.open() ?? open(directory);
  }

  /** All rows of a query. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#attempt(() => this.#prepare(sql).all(...values) as Row[]);
  }

  /** The rows of a query one after the other: for more than one would hold at once. */
  *each<Row>(sql: string, ...values: Value[]): Generator<Row> {
    // A statement of its own: before Deno 2.9 one could be iterated over only once.
    const statement = this.#attempt(() => this.#db.prepare(sql));
    yield* iterate<Row>(statement, ...values);
  }

  /** The first row of a query, or null. */
  get<Row>(sql: string, ...values: Value[]): Row | null {
    return this.#attempt(() => (this.#prepare(sql).get(...values) as Row | undefined) ?? null);
  }

  /** Runs a statement; returns how many rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return this.#attempt(() => Number(this.#prepare(sql).run(...values).changes));
  }

  /**
   * Runs `work` in one write transaction: all of it happens or, when it throws, nothing. `work` runs once more where the
   * shelter has another connection.
   */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    return this.#attempt(() => this.#transact(work));
  }

  /** Goes on with a better connection where there is one. Reports whether it is another than at the last look. Throws `UserError` (69). */
  look(): boolean {
    if (this.#depth === 0) this.#adopt(this.#shelter?.look(this.#db) ?? null);
    const isAnother = this.#isAnother;
    this.#isAnother = false;
    return isAnother;
  }

  /** Reports whether what is written stays in memory for now. */
  get isInMemory(): boolean {
    return this.#shelter?.isInMemory ?? false;
  }

  /** Reports whether lines can be taken. */
  get hasRoom(): boolean {
    return this.#shelter?.hasRoom(this.#db) ?? true;
  }

  close(): void {
    if (this.#shelter === null) this.#db.close();
    else this.#shelter.close(this.#db);
  }

  /** Does `work`, and again with another connection where it fails on this one. */
  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (this.#depth > 0 || !this.#adopt(this.#shelter?.replace(this.#db, error) ?? null)) throw error;
      return work();
    }
  }

  #adopt(db: DatabaseSync | null): boolean {
    if (db === null) return false;
    this.#statements.clear();
    this.#db = db;
    return this.#isAnother = true;
  }

  #transact<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    this.#depth++;
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.#db.exec("ROLLBACK");
      } catch {
        // SQLite has already rolled back, as it does when the disk is full.
      }
      throw error;
    } finally {
      this.#depth--;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }
}

function open(directory: string): DatabaseSync {
  const file = databaseOf(directory);
  try {
    return connect(file);
  } catch (error) {
    throw new UserError(`Cannot open the state ${file}: ${messageOf(error)}`, 69);
  }
}

/** Statements that are iterated over. Before Deno 2.9 an iterator does not keep its own alive, and reading on crashes the process. */
const iterated = new Set<StatementSync>();

/** The rows of a statement, one after the other. */
export function* iterate<Row>(statement: StatementSync, ...values: Value[]): Generator<Row> {
  iterated.add(statement);
  try {
    yield* statement.iterate(...values) as IterableIterator<Row>;
  } finally {
    iterated.delete(statement);
  }
}
