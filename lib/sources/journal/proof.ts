import { isLate } from "../../core/async.ts";
import type { Micros } from "../../core/time.ts";
import type { Start } from "../source.ts";
import type { JournalRecords } from "./journal_records.ts";

/** Most entries that are remembered until they are proved. */
const MAX_UNPROVED = 100_000;

/**
 * Entries that a following journalctl has printed since the last proof that it omitted none. It
 * may: journald counts an entry of a file before it lists it under its fields. A journalctl that
 * reads in between takes the file as read up to that count, and reads again when the count changes;
 * once it has printed another file's later entries, it never goes back.
 */
export class PrintedEntries {
  readonly #delay: number;
  readonly #marks = new Set<number>();
  #since: Start;
  /** Cursor and mark of the last printed record. */
  #last: { readonly cursor: string; readonly mark: number } | null = null;
  #due = Infinity;

  /** @param delay how long after the first unproved entry a proof is due */
  constructor(start: Start, delay: Micros) {
    this.#since = start;
    this.#delay = delay / 1_000;
  }

  /** The place from which nothing is proved. */
  get since(): Start {
    return this.#since;
  }

  /** Reports whether the entry with this cursor was printed last, without a proof since. */
  isUnprovedUpTo(cursor: string): boolean {
    return this.#marks.size > 0 && this.#last?.cursor === cursor;
  }

  /** Notes printed records. */
  add(records: JournalRecords): void {
    const { length } = records;
    if (length === 0) return;
    for (let i = 0; i < length; i++) this.#marks.add(records.mark(i));
    this.#last = { cursor: records.cursor(length - 1), mark: records.mark(length - 1) };
    if (this.#due === Infinity) this.#due = performance.now() + this.#delay;
    if (this.#marks.size >= MAX_UNPROVED) this.#due = 0;
  }

  /** Waits for `arrival`, at most until the next proof. Returns whether the proof is due. */
  async isDueBefore(arrival: Promise<unknown>): Promise<boolean> {
    const left = this.#due - performance.now();
    return left <= 0 || (left < Infinity && await isLate(arrival, left * 1_000));
  }

  /** Reports whether the entry of this mark was printed. */
  has(mark: number): boolean {
    return this.#marks.has(mark);
  }

  /** Reports whether the entry of this mark is the last printed one. */
  endsWith(mark: number): boolean {
    return this.#last?.mark === mark;
  }

  /** Notes that everything up to the last entry is proved. */
  prove(): void {
    if (this.#last !== null) this.#since = { ...this.#since, after: this.#last.cursor };
    this.#marks.clear();
    this.#due = Infinity;
  }
}
