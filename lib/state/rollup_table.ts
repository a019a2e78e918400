/**
 * Keeps the counts of each hour as lines come, so that `top` need not read the lines again.
 *
 *   Rollups       up to two hours in memory: the present, and one of a backlog. Written at most every ten
 *                 seconds, in the transaction of a batch, so that no line counts twice
 *   RollupTable   a row for each hour; for each day after 15 days; none after 400
 */
import { DAY, HOUR, type Micros, now, SECOND } from "../core/time.ts";
import type { LogEvent } from "../reading/event.ts";
import { Table } from "./database.ts";
import { Rollup, type RollupContent, sumOf } from "./rollup.ts";

/** How long counts may be only in memory. */
const WRITE_INTERVAL: Micros = 10 * SECOND;
/** Greatest age of hours (a week, the week before it, and the day in which they began), and of days. */
const [KEEP_HOURS, KEEP_DAYS]: readonly [Micros, Micros] = [15 * DAY, 400 * DAY];

/** Hits of one rule of a module: number, and time of the newest. */
export interface CountedHits {
  readonly module: string;
  readonly rule: string;
  readonly time: Micros;
  readonly count: number;
}

/** Counts of an hour or a day. */
export interface RollupRow {
  readonly span: Micros;
  readonly start: Micros;
  readonly content: RollupContent;
}

/** Counts of past hours and days. */
export class RollupTable extends Table {
  /** Returns the counts of the hour that begins at `start`; null: none. */
  hour(start: Micros): RollupContent | null {
    const query = "SELECT content FROM rollup WHERE span = ? AND start = ?";
    return JSON.parse(this.db.value<string>(query, [HOUR, start]) ?? "null");
  }

  /** Stores the counts of an hour, in place of earlier ones. */
  store(start: Micros, content: RollupContent): void {
    this.#put(HOUR, start, content);
  }

  /**
   * Adds up all counts since `time`, or until `to`, by whole hours, and by whole days in old rows.
   * `start` and `end` are the bounds of these; null: there are none.
   */
  since(time: Micros, to = Infinity): { content: RollupContent; start: Micros | null; end: Micros | null } {
    const rows = this.db.all<{ start: Micros; end: Micros; content: string }>(
      "SELECT start, start + span AS end, content FROM rollup WHERE start + span > ? AND start < ? ORDER BY start",
      [time, to],
    );
    const content = sumOf(rows.map(({ content }) => JSON.parse(content) as RollupContent));
    return { content, start: rows[0]?.start ?? null, end: rows.at(-1)?.end ?? null };
  }

  /**
   * Yields counts of hours, or of days in old rows, with their middle in a period, oldest first.
   * The period ends with the hour of `to`, so that the running hour belongs to it from its first
   * minute.
   */
  *within({ from, to }: { from: Micros; to: Micros }): Generator<RollupRow> {
    const rows = this.db.each<Omit<RollupRow, "content"> & { content: string }>(
      "SELECT span, start, content FROM rollup WHERE start + span / 2 >= ? AND start + span / 2 < ? ORDER BY start",
      [from, Math.ceil(to / HOUR) * HOUR],
    );
    for (const { span, start, content } of rows) {
      yield { span, start, content: JSON.parse(content) as RollupContent };
    }
  }

  /** Returns the start of the oldest row; null: there is none. */
  oldest(): Micros | null {
    return this.db.value("SELECT min(start) FROM rollup");
  }

  /** Adds an old day's hours to its row, and deletes very old days; returns the rows deleted. */
  fold(now: Micros): number {
    const dropped = this.db.run("DELETE FROM rollup WHERE span = ? AND start < ?", [DAY, now - KEEP_DAYS]);
    const query = "SELECT start FROM rollup WHERE span = ? AND start < ? ORDER BY start LIMIT 1";
    const oldest = this.db.value<Micros>(query, [HOUR, startOf(now, DAY) - KEEP_HOURS]);
    return oldest === null ? dropped : dropped + this.#foldDay(startOf(oldest, DAY));
  }

