import { concatenated } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import { bytesInRecords, FORGOTTEN, NoteWriter, readNotes } from "../rules/note_record.ts";
import { type AddressWords, isIPv4, maskOf, wordsOf } from "../core/address.ts";
import type { BatchNotes } from "../rules/note_batch.ts";
import type { StoredGroup } from "../rules/rule_groups.ts";
import { Table } from "./database.ts";

/** Notes without an end, as memory has them. */
export interface LastingNotes {
  /** See `Engine.generation`. */
  readonly generation: number;
  /** See `Engine.lasting()`. */
  lasting(number: number): { content: Uint8Array; next: number | null } | null;
}

/** Bytes of notes without an end before their first rewrite. */
const REWRITE_STEP = 1 << 20;

/** Most bytes read about a network: 43,000 hits (IPv6: 26,000), counted within 0.1 s. */
const MOST = 1 << 20;

/** Notes of an address or network. */
export interface FoundNotes {
  /** Records, in order. */
  readonly content: Uint8Array;
  /** Whether `content` has all of them, not only the newest ones. */
  readonly isComplete: boolean;
}

/** Bounds of a search of notes. */
export interface NoteLimits {
  /** Rows that have ended at this time are left out. */
  readonly time: Micros;
  /** Milliseconds after which the search stops. */
  readonly patience: number;
}

/** Rows searched between two looks at the clock: some milliseconds. */
const SEARCHED = 512;

/** Rows that are deleted at once: some milliseconds. */
const STEP = 200;

/** Progress of a rewrite of the notes without an end. */
interface Rewriting {
  /** Source of the addresses' numbers. */
  readonly memory: LastingNotes;
  /** `LastingNotes.generation` at its start. Each generation numbers the addresses anew. */
  readonly generation: number;
  /** Last row to be replaced. */
  readonly last: number;
  readonly next: number;
}

/**
 * Stored notes: appended in order, one batch to a row, and never searched. Rows with an end are
 * deleted after it. Of rows without an end only memory knows which notes count: they are rewritten
 * at times, and older rows deleted.
 */
export class NoteTable extends Table {
  /** Seed of the hashes of values. */
  readonly seed = this.db.meta<number>("note_seed")!;
  #rewriting: Rewriting | null = null;

  /** Appends a batch's notes. Call it inside the batch's transaction. */
  add({ groups, forgotten, rows }: BatchNotes): void {
    for (const { number, rules } of groups) {
      this.db.run("INSERT OR REPLACE INTO note_group VALUES (?, ?)", [number, rules]);
    }
    if (forgotten !== null) this.#addForgotten(forgotten);
    for (const { until, content } of rows) {
      this.db.run("INSERT INTO note (until, content) VALUES (?, ?)", [until, content]);
    }
  }

  forget(addresses: Iterable<string>): void {
    const writer = new NoteWriter();
    for (const address of addresses) {
      writer.put({ kind: FORGOTTEN, ...wordsOf(address), rules: 0, time: 0, value: 0 });
    }
    this.#addForgotten(writer.take());
  }

  groups(): StoredGroup[] {
    return this.db.all<StoredGroup>("SELECT number, rules FROM note_group ORDER BY number");
  }

  /** Yields the records of all rows, in order. */
  *contents(): Generator<Uint8Array> {
    for (
      const { content } of this.db.each<{ content: Uint8Array }>("SELECT content FROM note ORDER BY id")
    ) {
      yield content;
    }
  }

  /**
   * Returns the records about `target`, an address or network, about networks around it and
   * addresses inside of it, in order: the newest `MOST` bytes of them, as far as the patience goes.
   */
  contentsOf(target: string, { time, patience }: NoteLimits): FoundNotes {
    const end = performance.now() + patience;
    const words = wordsOf(target);
    const writer = new NoteWriter();
    const found: Uint8Array[] = [];
    let bytes = 0;
    const done = (isComplete: boolean) => ({ content: concatenated(found.reverse()), isComplete });
    const { first, last } = this.db.get<{ first: number; last: number }>(
      "SELECT ifnull(min(id), 0) AS first, ifnull(max(id), -1) AS last FROM note",
    )!;
    for (let to = last; to >= first; to -= SEARCHED) {
      for (const content of this.#naming(words, { time, from: to - SEARCHED, to })) {
        const all = readNotes(content);
        while (all.next()) if (isAbout(all, words)) writer.put(all);
        if (writer.isEmpty) continue;
        if (bytes >= MOST) return done(false);
        bytes += found[found.push(writer.take()) - 1]!.length;
      }
      if (performance.now() > end && to - SEARCHED >= first) return done(false);
    }
    return done(true);
  }

