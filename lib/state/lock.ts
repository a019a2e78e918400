/**
 * Proof that one monitor runs on a state, and no more: SQLite's write lock on a file of its own, which the kernel drops with the
 * process. A reader of the file holds up nobody.
 */
import { DatabaseSync } from "node:sqlite";
import { messageOf, UserError } from "../core/error.ts";
import { identityAt } from "../core/file_identity.ts";
import { lockOf } from "../core/state_files.ts";
import { makePrivate } from "./connect.ts";

/** Proof that this process is the only monitor on a state; it ends with the process, however that dies. */
export interface Lock {
  /** Takes the lock anew where somebody removed or replaced its file. Throws `UserError` (69) when another monitor was faster. */
  look(): void;
  release(): void;
}

/** Milliseconds that a start waits for the lock: whoever only asks whether a monitor runs is done at once. */
const PATIENCE = 1_000;
/** Milliseconds that an asker waits: another one is done at once, a monitor never. */
const ASKING = 20;

/**
 * Takes the monitor's lock on the state in `directory`; null when another process holds it. Throws `UserError` (69)
 * when the directory cannot be used.
 */
export function takeLock(directory: string): Lock | null {
  let held = hold(directory);
  if (held === null) return null;
  return {
    look() {
      if (identityAt(lockOf(directory)) === held!.identity) return;
      const next = remake(directory);
      if (next === "nowhere") return;
      if (next === null) throw new UserError(`Another monitor has taken the state ${directory}`, 69);
      held!.db.close();
      held = next;
    },
    release: () => held!.db.close(),
  };
}

/** Reports whether the lock's file is there. */
export function hasLockFile(directory: string): boolean {
  return identityAt(lockOf(directory)) !== null;
}

/** Reports whether a monitor holds the lock on the state in `directory`. Asking keeps no other asker and no monitor out. */
export function isLocked(directory: string): boolean {
  if (!hasLockFile(directory)) return false;
  try {
    acquire(directory, ASKING)?.close();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw new UserError(`Cannot read the lock of the state ${directory}: ${messageOf(error)}`, 69);
  }
}

function hold(directory: string): { db: DatabaseSync; identity: string | null } | null {
  try {
    return { db: acquire(directory, PATIENCE), identity: identityAt(lockOf(directory)) };
  } catch (error) {
    if (isBusy(error)) return null;
    throw new UserError(`Cannot lock the state ${directory}: ${messageOf(error)}`, 69);
  }
}

/** Where no file can be made, nobody else can make one either. */
function remake(directory: string): ReturnType<typeof hold> | "nowhere" {
  try {
    return hold(directory);
  } catch {
    return "nowhere";
  }
}

/** Throws what SQLite throws. A journal in memory keeps the lock of an empty file from writing, which a full disk would refuse. */
function acquire(directory: string, patience: number): DatabaseSync {
  const file = lockOf(directory);
  makePrivate(file);
  const db = new DatabaseSync(file);
  try {
    db.exec(`PRAGMA busy_timeout = ${patience}; PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return /locked|busy/.test(messageOf(error));
}
