import type { Ban, BanRange, BanStatus, ChangedBan, Due, HeldBan, NewBan, PastBan } from "../deciding/ban.ts";
import type { Micros } from "../core/time.ts";
import type { Database, Value } from "./database.ts";

const COLUMNS = `id, address, scope, reason, count, start, until, ended, end_reason AS endReason,
  applied_by AS appliedBy, applied_at AS appliedAt, attempts, error`;
/** Those as `json_object()` takes them. */
const PAIRS = COLUMNS.split(/,\s*/).map((column) => column.split(" AS ").at(-1)!)
  .map((name) => `'${name}', ${name}`).join();
const CHANGED = "change = (SELECT max(change) + 1 FROM ban)";
/** Ids as one parameter: a statement for many rows costs a fraction of as many statements. */
const AMONG = "IN (SELECT value FROM json_each(?))";
const FIRST_RETRY: Micros = 1_000_000;
const LAST_RETRY: Micros = 300_000_000;

/** Bans that one call ends: some milliseconds. */
const EXPIRE_STEP = 5_000;

/** Ended bans of one address that are told. */
const MOST_PAST = 100;

/** All bans, past and present. At most one ban of an address is in force. */
export class BanTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  transaction<T>(work: () => T): T {
    return this.#db.transaction(work);
  }

  add(ban: NewBan): void {
    this.addAll([ban]);
  }

  addAll(bans: readonly NewBan[]): void {
    if (bans.length === 0) return;
    const list = JSON.stringify(
      bans.map((
        { address, scope, reason, count, start, until },
      ) => [address, scope, reason, count, start, until]),
    );
    this.#db.transaction(() => {
      this.#db.run(
        `INSERT INTO ban (change, applied_by, address, scope, reason, count, start, until)
         SELECT (SELECT ifnull(max(change), 0) FROM ban) + 1 + key,
           (SELECT applied_by FROM ban WHERE address = value ->> 0 AND applied_by IS NOT NULL),
           value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
         FROM json_each(?) WHERE true
         ON CONFLICT (address) WHERE ended IS NULL DO UPDATE SET change = excluded.change,
           until = CASE WHEN until IS NULL OR excluded.until IS NULL THEN NULL ELSE max(until, excluded.until) END,
           scope = iif(scope = excluded.scope, scope, 'all')`,
        list,
      );
      // What a firewall may still have of an earlier ban is now to be lifted with this one.
      this.#db.run(
        `UPDATE ban SET applied_by = NULL, error = NULL
         WHERE address IN (SELECT value ->> 0 FROM json_each(?)) AND applied_by IS NOT NULL AND ended IS NOT NULL`,
        list,
      );
    });
  }

  end(address: string, end: { reason: string; time: Micros }): boolean {
    return this.#db.run(
      `UPDATE ban SET ended = ?, end_reason = ?, attempts = 0, next_try = 0, error = NULL, ${CHANGED}
       WHERE address = ? AND ended IS NULL`,
      end.time,
      end.reason,
      address,
    ) > 0;
  }

  lastId(): number {
    return this.#db.get<{ id: number }>("SELECT ifnull(max(id), 0) AS id FROM ban")!.id;
  }

  /** Ends all bans in force that are newer than the one with this id. */
  endNewer(id: number, end: { reason: string; time: Micros }): void {
    this.#db.transaction(() => {
      const newer = this.#select("WHERE ended IS NULL AND id > ?", id);
      for (const { address } of newer) this.end(address, end);
    });
  }

  expire(now: Micros): { addresses: string[]; isMore: boolean } {
    const addresses = this.#db.all<{ address: string }>(
      `UPDATE ban SET ended = until, end_reason = 'expired', attempts = 0, next_try = 0, error = NULL,
         change = due.change
       FROM (SELECT id, (SELECT max(change) FROM ban) + row_number() OVER (ORDER BY until, id) AS change
         FROM ban WHERE ended IS NULL AND until <= ? ORDER BY until, id LIMIT ?) AS due
       WHERE ban.id = due.id RETURNING address`,
      now,
      EXPIRE_STEP,
    ).map(({ address }) => address);
    return { addresses, isMore: addresses.length === EXPIRE_STEP };
  }

  inForce(): BanStatus[] {
    return this.#select("WHERE ended IS NULL ORDER BY start, id");
  }

  held(firewall: string, { after, upTo }: BanRange): HeldBan[] {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(json_array(address, scope, until)) AS list FROM (
         SELECT address, scope, until FROM ban
         WHERE id > ? AND id <= ? AND ended IS NULL AND applied_at IS NOT NULL AND applied_by = ? ORDER BY id)`,
      after,
      upTo,
      firewall,
    );
    const list = JSON.parse(row!.list) as [string, string, Micros | null][];
    return list.map(([address, scope, until]) => ({ address, scope, until }));
  }

  lastChange(): number {
    return this.#db.get<{ change: number }>("SELECT ifnull(max(change), 0) AS change FROM ban")!.change;
  }

  /** As one text, as `addresses()`. */
  changedSince(change: number): ChangedBan[] {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(json_array(address, until, ended IS NOT NULL)) AS list FROM (
         SELECT address, until, ended FROM ban
         WHERE change > ? AND end_reason IS NOT 'expired' ORDER BY change)`,
      change,
    );
    const list = JSON.parse(row!.list) as [string, Micros | null, 0 | 1][];
    return list.map(([address, until, ended]) => ({ address, until, isEnded: ended === 1 }));
  }

  standing(address: string): BanStatus | null {
    return this.#select("WHERE address = ? AND ended IS NULL", address)[0] ?? null;
  }

  /** As one text, as `addresses()`. */
  spans(addresses: readonly string[]): Pick<Ban, "address" | "start" | "until">[] {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(json_array(address, start, until)) AS list FROM ban
       WHERE address ${AMONG} AND ended IS NULL`,
      JSON.stringify(addresses),
    );
    const list = JSON.parse(row!.list) as [string, Micros, Micros | null][];
    return list.map(([address, start, until]) => ({ address, start, until }));
  }

  latest(address: string): BanStatus | null {
    return this.#select("WHERE address = ? ORDER BY id DESC LIMIT 1", address)[0] ?? null;
  }

  past(address: string): PastBan[] {
    return this.#db.all<PastBan>(
      `SELECT start, ended, end_reason AS endReason FROM ban WHERE address = ? AND ended IS NOT NULL
       ORDER BY id DESC LIMIT ?`,
      address,
      MOST_PAST,
    );
  }

  since(start: Micros, { after, upTo }: BanRange): Pick<NewBan, "address" | "start" | "reason">[] {
    return this.#db.all(
      "SELECT address, start, reason FROM ban WHERE id > ? AND id <= ? AND start > ? ORDER BY id",
      after,
      upTo,
      start,
    );
  }

  /** As one text, which comes out of SQLite many times as fast as rows do. */
  addresses({ after, upTo }: BanRange): string[] {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(address) AS list FROM (
         SELECT address FROM ban WHERE id > ? AND id <= ? AND ended IS NULL ORDER BY id)`,
      after,
      upTo,
    );
    return JSON.parse(row!.list) as string[];
  }

  /** The bans of networks in force. */
  networks(): BanStatus[] {
    return this.#select("WHERE ended IS NULL AND instr(address, '/') > 0 ORDER BY start, id");
  }

  /** Bans that ended but that a firewall still has, oldest end first. */
  lingering(): BanStatus[] {
    return this.#select(
      `WHERE ended IS NOT NULL AND applied_by IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM ban AS newer WHERE newer.address = ban.address AND newer.ended IS NULL)
       ORDER BY ended, id`,
    );
  }

  /** The `limit` newest bans, those that ended included. */
  history(limit: number): BanStatus[] {
    return this.#select("ORDER BY id DESC LIMIT ?", limit);
  }

  begin(
    firewall: string,
    { boot, takesOver, anew }: { boot: Micros; takesOver: boolean; anew: boolean },
  ): void {
    this.#db.transaction(() => {
      const gone = "UPDATE ban SET applied_by = NULL, applied_at = NULL WHERE applied_at < ?";
      this.#db.run(`${gone} AND ended IS NOT NULL AND applied_by IS NOT NULL`, boot);
      if (anew) return;
      this.#db.run(`${gone} AND ended IS NULL`, boot);
      if (!takesOver) return;
      this.#db.run("UPDATE ban SET applied_at = NULL WHERE ended IS NULL AND applied_by IS NOT ?", firewall);
    });
  }

  applyAnew({ after, upTo }: BanRange): void {
    this.#db.run(
      "UPDATE ban SET applied_at = NULL, next_try = 0 WHERE id > ? AND id <= ? AND ended IS NULL",
      after,
      upTo,
    );
  }

  toApply({ now, limit }: Due): BanStatus[] {
    return this.#selectMany(
      `WHERE ended IS NULL AND applied_at IS NULL AND next_try <= ? AND (until IS NULL OR until > ?)
       ORDER BY next_try, id LIMIT ?`,
      now,
      now,
      limit,
    );
  }

  toLift({ firewall, now, limit }: Due): BanStatus[] {
    return this.#selectMany(
      `WHERE ended IS NOT NULL AND applied_by = ? AND next_try <= ?
         AND NOT EXISTS (SELECT 1 FROM ban AS newer WHERE newer.address = ban.address AND newer.ended IS NULL)
       ORDER BY next_try, id LIMIT ?`,
      firewall,
      now,
      limit,
    );
  }

  nextDue(firewall: string): Micros | null {
    return this.#db.get<{ due: Micros | null }>(
      `SELECT min(due) AS due FROM (
         SELECT min(until) AS due FROM ban WHERE ended IS NULL
         UNION ALL SELECT min(next_try) FROM ban WHERE ended IS NULL AND applied_at IS NULL
         UNION ALL SELECT min(next_try) FROM ban WHERE ended IS NOT NULL AND applied_by = ?)`,
      firewall,
    )?.due ?? null;
  }

  trying(ids: readonly number[], firewall: string): void {
    this.#db.run(
      `UPDATE ban SET applied_by = given.firewall FROM (SELECT ? AS firewall) AS given
       WHERE id ${AMONG} AND applied_by IS NOT given.firewall`,
      firewall,
      JSON.stringify(ids),
    );
  }

  untried(id: number): void {
    this.#db.run("UPDATE ban SET applied_by = NULL WHERE id = ?", id);
  }

  /** What an earlier ban of the address left behind is this one's now: lifting that would lift this. */
  applied(ids: readonly number[], { firewall, time }: { firewall: string; time: Micros }): void {
    const list = JSON.stringify(ids);
    this.#db.transaction(() => {
      this.#db.run(
        `UPDATE ban SET applied_by = ?, applied_at = ?, attempts = 0, next_try = 0, error = NULL
         WHERE id ${AMONG}`,
        firewall,
        time,
        list,
      );
      this.#db.run(
        `UPDATE ban SET applied_by = NULL, applied_at = NULL, error = NULL
         WHERE address IN (SELECT address FROM ban WHERE id ${AMONG} AND ended IS NULL)
           AND ended IS NOT NULL AND (applied_by IS NOT NULL OR error IS NOT NULL)`,
        list,
      );
    });
  }

  reapply(addresses: readonly string[]): void {
    if (addresses.length === 0) return;
    this.#db.run(
      `UPDATE ban SET applied_at = NULL, next_try = 0
       WHERE address ${AMONG} AND ended IS NULL AND applied_at IS NOT NULL`,
      JSON.stringify(addresses),
    );
  }

  lifted(ids: readonly number[]): void {
    this.#db.run(
      `UPDATE ban SET applied_by = NULL, applied_at = NULL, attempts = 0, next_try = 0, error = NULL
       WHERE id ${AMONG}`,
      JSON.stringify(ids),
    );
  }

  failed(id: number, failure: { error: string; time: Micros }): void {
    this.#db.run(
      `UPDATE ban SET attempts = attempts + 1, error = ?,
         next_try = ? + min(?, ? * (1 << min(attempts, 20))) WHERE id = ?`,
      failure.error,
      failure.time,
      LAST_RETRY,
      FIRST_RETRY,
      id,
    );
  }

  /** How many bans there ever were, are in force, and are held up by the firewall. */
  totals(): { all: number; inForce: number; failing: number } {
    return this.#db.get<{ all: number; inForce: number; failing: number }>(
      `SELECT count(*) AS "all", count(*) FILTER (WHERE ended IS NULL) AS inForce,
         count(*) FILTER (WHERE error IS NOT NULL) AS failing FROM ban`,
    )!;
  }

  /** Bans whose last try failed, and what it failed with. */
  failing(): BanStatus[] {
    return this.#select("WHERE error IS NOT NULL ORDER BY attempts DESC, id LIMIT 100");
  }

  /** As one text, as `addresses()`. */
  #selectMany(where: string, ...values: Value[]): BanStatus[] {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(json_object(${PAIRS})) AS list FROM (SELECT ${COLUMNS} FROM ban ${where})`,
      ...values,
    );
    return JSON.parse(row!.list) as BanStatus[];
  }

  #select(where: string, ...values: Value[]): BanStatus[] {
    return this.#db.all<BanStatus>(`SELECT ${COLUMNS} FROM ban ${where}`, ...values);
  }
}
