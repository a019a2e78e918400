import type { LogRow } from "../reading/event.ts";
import type { Micros } from "../core/time.ts";
import { Table } from "./database.ts";
import type { LogLines } from "./log_lines.ts";
import { RecordedLines } from "./recorded_lines.ts";

/** A stored line; `earlier` is its span before the batch's `base`. */
type Line = readonly [module: string, address: string, earlier: Micros, message: string];

interface Row {
  readonly last: number;
  readonly lines: number;
  /** Time of the newest line. */
  readonly time: Micros;
  /** Base of the lines' times; null in batches of older versions: the newest line's time. */
  readonly base: Micros | null;
  /** Number of the source, and of the newest line among the source's; null in older batches. */
  readonly source: number | null;
  readonly nth: number | null;
  readonly content: string;
}

/** Batches read in one step of `LogTable.recorded()`; in a flood one has some 2,000 lines. */
const READ_STEP = 8;
/** Most lines that one `deleteOld()` deletes, unless a batch is larger: others may write then. */
const DELETE_STEP = 5_000;

/**
 * The recorded lines, numbered without gap or reuse. A batch is one row: a row for each line would
 * take three times as long to write. The view `log` shows single lines.
 */
export class LogTable extends Table {
  /** Appends a batch's lines if there is room for lines; returns the number of lines appended. */
  add(
    { length, base, latest, json }: Pick<LogLines, "length" | "base" | "latest" | "json">,
    source: string | null = null,
  ): number {
    if (length === 0 || !this.db.hasRoom) return 0;
    const numbers = source === null ? null : this.db.get<{ number: number; lines: number }>(
      `INSERT INTO source (name, lines) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET lines = lines + excluded.lines RETURNING number, lines`,
      [source, length],
    );
    this.db.run(
      `INSERT INTO log_batch (last, lines, time, base, source, nth, content)
       SELECT ifnull(max(seq), 0) + ?, ?, ?, ?, ?, ?, CAST(? AS TEXT) FROM sqlite_sequence WHERE name = 'log_batch'`,
      [length, length, latest, base, numbers?.number ?? null, numbers?.lines ?? null, json],
    );
    return length;
  }

  /** Returns at most `limit` lines behind the one numbered `seq`, in order. */
  after(seq: number, limit: number): LogRow[] {
    const rows: LogRow[] = [];
    while (rows.length < limit) {
      const from = rows.at(-1)?.seq ?? seq;
      const upTo = from + limit - rows.length;
      const batches = this.db.all<Row>(
        `SELECT last, lines, time, base, source, nth, content FROM log_batch
         WHERE last > ? AND last <= ifnull((SELECT min(last) FROM log_batch WHERE last >= ?), ?) ORDER BY last`,
        [from, upTo, upTo],
      );
      if (batches.length === 0) break;
      for (const batch of batches) rows.push(...rowsOf(batch).filter((row) => row.seq > seq));
    }
    return rows.slice(0, limit);
  }

  /** Returns the numbers of the oldest and the newest batch; 0: there is none. */
  numbers(): { readonly first: number; readonly last: number } {
    return this.db.get<{ first: number; last: number }>(
      "SELECT ifnull(min(last), 0) AS first, ifnull(max(last), 0) AS last FROM log_batch",
    )!;
  }

  /**
   * Yields the lines of present batches whose newest line is of `since` or later, in order, some
   * thousand at a time. They are valid until the next step; `last` is the last line's number. It
   * reads in short steps, as a long one would keep SQLite's write-ahead log from being cut.
   */
  *recorded(since: Micros): Generator<{ readonly records: RecordedLines; readonly last: number }> {
    const records = new RecordedLines();
    const { last: end } = this.numbers();
    for (let last = 0; last < end;) {
      const rows = this.db.all<Pick<Row, "last" | "time" | "base"> & { content: Uint8Array }>(
        `SELECT last, time, base, CAST(content AS BLOB) AS content FROM log_batch
         WHERE last > ? AND last <= ? AND time >= ? ORDER BY last LIMIT ?`,
        [last, end, since, READ_STEP],
      );
      if (rows.length === 0) return;
      records.begin();
      for (const { base, time, content } of rows) records.addBatch(content, base ?? time);
      last = rows.at(-1)!.last;
      yield { records, last };
    }
  }

  /**
   * Returns the number of lines behind the one numbered `seq`, by their numbers, as each look at a
   * million batches takes 0.3 s. It counts lines that a damage took from the middle.
   */
  count(seq = 0): number {
    return this.db.value<number>(
      `SELECT max(0, ifnull(max(last) - max(?, (SELECT last - lines FROM log_batch ORDER BY last LIMIT 1)), 0))
       FROM log_batch`,
      [seq],
    )!;
  }

  /**
   * Deletes the first batches recorded, if all their lines are older than `before`, some 5,000
   * lines at most; returns their number. Lines of a backlog go with their neighbours: an index by
   * time would slow each write.
   */
  deleteOld(before: Micros): number {
    return this.#deleteOldest(({ time }) => time < before);
  }

  /** Returns the size of the whole state in bytes. */
  size(): number {
    return this.db.value<number>(
      `SELECT (page_count - freelist_count) * page_size
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
    )!;
  }

  /** Deletes the oldest batches while the state exceeds `most` bytes, like `deleteOld()`. */
  shrink(most: number): number {
    let size = this.size();
    return size <= most ? 0 : this.#deleteOldest(({ bytes }) => {
      const isLarger = size > most;
      size -= bytes;
      return isLarger;
    });
  }

  #deleteOldest(isDue: (batch: Pick<Row, "time"> & { bytes: number }) => boolean): number {
    const oldest = this.db.all<Pick<Row, "last" | "lines" | "time"> & { bytes: number }>(
      "SELECT last, lines, time, octet_length(content) AS bytes FROM log_batch ORDER BY last LIMIT ?",
      [DELETE_STEP / 10],
    );
    let [last, deleted] = [0, 0];
    for (const batch of oldest) {
      if (!isDue(batch) || (deleted > 0 && deleted + batch.lines > DELETE_STEP)) break;
      last = batch.last;
      deleted += batch.lines;
    }
    if (deleted === 0) return 0;
    this.db.transaction(() => {
      this.db.run("DELETE FROM log_batch WHERE last <= ?", [last]);
      this.db.run("DELETE FROM log_index WHERE last <= ?", [last]);
    });
    return deleted;
  }
}

/** The keys of a source's lines begin at its number times this: no line's `seq` reaches it. */
const KEYS_OF_SOURCE = 1n << 40n;

function rowsOf({ last, lines, time, base, source, nth, content }: Row): LogRow[] {
  const first = last - lines + 1;
  // A line that an older copy of the state reads again gets its key again, as its source is read in
  // order, while several sources take turns as it comes.
  const firstKey = source === null || nth === null
    ? BigInt(first)
    : BigInt(source) * KEYS_OF_SOURCE + BigInt(nth - lines + 1);
  return (JSON.parse(content) as Line[]).map(([module, address, earlier, message], i) => ({
    seq: first + i,
    key: String(firstKey + BigInt(i)),
    module,
    address,
    time: (base ?? time) - earlier,
    message,
  }));
}
