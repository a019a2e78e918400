/**
 * Lets one monitor run on a state: SQLite's write lock on a file of its own, which the kernel drops
 * with the process. A reader of the file delays nobody.
 */
import type { DatabaseSync } from "node:sqlite";
import { messageOf, tried, UserError } from "../core/error.ts";
import { identityAt } from "../core/file_identity.ts";
import { lockOf } from "../core/state_files.ts";
import { openPrivate, stateError } from "./connect.ts";

/** Proves that this process is the state's only monitor; the lock ends with the process. */
export interface Lock {
  /** Retakes the lock if its file is gone, replaced or was read-only. Throws `UserError` (69). */
  look(): void;
  release(): void;
}

/** Milliseconds that a start waits for the lock: askers hold it only for an instant. */
const PATIENCE = 1_000;
/** Milliseconds that an asker waits: other askers are done by then, a monitor is not. */
const ASKING = 20;

/**
 * Takes the monitor's lock on the state in `directory`; null: another process has it. Throws
 * `UserError` (69) if the directory is unusable.
 */
export function takeLock(directory: string): Lock | null {
  let held = hold(directory);
  if (held === null) return null;
  return {
    look() {
      if (held!.excludes && identityAt(lockOf(directory)) === held!.identity) return;
      const next = remake(directory);
      if (next === "impossible") return;
      if (next === null) throw new UserError(`Another monitor has taken the state ${directory}`, 69);
      held!.db.close();
      held = next;
    },
    release: () => held!.db.close(),
  };
}

/** Reports whether the lock's file exists. */
export function hasLockFile(directory: string): boolean {
  return identityAt(lockOf(directory)) !== null;
}

/** Reports whether a monitor has the lock. Asking delays no other asker and no monitor. */
export function isLocked(directory: string): boolean {
  if (!hasLockFile(directory)) return false;
  try {
    const db = unlessBusy(() => acquire(directory, ASKING));
    db?.close();
    return db === null;
  } catch (error) {
    throw stateError("read the lock of", directory, error);
  }
}

/** A lock, and whether it keeps others out: on a read-only disk it does not. */
interface Held {
  readonly db: DatabaseSync;
  readonly identity: string | null;
  readonly excludes: boolean;
}

/** Takes the lock; null: another has it. Only an exclusive lock is seen on a read-only disk. */
function hold(directory: string): Held | null {
  try {
    // A reader keeps the exclusive lock away.
    const db = unlessBusy(() => acquire(directory, PATIENCE, "EXCLUSIVE")) ?? acquire(directory, ASKING);
    const excludes = tried(() => (db.exec("PRAGMA user_version = 1"), true)) ?? false;
    return { db, identity: identityAt(lockOf(directory)), excludes };
  } catch (error) {
    if (isBusy(error)) return null;
    throw stateError("lock", directory, error);
  }
}

/** Remakes the lock's file. If this process cannot, nobody else can. */
function remake(directory: string): ReturnType<typeof hold> | "impossible" {
  try {
    return hold(directory);
  } catch {
    return "impossible";
  }
}

/** Locks, or throws what SQLite throws. A journal in memory locks an empty file without a write. */
function acquire(directory: string, patience: number, kind = "IMMEDIATE"): DatabaseSync {
  return openPrivate(lockOf(directory), (db) => {
    db.exec(`PRAGMA busy_timeout = ${patience}; PRAGMA journal_mode = MEMORY; BEGIN ${kind}`);
  });
}

function unlessBusy<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (isBusy(error)) return null;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return /locked|busy/.test(messageOf(error));
}
