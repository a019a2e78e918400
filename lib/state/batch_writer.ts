import type { NewBan } from "../deciding/ban.ts";
import type { Knock } from "../deciding/knock.ts";
import type { LoginUpdate } from "../deciding/logins.ts";
import type { BatchNotes } from "../rules/note_batch.ts";
import type { BanTable } from "./ban_table.ts";
import type { Database } from "./database.ts";
import type { KnockTable } from "./knock_table.ts";
import { LineIndex } from "./line_index.ts";
import { LogLines } from "./log_lines.ts";
import type { LogTable } from "./log_table.ts";
import type { LoginTable } from "./login_table.ts";
import type { NoteTable } from "./note_table.ts";
import { Rollups, type RollupTable } from "./rollup_table.ts";

/** The tables that a batch changes. */
export interface BatchTables {
  readonly log: LogTable;
  readonly notes: NoteTable;
  readonly logins: LoginTable;
  readonly bans: BanTable;
  readonly knocks: KnockTable;
  readonly rollups: RollupTable;
}

/** Contents of one commit beside the lines. */
export interface BatchRecord {
  readonly source: string;
  /** Position behind the batches. */
  readonly position: string;
  readonly notes: BatchNotes;
  readonly logins: LoginUpdate;
  readonly bans: readonly NewBan[];
  readonly knocks: readonly Knock[];
}

/** Writes batches, each in one transaction: a crash repeats a batch or keeps it, never half. */
export class BatchWriter {
  readonly lines: LogLines;
  readonly notes: NoteTable;
  readonly rollups: Rollups;
  readonly #index: LineIndex;
  readonly #db: Database;
  readonly #tables: BatchTables;
  readonly #reached: Map<string, string>;

  /**
   * @param modules names of the modules, by index
   * @param parts.reached receives the position of each source
   */
  constructor(
    modules: readonly string[],
    { db, tables, reached }: { db: Database; tables: BatchTables; reached: Map<string, string> },
  ) {
    this.#index = new LineIndex(db);
    this.lines = new LogLines(modules, this.#index);
    this.rollups = new Rollups(modules, tables.rollups);
    this.notes = tables.notes;
    this.#db = db;
    this.#tables = tables;
    this.#reached = reached;
  }

  /**
   * Writes the record, and the lines if there is room for lines. Returns the number of lines
   * written. Throws what SQLite throws, and has then written nothing.
   */
  write({ source, position, notes, logins, bans, knocks }: BatchRecord): number {
    const tables = this.#tables;
    const [recorded, ...written] = this.#db.transaction(() => {
      const recorded = tables.log.add(this.lines, source);
      tables.notes.add(notes);
      tables.logins.apply(logins);
      tables.bans.addAll(bans);
      for (const knock of knocks) tables.knocks.accept(knock);
      this.#db.run("INSERT OR REPLACE INTO position VALUES (?, ?)", [source, position]);
      return [recorded, this.#index.write(recorded), this.rollups.write()] as const;
    });
    this.#reached.set(source, position);
    for (const committed of written) committed();
    return recorded;
  }

  /** Writes counts of hours that wait for a batch, and with `isLast` the index of lines. */
  flush({ isLast = false } = {}): void {
    // Others may hold the lock for long: ask for it only if there is something to write.
    if (!isLast && !this.rollups.isDue) return;
    const written = this.#db.transaction(() => [
      this.rollups.write({ isAll: isLast }),
      ...isLast ? [this.#index.write(0, { isAll: true })] : [],
    ]);
    for (const committed of written) committed();
  }
}
