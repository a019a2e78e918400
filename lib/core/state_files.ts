/**
 * The files of a state by their names. SQLite locks them, and when a process closes any descriptor of
 * a file, the kernel drops all locks that the process has on it (fcntl(2)): nobody else in a monitor
 * may read them.
 */

/** SQLite's own files beside a database, by what they add to its name. */
export const SIDES = ["", "-wal", "-shm"] as const;

/** The database of the state in `directory`. */
export function databaseOf(directory: string): string {
  return `${directory}/state.db`;
}

/** The file of the state in `directory` by which one monitor keeps others out. */
export function lockOf(directory: string): string {
  return `${directory}/lock.db`;
}

/** The files of the state in `directory` that SQLite locks. */
export function lockedFiles(directory: string): string[] {
  return [lockOf(directory), ...SIDES.map((side) => databaseOf(directory) + side)];
}
