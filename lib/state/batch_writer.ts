import type { NewBan } from "../deciding/ban.ts";
import type { Knock } from "../deciding/knock.ts";
import type { LoginNews } from "../deciding/logins.ts";
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

/** What one commit writes beside the lines, whole or not at all. */
export interface BatchRecord {
  readonly source: string;
  /** Reached by the batches: reading goes on behind it. */
  readonly position: string;
  readonly notes: BatchNotes;
  readonly logins: LoginNews;
  readonly bans: readonly NewBan[];
  readonly knocks: readonly Knock[];
}

/** Writes what batches bring: all of one in one transaction, so that a crash repeats a batch or has it, never half. */
export class BatchWriter {
  readonly lines: LogLines;
  readonly notes: NoteTable;
  readonly rollups: Rollups;
  readonly #index: LineIndex;
  readonly #db: Database;
  readonly #tables: BatchTables;
  readonly #reached: Map<string, string>;

  /**
   * @param modules names of the modules, in the order of their indexes
   * @param parts.reached takes note of the position of each source
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
   * Writes the record and the lines, as far as there is room for lines. Returns how many lines it has
   * written. Throws what SQLite throws, and then has written nothing.
   */
  write({ source, position, notes, logins, bans, knocks }: BatchRecord): number {
    const tables = this.#tables;
    const [recorded, ...written] = this.#db.transaction(() => {
      const recorded = tables.log.add(this.lines, source);
      tables.notes.add(notes);
      tables.logins.apply(logins);
      tables.bans.addAll(bans);
      for (const knock of knocks) tables.knocks.accept(knock);
      this.#db.run("INSERT OR REPLACE INTO position VALUES (?, ?)", source, position);
      return [recorded, this.#index.write(recorded), this.rollups.write()] as const;
    });
    this.#reached.set(source, position);
    for (const committed of written) committed();
    return recorded;
  }

  /** Writes what waits in memory for a batch to go with: counts of hours, and `isLast` where lines of addresses are. */
  flush({ isLast = false } = {}): void {
    // The lock may be another's for long: it is asked for only where there is something to write.
    if (!isLast && !this.rollups.isDue) return;
    const written = this.#db.transaction(() => [
      this.rollups.write({ isAll: isLast }),
      ...isLast ? [this.#index.write(0, { isAll: true })] : [],
    ]);
    for (const committed of written) committed();
  }
}
