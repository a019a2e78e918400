/**
 * Begins and ends bans. An address and scope have at most one ban in force. Each change gets a
 * number that ascends across all bans, by which the monitor and PostgreSQL find news.
 */
import { type Micros, MINUTE } from "../core/time.ts";
import type { Ban, NewBan } from "../deciding/ban.ts";
import { BanReader } from "./ban_reader.ts";
import { AMONG, jsonOf, readScope, selectBans } from "./ban_rows.ts";
import type { Value } from "./sqlite.ts";

/** Most bans that `expire()` ends in one call: some milliseconds of work. */
const EXPIRE_STEP = 5_000;

/** How far a ban may begin ahead of the clock, as clocks are often corrected a little. */
const AHEAD: Micros = MINUTE;

/** Columns that are replaced when a ban of this server replaces one that follows another. */
const REPLACED = ["provenance", "name", "reason", "count", "start"];

/** Begins and ends bans. Methods throw what SQLite throws, and have then changed nothing. */
export class BanTable extends BanReader {
  /** Does all of `work` in one transaction or, if it throws, nothing. */
  transaction<T>(work: () => T): T {
    return this.db.transaction(work);
  }

  /** Writes a ban as `addAll()` does. */
  add(ban: NewBan): void {
    this.addAll([ban]);
  }

  /**
   * Writes bans in order. A ban whose address and scope have one in force moves its end to the
   * later of the two. A ban that follows another server gives way to any later one. A lift that has
   * not reached the firewall is dropped if its address is banned again.
   */
  addAll(bans: readonly NewBan[]): void {
    if (bans.length === 0) return;
    const list = jsonOf(bans, ({ address, provenance, reason, count, start, until }, scope) => [
      ...[address, scope, provenance.kind, provenance.name, reason, count, start, until],
    ]);
    this.db.transaction(() => {
      this.db.run(
        `INSERT INTO ban (change, applied_by, address, scope, provenance, name, reason, count, start, until, decided)
         SELECT (SELECT ifnull(max(change), 0) FROM ban) + 1 + key,
           (SELECT applied_by FROM ban
            WHERE address = value ->> 0 AND scope = value ->> 1 AND applied_by IS NOT NULL),
           value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
           value ->> 6
         FROM json_each(?) WHERE true
         ON CONFLICT (address, scope) WHERE ended IS NULL DO UPDATE SET change = excluded.change,
           decided = max(decided, excluded.decided),
           until = CASE WHEN provenance = 'fleet' THEN excluded.until
             WHEN until IS NULL OR excluded.until IS NULL THEN NULL ELSE max(until, excluded.until) END,
           ${
          REPLACED.map((column) => `${column} = iif(provenance = 'fleet', excluded.${column}, ${column})`)
        }`,
        [list],
      );
      // The firewall may still have an earlier ban, which is now lifted with this one.
      this.db.run(
        `UPDATE ban SET applied_by = NULL, error = NULL
         WHERE (address, scope) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))
           AND applied_by IS NOT NULL AND ended IS NOT NULL`,
        [list],
      );
    });
  }

  /** Ends all bans in force of an address; returns their number. */
  end(address: string, end: { reason: string; time: Micros }): number {
    return this.#end(end, "address = ?", address);
  }

  /** Ends all bans in force with ids above `id`. */
  endNewer(id: number, end: { reason: string; time: Micros }): void {
    this.#end(end, "id > ?", id);
  }

  /**
   * Makes bans in force of modules other than `modules`, whose firewalls are gone, bans of
   * everything for the general firewall. It is unknown which bans the former firewalls still have.
   */
  rescope(modules: readonly string[], time: Micros): void {
    const which = `scope GLOB 'module *' AND substr(scope, 8) NOT ${AMONG}`;
    const list = JSON.stringify(modules);
    this.db.transaction(() => {
      // The index saves a start the walk over all past bans.
      const found = `INDEXED BY ban_in_force WHERE ended IS NULL AND ${which} ORDER BY id`;
      const bans = selectBans(this.db, found, [list]);
      if (bans.length > 0) {
        this.addAll(bans.map((ban) => ({ ...ban, scope: "all" })));
        this.#end({ reason: "rescoped", time }, which, list);
      }
      this.db.run(
        `UPDATE ban INDEXED BY ban_to_lift SET applied_by = NULL, applied_at = NULL, error = NULL
         WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND turn >= '~' AND ${which}`,
        [list],
      );
    });
  }

