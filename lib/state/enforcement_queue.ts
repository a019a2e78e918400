/**
 * Bans that wait for a firewall, and lifts: what it is to be told next, and when. They wait in turns, one for each module and
 * kind of provenance, so that a flood of one delays no other.
 */
import { type Micros, MINUTE } from "../core/time.ts";
import type { BanStatus, DueBans } from "../deciding/ban.ts";
import { AMONG, selectBans } from "./ban_rows.ts";
import type { Database } from "./database.ts";
import { type FirewallShare, turnsToApply, turnsToLift } from "./firewall_share.ts";

/** Of so many of the newest bans of a turn the loudest comes first. */
const LOUDEST_OF = 64;
/** The longest wait before a further try. */
export const LAST_RETRY: Micros = 5 * MINUTE;
/** The turns of all firewalls. */
const [TURNS_TO_APPLY, TURNS_TO_LIFT] = [turnsToApply(), turnsToLift()];

/** Knows what waits for one firewall. Methods throw what SQLite throws, and have then changed nothing. */
export class EnforcementQueue {
  readonly #db: Database;
  readonly #share: FirewallShare;
  readonly #turnsToApply: string;
  readonly #turnsToLift: string;

  constructor(db: Database, share: FirewallShare) {
    this.#db = db;
    this.#share = share;
    this.#turnsToApply = turnsToApply(share);
    this.#turnsToLift = turnsToLift(share);
  }

  /**
   * Whose bans and lifts wait, ascending: `rule SSHD` for those that the rules of a module made, the kind of other provenances
   * (`manual`, `network`…), `expired` for lifts of bans whose time was up, and `unban` for other lifts.
   */
  turns(): string[] {
    return this.#db.all<{ turn: string }>(
      `WITH ${this.#turnsToApply}, ${this.#turnsToLift} SELECT turn FROM to_apply WHERE turn IS NOT NULL
       UNION SELECT turn FROM to_lift WHERE turn IS NOT NULL ORDER BY turn`,
    ).map(({ turn }) => turn.slice(this.#share.prefix.length));
  }

  /**
   * Bans of a turn that are in force, that the firewall does not have yet, and whose next try has come: those that never failed
   * first, or last with `isOldest`.
   */
  toApply(due: DueBans): BanStatus[] {
    for (;;) {
      const bans = this.#waiting(due);
      if (this.#share.knowsScopes || this.#shareHeld(bans, due.firewall) === 0) return bans;
    }
  }

  #waiting({ turn, now, limit, isOldest = false, busy = [] }: DueBans): BanStatus[] {
    const found =
      `SELECT id, count FROM ban INDEXED BY ban_to_apply WHERE ended IS NULL AND applied_at IS NULL
      AND turn = ? AND (until IS NULL OR until > ?) AND address NOT ${AMONG}`;
    const values = [this.#share.prefix + turn, now, JSON.stringify(busy)];
    const among = (ids: string) => `WHERE id IN (SELECT id FROM (${ids}))`;
    const failed = (limit: number) => {
      const ids = `${found} AND next_try > 0 AND next_try <= ? ORDER BY next_try, id LIMIT ?`;
      return selectBans(this.#db, `${among(ids)} ORDER BY next_try, id`, ...values, now, limit);
    };
    const fresh = (limit: number) => {
      const ids = `${found} AND next_try = 0 ORDER BY id ${isOldest ? "" : "DESC"} LIMIT ?`;
      if (isOldest) return selectBans(this.#db, `${among(ids)} ORDER BY id`, ...values, limit);
      const loudest = `SELECT id FROM (${ids}) ORDER BY count DESC, id DESC LIMIT ?`;
      const [window, where] = [Math.max(limit, LOUDEST_OF), `${among(loudest)} ORDER BY count DESC, id DESC`];
      return selectBans(this.#db, where, ...values, window, limit);
    };
    const [first, then] = isOldest ? [failed, fresh] : [fresh, failed];
    const bans = first(limit);
    return bans.length === limit ? bans : [...bans, ...then(limit - bans.length)];
  }

  /** To a firewall without scopes a ban of an address that it has already is no news; returns how many are none. */
  #shareHeld(bans: readonly BanStatus[], firewall: string): number {
    const held = `SELECT applied_at FROM ban AS other WHERE other.address = ban.address AND other.id <> ban.id
      AND ${
      this.#share.isMine("other")
    } AND other.ended IS NULL AND other.applied_by = ? AND other.applied_at IS NOT NULL LIMIT 1`;
    return this.#db.run(
      `UPDATE ban SET applied_by = ?, applied_at = (${held}), attempts = 0, next_try = 0, error = NULL
       WHERE id ${AMONG} AND EXISTS (${held})`,
      firewall,
      firewall,
      JSON.stringify(bans.map(({ id }) => id)),
      firewall,
    );
  }

  /** Bans of a turn that ended and that the firewall still has, and whose next try has come, the longest due first. */
  toLift({ firewall, turn, now, limit, busy = [] }: DueBans): BanStatus[] {
    return selectBans(
      this.#db,
      `INDEXED BY ban_to_lift WHERE ${this.#liftable()} AND turn = ? AND next_try <= ? AND address NOT ${AMONG}
       ORDER BY next_try, id LIMIT ?`,
      firewall,
      this.#share.prefix + turn,
      now,
      JSON.stringify(busy),
      limit,
    );
  }

  /** What a ban in force is one with is lifted with that. */
  #liftable(): string {
    return `ended IS NOT NULL AND applied_by IS NOT NULL AND applied_by = ?
      AND NOT EXISTS (SELECT 1 FROM ban AS other WHERE ${
      this.#share.isOne("other", "ban")
    } AND other.ended IS NULL)`;
  }

  /** Tries that are due later than any may be were put off while the clock ran ahead: they are due now. */
  rebase(now: Micros): void {
    const late = now + LAST_RETRY;
    this.#db.run(
      `WITH ${TURNS_TO_APPLY} UPDATE ban INDEXED BY ban_to_apply SET next_try = 0
       WHERE ended IS NULL AND applied_at IS NULL AND turn IN (SELECT turn FROM to_apply) AND next_try > ?`,
      late,
    );
    this.#db.run(
      `WITH ${TURNS_TO_LIFT} UPDATE ban INDEXED BY ban_to_lift SET next_try = 0
       WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND turn IN (SELECT turn FROM to_lift) AND next_try > ?`,
      late,
    );
  }

