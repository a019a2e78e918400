import type { DatabaseSync } from "node:sqlite";

/** SQLite's answers to a change that does not fit what is there. */
const [OMIT, REPLACE] = [0, 1];
/** Kinds of such changes (`SQLITE_CHANGESET_…`): of a row that has other values, and of one that is there already. */
const [DATA, CONFLICT] = [1, 3];

/** A state in memory while the file cannot be written, and what has changed in it since. */
export class Refuge {
  readonly #session: ReturnType<DatabaseSync["createSession"]>;
  readonly #lastChange: number;
  readonly #lastId: number;
  readonly #memory: DatabaseSync;
  /** Bytes that it had at first. */
  readonly #size: number;

  /** @param memory a copy of the file, without lines */
  constructor(memory: DatabaseSync) {
    this.#memory = memory;
    this.#lastChange = number(memory, "SELECT ifnull(max(change), 0) AS n FROM ban");
    this.#lastId = number(memory, "SELECT ifnull(max(id), 0) AS n FROM ban");
    this.#size = sizeOf(memory);
    this.#session = memory.createSession();
  }

  /** Reports whether what came takes less than `most` bytes. */
  isBelow(most: number, memory: DatabaseSync): boolean {
    return sizeOf(memory) - this.#size < most;
  }

  /** Ends; to be called before the state in memory is closed: SQLite frees what the session still points to. */
  close(): void {
    this.#session.close();
  }

  /**
   * Writes what has changed in memory into a state of before, in one transaction. What commands wrote there meanwhile stays, with
   * numbers behind those given in memory. Throws what SQLite throws, and then has written nothing.
   */
  writeTo(db: DatabaseSync): void {
    const highest = number(
      this.#memory,
      "SELECT max(ifnull(max(change), 0), ifnull(max(id), 0)) AS n FROM ban",
    );
    db.exec("BEGIN IMMEDIATE");
    try {
      db.prepare("UPDATE ban SET change = -change - ? WHERE change > ?").run(highest, this.#lastChange);
      db.prepare("UPDATE ban SET id = -id - ? WHERE id > ?").run(highest, this.#lastId);
      db.prepare("UPDATE ban SET id = -id WHERE id < 0").run();
      db.prepare("UPDATE ban SET change = -change WHERE change < 0").run();
      const isWritten = db.applyChangeset(this.#session.changeset(), {
        onConflict: (kind: number) => kind === DATA || kind === CONFLICT ? REPLACE : OMIT,
      });
      if (!isWritten) throw new Error("the changes made in memory do not fit the state");
      db.exec("COMMIT");
    } catch (error) {
      try {
        db.exec("ROLLBACK");
      } catch {
        // SQLite has already rolled back.
      }
      throw error;
    }
  }
}

function sizeOf(db: DatabaseSync): number {
  return number(db, "SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size");
}

function number(db: DatabaseSync, sql: string): number {
  return (db.prepare(sql).get() as { n: number }).n;
}
