/**
 * Connections to the file of the state, and what their errors mean. Comes in: a file. Goes out: a connection with all tables as
 * this program has them.
 */
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../core/error.ts";
import { migrate } from "./schema.ts";

/** A head that tells of more is damaged itself. */
const MOST_LENGTH = 2 ** 40;

/** Connects to a file, made where it is missing, and brings its tables up to date. Throws what SQLite throws. */
export function connect(file: string): DatabaseSync {
  makePrivate(file);
  const db = new DatabaseSync(file);
  try {
    // NORMAL in WAL mode loses no committed batch when the program dies; after a power cut it may undo the
    // last ones, together with their position, so that their lines are read again.
    db.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    // Pages of the log that a flood fills again and again are copied back once, not each time: 16 MiB.
    db.exec("PRAGMA wal_autocheckpoint = 4000");
    migrate(db);
    return db;
  } catch (error) {
    const cause = causeOf(error, db);
    db.close();
    throw cause;
  }
}

/** Reads what a monitor cannot do without: damage is found at once, not in the middle of the night. */
const PROBE = ["meta", "position", "whitelist", "knock_key", "login", "session", "ban", "note_group", "note"]
  .map((table) => `SELECT count(*) FROM ${table} NOT INDEXED`).join("; ");

/** Connects as `connect()` does, to a file in which a monitor can read all that it needs. Throws what SQLite throws. */
export function connectSound(file: string): DatabaseSync {
  const db = connect(file);
  try {
    db.exec(PROBE);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Connects to a file and changes nothing of it, but that one cut short gets its length back; null where SQLite takes it for no
 * database.
 */
export function openAsItIs(file: string): DatabaseSync | null {
  let db: DatabaseSync | null = null;
  try {
    lengthen(file);
    db = new DatabaseSync(file);
    // Memory of its own in place of the file `-shm`, for which there may be no room.
    db.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 1000; SELECT count(*) FROM sqlite_schema",
    );
    return db;
  } catch {
    close(db);
    return null;
  }
}

/** SQLite reads nothing of a file that is shorter than its head says. Zeros in place of what is missing take no room. */
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
  try {
    db?.close();
  } catch {
    // What could be read of it has been.
  }
}

/** A database in memory with all tables. */
export function inMemory(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  migrate(db);
  return db;
}

/** Before Deno 2.9 a statement that cannot be prepared does not tell why; what reads the schema does. */
function causeOf(error: unknown, db: DatabaseSync): unknown {
  if (!/failed to prepare/.test(messageOf(error))) return error;
  try {
    db.exec("SELECT count(*) FROM sqlite_schema");
    return error;
  } catch (cause) {
    return cause;
  }
}

/** What an error says about the file: its content is no state; or it cannot be written. Null: it is about something else. */
export function faultOf(error: unknown, db: DatabaseSync | null = null): "damaged" | "unwritable" | null {
  const message = messageOf(db === null ? error : causeOf(error, db));
  if (/not a database|malformed|no such table/.test(message)) return "damaged";
  return /disk is full|disk I\/O error|readonly database/.test(message) ? "unwritable" : null;
}

/** Makes `file`, unless it exists, for its owner alone. SQLite gives the files beside it the same mode. */
export function makePrivate(file: string): void {
  try {
    Deno.openSync(file, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}
