/**
 * Recovers the state of a running monitor from faults of its file:
 *
 *   no state, or cut short    set aside by name and date; a new file with all that can be read of it
 *   removed, or overwritten   the same, out of the connection that is still open
 *   cannot be written now     a state in memory; its changes are written as soon as they can be
 *
 * Each is logged as an error, once. Banning goes on in all of them.
 */
import type { DatabaseSync } from "node:sqlite";
import { messageOf, UserError } from "../core/error.ts";
import { lookAt } from "../core/file_identity.ts";
import type { Log } from "../core/log.ts";
import { databaseOf, markMemory } from "../core/state_files.ts";
import {
  close,
  connect,
  connectSound,
  faultOf,
  inMemory,
  openAsItIs,
  PATIENCE,
  stateError,
} from "./connect.ts";
import { adoptFresh, freshOf, isUnused, removeAll, setAside } from "./fresh_file.ts";
import { MemoryFallback } from "./memory_fallback.ts";
import { type Salvage, salvage } from "./salvage.ts";
import { StateFile } from "./state_file.ts";

/** Milliseconds between two tries to leave memory. */
const BETWEEN_RETURNS = 2_000;
/** Most sentences remembered. */
const MOST_LOSSES = 10;
/** Most bytes of lines in memory. */
const MOST_IN_MEMORY = 64 << 20;

/** Replaces the connection of a monitor's database when its file fails. */
export class FileRecovery {
  readonly #directory: string;
  readonly #log: Log;
  /** The file in use, behind earlier ones. */
  readonly #files: StateFile[] = [];
  #fallback: MemoryFallback | null = null;
  #nextReturn = 0;
  /** Whether the last look could not make a new file: somebody may still be removing its directory. */
  #isPutOff = false;
  #hasLoss = false;
  readonly #losses: string[] = [];
  /** Whether the log has the error that lines are not recorded. */
  #isLossLogged = false;

  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /** Reports, once per loss, whether bans may be lost, so that the firewall's must be adopted. */
  takeLoss(): boolean {
    const hasLoss = this.#hasLoss;
    this.#hasLoss = false;
    return hasLoss;
  }

  /** The last sentences about losses of the file since the start. */
  get losses(): readonly string[] {
    return this.#losses;
  }

