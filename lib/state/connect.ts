/** Opens connections to the state's file, with all tables, and interprets SQLite's errors. */
import { DatabaseSync } from "node:sqlite";
import { messageOf, tried, UserError } from "../core/error.ts";
import { migrate } from "./schema.ts";

/** Milliseconds to wait for another program that writes. */
export const PATIENCE = 5_000;
/** Bytes of the log (`state.db-wal`) that stay once all is copied back. */
const MOST_KEPT = 32 << 20;
/** A head with a larger length is damaged itself. */
const MOST_LENGTH = 2 ** 40;

/**
 * Opens a file, made if missing for its owner only, and sets the connection up. Throws what SQLite
 * throws, and has then closed it.
 */
export function openPrivate(file: string, setUp: (db: DatabaseSync) => void): DatabaseSync {
  makePrivate(file);
  const db = new DatabaseSync(file);
  try {
    setUp(db);
    return db;
  } catch (error) {
    const cause = causeOf(error, db);
    db.close();
    throw cause;
  }
}

/** Connects to a file, migrates its tables, and runs the queries of `probe`. */
export function connect(file: string, probe = ""): DatabaseSync {
  return openPrivate(file, (db) => {
    // NORMAL in WAL mode loses no committed batch when the program dies; after a power cut it may
    // undo the last ones, together with their position, so that their lines are read again.
    db.exec(`PRAGMA busy_timeout = ${PATIENCE}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`);
    // Pages of the log that a flood fills again and again are copied back once, not each time:
    // 16 MiB.
    db.exec("PRAGMA wal_autocheckpoint = 4000");
    // While a reader's transaction lasts, SQLite copies nothing back and the log grows. Afterwards it
    // would keep its size until the last connection closes.
    db.exec(`PRAGMA journal_size_limit = ${MOST_KEPT}`);
    migrate(db);
    db.exec(probe);
  });
}

/** Reads everything a monitor needs, so that it finds damage at the start. */
const PROBE = ["meta", "position", "whitelist", "knock_key", "login", "session", "ban", "note_group", "note"]
  .map((table) => `SELECT count(*) FROM ${table} NOT INDEXED`).join("; ");

/** Connects as `connect()` does, and reads all that a monitor needs. Throws what SQLite throws. */
export function connectSound(file: string): DatabaseSync {
  return connect(file, PROBE);
}

/** Opens a file and changes only its length if it was cut short. Null: SQLite finds no database. */
export function openAsItIs(file: string): DatabaseSync | null {
  let db: DatabaseSync | null = null;
  try {
    lengthen(file);
    db = new DatabaseSync(file);
    // Private memory replaces the file `-shm`, for which there may be no room.
    db.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 1000; SELECT count(*) FROM sqlite_schema",
    );
    return db;
  } catch {
    close(db);
    return null;
  }
}

/** Restores the length in a file's head, which SQLite demands. The zeros take no room. */
function lengthen(file: string): void {
  const head = new Uint8Array(100);
  using opened = Deno.openSync(file);
  if (opened.readSync(head) !== head.length) return;
  const view = new DataView(head.buffer);
  const page = view.getUint16(16);
  const length = (page === 1 ? 65_536 : page) * view.getUint32(28);
  if (opened.statSync().size < length && length < MOST_LENGTH) Deno.truncateSync(file, length);
}

/** Closes a connection that may be damaged. */
export function close(db: DatabaseSync | null): void {
  tried(() => db?.close());
}

/** Returns a database in memory with all tables. */
export function inMemory(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  migrate(db);
  return db;
}

/** Returns an error's cause. Before Deno 2.9 only a read of the schema tells of bad statements. */
function causeOf(error: unknown, db: DatabaseSync): unknown {
  if (!/failed to prepare/.test(messageOf(error))) return error;
  try {
    db.exec("SELECT count(*) FROM sqlite_schema");
    return error;
  } catch (cause) {
    return cause;
  }
}

/** Returns the file's fault in an error: it is no state, or cannot be written now. Null: neither. */
export function faultOf(error: unknown, db: DatabaseSync | null = null): "damaged" | "unwritable" | null {
  const message = messageOf(db === null ? error : causeOf(error, db));
  if (/not a database|malformed|no such table/.test(message)) return "damaged";
  return /disk is full|disk I\/O error|readonly database|database is locked/.test(message)
    ? "unwritable"
    : null;
}

/** Remedies by SQLite's words. */
const REMEDIES: readonly (readonly [words: RegExp, remedy: string])[] = [
  [
    /not a database|malformed|no such table/,
    "the monitor makes a new one of all that can be read when it starts",
  ],
  [
    /unable to open|readonly/,
    "let the monitor's user own it and its directory, on a disk mounted for writing",
  ],
  [
    /database is locked/,
    "something else, such as a backup or a monitor that hangs, has written to it for 5 s: try again",
  ],
  [/disk is full|disk I\/O error/, "see by df whether its disk is full, and by dmesg whether it fails"],
];

/** Makes the error that the state cannot be used: `Cannot open the state FILE: ...; remedy`. */
export function stateError(deed: string, file: string, error: unknown): UserError {
  const message = messageOf(error);
  const remedy = REMEDIES.find(([words]) => words.test(message))?.[1];
  return new UserError(`Cannot ${deed} the state ${file}: ${message}${remedy ? `; ${remedy}` : ""}`, 69);
}

/** Makes `file`, if missing. SQLite gives files beside it the same mode. */
function makePrivate(file: string): void {
  try {
    Deno.openSync(file, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}
