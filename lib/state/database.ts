import { DatabaseSync, type StatementSync } from "node:sqlite";
import { messageOf, UserError } from "../core/error.ts";
import { migrate } from "./schema.ts";

/** A value that SQLite stores. */
export type Value = string | number | null | Uint8Array;

/**
 * One connection to `<directory>/state.db`, the tables made or brought up to date. Statements are
 * prepared once. Any number of processes may have it open; writers wait for each other up to 5 s.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  /** Throws `UserError` (69) when the directory cannot be used. */
  constructor(readonly directory: string) {
    const file = `${directory}/state.db`;
    try {
      makePrivate(file);
      this.#db = new DatabaseSync(file);
      // NORMAL in WAL mode loses no committed batch when the program dies; after a power cut it may undo the
      // last ones, together with their position, so that their lines are read again.
      this.#db.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      // Pages of the log that a flood fills again and again are copied back once, not each time: 16 MiB.
      this.#db.exec("PRAGMA wal_autocheckpoint = 4000");
      migrate(this.#db);
    } catch (error) {
      throw new UserError(`Cannot open the state ${file}: ${messageOf(error)}`, 69);
    }
  }

  /** All rows of a query. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** The rows of a query one after the other: for more than one would hold at once. */
  *each<Row>(sql: string, ...values: Value[]): Generator<Row> {
    // A statement of its own: before Deno 2.9 one could be iterated over only once.
    const statement = this.#db.prepare(sql);
    yield* statement.iterate(...values) as IterableIterator<Row>;
  }

  /** The first row of a query, or null. */
  get<Row>(sql: string, ...values: Value[]): Row | null {
    return (this.#prepare(sql).get(...values) as Row | undefined) ?? null;
  }

  /** Runs a statement; returns how many rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Runs `work` in one write transaction: all of it happens or, when it throws, nothing. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
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

  close(): void {
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }
}

/** Makes `file`, unless it exists, for its owner alone. SQLite gives the files beside it the same mode. */
function makePrivate(file: string): void {
  try {
    Deno.openSync(file, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Proof that this process is the only monitor on a state; it ends with the process, however that dies. */
export interface Lock {
  release(): void;
}

/**
 * Takes the monitor's lock on the state in `directory`; null when another process holds it. Throws `UserError` (69)
 * when the directory cannot be used.
 */
export function takeLock(directory: string): Lock | null {
  let db: DatabaseSync | null = null;
  try {
    makePrivate(`${directory}/lock.db`);
    db = new DatabaseSync(`${directory}/lock.db`);
    // Whoever only asks whether a monitor runs is done at once.
    db.exec("PRAGMA busy_timeout = 1000; BEGIN EXCLUSIVE");
    return { release: () => db!.close() };
  } catch (error) {
    db?.close();
    if (/locked|busy/.test(messageOf(error))) return null;
    throw new UserError(`Cannot lock the state ${directory}: ${messageOf(error)}`, 69);
  }
}

/** Whether a monitor holds the lock on the state in `directory`. Asking keeps no other asker and no monitor out. */
export function isLocked(directory: string): boolean {
  let db: DatabaseSync | null = null;
  try {
    makePrivate(`${directory}/lock.db`);
    db = new DatabaseSync(`${directory}/lock.db`);
    db.exec("PRAGMA busy_timeout = 0; SELECT count(*) FROM sqlite_master");
    return false;
  } catch (error) {
    if (/locked|busy/.test(messageOf(error))) return true;
    throw new UserError(`Cannot read the lock of the state ${directory}: ${messageOf(error)}`, 69);
  } finally {
    db?.close();
  }
}
