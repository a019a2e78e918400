/**
 * The counts of each hour, which `top` adds up: kept as lines come, so that nobody has to read the lines again.
 *
 *   Rollups       two hours at a time, in memory: the present, and one that a backlog has come to. Written at most every ten
 *                 seconds, and in the transaction of the batch that is then committed, so that no line counts twice
 *   RollupTable   a row for each hour; for each day where hours are older than eight days; none where days are older than 400
 */
import { DAY, HOUR, type Micros, now, SECOND } from "../core/time.ts";
import type { LogEvent } from "../reading/event.ts";
import { NEVER } from "../reading/message_reader.ts";
import type { Database } from "./database.ts";
import { Rollup, type RollupContent, sumOf } from "./rollup.ts";

/** How long counts may be in memory alone. */
const PACE: Micros = 10 * SECOND;
/** How old an hour and a day become. */
const [KEEP_HOURS, KEEP_DAYS]: readonly [Micros, Micros] = [8 * DAY, 400 * DAY];

/** Hits of one rule of a service: how many, and the time of the newest. */
export interface CountedHits {
  readonly service: string;
  readonly rule: string;
  readonly time: Micros;
  readonly count: number;
}

/** What was counted within an hour or a day. */
export interface RollupRow {
  readonly span: Micros;
  readonly start: Micros;
  readonly content: RollupContent;
}

/** Counts of past hours and days. */
export class RollupTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** What was counted of the hour that begins at `start`; null: nothing. */
  hour(start: Micros): RollupContent | null {
    const row = this.#db.get<{ content: string }>(
      "SELECT content FROM rollup WHERE span = ? AND start = ?",
      HOUR,
      start,
    );
    return row && JSON.parse(row.content) as RollupContent;
  }

  /** Keeps what was counted of an hour, in place of what was kept of it before. */
  keep(start: Micros, content: RollupContent): void {
    this.#put(HOUR, start, content);
  }

  /** Adds up all that was counted since `time`, from the beginning of its hour, or of its day where hours are kept no more. */
  since(time: Micros): { content: RollupContent; start: Micros | null } {
    const rows = this.#db.all<{ start: Micros; content: string }>(
      "SELECT start, content FROM rollup WHERE start + span > ? ORDER BY start",
      time,
    );
    const content = sumOf(rows.map(({ content }) => JSON.parse(content) as RollupContent));
    return { content, start: rows[0]?.start ?? null };
  }

  /**
   * The counts of each hour whose middle lies within a period, and of each such day where hours are kept no more: one after the
   * other, the oldest first.
   */
  *within({ from, to }: { from: Micros; to: Micros }): Generator<RollupRow> {
    const rows = this.#db.each<Omit<RollupRow, "content"> & { content: string }>(
      "SELECT span, start, content FROM rollup WHERE start + span / 2 >= ? AND start + span / 2 < ? ORDER BY start",
      from,
      to,
    );
    for (const { span, start, content } of rows) {
      yield { span, start, content: JSON.parse(content) as RollupContent };
    }
  }

  /** The beginning of the oldest hour or day that is kept; null: there is none. */
  oldest(): Micros | null {
    return this.#db.get<{ start: Micros | null }>("SELECT min(start) AS start FROM rollup")!.start;
  }

  /** Adds the hours of one old day to what is kept of that day, and drops days that are too old; returns how many rows went. */
  fold(now: Micros): number {
    const dropped = this.#db.run("DELETE FROM rollup WHERE span = ? AND start < ?", DAY, now - KEEP_DAYS);
    const oldest = this.#db.get<{ start: Micros }>(
      "SELECT start FROM rollup WHERE span = ? AND start < ? ORDER BY start LIMIT 1",
      HOUR,
      startOf(now, DAY) - KEEP_HOURS,
    );
    return oldest === null ? dropped : dropped + this.#foldDay(startOf(oldest.start, DAY));
  }

  #foldDay(day: Micros): number {
    const where = "(span = ? AND start >= ? AND start < ?) OR (span = ? AND start = ?)";
    const values = [HOUR, day, day + DAY, DAY, day];
    return this.#db.transaction(() => {
      const rows = this.#db.all<{ content: string }>(`SELECT content FROM rollup WHERE ${where}`, ...values);
      const folded = this.#db.run(
        "DELETE FROM rollup WHERE span = ? AND start >= ? AND start < ?",
        HOUR,
        day,
        day + DAY,
      );
      this.#put(DAY, day, sumOf(rows.map(({ content }) => JSON.parse(content) as RollupContent)));
      return folded;
    });
  }

  #put(span: Micros, start: Micros, content: RollupContent): void {
    this.#db.run(
      "INSERT OR REPLACE INTO rollup (span, start, content) VALUES (?, ?, ?)",
      span,
      start,
      JSON.stringify(content),
    );
  }
}

/** An hour whose lines come. */
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
  /** The one used last comes first. */
  #open: OpenHour[] = [];
  /** Hours that are closed and not written yet. */
  readonly #closed = new Map<Micros, RollupContent>();
  #written: Micros = -Infinity;
  /** Some lines are counted whose batch is not committed. */
  #isAhead = false;

  /** @param modules their names, in the order of their indexes */
  constructor(modules: readonly string[], table: RollupTable, clock = now) {
    this.#modules = modules;
    this.#table = table;
    this.#clock = clock;
  }

  /** Counts a line that names an address; it is a hit where a rule that counts matches. */
  add(event: LogEvent, isHit: boolean): void {
    this.#at(event.time).add(event, isHit && event.reader.counting !== NEVER);
  }

  /** Counts hits of rules, each as of the newest. */
  addHits(hits: readonly CountedHits[]): void {
    for (const { service, rule, time, count } of hits) this.#at(time).addHits(`${service} ${rule}`, count);
  }

  /** Reports whether `write()` would write something, and all of it is of lines that are committed. */
  get isDue(): boolean {
    if (this.#isAhead) return false;
    return this.#closed.size > 0 || (this.#isPaced && this.#open.some(({ isNew }) => isNew));
  }

  /** Writes what is due, which a transaction may do twice; returns what is to be called once it is committed. */
  write({ isAll = false } = {}): () => void {
    const time = this.#clock();
    const isPaced = isAll || this.#isPaced;
    const due = isPaced ? this.#open.filter(({ isNew }) => isNew) : [];
    for (const [start, content] of this.#closed) this.#table.keep(start, content);
    for (const { start, rollup } of due) this.#table.keep(start, rollup.content());
    return () => {
      for (const hour of due) hour.isNew = false;
      this.#closed.clear();
      this.#isAhead = false;
      if (due.length > 0) this.#written = time;
    };
  }

  /** Goes back to what is written. */
  reset(): void {
    this.#open = [];
    this.#closed.clear();
    this.#isAhead = false;
  }

  /** Reports whether open hours were written long enough ago; the clock may have been set back. */
  get #isPaced(): boolean {
    const time = this.#clock();
    return time >= this.#written + PACE || time < this.#written;
  }

  #at(time: Micros): Rollup {
    let hour = this.#open[0];
    if (hour === undefined || !(time >= hour.start && time < hour.start + HOUR)) {
      hour = this.#turnTo(startOf(time, HOUR));
    }
    hour.isNew = true;
    this.#isAhead = true;
    return hour.rollup;
  }

  /** Turns to another hour; of the one before the last there will hardly be more. */
  #turnTo(start: Micros): OpenHour {
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
