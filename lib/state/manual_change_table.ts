import type { Micros } from "../core/time.ts";
import { Table } from "./database.ts";

/** A change that somebody made by a command. */
export interface ManualChange {
  readonly time: Micros;
  /** The user, for people. */
  readonly who: string;
  /** The command in its own words: `unban 192.0.2.7`. */
  readonly what: string;
}

/** Most changes that wait for a monitor. The oldest are dropped, so that a script fills no disk. */
const MOST = 1_000;
/** Beginning of the keys in `meta`, the word of the first program that wrote them. */
const PREFIX = "deed ";
/** Selects these keys. */
const IS_CHANGE = "key > 'deed ' AND key < 'deed!'";

/** Changes by commands that wait for the monitor to log them, in the table `meta`. */
export class ManualChangeTable extends Table {
  /** Adds changes for the monitor, in order. */
  add(changes: readonly ManualChange[]): void {
    this.db.transaction(() => {
      const last = this.db.value<string>(`SELECT max(key) FROM meta WHERE ${IS_CHANGE}`);
      let number = Number(last?.slice(PREFIX.length) ?? 0);
      for (const change of changes) {
        this.db.run("INSERT INTO meta VALUES (?, ?)", [keyOf(++number), JSON.stringify(change)]);
      }
      this.db.run(`DELETE FROM meta WHERE ${IS_CHANGE} AND key <= ?`, [keyOf(Math.max(0, number - MOST))]);
    });
  }

  /** Removes and returns the changes since the last call, oldest first. */
  take(): ManualChange[] {
    const isAny = this.db.get(`SELECT 1 FROM meta WHERE ${IS_CHANGE} LIMIT 1`) !== null;
    if (!isAny) return [];
    return this.db.transaction(() => {
      const changes = this.db.list<string>(
        "value",
        `(SELECT value FROM meta WHERE ${IS_CHANGE} ORDER BY key)`,
      );
      this.db.run(`DELETE FROM meta WHERE ${IS_CHANGE}`);
      return changes.map((change) => JSON.parse(change) as ManualChange);
    });
  }
}

/** Returns keys that sort by number. */
function keyOf(number: number): string {
  return `${PREFIX}${String(number).padStart(12, "0")}`;
}
