import type { Micros } from "../../core/time.ts";
import type { Start } from "../source.ts";
import type { JournalRecords } from "./journal_records.ts";
import { isLate } from "./journalctl.ts";

/** Entries that are remembered until they are proved, at most. */
const MAX_UNPROVED = 100_000;

/**
 * What a journalctl that follows has printed since it was last proved to have left nothing out. It
 * may: journald counts an entry of a file before it lists it under its fields. A journalctl that
 * looks in between takes the file for read up to that count, and looks again when the count
 * changes; once it has printed what another file got meanwhile, it never goes back.
 */
export class Printed {
  readonly #delay: number;
  readonly #marks = new Set<number>();
  #since: Start;
  /** The record that was printed last: its cursor and its mark. */
  #last: { readonly cursor: string; readonly mark: number } | null = null;
  #due = Infinity;

  /** @param delay how long after the first unproved entry a proof is due */
  constructor(start: Start, delay: Micros) {
    this.#since = start;
    this.#delay = delay / 1_000;
  }

  /** From where on nothing is proved. */
  get since(): Start {
    return this.#since;
  }

  /** Whether the entry with this cursor was printed last, and nothing proved since. */
  isUnprovedUpTo(cursor: string): boolean {
    return this.#marks.size > 0 && this.#last?.cursor === cursor;
  }

  /** Takes note of what was printed. */
  add(records: JournalRecords): void {
    const { length } = records;
    if (length === 0) return;
    for (let i = 0; i < length; i++) this.#marks.add(records.mark(i));
    this.#last = { cursor: records.cursor(length - 1), mark: records.mark(length - 1) };
    if (this.#due === Infinity) this.#due = performance.now() + this.#delay;
    if (this.#marks.size >= MAX_UNPROVED) this.#due = 0;
  }

  /** Waits for `arrival`, but not beyond the next proof. True: that is due. */
  async isDueBefore(arrival: Promise<unknown>): Promise<boolean> {
    const left = this.#due - performance.now();
    return left <= 0 || (left < Infinity && await isLate(arrival, left * 1_000));
  }

  /** Whether the entry of this mark has been printed. */
  has(mark: number): boolean {
    return this.#marks.has(mark);
  }

  /** Whether the entry of this mark is the last that has been printed. */
  endsWith(mark: number): boolean {
    return this.#last?.mark === mark;
  }

  /** All up to the last entry is proved. */
  prove(): void {
    if (this.#last !== null) this.#since = { ...this.#since, after: this.#last.cursor };
    this.#marks.clear();
    this.#due = Infinity;
  }
}
