import type { Database } from "./database.ts";

/** How far this server has read the changes of the other servers' bans. */
export class FleetTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By server, the number of its latest change that was read. */
  positions(): Map<string, number> {
    const rows = this.#db.all<{ host: string; change: number }>("SELECT host, change FROM fleet_position");
    return new Map(rows.map(({ host, change }) => [host, change]));
  }

  /** Keeps positions; null drops a server's. */
  keep(positions: ReadonlyMap<string, number | null>): void {
    for (const [host, change] of positions) {
      if (change === null) this.#db.run("DELETE FROM fleet_position WHERE host = ?", host);
      else this.#db.run("INSERT OR REPLACE INTO fleet_position VALUES (?, ?)", host, change);
    }
  }
}