  /** Ends bans in force that follow other servers. */
  endFollowed(bans: readonly Pick<Ban, "address" | "scope">[], time: Micros): void {
    if (bans.length === 0) return;
    const list = jsonOf(bans, ({ address }, scope) => [address, scope]);
    const which =
      `provenance = 'fleet' AND (address, scope) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`;
    this.#end({ reason: "fleet", time }, which, list);
  }

  /** Ends all bans in force that follow other servers; returns their number. */
  unfollow(time: Micros): number {
    return this.#end({ reason: "unfollowed", time }, "provenance = 'fleet' AND ?", 1);
  }

  #end({ reason, time }: { reason: string; time: Micros }, which: string, value: Value): number {
    return this.db.run(
      `UPDATE ban SET ended = ?, end_reason = ?, attempts = 0, next_try = 0, error = NULL, change = due.change
       FROM (SELECT id, (SELECT max(change) FROM ban) + row_number() OVER (ORDER BY id) AS change
         FROM ban WHERE ended IS NULL AND ${which}) AS due
       WHERE ban.id = due.id`,
      [time, reason, value],
    );
  }

  /** Ends bans whose time is up, the longest over first, a limited number per call. */
  expire(
    now: Micros,
  ): { bans: (Pick<Ban, "address" | "scope"> & { isFollowed: boolean })[]; isMore: boolean } {
    // Mostly there are none. The update would lock the file and take 80 µs, with each batch of lines.
    const isAnyDue =
      this.db.get("SELECT 1 FROM ban WHERE ended IS NULL AND until <= ? LIMIT 1", [now]) !== null;
    if (!isAnyDue) return { bans: [], isMore: false };
    const rows = this.db.all<{ address: string; scope: string; followed: 0 | 1 }>(
      `UPDATE ban SET ended = until, end_reason = 'expired', attempts = 0, next_try = 0, error = NULL,
         change = due.change
       FROM (SELECT id, (SELECT max(change) FROM ban) + row_number() OVER (ORDER BY until, id) AS change
         FROM ban WHERE ended IS NULL AND until <= ? ORDER BY until, id LIMIT ?) AS due
       WHERE ban.id = due.id RETURNING address, scope, provenance = 'fleet' AS followed`,
      [now, EXPIRE_STEP],
    );
    const bans = rows.map(({ address, scope, followed }) => ({
      address,
      scope: readScope(scope),
      isFollowed: followed === 1,
    }));
    return { bans, isMore: bans.length === EXPIRE_STEP };
  }

  /**
   * Makes bans that begin after `now` begin now, with the same length, and puts bans into force
   * again that expired although their time is not up; returns their number. Call it only if the clock
   * was seen to be set back: after a start the bans may be right, and the clock behind.
   */
  rebase(now: Micros): number {
    return this.db.transaction(() => this.#revive(now) + this.#beginNow(now));
  }

  #beginNow(now: Micros): number {
    return this.db.run(
      `UPDATE ban SET until = until - start + due.now, start = due.now, decided = min(decided, due.now), change = due.change
       FROM (SELECT id, ? AS now, (SELECT max(change) FROM ban) + row_number() OVER (ORDER BY id) AS change
         FROM ban WHERE ended IS NULL AND start > ?) AS due
       WHERE ban.id = due.id`,
      [now, now + AHEAD],
    );
  }

  #revive(now: Micros): number {
    const inForce = "SELECT address, scope FROM ban WHERE ended IS NULL";
    return this.db.run(
      `UPDATE ban SET ended = NULL, end_reason = NULL, applied_by = NULL, applied_at = NULL, attempts = 0, next_try = 0,
         error = NULL, change = due.change
       FROM (SELECT max(id) AS id, (SELECT max(change) FROM ban) + row_number() OVER (ORDER BY max(id)) AS change
         FROM ban WHERE end_reason = 'expired' AND ended > ? AND start <= ? AND (address, scope) NOT IN (${inForce})
         GROUP BY address, scope) AS due
       WHERE ban.id = due.id`,
      [now + AHEAD, now + AHEAD],
    );
  }
}
