import type { Micros } from "../../core/time.ts";
import type { Start } from "../source.ts";
import type { JournalEntry } from "./export.ts";
import { isLate } from "./journalctl.ts";

/** Entries that are remembered until they are proved, at most. */
const MAX_UNPROVED = 100_000;

/**
 * What a journalctl that follows has printed since it was last proved to have left nothing out. It may: journald counts
 * an entry of a file before it lists it under its fields. A journalctl that looks in between takes the file for read
 * up to that count, and looks again when the count changes; once it has printed what another file got meanwhile,
 * it never goes back.
 */
export class Printed {
  readonly #delay: number;
  readonly #marks = new Set<number>();
  #since: Start;
  #last: JournalEntry | null = null;
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
  add(entries: readonly JournalEntry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) this.#marks.add(markOf(entry));
    this.#last = entries.at(-1)!;
    if (this.#due === Infinity) this.#due = performance.now() + this.#delay;
    if (this.#marks.size >= MAX_UNPROVED) this.#due = 0;
  }

  /** Waits for `arrival`, but not beyond the next proof. True: that is due. */
  async isDueBefore(arrival: Promise<unknown>): Promise<boolean> {
    const left = this.#due - performance.now();
    return left <= 0 || (left < Infinity && await isLate(arrival, left * 1_000));
  }

  /** Whether the journal's `entry` has been printed. */
  has(entry: JournalEntry): boolean {
    return this.#marks.has(markOf(entry));
  }

  /** Whether the journal's `entry` is the last that has been printed. */
  endsWith(entry: JournalEntry): boolean {
    return this.#last !== null && markOf(entry) === markOf(this.#last);
  }

  /** All up to the last entry is proved. */
  prove(): void {
    if (this.#last !== null) this.#since = { ...this.#since, after: this.#last.cursor };
    this.#marks.clear();
    this.#due = Infinity;
  }
}

/** One for each entry, also where it was copied to another file: when it was written and the end of its hash. */
function markOf({ time, cursor }: JournalEntry): number {
  return time + Number.parseInt(cursor.slice(cursor.lastIndexOf("=") + 1).slice(-12), 16);
}