  /** Returns the first connection. Throws `UserError` (69). */
  open(): DatabaseSync {
    const file = databaseOf(this.#directory);
    if (lookAt(freshOf(file)) !== null && isUnused(file) && adoptFresh(file)) {
      this.#lost(`The state ${file} was being replaced when the program ended: going on with the new one`);
    }
    const size = lookAt(file)?.size;
    try {
      const db = connectSound(file);
      // An unfinished new file must never replace later ones.
      removeAll(freshOf(file));
      markMemory(this.#directory, false);
      if (size === 0) this.#lost(`The state ${file} was empty: beginning anew`);
      this.#files.push(new StateFile(file));
      return db;
    } catch (error) {
      const fault = faultOf(error);
      if (fault === null || isForbidden(file)) {
        throw stateError("open", file, error);
      }
      const old = openAsItIs(file);
      // A state that is writable later must not be taken for an empty one.
      if (fault === "unwritable" && old === null && size !== 0) {
        throw stateError("read", file, error);
      }
      return this.#recover(old, fault, messageOf(error));
    }
  }

  /** Returns a connection to use after `error`, and closes `db`; null: throw the error. */
  replace(db: DatabaseSync, error: unknown): DatabaseSync | null {
    const fault = faultOf(error, db);
    if (fault === null || this.#fallback !== null) return null;
    return this.#recover(db, fault, messageOf(error));
  }

  /** Returns a better connection, and closes `db`; null: none. Throws `UserError` (69). */
  look(db: DatabaseSync): DatabaseSync | null {
    if (this.#fallback !== null) return this.#leaveMemory(db, this.#fallback);
    const file = this.#files.at(-1);
    const fault = file?.fault() ?? null;
    if (fault === null) return null;
    if (file!.isReplaced) {
      throw new UserError(
        `The state ${databaseOf(this.#directory)} was replaced by another: start again to use it`,
        69,
      );
    }
    const rebuilt = this.#rebuild(db, fault);
    this.#isPutOff = rebuilt === null && !this.#isPutOff;
    // Memory takes no lines, and the open file still has them: try once more.
    return this.#isPutOff ? null : rebuilt ?? this.#goToMemory(db, fault);
  }

  /** Whether the connection is to memory only. */
  get isInMemory(): boolean {
    return this.#fallback !== null;
  }

  /** Reports whether lines can be written: memory has limited room. */
  hasRoom(db: DatabaseSync): boolean {
    if (this.#fallback === null || this.#fallback.isBelow(MOST_IN_MEMORY, db)) return true;
    if (!this.#isLossLogged) {
      this.#log.error("There is no room for lines in memory either: they are not recorded, bans go on");
    }
    this.#isLossLogged = true;
    return false;
  }

  /** Closes `db`, the last connection, and ends. */
  close(db: DatabaseSync): void {
    this.#closeConnection(db);
    for (const file of this.#files) file.close();
  }

  /** Closes a connection, and leaves memory if it is the connection to it. */
  #closeConnection(db: DatabaseSync | null): void {
    if (this.#fallback !== null) markMemory(this.#directory, false);
    this.#fallback?.close();
    this.#fallback = null;
    close(db);
  }

  #recover(old: DatabaseSync | null, fault: "damaged" | "unwritable", why: string): DatabaseSync {
    return (fault === "damaged" ? this.#rebuild(old, why) : null) ?? this.#goToMemory(old, why);
  }

  /**
   * Makes a new file of the readable rows of `old`, closes `old`, and puts the file in place;
   * continues in memory if the file is only readable. Null, with `old` open: failed. Throws
   * `UserError` (69).
   */
  #rebuild(old: DatabaseSync | null, why: string): DatabaseSync | null {
    const file = databaseOf(this.#directory);
    const fresh = freshOf(file);
    let saved: Salvage;
    try {
      Deno.mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      removeAll(fresh);
      const db = connect(fresh);
      try {
        saved = salvage(old, db, { lines: true });
      } finally {
        db.close();
      }
    } catch {
      removeAll(fresh);
      return null;
    }
    const aside = setAside(file);
    try {
      Deno.renameSync(fresh, file);
    } catch {
      // The next try to leave memory, or the next start, finds it; memory makes a newer one.
      if (this.#fallback !== null) removeAll(fresh);
      return null;
    }
    // Closing removes the files beside the old file's name: do it before opening the new one.
    this.#closeConnection(old);
    let db: DatabaseSync;
    try {
      db = connect(file);
    } catch (error) {
      const whole = openAsItIs(file);
      if (whole === null) throw stateError("open", file, error);
      return this.#goToMemory(whole, messageOf(error));
    }
    this.#files.push(new StateFile(file));
    const kept = aside === null ? "" : `, the old one is kept as ${aside}`;
    this.#lost(
      `The state ${file} is damaged (${why}): beginning a new one with ${countsText(saved)}${kept}`,
      saved,
    );
    return db;
  }

  /** Copies all of `old` but its lines into memory, and closes `old`. */
  #goToMemory(old: DatabaseSync | null, why: string): DatabaseSync {
    const memory = inMemory();
    const saved = salvage(old, memory, { lines: false });
    this.#closeConnection(old);
    this.#fallback = new MemoryFallback(memory);
    markMemory(this.#directory, true);
    this.#isLossLogged = false;
    this.#nextReturn = performance.now() + BETWEEN_RETURNS;
    this.#complain(
      `The state ${databaseOf(this.#directory)} cannot be written (${why}): going on in memory with ` +
        `${countsText(saved)}; bans hold, and what comes is written as soon as it can be`,
    );
    if (!saved.isWhole) this.#hasLoss = true;
    return memory;
  }

  /** Leaves memory if the file can be written again; null: it cannot yet. */
  #leaveMemory(memory: DatabaseSync, fallback: MemoryFallback): DatabaseSync | null {
    if (performance.now() < this.#nextReturn) return null;
    this.#nextReturn = performance.now() + BETWEEN_RETURNS;
    const file = databaseOf(this.#directory);
    if (lookAt(file) === null && !adoptFresh(file)) return this.#rebuild(memory, "somebody removed it");
    let db: DatabaseSync | null = null;
    try {
      db = connect(file);
      // Who has locked it may do so for long.
      db.exec("PRAGMA busy_timeout = 100");
      fallback.writeTo(db);
      db.exec(`PRAGMA busy_timeout = ${PATIENCE}`);
    } catch (error) {
      db?.close();
      if (faultOf(error) === "damaged") return this.#rebuild(memory, messageOf(error));
      return null;
    }
    const lines = this.#isLossLogged ? ", but for the lines for which memory had no room" : "";
    this.#log.info(`the state ${file} can be written again: all that came meanwhile is in it${lines}`);
    this.#closeConnection(memory);
    this.#files.push(new StateFile(file));
    return db;
  }

  #lost(sentence: string, saved?: Salvage): void {
    this.#complain(sentence);
    if (!saved?.isWhole) this.#hasLoss = true;
  }

  #complain(sentence: string): void {
    this.#log.error(sentence);
    this.#losses.push(sentence);
    if (this.#losses.length > MOST_LOSSES) this.#losses.shift();
  }
}

function countsText({ rows }: Salvage): string {
  return `${rows.ban} bans, ${rows.position} positions, ${rows.whitelist} whitelist entries and ${rows.note} rows of counters`;
}

/** Reports whether this user may not write a file, even with room. */
function isForbidden(file: string): boolean {
  try {
    Deno.openSync(file, { write: true }).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
  }
}
