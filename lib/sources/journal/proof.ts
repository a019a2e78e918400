import { isLate } from "../../core/async.ts";
import type { Micros } from "../../core/time.ts";
import type { Start } from "../source.ts";
import type { JournalRecords } from "./journal_records.ts";
import { positionOf, sumOf } from "./position.ts";

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
  /** Sum of the marks. */
  #sum = 0;
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

  /** Returns the position behind the entry `cursor`, at which all printed records have been read. */
  positionAt(cursor: string): string {
    const count = this.#marks.size;
    if (count === 0) return cursor;
    return positionOf(cursor, { since: this.#since, last: this.#last!.mark, count, sum: this.#sum });
  }

  /** Notes printed records. */
  add(records: JournalRecords): void {
    const { length } = records;
    if (length === 0) return;
    for (let i = 0; i < length; i++) {
      const mark = records.mark(i);
      if (this.#marks.has(mark)) continue;
      this.#marks.add(mark);
      this.#sum = sumOf(this.#sum, mark);
    }
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

  /** Mark of the last printed entry; NaN: none was printed. */
  get last(): number {
    return this.#last?.mark ?? NaN;
  }

  /** Notes that everything up to the last entry is proved. */
  prove(): void {
    if (this.#last !== null) this.#since = { ...this.#since, after: this.#last.cursor };
    this.#marks.clear();
    this.#sum = 0;
    this.#due = Infinity;
  }
}
