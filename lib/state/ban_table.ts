/**
 * Bans, past and present: what was decided, and how it ended. Of one address and scope at most one ban is in force. Each
 * change gets a number that counts up across all bans, by which the monitor and PostgreSQL find out what is new.
 */
import { prefixLength } from "../core/address.ts";
import { formatScope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import type {
  Ban,
  BanRange,
  BanStatus,
  ChangedBan,
  CountedBan,
  NewBan,
  PastBan,
  StandingBan,
} from "../deciding/ban.ts";
import { AMONG, jsonOf, readScope, selectBans } from "./ban_rows.ts";
import type { Database, Value } from "./database.ts";

/** Bans that `expire()` ends at most: some milliseconds. */
const EXPIRE_STEP = 5_000;
/** Ended bans of one address that `past()` tells and that are kept. */
const MOST_PAST = 100;
/** Bans that `prune()` looks at in one step. */
const PRUNE_STEP = 500;
/** How long after it has looked at all bans `prune()` begins again. */
const PRUNE_EVERY: Micros = 3_600_000_000;

/** Numbers of bans. */
export interface BanTotals {
  readonly all: number;
  /** Those that have not ended, in force or not. */
  readonly decided: number;
  /** Those of them that a firewall has confirmed. */
  readonly inForce: number;
  /** Those that it has not confirmed yet. */
  readonly waiting: number;
  /** When the oldest of these began; null: none waits. */
  readonly waitingSince: Micros | null;
  /** Bans and lifts whose last try failed. */
  readonly failing: number;
}

/** Numbers of bans that are found without a look at all of them. */
export type BanNumbers = Pick<BanTotals, "inForce" | "waiting" | "failing">;

/** How far ahead of the clock a ban may begin: clocks are corrected a little all the time. */
const AHEAD: Micros = 60_000_000;

/** Columns of a ban that follows another server which a ban of this server replaces. */
const GIVING_WAY = ["provenance", "name", "reason", "count", "start"];

/** Which ended bans are deleted. */
export interface Pruning {
  readonly now: Micros;
  /** How long bans are kept after their end. */
  readonly keep: Micros;
  /** Bans go to PostgreSQL and are kept until they have arrived there. */
  readonly isShipped: boolean;
}

/** Decisions of one instant: an address fills its network, which may fill a larger one. */
function byDecision(a: CountedBan, b: CountedBan): number {
  return a.time - b.time || Number(a.isOfNetwork) - Number(b.isOfNetwork) ||
    (a.isOfNetwork ? prefixLength(b.address) - prefixLength(a.address) : 0);
}

/** All bans, past and present. Methods throw what SQLite throws, and have then changed nothing. */
export class BanTable {
  readonly #db: Database;
  /** Id of the last ban that `prune()` has looked at. */
  #pruned = 0;
  #pruneAgain: Micros = -Infinity;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Does `work` as a whole: all that it changes or, when it throws, nothing. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work);
  }

  /** Writes a ban as `addAll()` does. */
  add(ban: NewBan): void {
    this.addAll([ban]);
  }

  /**
   * Writes bans in order. One of an address and scope that has a ban in force moves the end of that to the later of the two.
   * A ban that follows another server gives way to any later one. A lift of an earlier one that has not reached the firewall is
   * dropped: the address is to be banned.
   */
  addAll(bans: readonly NewBan[]): void {
    if (bans.length === 0) return;
    const list = jsonOf(bans, ({ address, provenance, reason, count, start, until }, scope) => [
      ...[address, scope, provenance.kind, provenance.name, reason, count, start, until],
    ]);
    this.#db.transaction(() => {
      this.#db.run(
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
          GIVING_WAY.map((column) => `${column} = iif(provenance = 'fleet', excluded.${column}, ${column})`)
        }`,
        list,
      );
      // What a firewall may still have of an earlier ban is now to be lifted with this one.
      this.#db.run(
        `UPDATE ban SET applied_by = NULL, error = NULL
         WHERE (address, scope) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))
           AND applied_by IS NOT NULL AND ended IS NOT NULL`,
        list,
      );
    });
  }

  /** Ends all bans in force of an address; returns how many. */
  end(address: string, end: { reason: string; time: Micros }): number {
    return this.#end(end, "address = ?", address);
  }

  /** Ends all bans in force that are newer than the one with this id. */
  endNewer(id: number, end: { reason: string; time: Micros }): void {
    this.#end(end, "id > ?", id);
  }

  /**
   * Bans in force for modules other than `modules`, which have no firewall of their own any more, become bans of everything: the
   * one firewall that is left carries them out. What the former one had is no longer known.
   */
  rescope(modules: readonly string[], time: Micros): void {
    const which = `scope GLOB 'module *' AND substr(scope, 8) NOT ${AMONG}`;
    const list = JSON.stringify(modules);
    this.#db.transaction(() => {
      // Indexes keep a start from walking over all bans of the past.
      const found = `INDEXED BY ban_in_force WHERE ended IS NULL AND ${which} ORDER BY id`;
      const bans = selectBans(this.#db, found, list);
      if (bans.length > 0) {
        this.addAll(bans.map((ban) => ({ ...ban, scope: "all" })));
        this.#end({ reason: "rescoped", time }, which, list);
      }
      this.#db.run(
        `UPDATE ban INDEXED BY ban_to_lift SET applied_by = NULL, applied_at = NULL, error = NULL
         WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND turn >= '~' AND ${which}`,
        list,
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

  #end({ reason, time }: { reason: string; time: Micros }, which: string, value: Value): number {
    return this.#db.run(
      `UPDATE ban SET ended = ?, end_reason = ?, attempts = 0, next_try = 0, error = NULL, change = due.change
       FROM (SELECT id, (SELECT max(change) FROM ban) + row_number() OVER (ORDER BY id) AS change
         FROM ban WHERE ended IS NULL AND ${which}) AS due
       WHERE ban.id = due.id`,
      time,
      reason,
      value,
    );
  }

  /** Ends bans whose time is up, the longest over first, and not too many at once. */
  expire(now: Micros): { bans: Pick<Ban, "address" | "scope">[]; isMore: boolean } {
    const rows = this.#db.all<{ address: string; scope: string }>(
      `UPDATE ban SET ended = until, end_reason = 'expired', attempts = 0, next_try = 0, error = NULL,
         change = due.change
       FROM (SELECT id, (SELECT max(change) FROM ban) + row_number() OVER (ORDER BY until, id) AS change
         FROM ban WHERE ended IS NULL AND until <= ? ORDER BY until, id LIMIT ?) AS due
       WHERE ban.id = due.id RETURNING address, scope`,
      now,
      EXPIRE_STEP,
    );
    const bans = rows.map(({ address, scope }) => ({ address, scope: readScope(scope) }));
    return { bans, isMore: bans.length === EXPIRE_STEP };
  }

  /**
   * Has bans in force that begin later than `now` begin now, and last as long as they were to; returns how many there were. Call it
   * only when the clock was seen to be set back: after a start they may be right, and the clock behind.
   */
  rebase(now: Micros): number {
    return this.#db.run(
      `UPDATE ban SET until = until - start + due.now, start = due.now, decided = min(decided, due.now), change = due.change
       FROM (SELECT id, ? AS now, (SELECT max(change) FROM ban) + row_number() OVER (ORDER BY id) AS change
         FROM ban WHERE ended IS NULL AND start > ?) AS due
       WHERE ban.id = due.id`,
      now,
      now + AHEAD,
    );
  }

  /**
   * Deletes some ended bans that are old; returns how many it looked at, 0 when it is through. An address keeps its bans
   * until the last one has been over for `keep`, because longer bans follow from earlier ones, but of very old ones only
   * as many as `past()` tells. What a firewall still has stays, and so does the latest change, from which numbers count on.
   */
  prune({ now, keep, isShipped }: Pruning): number {
    if (now < this.#pruneAgain) return 0;
    const looked = this.#db.all<{ id: number }>(
      "SELECT id FROM ban WHERE id > ? ORDER BY id LIMIT ?",
      this.#pruned,
      PRUNE_STEP,
    );
    if (looked.length > 0) this.#delete(looked.map(({ id }) => id), { before: now - keep, isShipped });
    this.#pruned = looked.at(-1)?.id ?? 0;
    if (looked.length === 0) this.#pruneAgain = now + PRUNE_EVERY;
    return looked.length;
  }

  #delete(ids: readonly number[], { before, isShipped }: { before: Micros; isShipped: boolean }): void {
    this.#db.run(
      `DELETE FROM ban WHERE id ${AMONG} AND ended < ? AND applied_by IS NULL AND change < (SELECT max(change) FROM ban)
         AND (NOT ? OR provenance = 'fleet' OR change <= ifnull((SELECT value FROM meta WHERE key = 'shipped_ban'), 0))
         AND (
           NOT EXISTS (SELECT 1 FROM ban AS other WHERE other.address = ban.address
             AND (other.ended IS NULL OR other.ended >= ?))
           OR (SELECT count(*) FROM (
             SELECT 1 FROM ban AS newer WHERE newer.address = ban.address AND newer.id > ban.id LIMIT ${MOST_PAST}
           )) = ${MOST_PAST}
         )`,
      JSON.stringify(ids),
      before,
      Number(isShipped),
      before,
    );
  }

  /** Id of the newest ban; 0 before the first. */
  lastId(): number {
    return this.#db.get<{ id: number }>("SELECT ifnull(max(id), 0) AS id FROM ban")!.id;
  }

  /** Number of the latest change; 0 before the first. */
  lastChange(): number {
    return this.#db.get<{ change: number }>("SELECT ifnull(max(change), 0) AS change FROM ban")!.change;
  }

  /** Bans whose latest change is later than `change`, ascending by it, without those whose time was up. */
  changedSince(change: number): ChangedBan[] {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(json_array(address, scope, until, ended IS NOT NULL)) AS list FROM (
         SELECT address, scope, until, ended FROM ban
         WHERE change > ? AND end_reason IS NOT 'expired' ORDER BY change)`,
      change,
    );
    const list = JSON.parse(row!.list) as [string, string, Micros | null, 0 | 1][];
    return list.map(([address, scope, until, ended]) => ({
      address,
      scope: readScope(scope),
      until,
      isEnded: ended === 1,
    }));
  }

  /** What the counts of bans inside networks are made of: decisions of rules and networks after `since`, in their order. */
  decided(since: Micros): CountedBan[] {
    // A list for each column: a start with 100,000 bans waits for this.
    const row = this.#db.get<{ addresses: string; times: string | null; networks: string }>(
      `SELECT group_concat(address) AS addresses, group_concat(decided) AS times,
         group_concat(provenance = 'network', '') AS networks
       FROM (SELECT address, decided, provenance FROM ban
         WHERE decided > ? AND provenance IN ('rule', 'network') ORDER BY id)`,
      since,
    )!;
    const times = JSON.parse(`[${row.times ?? ""}]`) as Micros[];
    if (times.length === 0) return [];
    const addresses = row.addresses.split(",");
    const bans = times.map((time, i) => ({
      address: addresses[i]!,
      time,
      isOfNetwork: row.networks[i] === "1",
    }));
    return times.every((time, i) => i === 0 || times[i - 1]! <= time) ? bans : bans.sort(byDecision);
  }

  /** The bans of an address or network in force, oldest first. */
  standing(address: string): BanStatus[] {
    return selectBans(this.#db, "WHERE address = ? AND ended IS NULL ORDER BY id", address);
  }

  /** The bans in force of many addresses; those without any are not among the keys. */
  standingOf(addresses: readonly string[]): Map<string, StandingBan[]> {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(json_array(address, scope, until, provenance = 'fleet')) AS list FROM ban
       WHERE address ${AMONG} AND ended IS NULL`,
      JSON.stringify(addresses),
    );
    const standing = new Map<string, StandingBan[]>();
    const list = JSON.parse(row!.list) as [string, string, Micros | null, 0 | 1][];
    for (const [address, scope, until, isFollowed] of list) {
      const ban = { scope: readScope(scope), until, isFollowed: isFollowed === 1 };
      const others = standing.get(address);
      if (others) others.push(ban);
      else standing.set(address, [ban]);
    }
    return standing;
  }

  /** Number of bans in force that follow other servers. */
  followed(): number {
    return this.#db.get<{ n: number }>(
      "SELECT count(*) AS n FROM ban WHERE ended IS NULL AND provenance = 'fleet'",
    )!.n;
  }

  /** Addresses whose followed bans were lifted by hand, with the time of the last lift. */
  followedLifted(addresses: readonly string[]): Map<string, Micros> {
    const rows = this.#db.all<{ address: string; time: Micros }>(
      `SELECT address, max(ended) AS time FROM ban
       WHERE address ${AMONG} AND provenance = 'fleet' AND end_reason = 'unban' GROUP BY address`,
      JSON.stringify(addresses),
    );
    return new Map(rows.map(({ address, time }) => [address, time]));
  }

  /** Those of some addresses whose last ban is one of this server whose time was up. */
  ownExpired(addresses: readonly string[]): string[] {
    return this.#db.all<{ address: string }>(
      `SELECT address FROM (SELECT address, provenance, end_reason, max(id) FROM ban WHERE address ${AMONG} GROUP BY address)
       WHERE provenance <> 'fleet' AND end_reason = 'expired'`,
      JSON.stringify(addresses),
    ).map(({ address }) => address);
  }

  /** The newest bans of an address that have ended, newest first, without those that followed other servers. */
  past(address: string): PastBan[] {
    return this.#db.all<PastBan>(
      `SELECT start, ended, end_reason AS endReason FROM ban
       WHERE address = ? AND ended IS NOT NULL AND provenance <> 'fleet' ORDER BY id DESC LIMIT ?`,
      address,
      MOST_PAST,
    );
  }

  /** Addresses and networks with a ban in force of a range, each once. */
  addresses({ after, upTo }: BanRange): string[] {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(address) AS list FROM (
         SELECT DISTINCT address FROM ban WHERE id > ? AND id <= ? AND ended IS NULL ORDER BY id)`,
      after,
      upTo,
    );
    return JSON.parse(row!.list) as string[];
  }

  /** The ban with this id; null: there is none. */
  get(id: number): BanStatus | null {
    return selectBans(this.#db, "WHERE id = ?", id)[0] ?? null;
  }

  /** The ban in force that is known by this address and scope; null: there is none. */
  find({ address, scope }: Pick<Ban, "address" | "scope">): BanStatus | null {
    const where = "WHERE address = ? AND scope = ? AND ended IS NULL";
    return selectBans(this.#db, where, address, formatScope(scope))[0] ?? null;
  }

  /** The bans in force of some addresses and networks. */
  inForceOf(addresses: readonly string[]): BanStatus[] {
    return selectBans(this.#db, `WHERE address ${AMONG} AND ended IS NULL`, JSON.stringify(addresses));
  }

  /** The newest ban of an address or network, one that ended included; null when there never was one. */
  latest(address: string): BanStatus | null {
    return selectBans(this.#db, "WHERE address = ? ORDER BY id DESC LIMIT 1", address)[0] ?? null;
  }

  /** The bans in force, oldest first. */
  inForce(): BanStatus[] {
    return selectBans(this.#db, "WHERE ended IS NULL ORDER BY start, id");
  }

  /** The bans of networks in force. */
  networks(): BanStatus[] {
    return selectBans(this.#db, "WHERE ended IS NULL AND instr(address, '/') > 0 ORDER BY start, id");
  }

  /** Bans that ended but that a firewall still has, oldest end first. */
  lingering(): BanStatus[] {
    return selectBans(
      this.#db,
      `INDEXED BY ban_to_lift WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND NOT EXISTS (
         SELECT 1 FROM ban AS newer
         WHERE newer.address = ban.address AND newer.scope = ban.scope AND newer.ended IS NULL)
       ORDER BY ended, id`,
    );
  }

  /** The `limit` newest bans, those that ended included, newest first. */
  history(limit: number): BanStatus[] {
    return selectBans(this.#db, "ORDER BY id DESC LIMIT ?", limit);
  }

  /** How many bans there ever were, and what of those that have not ended the firewall has. */
  totals(): BanTotals {
    return this.#db.get<BanTotals>(
      `SELECT count(*) AS "all", count(*) FILTER (WHERE ended IS NULL) AS decided,
         count(*) FILTER (WHERE ended IS NULL AND applied_at IS NOT NULL AND applied_by <> 'observe') AS inForce,
         count(*) FILTER (WHERE ended IS NULL AND applied_at IS NULL) AS waiting,
         min(start) FILTER (WHERE ended IS NULL AND applied_at IS NULL) AS waitingSince,
         count(*) FILTER (WHERE error IS NOT NULL) AS failing FROM ban`,
    )!;
  }

  /** The numbers that indexes tell: 5 ms for 100,000 bans in force, and a million that have ended cost nothing. */
  numbers(): BanNumbers {
    return this.#db.get<BanNumbers>(
      `SELECT decided - waiting AS inForce, waiting, failing FROM (SELECT
         (SELECT count(*) FROM ban INDEXED BY ban_until WHERE ended IS NULL) AS decided,
         (SELECT count(*) FROM ban INDEXED BY ban_to_apply WHERE ended IS NULL AND applied_at IS NULL) AS waiting,
         (SELECT count(*) FROM ban INDEXED BY ban_to_apply
          WHERE ended IS NULL AND applied_at IS NULL AND next_try > 0) +
         (SELECT count(*) FROM ban INDEXED BY ban_to_lift
          WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND next_try > 0) AS failing)`,
    )!;
  }

  /** The newest `most` bans by rules and networks whose ids are above `id`, in order, and how many there are. */
  decidedAfter(id: number, most: number): { bans: BanStatus[]; count: number } {
    const which = "id > ? AND provenance IN ('rule', 'network')";
    const { count } = this.#db.get<{ count: number }>(
      `SELECT count(*) AS count FROM ban WHERE ${which}`,
      id,
    )!;
    const newest = count === 0
      ? []
      : selectBans(this.#db, `WHERE ${which} ORDER BY id DESC LIMIT ?`, id, most);
    return { bans: newest.reverse(), count };
  }

  /** Bans whose last try failed, with its error: at most 100. */
  failing(): BanStatus[] {
    return selectBans(this.#db, "WHERE error IS NOT NULL ORDER BY attempts DESC, id LIMIT 100");
  }
}
