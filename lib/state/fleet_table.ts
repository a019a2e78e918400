import type { Micros } from "../core/time.ts";
import { AMONG } from "./ban_rows.ts";
import { Table } from "./database.ts";

/** Bans in force that follow other servers, by the index that has no others. */
const FOLLOWED = "ban INDEXED BY ban_followed WHERE ended IS NULL AND provenance = 'fleet'";

/** Positions in other servers' changes of bans, and bans that follow these servers. */
export class FleetTable extends Table {
  /** Returns the number of the latest change read, by server. */
  positions(): Map<string, number> {
    const rows = this.db.all<{ host: string; change: number }>("SELECT host, change FROM fleet_position");
    return new Map(rows.map(({ host, change }) => [host, change]));
  }

  /** Stores positions; null deletes a server's. */
  storePositions(positions: ReadonlyMap<string, number | null>): void {
    for (const [host, change] of positions) {
      if (change === null) this.db.run("DELETE FROM fleet_position WHERE host = ?", [host]);
      else this.db.run("INSERT OR REPLACE INTO fleet_position VALUES (?, ?)", [host, change]);
    }
  }

  /** Returns the number of bans in force that follow other servers, or this one. */
  followed(server?: string): number {
    const all = `SELECT count(*) FROM ${FOLLOWED}`;
    return server === undefined
      ? this.db.value<number>(all)!
      : this.db.value<number>(`${all} AND name = ?`, [server])!;
  }

  /** Returns the addresses and networks with bans in force that follow other servers. */
  followedAddresses(): string[] {
    return this.db.list<string>("DISTINCT address", FOLLOWED);
  }

  /** Returns addresses with bans lifted by hand, with the time of the last lift. */
  lifted(addresses: readonly string[]): Map<string, Micros> {
    const rows = this.db.all<{ address: string; time: Micros }>(
      `SELECT address, max(ended) AS time FROM ban
       WHERE address ${AMONG} AND end_reason = 'unban' GROUP BY address`,
      [JSON.stringify(addresses)],
    );
    return new Map(rows.map(({ address, time }) => [address, time]));
  }

  /** Returns the addresses whose last ban is an expired one of this server, or ended by the whitelist. */
  freed(addresses: readonly string[]): string[] {
    return this.db.list<string>(
      "address",
      `(SELECT address, provenance, end_reason, max(id) FROM ban WHERE address ${AMONG} GROUP BY address)
       WHERE provenance <> 'fleet' AND end_reason = 'expired' OR end_reason = 'whitelisted'`,
      [JSON.stringify(addresses)],
    );
  }
}
