/**
 * Selects bans and lifts that wait for a firewall. They wait in turns, one for each module and kind
 * of provenance, so that a flood of one delays no other.
 */
import { type Micros, MINUTE } from "../core/time.ts";
import type { BanStatus, DueBans } from "../deciding/ban.ts";
import { AMONG, selectBans } from "./ban_rows.ts";
import { type Database, Table } from "./database.ts";
import { type FirewallShare, turnsToApply, turnsToLift } from "./firewall_share.ts";

/** Number of the newest bans of a turn among which the ban with most hits comes first. */
const MOST_HITS_OF = 64;
/** Longest delay before a retry. */
export const LAST_RETRY: Micros = 5 * MINUTE;
/** Turns of all firewalls. */
const [TURNS_TO_APPLY, TURNS_TO_LIFT] = [turnsToApply(), turnsToLift()];

/** Selects one firewall's work. Methods throw what SQLite throws, and have then changed nothing. */
export class EnforcementQueue extends Table {
  readonly #turnsToApply: string;
  readonly #turnsToLift: string;

  constructor(db: Database, protected readonly share: FirewallShare) {
    super(db);
    this.#turnsToApply = turnsToApply(share);
    this.#turnsToLift = turnsToLift(share);
  }

  /**
   * Returns the turns with waiting bans or lifts, ascending: `rule SSHD` for a module's rules, the
   * kind of other provenances (`manual`, `network`…), `expired` for lifts of expired bans, `unban`
   * for other lifts.
   */
  turns(): string[] {
    const turns = this.db.list<string>(
      "turn",
      `(WITH ${this.#turnsToApply}, ${this.#turnsToLift} SELECT turn FROM to_apply WHERE turn IS NOT NULL
        UNION SELECT turn FROM to_lift WHERE turn IS NOT NULL ORDER BY turn)`,
    );
    return turns.map((turn) => turn.slice(this.share.prefix.length));
  }

  /**
   * Returns bans in force of a turn that the firewall lacks and whose next try is due: bans that
   * never failed first, or last with `isOldest`.
   */
  toApply(due: DueBans): BanStatus[] {
    for (;;) {
      const bans = this.#waiting(due);
      if (this.share.knowsScopes || this.#confirmHeld(bans, due.firewall) === 0) return bans;
    }
  }

  #waiting({ turn, now, limit, isOldest = false, busy = [] }: DueBans): BanStatus[] {
    const found =
      `SELECT id, count FROM ban INDEXED BY ban_to_apply WHERE ended IS NULL AND applied_at IS NULL
      AND turn = ? AND (until IS NULL OR until > ?) AND address NOT ${AMONG}`;
    const values = [this.share.prefix + turn, now, JSON.stringify(busy)];
    const among = (ids: string) => `WHERE id IN (SELECT id FROM (${ids}))`;
    const failed = (limit: number) => {
      const ids = `${found} AND next_try > 0 AND next_try <= ? ORDER BY next_try, id LIMIT ?`;
      return selectBans(this.db, `${among(ids)} ORDER BY next_try, id`, [...values, now, limit]);
    };
    const fresh = (limit: number) => {
      const ids = `${found} AND next_try = 0 ORDER BY id ${isOldest ? "" : "DESC"} LIMIT ?`;
      if (isOldest) return selectBans(this.db, `${among(ids)} ORDER BY id`, [...values, limit]);
      const mostHits = `SELECT id FROM (${ids}) ORDER BY count DESC, id DESC LIMIT ?`;
      const [window, where] = [
        Math.max(limit, MOST_HITS_OF),
        `${among(mostHits)} ORDER BY count DESC, id DESC`,
      ];
      return selectBans(this.db, where, [...values, window, limit]);
    };
    const [first, then] = isOldest ? [failed, fresh] : [fresh, failed];
    const bans = first(limit);
    return bans.length === limit ? bans : [...bans, ...then(limit - bans.length)];
  }

