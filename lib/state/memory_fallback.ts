import type { DatabaseSync } from "node:sqlite";
import { queryNumber, transact } from "./sqlite.ts";

/** Answers to SQLite about conflicting changes. */
const [OMIT, REPLACE] = [0, 1];
/** Kinds of conflicts (`SQLITE_CHANGESET_…`): a row with other values, and one that exists. */
const [DATA, CONFLICT] = [1, 3];

/** State in memory while the file cannot be written, with its changes since. */
export class MemoryFallback {
  readonly #session: ReturnType<DatabaseSync["createSession"]>;
  readonly #lastChange: number;
  readonly #lastId: number;
  readonly #memory: DatabaseSync;
  /** Initial size in bytes. */
  readonly #size: number;

  /** @param memory a copy of the file, without lines */
  constructor(memory: DatabaseSync) {
    this.#memory = memory;
    this.#lastChange = queryNumber(memory, "SELECT ifnull(max(change), 0) FROM ban")!;
    this.#lastId = queryNumber(memory, "SELECT ifnull(max(id), 0) FROM ban")!;
    this.#size = sizeOf(memory);
    this.#session = memory.createSession();
  }

  /** Reports whether growth takes less than `most` bytes. */
  isBelow(most: number, memory: DatabaseSync): boolean {
    return sizeOf(memory) - this.#size < most;
  }

  /** Ends the session. Call it before memory is closed, as SQLite frees the session's data then. */
  close(): void {
    this.#session.close();
  }

  /**
   * Writes the changes in memory into the former state, in one transaction. Changes by commands
   * there stay, with numbers behind those given in memory. Throws what SQLite throws, and has then
   * written nothing.
   */
  writeTo(db: DatabaseSync): void {
    const query = "SELECT max(ifnull(max(change), 0), ifnull(max(id), 0)) FROM ban";
    const highest = queryNumber(this.#memory, query)!;
    transact(db, () => {
      db.prepare("UPDATE ban SET change = -change - ? WHERE change > ?").run(highest, this.#lastChange);
      db.prepare("UPDATE ban SET id = -id - ? WHERE id > ?").run(highest, this.#lastId);
      db.prepare("UPDATE ban SET id = -id WHERE id < 0").run();
      db.prepare("UPDATE ban SET change = -change WHERE change < 0").run();
      const isWritten = db.applyChangeset(this.#session.changeset(), {
        onConflict: (kind: number) => kind === DATA || kind === CONFLICT ? REPLACE : OMIT,
      });
      if (!isWritten) throw new Error("the changes made in memory do not fit the state");
    });
  }
}

function sizeOf(db: DatabaseSync): number {
  return queryNumber(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")!;
}
