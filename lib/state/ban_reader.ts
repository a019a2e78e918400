/** Reads bans, past and present. */
import { prefixLength } from "../core/address.ts";
import { formatScope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import type {
  Ban,
  BanInForce,
  BanRange,
  BanStatus,
  ChangedBan,
  CountedBan,
  PastBan,
} from "../deciding/ban.ts";
import { AMONG, MOST_PAST, readScope, selectBans } from "./ban_rows.ts";
import { Table } from "./database.ts";

/** Numbers of bans. */
export interface BanTotals {
  readonly all: number;
  /** Bans that have not ended. */
  readonly decided: number;
  /** Bans in force that a firewall has confirmed. */
  readonly confirmed: number;
  /** Bans that it has not confirmed yet. */
  readonly waiting: number;
  /** Bans that no firewall carries out. */
  readonly noted: number;
  /** Start of the oldest waiting ban; null: none waits. */
  readonly waitingSince: Micros | null;
  /** Bans and lifts whose last try failed. */
  readonly failing: number;
}

/** Numbers of bans that indexes tell without a scan. */
export type BanNumbers = Pick<BanTotals, "confirmed" | "waiting" | "failing">;

/** Bans in force read at once. */
const PAGE = 500;

/** Orders decisions of one instant: an address fills its network, which may fill a larger one. */
function byDecision(a: CountedBan, b: CountedBan): number {
  return a.time - b.time || Number(a.isOfNetwork) - Number(b.isOfNetwork) ||
    (a.isOfNetwork ? prefixLength(b.address) - prefixLength(a.address) : 0);
}

/** Reads the bans of the state. Methods throw what SQLite throws. */
export class BanReader extends Table {
  /** Returns the id of the newest ban; 0 before the first. */
  lastId(): number {
    return this.db.value<number>("SELECT max(id) FROM ban") ?? 0;
  }

  /** Returns the number of the latest change; 0 before the first. */
  lastChange(): number {
    return this.db.value<number>("SELECT max(change) FROM ban") ?? 0;
  }

  /** Returns bans changed after `change`, ascending by change, without expired ones. */
  changedSince(change: number): ChangedBan[] {
    const list = this.db.list<[string, string, Micros | null, 0 | 1]>(
      "json_array(address, scope, until, ended IS NOT NULL)",
      `(SELECT address, scope, until, ended FROM ban
        WHERE change > ? AND end_reason IS NOT 'expired' ORDER BY change)`,
      [change],
    );
    return list.map(([address, scope, until, ended]) => ({
      address,
      scope: readScope(scope),
      until,
      isEnded: ended === 1,
    }));
  }

  /** Returns decisions of rules and networks after `since`, in order, to count bans in networks. */
  decisionsSince(since: Micros): CountedBan[] {
    // One list per column, as a start with 100,000 bans waits for this.
    const row = this.db.get<{ addresses: string; times: string | null; networks: string }>(
      `SELECT group_concat(address) AS addresses, group_concat(decided) AS times,
         group_concat(provenance = 'network', '') AS networks
       FROM (SELECT address, decided, provenance FROM ban
         WHERE decided > ? AND provenance IN ('rule', 'network') ORDER BY id)`,
      [since],
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

  /** Returns the bans in force by address; addresses without any are missing. */
  inForceByAddress(addresses: readonly string[]): Map<string, BanInForce[]> {
    const list = this.db.list<[string, string, Micros | null, 0 | 1]>(
      "json_array(address, scope, until, provenance = 'fleet')",
      `ban WHERE address ${AMONG} AND ended IS NULL`,
      [JSON.stringify(addresses)],
    );
    const found = new Map<string, BanInForce[]>();
    for (const [address, scope, until, isFollowed] of list) {
      const ban = { scope: readScope(scope), until, isFollowed: isFollowed === 1 };
      const others = found.get(address);
      if (others) others.push(ban);
      else found.set(address, [ban]);
    }
    return found;
  }

  /** Returns an address's newest ended bans, newest first, without bans that followed servers. */
  past(address: string): PastBan[] {
    return this.db.all<PastBan>(
      `SELECT start, ended, end_reason AS endReason FROM ban
       WHERE address = ? AND ended IS NOT NULL AND provenance <> 'fleet' ORDER BY id DESC LIMIT ?`,
      [address, MOST_PAST],
    );
  }

  /** Returns the addresses and networks with a ban in force of a range, each once. */
  addresses({ after, upTo }: BanRange): string[] {
    return this.db.list<string>(
      "address",
      "(SELECT DISTINCT address FROM ban WHERE id > ? AND id <= ? AND ended IS NULL ORDER BY id)",
      [after, upTo],
    );
  }

  /** Returns the ban with this id; null: there is none. */
  get(id: number): BanStatus | null {
    return selectBans(this.db, "WHERE id = ?", [id])[0] ?? null;
  }

  /** Returns the ban in force of this address and scope; null: there is none. */
  find({ address, scope }: Pick<Ban, "address" | "scope">): BanStatus | null {
    const where = "WHERE address = ? AND scope = ? AND ended IS NULL";
    return selectBans(this.db, where, [address, formatScope(scope)])[0] ?? null;
  }

  /** Returns the bans in force of some addresses and networks, oldest first. */
  inForceOf(addresses: readonly string[]): BanStatus[] {
    const where = `WHERE address ${AMONG} AND ended IS NULL ORDER BY id`;
    return selectBans(this.db, where, [JSON.stringify(addresses)]);
  }

  /** Returns the newest ban of an address or network, ended or not; null: there never was one. */
  latest(address: string): BanStatus | null {
    return selectBans(this.db, "WHERE address = ? ORDER BY id DESC LIMIT 1", [address])[0] ?? null;
  }

  /** Returns the bans in force, oldest first. */
  inForce(): BanStatus[] {
    return [...this.eachInForce()];
  }

  /**
   * Yields the bans in force, oldest first, without bans that end meanwhile. It reads pages:
   * 100,000 at once would take four times as long and as much memory. A slow caller blocks nobody.
   */
  *eachInForce(): Generator<BanStatus> {
    const order = "ended IS NULL ORDER BY start, id";
    const ids = this.db.list<number>("id", `(SELECT id FROM ban WHERE ${order})`);
    for (let at = 0; at < ids.length; at += PAGE) {
      yield* selectBans(this.db, `WHERE id ${AMONG} AND ${order}`, [
        JSON.stringify(ids.slice(at, at + PAGE)),
      ]);
    }
  }

  /** Returns ended bans that a firewall still has, oldest end first: none that were only noted. */
  lingering(): BanStatus[] {
    return selectBans(
      this.db,
      `INDEXED BY ban_to_lift
       WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND applied_by <> 'observe' AND NOT EXISTS (
         SELECT 1 FROM ban AS newer
         WHERE newer.address = ban.address AND newer.scope = ban.scope AND newer.ended IS NULL)
       ORDER BY ended, id`,
    );
  }

  /** Returns the `limit` newest bans, ended or not, newest first. */
  history(limit: number): BanStatus[] {
    return selectBans(this.db, "ORDER BY id DESC LIMIT ?", [limit]);
  }

  /** Returns the number of all bans, and the numbers of bans that have not ended. */
  totals(): BanTotals {
    const totals = this.db.get<Omit<BanTotals, "noted">>(
      `SELECT count(*) AS "all", count(*) FILTER (WHERE ended IS NULL) AS decided,
         count(*) FILTER (WHERE ended IS NULL AND applied_at IS NOT NULL AND applied_by <> 'observe') AS confirmed,
         count(*) FILTER (WHERE ended IS NULL AND applied_at IS NULL) AS waiting,
         min(start) FILTER (WHERE ended IS NULL AND applied_at IS NULL) AS waitingSince,
         count(*) FILTER (WHERE error IS NOT NULL) AS failing FROM ban`,
    )!;
    return { ...totals, noted: totals.decided - totals.confirmed - totals.waiting };
  }

  /** Returns the numbers that indexes tell: 5 ms for 100,000 bans in force, and any ended ones. */
  numbers(): BanNumbers {
    return this.db.get<BanNumbers>(
      `SELECT decided - waiting AS confirmed, waiting, failing FROM (SELECT
         (SELECT count(*) FROM ban INDEXED BY ban_until WHERE ended IS NULL) AS decided,
         (SELECT count(*) FROM ban INDEXED BY ban_to_apply WHERE ended IS NULL AND applied_at IS NULL) AS waiting,
         (SELECT count(*) FROM ban INDEXED BY ban_to_apply
          WHERE ended IS NULL AND applied_at IS NULL AND next_try > 0) +
         (SELECT count(*) FROM ban INDEXED BY ban_to_lift
          WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND next_try > 0) AS failing)`,
    )!;
  }

  /** Returns the newest `most` bans by rules and networks above `id`, in order, and the count. */
  madeAfter(id: number, most: number): { bans: BanStatus[]; count: number } {
    const which = "id > ? AND provenance IN ('rule', 'network')";
    const count = this.db.value<number>(`SELECT count(*) FROM ban WHERE ${which}`, [id])!;
    const newest = count === 0
      ? []
      : selectBans(this.db, `WHERE ${which} ORDER BY id DESC LIMIT ?`, [id, most]);
    return { bans: newest.reverse(), count };
  }

  /** Returns at most 100 bans whose last try failed. */
  failing(): BanStatus[] {
    return selectBans(this.db, "WHERE error IS NOT NULL ORDER BY attempts DESC, id LIMIT 100");
  }
}
