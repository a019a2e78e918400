/**
 * Copies SQLite's write-ahead log into the state's file. SQLite would do that within a commit, and
 * nothing else runs until the disk has all of it: 25 ms for 16 MiB, half a second on a disk that
 * others use. Here other threads wait for the disk, and commits go on:
 *
 *   1  a reader pins the log's present end    so that the next copy is a part: SQLite waits for none
 *   2  the log goes to the disk               another thread waits
 *   3  the log is copied up to the pinned end
 *   4  the file goes to the disk              another thread waits
 *   5  the rest is copied                     SQLite itself waits, for little
 *
 * SQLite decides alone when to use the log from its beginning again: a crash at any instant loses
 * nothing.
 */
import { DatabaseSync } from "node:sqlite";

/** What a checkpoint works on. */
export interface CheckpointParts {
  /** The state's file. */
  readonly path: string;
  readonly db: DatabaseSync;
  /** Writes the file to the disk. */
  readonly sync: () => Promise<void>;
  /** Reports whether `db` is still in use. */
  readonly isInUse: () => boolean;
}

/** Copies the log into the file, or a part if others read. Throws what SQLite and Deno throw. */
export async function checkpoint({ path, db, sync, isInUse }: CheckpointParts): Promise<void> {
  const copy = () => {
    if (isInUse()) db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  };
  // Another process may have removed the file: a writer would make a new one, and delete its log.
  const reader = new DatabaseSync(path, { readOnly: true });
  try {
    reader.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
    using log = Deno.openSync(`${path}-wal`);
    await log.syncData();
    copy();
    await sync();
  } finally {
    reader.close();
  }
  copy();
}
