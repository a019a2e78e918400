/**
 * Names of a state's files. SQLite locks them, and when a process closes any descriptor of a file,
 * the kernel drops all locks of the process on it (fcntl(2)): no other part of a monitor may read
 * them.
 */
import { tried } from "./error.ts";
import { identityAt, identityOf } from "./file_identity.ts";

/** SQLite's own files beside a database, by the suffixes of its name. */
export const SIDES = ["", "-wal", "-shm"] as const;

/** Returns the database of the state in `directory`. */
export function databaseOf(directory: string): string {
  return `${directory}/state.db`;
}

/** Returns the file that lets only one monitor use the state in `directory`. */
export function lockOf(directory: string): string {
  return `${directory}/lock.db`;
}

/** Returns the empty file that exists while a monitor keeps the state in `directory` in memory. */
function memoryMarkOf(directory: string): string {
  return `${directory}/in-memory`;
}

/** Reports whether the monitor that runs keeps its state in memory, as the file cannot be written. */
export function hasMemoryMark(directory: string): boolean {
  return identityAt(memoryMarkOf(directory)) !== null;
}

/** Tells commands whether the state is kept in memory. A full disk has room for an empty file. */
export function markMemory(directory: string, isInMemory: boolean): void {
  const mark = memoryMarkOf(directory);
  // There may be no mark to remove. If nobody may write there, the log has the error.
  tried(() => isInMemory ? Deno.writeTextFileSync(mark, "", { mode: 0o600 }) : Deno.removeSync(mark));
}

/** Returns the files of the state in `directory` that SQLite locks. */
export function lockedFiles(directory: string): string[] {
  return [lockOf(directory), ...SIDES.map((side) => databaseOf(directory) + side)];
}

/** Directories of the states that nobody in this process may read by another way. */
const guarded = new Set<string>();

/** Why a file that `isGuarded()` is not read. */
export const GUARDED = "it is a file of the state: reading it would end its locks";

/** Guards the files of the state in `directory`, whatever links lead to them. */
export function guardState(directory: string): void {
  guarded.add(directory);
}

/** Reports whether a file is one of a guarded state. */
export function isGuarded(file: Pick<Deno.FileInfo, "dev" | "ino">): boolean {
  const identity = identityOf(file);
  return guarded.values().some((directory) =>
    lockedFiles(directory).some((path) => identityAt(path) === identity)
  );
}