  /** Confirms bans of addresses that a firewall without scopes has; returns their number. */
  #confirmHeld(bans: readonly BanStatus[], firewall: string): number {
    const held = `SELECT applied_at FROM ban AS other WHERE other.address = ban.address AND other.id <> ban.id
      AND ${
      this.share.isMine("other")
    } AND other.ended IS NULL AND other.applied_by = ? AND other.applied_at IS NOT NULL LIMIT 1`;
    return this.db.run(
      `UPDATE ban SET applied_by = ?, applied_at = (${held}), attempts = 0, next_try = 0, error = NULL
       WHERE id ${AMONG} AND EXISTS (${held})`,
      [firewall, firewall, JSON.stringify(bans.map(({ id }) => id)), firewall],
    );
  }

  /** Returns ended bans of a turn that the firewall has and that are due, longest due first. */
  toLift({ firewall, turn, now, limit, busy = [] }: DueBans): BanStatus[] {
    return selectBans(
      this.db,
      `INDEXED BY ban_to_lift WHERE ${this.#liftable()} AND turn = ? AND next_try <= ? AND address NOT ${AMONG}
       ORDER BY next_try, id LIMIT ?`,
      [firewall, this.share.prefix + turn, now, JSON.stringify(busy), limit],
    );
  }

  /** SQL of bans to lift: no ban in force shares the firewall's entry. */
  #liftable(): string {
    return `ended IS NOT NULL AND applied_by IS NOT NULL AND applied_by = ?
      AND NOT EXISTS (SELECT 1 FROM ban AS other WHERE ${
      this.share.isOne("other", "ban")
    } AND other.ended IS NULL)`;
  }

  /** Makes retries due now that are later than any may be: the clock ran ahead then. */
  rebase(now: Micros): void {
    const late = now + LAST_RETRY;
    this.db.run(
      `WITH ${TURNS_TO_APPLY} UPDATE ban INDEXED BY ban_to_apply SET next_try = 0
       WHERE ended IS NULL AND applied_at IS NULL AND turn IN (SELECT turn FROM to_apply) AND next_try > ?`,
      [late],
    );
    this.db.run(
      `WITH ${TURNS_TO_LIFT} UPDATE ban INDEXED BY ban_to_lift SET next_try = 0
       WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND turn IN (SELECT turn FROM to_lift) AND next_try > ?`,
      [late],
    );
  }

  /** Returns at most 100 bans refused `attempts` times in a row, of the first 1,000 that failed. */
  stuck(attempts: number): BanStatus[] {
    const failed =
      `WITH ${TURNS_TO_APPLY} SELECT id FROM to_apply CROSS JOIN ban INDEXED BY ban_to_apply USING (turn)
      WHERE ended IS NULL AND applied_at IS NULL AND next_try > 0 LIMIT 1000`;
    return selectBans(this.db, `WHERE attempts >= ? AND id IN (${failed}) ORDER BY id LIMIT 100`, [attempts]);
  }

  /** Returns the time of the next retry or end; null: none. */
  nextDue(firewall: string): Micros | null {
    return this.db.value<Micros>(
      `WITH ${this.#turnsToApply}, ${this.#turnsToLift} SELECT min(due) AS due FROM (
         SELECT min(until) AS due FROM ban WHERE ended IS NULL
         UNION ALL SELECT (SELECT min(next_try) FROM ban
           WHERE ended IS NULL AND applied_at IS NULL AND turn = to_apply.turn) FROM to_apply
         UNION ALL SELECT (SELECT next_try FROM ban INDEXED BY ban_to_lift
           WHERE ${this.#liftable()} AND turn = to_lift.turn ORDER BY next_try LIMIT 1) FROM to_lift)`,
      [firewall],
    );
  }

  /** Returns the number of waiting bans that have not failed. */
  backlog(): number {
    return this.db.value<number>(
      `SELECT count(*) FROM ban INDEXED BY ban_to_apply
       WHERE ended IS NULL AND applied_at IS NULL AND next_try = 0 AND ${this.share.isMine()}`,
    )!;
  }
}
