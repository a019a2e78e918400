import type { Knock, KnockKey } from "../deciding/knock.ts";
import type { Micros } from "../core/time.ts";
import { Table } from "./database.ts";

interface Row extends Pick<KnockKey, "name" | "kind" | "secret" | "since"> {
  readonly step: number | null;
  readonly usedBy: string | null;
  readonly usedAt: Micros | null;
}

/** Keys of knocks, and effects of knocks. */
export class KnockTable extends Table {
  /** Returns all keys, oldest first. */
  keys(): KnockKey[] {
    const rows = this.db.all<Row>(
      `SELECT name, kind, secret, since, used_step AS step, used_by AS usedBy, used_at AS usedAt
       FROM knock_key ORDER BY since, name`,
    );
    return rows.map(({ step, usedBy, usedAt, ...key }) => ({
      ...key,
      used: usedBy === null || usedAt === null ? null : { step, by: usedBy, at: usedAt },
    }));
  }

  /** Adds a key; false: the name is taken. */
  add({ name, kind, secret, since }: KnockKey): boolean {
    return this.db.run(
      "INSERT OR IGNORE INTO knock_key (name, kind, secret, since) VALUES (?, ?, ?, ?)",
      [name, kind, secret, since],
    ) > 0;
  }

  /** Removes a key; false: there is none. Addresses whitelisted by it stay so. */
  remove(name: string): boolean {
    return this.db.run("DELETE FROM knock_key WHERE name = ?", [name]) > 0;
  }

  /** Whitelists a knock's sender, never for a shorter time than before, and spends the code. */
  accept({ key, address, time, until, step }: Knock): void {
    this.db.transaction(() => {
      this.db.run(
        "UPDATE knock_key SET used_step = ?, used_by = ?, used_at = ? WHERE name = ?",
        [step, address, time, key],
      );
      this.db.run(
        `INSERT INTO whitelist (origin, address, note, since, until) VALUES ('knock', ?, ?, ?, ?)
         ON CONFLICT (origin, address) DO UPDATE SET note = excluded.note, until = max(until, excluded.until)`,
        [address, key, time, until],
      );
    });
  }
}
