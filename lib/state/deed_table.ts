import type { Micros } from "../core/time.ts";
import type { Database } from "./database.ts";

/** A change that somebody made by a command. */
export interface Deed {
  readonly time: Micros;
  /** The user, for people. */
  readonly who: string;
  /** The command in its own words: `unban 192.0.2.7`. */
  readonly what: string;
}

/** Most deeds that wait for a monitor. The oldest are dropped, so that a script fills no disk. */
const MOST = 1_000;
/** All keys of deeds lie between these. */
const AMONG = "key > 'deed ' AND key < 'deed!'";

/** Deeds that the monitor's log has not told yet, in the table `meta`. */
export class DeedTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Adds a deed for the monitor. */
  add(deed: Deed): void {
    this.#db.transaction(() => {
      const last = this.#db.get<{ key: string }>(`SELECT max(key) AS key FROM meta WHERE ${AMONG}`)!.key;
      const number = Number(last?.slice("deed ".length) ?? 0) + 1;
      this.#db.run("INSERT INTO meta VALUES (?, ?)", keyOf(number), JSON.stringify(deed));
      this.#db.run(`DELETE FROM meta WHERE ${AMONG} AND key <= ?`, keyOf(Math.max(0, number - MOST)));
    });
  }

  /** Removes and returns the deeds since the last call, oldest first. */
  take(): Deed[] {
    const isAny = this.#db.get(`SELECT 1 FROM meta WHERE ${AMONG} LIMIT 1`) !== null;
    if (!isAny) return [];
    return this.#db.transaction(() => {
      const rows = this.#db.all<{ value: string }>(`SELECT value FROM meta WHERE ${AMONG} ORDER BY key`);
      this.#db.run(`DELETE FROM meta WHERE ${AMONG}`);
      return rows.map(({ value }) => JSON.parse(value) as Deed);
    });
  }
}

/** Returns keys that sort by number. */
function keyOf(number: number): string {
  return `deed ${String(number).padStart(12, "0")}`;
}
