import type { BanStatus, BanStore, Due, Micros, NewBan } from "../types.ts";
import type { Database, Value } from "./database.ts";

const COLUMNS = `id, address, reason, count, start, until, ended, end_reason AS endReason,
  applied_by AS appliedBy, applied_at AS appliedAt, attempts, error`;
const CHANGED = "change = (SELECT max(change) + 1 FROM ban)";
const FIRST_RETRY: Micros = 1_000_000;
const LAST_RETRY: Micros = 300_000_000;

/** All bans, past and present. At most one ban of an address is in force. */
export class BanTable implements BanStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  add(ban: NewBan): void {
    this.#db.transaction(() => {
      const extended = this.#db.run(
        `UPDATE ban SET ${CHANGED}, until = CASE WHEN until IS NULL OR ? IS NULL THEN NULL ELSE max(until, ?) END
         WHERE address = ? AND ended IS NULL`,
        ban.until,
        ban.until,
        ban.address,
      );
      if (extended > 0) return;
      this.#db.run(
        "UPDATE ban SET applied_by = NULL, error = NULL WHERE address = ? AND applied_by IS NOT NULL",
        ban.address,
      );
      this.#db.run(
        `INSERT INTO ban (change, address, reason, count, start, until)
         VALUES ((SELECT ifnull(max(change), 0) + 1 FROM ban), ?, ?, ?, ?, ?)`,
        ban.address,
        ban.reason,
        ban.count,
        ban.start,
        ban.until,
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

  expire(now: Micros): string[] {
    return this.#db.transaction(() => {
      const due = this.#db.all<{ address: string; until: Micros }>(
        "SELECT address, until FROM ban WHERE ended IS NULL AND until <= ? ORDER BY until",
        now,
      );
      for (const { address, until } of due) this.end(address, { reason: "expired", time: until });
      return due.map(({ address }) => address);
    });
  }

  inForce(): BanStatus[] {
    return this.#select("WHERE ended IS NULL ORDER BY start, id");
  }

  /** The `limit` newest bans, those that ended included. */
  history(limit: number): BanStatus[] {
    return this.#select("ORDER BY id DESC LIMIT ?", limit);
  }

  has(address: string): boolean {
    return this.#db.get("SELECT 1 FROM ban WHERE address = ? AND ended IS NULL", address) !== null;
  }

  toApply({ firewall, now, boot, limit }: Due): BanStatus[] {
    return this.#select(
      `WHERE ended IS NULL AND (until IS NULL OR until > ?) AND next_try <= ?
         AND (applied_by IS NOT ? OR applied_at < ?) ORDER BY attempts, id LIMIT ?`,
      now,
      now,
      firewall,
      boot,
      limit,
    );
  }

  toLift({ firewall, now, limit }: Due): BanStatus[] {
    return this.#select(
      `WHERE ended IS NOT NULL AND applied_by = ? AND next_try <= ? ORDER BY attempts, id LIMIT ?`,
      firewall,
      now,
      limit,
    );
  }

  nextDue(firewall: string): Micros | null {
    return this.#db.get<{ due: Micros | null }>(
      `SELECT min(due) AS due FROM (
         SELECT min(until) AS due FROM ban WHERE ended IS NULL
         UNION ALL SELECT min(next_try) FROM ban WHERE ended IS NULL AND applied_by IS NOT ?
         UNION ALL SELECT min(next_try) FROM ban WHERE ended IS NOT NULL AND applied_by = ?)`,
      firewall,
      firewall,
    )?.due ?? null;
  }

  applied(id: number, by: { firewall: string; time: Micros }): void {
    this.#db.run(
      "UPDATE ban SET applied_by = ?, applied_at = ?, attempts = 0, next_try = 0, error = NULL WHERE id = ?",
      by.firewall,
      by.time,
      id,
    );
  }

  lifted(id: number): void {
    this.#db.run(
      "UPDATE ban SET applied_by = NULL, attempts = 0, next_try = 0, error = NULL WHERE id = ?",
      id,
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

  #select(where: string, ...values: Value[]): BanStatus[] {
    return this.#db.all<BanStatus>(`SELECT ${COLUMNS} FROM ban ${where}`, ...values);
  }
}