  #foldDay(day: Micros): number {
    const where = "(span = ? AND start >= ? AND start < ?) OR (span = ? AND start = ?)";
    const values = [HOUR, day, day + DAY, DAY, day];
    return this.db.transaction(() => {
      const contents = this.db.list<RollupContent>("json(content)", `rollup WHERE ${where}`, values);
      const folded = this.db.run(
        "DELETE FROM rollup WHERE span = ? AND start >= ? AND start < ?",
        [HOUR, day, day + DAY],
      );
      this.#put(DAY, day, sumOf(contents));
      return folded;
    });
  }

  #put(span: Micros, start: Micros, content: RollupContent): void {
    this.db.run(
      "INSERT OR REPLACE INTO rollup (span, start, content) VALUES (?, ?, ?)",
      [span, start, JSON.stringify(content)],
    );
  }
}

interface OpenHour {
  readonly start: Micros;
  readonly rollup: Rollup;
  isNew: boolean;
}

/** Counts events into their hours. */
export class Rollups {
  readonly #modules: readonly string[];
  readonly #table: RollupTable;
  readonly #clock: () => Micros;
  /** The hour used last comes first. */
  #open: OpenHour[] = [];
  /** Hours that are closed but not written. */
  readonly #closed = new Map<Micros, RollupContent>();
  #written: Micros = -Infinity;
  /** Whether uncommitted lines are counted. */
  #hasUncommitted = false;

  /** @param modules names by index */
  constructor(modules: readonly string[], table: RollupTable, clock = now) {
    this.#modules = modules;
    this.#table = table;
    this.#clock = clock;
  }

  /** Counts a line with an address; it is a hit if a rule that counts matches. */
  add(event: LogEvent, isHit: boolean): void {
    this.#at(event.time).add(event, isHit);
  }

  /** Counts hits of rules at the time of the newest. */
  addHits(hits: readonly CountedHits[]): void {
    for (const { module, rule, time, count } of hits) this.#at(time).addHits(`${module} ${rule}`, count);
  }

  /** Whether `write()` would write something, and only of committed lines. */
  get isDue(): boolean {
    if (this.#hasUncommitted) return false;
    return this.#closed.size > 0 || (this.#isIntervalOver && this.#open.some(({ isNew }) => isNew));
  }

  /** Writes due counts, which may happen twice; returns a function to call after the commit. */
  write({ isAll = false } = {}): () => void {
    const time = this.#clock();
    const areDue = isAll || this.#isIntervalOver;
    const due = areDue ? this.#open.filter(({ isNew }) => isNew) : [];
    for (const [start, content] of this.#closed) this.#table.store(start, content);
    for (const { start, rollup } of due) this.#table.store(start, rollup.content());
    return () => {
      for (const hour of due) hour.isNew = false;
      this.#closed.clear();
      this.#hasUncommitted = false;
      if (due.length > 0) this.#written = time;
    };
  }

  /** Drops counts that are not written. */
  reset(): void {
    this.#open = [];
    this.#closed.clear();
    this.#hasUncommitted = false;
  }

  /** Whether open hours were written long enough ago; the clock may have been set back. */
  get #isIntervalOver(): boolean {
    const time = this.#clock();
    return time >= this.#written + WRITE_INTERVAL || time < this.#written;
  }

  #at(time: Micros): Rollup {
    let hour = this.#open[0];
    if (hour === undefined || !(time >= hour.start && time < hour.start + HOUR)) {
      hour = this.#switchTo(startOf(time, HOUR));
    }
    hour.isNew = true;
    this.#hasUncommitted = true;
    return hour.rollup;
  }

  /** Opens another hour, and closes the one before the last, which hardly gets more lines. */
  #switchTo(start: Micros): OpenHour {
    const known = this.#open.find((hour) => hour.start === start);
    const hour = known ?? this.#resume(start);
    const others = this.#open.filter((other) => other !== hour);
    for (const { start, rollup, isNew } of others.splice(1)) {
      if (isNew) this.#closed.set(start, rollup.content());
    }
    this.#open = [hour, ...others];
    return hour;
  }

  #resume(start: Micros): OpenHour {
    const rollup = new Rollup(this.#modules);
    const before = this.#closed.get(start) ?? this.#table.hour(start);
    if (before !== null) rollup.resume(before);
    return { start, rollup, isNew: false };
  }
}

function startOf(time: Micros, span: Micros): Micros {
  return time - ((time % span) + span) % span;
}
