import type { BanChange } from "../deciding/ban.ts";
import type { LogRow } from "../deciding/record.ts";
import { selectChanges } from "./ban_rows.ts";
import type { Database } from "./database.ts";
import type { LogTable } from "./log_table.ts";

/** Rows to ship: everything behind two confirmed numbers, without a copy. */
export class StateOutbox {
  readonly hostId: string;
  readonly #db: Database;
  readonly #log: LogTable;

  constructor(db: Database, log: LogTable) {
    this.#db = db;
    this.#log = log;
    this.hostId = db.meta<string>("host")!;
  }

  unshippedLog(limit: number): LogRow[] {
    const confirmed = this.#confirmed("shipped_log");
    const rows = this.#log.after(confirmed, limit);
    // A state in memory lacks earlier lines: the file's go first.
    return this.#db.isInMemory && rows.length > 0 && rows[0]!.seq > confirmed + 1 ? [] : rows;
  }

  confirmLog(seq: number): void {
    this.#db.setMeta("shipped_log", seq);
  }

  unshippedBans(limit: number): BanChange[] {
    return selectChanges(this.#db, this.#confirmed("shipped_ban"), limit);
  }

  confirmBans(change: number): void {
    this.#db.setMeta("shipped_ban", change);
  }

  backlog(): number {
    const bans = this.#db.get<{ n: number }>(
      "SELECT count(*) AS n FROM ban WHERE change > ? AND provenance <> 'fleet'",
      this.#confirmed("shipped_ban"),
    )!.n;
    return this.#log.count(this.#confirmed("shipped_log")) + bans;
  }

  #confirmed(key: string): number {
    return this.#db.meta<number>(key) ?? 0;
  }
}