  /** Bans that the firewall refused `attempts` times in a row or more: at most 100, of the first thousand that failed. */
  stuck(attempts: number): BanStatus[] {
    const failed =
      `WITH ${TURNS_TO_APPLY} SELECT id FROM to_apply CROSS JOIN ban INDEXED BY ban_to_apply USING (turn)
      WHERE ended IS NULL AND applied_at IS NULL AND next_try > 0 LIMIT 1000`;
    return selectBans(this.#db, `WHERE attempts >= ? AND id IN (${failed}) ORDER BY id LIMIT 100`, attempts);
  }

  /** When something falls due next: a retry or an end; null when nothing will by itself. */
  nextDue(firewall: string): Micros | null {
    return this.#db.get<{ due: Micros | null }>(
      `WITH ${this.#turnsToApply}, ${this.#turnsToLift} SELECT min(due) AS due FROM (
         SELECT min(until) AS due FROM ban WHERE ended IS NULL
         UNION ALL SELECT (SELECT min(next_try) FROM ban
           WHERE ended IS NULL AND applied_at IS NULL AND turn = to_apply.turn) FROM to_apply
         UNION ALL SELECT (SELECT next_try FROM ban INDEXED BY ban_to_lift
           WHERE ${this.#liftable()} AND turn = to_lift.turn ORDER BY next_try LIMIT 1) FROM to_lift)`,
      firewall,
    )?.due ?? null;
  }

  /** How many bans in force wait for the firewall without having failed. */
  backlog(): number {
    return this.#db.get<{ bans: number }>(
      `SELECT count(*) AS bans FROM ban INDEXED BY ban_to_apply
       WHERE ended IS NULL AND applied_at IS NULL AND next_try = 0 AND ${this.#share.isMine()}`,
    )!.bans;
  }
}