  /**
   * Yields rows of notes that may be about an address or network, newest first. SQLite finds rows
   * four times as fast as records are read. A network's record forgets addresses, too.
   */
  *#naming(
    words: AddressWords,
    { time, from, to }: { time: Micros; from: number; to: number },
  ): Generator<Uint8Array> {
    const rows = this.db.each<{ content: Uint8Array }>(
      `SELECT content FROM note NOT INDEXED WHERE id > ? AND id <= ? AND (until IS NULL OR until > ?)
         AND (forgets = 1 OR instr(content, ?) > 0) ORDER BY id DESC`,
      [from, to, time, bytesInRecords(words)],
    );
    for (const { content } of rows) yield content;
  }

  /** Deletes some notes that no longer matter, oldest end first; returns the rows deleted. */
  deleteOld(now: Micros): number {
    return this.db.run(
      "DELETE FROM note WHERE id IN (SELECT id FROM note WHERE until <= ? ORDER BY until, id LIMIT ?)",
      [now, STEP],
    );
  }

  /**
   * Rewrites the notes without an end from `memory` if half of them or more may be dead: some
   * addresses at each call. Returns whether work is left, or must wait for a commit. A crash is
   * harmless, as a record that forgets each address stands before its notes.
   */
  rewrite(memory: LastingNotes): boolean {
    const before = this.#rewriting;
    if (before?.memory !== memory || before.generation !== memory.generation) this.#rewriting = null;
    const rewriting = this.#rewriting ?? this.#beginRewriting(memory);
    if (rewriting === null) return false;
    const lasting = memory.lasting(rewriting.next);
    if (lasting === null) return true;
    const { content, next } = lasting;
    this.db.transaction(() => {
      if (content.length > 0) this.db.run("INSERT INTO note (until, content) VALUES (NULL, ?)", [content]);
      if (next === null) this.#endRewriting(rewriting.last);
    });
    this.#rewriting = next === null ? null : { ...rewriting, next };
    return next !== null;
  }

  /** Begins a rewrite if there are many notes; null: there are not. */
  #beginRewriting(memory: LastingNotes): Rewriting | null {
    const { last, size, before } = this.db.get<{ last: number | null; size: number; before: number }>(
      `SELECT max(id) AS last, ifnull(sum(length(content)), 0) AS size,
         ifnull((SELECT value FROM meta WHERE key = 'notes_rewritten'), 0) AS before
       FROM note WHERE until IS NULL`,
    )!;
    if (last === null || size < 2 * before + REWRITE_STEP) return null;
    return { memory, generation: memory.generation, last, next: 0 };
  }

  /** Deletes the replaced notes without an end up to row `last`. */
  #endRewriting(last: number): void {
    // Records of forgotten addresses still matter to notes with an end.
    this.db.run(
      "UPDATE note SET until = (SELECT max(until) FROM note) WHERE until IS NULL AND forgets = 1 AND id <= ?",
      [last],
    );
    this.db.run("DELETE FROM note WHERE until IS NULL AND id <= ?", [last]);
    this.db.run(
      `INSERT OR REPLACE INTO meta
       VALUES ('notes_rewritten', (SELECT ifnull(sum(length(content)), 0) FROM note WHERE until IS NULL))`,
    );
  }

  /** Appends records of forgotten addresses, kept as long as any earlier note. */
  #addForgotten(content: Uint8Array): void {
    this.db.run(
      `INSERT INTO note (until, forgets, content)
       SELECT iif(count(until) < count(*), NULL, max(until)), 1, ? FROM note HAVING count(*) > 0`,
      [content],
    );
  }
}

/** Reports whether a record is about an address or network, about one around it or inside of it. */
function isAbout(record: AddressWords, target: AddressWords): boolean {
  // A network as large as ::/0 holds the words of IPv4 addresses.
  if (isIPv4(record) && !isIPv4(target)) return false;
  const bits = Math.min(record.prefix, target.prefix);
  return ((record.w0 ^ target.w0) & maskOf(bits)) === 0 &&
    ((record.w1 ^ target.w1) & maskOf(bits - 32)) === 0 &&
    ((record.w2 ^ target.w2) & maskOf(bits - 64)) === 0 &&
    ((record.w3 ^ target.w3) & maskOf(bits - 96)) === 0;
}
