import type { Micros } from "../core/time.ts";
import {
  type AddressWords,
  bytesInRecords,
  FORGOTTEN,
  NoteWriter,
  readNotes,
  wordsOf,
} from "../core/note_record.ts";
import { maskOf } from "../core/network_rows.ts";
import type { BatchNotes } from "../rules/note_batch.ts";
import type { StoredGroup } from "../rules/rule_groups.ts";
import type { Database } from "./database.ts";

/** What gives the notes that have no end, as they stand in memory. */
export interface LastingNotes {
  /** See `Engine.beginnings`. */
  readonly beginnings: number;
  /** See `Engine.lasting()`. */
  lasting(number: number): { content: Uint8Array; next: number | null } | null;
}

/** Bytes of notes without an end that there may be before they are written anew for the first time. */
const REWRITE_STEP = 1 << 20;

/** Rows that are deleted at once: some milliseconds. */
const STEP = 200;

/** How far the notes without an end have been written anew. */
interface Rewriting {
  /** Numbers are those that it gave. */
  readonly memory: LastingNotes;
  /** `LastingNotes.beginnings` at its start: addresses have other numbers after the next one. */
  readonly beginning: number;
  /** The last row that they replace. */
  readonly last: number;
  readonly next: number;
}

/**
 * The notes that counters are made of: appended in order, as many to a row as a batch brought, and never searched. Rows that have an
 * end are deleted when it has come. Of the others, memory knows which notes still count: now and then these are written anew and all
 * rows from before are deleted.
 */
export class NoteTable {
  /** Of the hashes of values. */
  readonly seed: number;
  readonly #db: Database;
  #rewriting: Rewriting | null = null;

  constructor(db: Database) {
    this.#db = db;
    this.seed = db.get<{ value: number }>("SELECT value FROM meta WHERE key = 'note_seed'")!.value;
  }

  /** Appends what a batch brought. Call it within the transaction that stores the batch. */
  add({ groups, forgotten, rows }: BatchNotes): void {
    for (const { number, rules } of groups) {
      this.#db.run("INSERT OR REPLACE INTO note_group VALUES (?, ?)", number, rules);
    }
    if (forgotten !== null) this.#addForgotten(forgotten);
    for (const { until, content } of rows) {
      this.#db.run("INSERT INTO note (until, content) VALUES (?, ?)", until, content);
    }
  }

  /** All counters of an address or network begin anew. */
  forget(addresses: Iterable<string>): void {
    const writer = new NoteWriter();
    for (const address of addresses) {
      writer.put({ kind: FORGOTTEN, ...wordsOf(address), rules: 0, time: 0, value: 0 });
    }
    this.#addForgotten(writer.take());
  }

  /** The groups of rules that notes name. */
  groups(): StoredGroup[] {
    return this.#db.all<StoredGroup>("SELECT number, rules FROM note_group ORDER BY number");
  }

  /** The records of all rows, in order. */
  *contents(): Generator<Uint8Array> {
    for (
      const { content } of this.#db.each<{ content: Uint8Array }>("SELECT content FROM note ORDER BY id")
    ) {
      yield content;
    }
  }

  /**
   * The records that say something of `target`, an address or network: of itself, of one around it or inside of it, in order. Rows
   * whose end has come at `time` are left out.
   */
  *contentsOf(target: string, time: Micros): Generator<Uint8Array> {
    const words = wordsOf(target);
    const writer = new NoteWriter();
    // SQLite finds the rows in question four times as fast as records are read. Addresses begin anew with networks around them, too.
    const rows = this.#db.each<{ content: Uint8Array }>(
      `SELECT content FROM note WHERE id IN (SELECT id FROM note WHERE until IS NULL OR until > ?)
         AND (forgets = 1 OR instr(content, ?) > 0) ORDER BY id`,
      time,
      bytesInRecords(words),
    );
    for (const { content } of rows) {
      const all = readNotes(content);
      while (all.next()) if (agrees(all, words, Math.min(all.prefix, words.prefix))) writer.put(all);
      if (!writer.isEmpty) yield writer.take();
    }
  }

  /** Deletes some of the notes that do not matter any more at `now`, those that ended first, and returns how many rows went. */
  expire(now: Micros): number {
    return this.#db.run(
      "DELETE FROM note WHERE id IN (SELECT id FROM note WHERE until <= ? ORDER BY until, id LIMIT ?)",
      now,
      STEP,
    );
  }

  /**
   * Writes the notes without an end anew as `memory` has them, where half of them or more may be dead: some addresses at each
   * call. Returns whether there is more to do, be it as notes are not stored yet. A crash in between does no harm, as each
   * address is written behind a record that it begins anew.
   */
  rewrite(memory: LastingNotes): boolean {
    const before = this.#rewriting;
    if (before?.memory !== memory || before.beginning !== memory.beginnings) this.#rewriting = null;
    const rewriting = this.#rewriting ?? this.#beginRewriting(memory);
    if (rewriting === null) return false;
    const lasting = memory.lasting(rewriting.next);
    if (lasting === null) return true;
    const { content, next } = lasting;
    this.#db.transaction(() => {
      if (content.length > 0) this.#db.run("INSERT INTO note (until, content) VALUES (NULL, ?)", content);
      if (next === null) this.#endRewriting(rewriting.last);
    });
    this.#rewriting = next === null ? null : { ...rewriting, next };
    return next !== null;
  }

  /** Begins to write notes anew if there are many; null: there are not. */
  #beginRewriting(memory: LastingNotes): Rewriting | null {
    const { last, size, before } = this.#db.get<{ last: number | null; size: number; before: number }>(
      `SELECT max(id) AS last, ifnull(sum(length(content)), 0) AS size,
         ifnull((SELECT value FROM meta WHERE key = 'notes_rewritten'), 0) AS before
       FROM note WHERE until IS NULL`,
    )!;
    if (last === null || size < 2 * before + REWRITE_STEP) return null;
    return { memory, beginning: memory.beginnings, last, next: 0 };
  }

  /** All notes without an end up to row `last` have been written anew. */
  #endRewriting(last: number): void {
    // To notes that have an end it still matters who was forgotten.
    this.#db.run(
      "UPDATE note SET until = (SELECT max(until) FROM note) WHERE until IS NULL AND forgets = 1 AND id <= ?",
      last,
    );
    this.#db.run("DELETE FROM note WHERE until IS NULL AND id <= ?", last);
    this.#db.run(
      `INSERT OR REPLACE INTO meta
       VALUES ('notes_rewritten', (SELECT ifnull(sum(length(content)), 0) FROM note WHERE until IS NULL))`,
    );
  }

  /** Appends records of addresses that begin anew; they are kept as long as any note from before. */
  #addForgotten(content: Uint8Array): void {
    this.#db.run(
      `INSERT INTO note (until, forgets, content)
       SELECT iif(count(until) < count(*), NULL, max(until)), 1, ? FROM note HAVING count(*) > 0`,
      content,
    );
  }
}

/** Reports whether two addresses have the same first bits. */
function agrees(a: AddressWords, b: AddressWords, bits: number): boolean {
  return ((a.w0 ^ b.w0) & maskOf(bits)) === 0 && ((a.w1 ^ b.w1) & maskOf(bits - 32)) === 0 &&
    ((a.w2 ^ b.w2) & maskOf(bits - 64)) === 0 && ((a.w3 ^ b.w3) & maskOf(bits - 96)) === 0;
}
