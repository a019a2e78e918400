import type { BanChange } from "../deciding/ban.ts";
import type { LogRow } from "../reading/event.ts";
import { selectChanges } from "./ban_rows.ts";
import type { Database } from "./database.ts";
import type { LogTable } from "./log_table.ts";

/**
 * Rows to ship: everything behind two confirmed numbers, without a copy. Ids and changes of bans
 * are shipped with an offset, which is not 0 after a loss of the state: see `renumberBans()`.
 */
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
    const confirmed = this.#meta("shipped_log");
    const rows = this.#log.after(confirmed, limit);
    // A state in memory lacks earlier lines: the file's go first.
    return this.#db.isInMemory && rows.length > 0 && rows[0]!.seq > confirmed + 1 ? [] : rows;
  }

  confirmLog(seq: number): void {
    this.#db.setMeta("shipped_log", seq);
  }

  confirmedLine(back: number): LogRow | null {
    const seq = this.#meta("shipped_log") - back;
    const [line] = seq > 0 ? this.#log.after(seq - 1, 1) : [];
    return line !== undefined && line.seq <= seq + back ? line : null;
  }

  unshippedBans(limit: number): BanChange[] {
    const offset = this.#meta("ban_offset");
    const bans = selectChanges(this.#db, this.#meta("shipped_ban"), limit);
    return bans.map((ban) => ({ ...ban, id: ban.id + offset, change: ban.change + offset }));
  }

  confirmBans(change: number): void {
    this.#db.setMeta("shipped_ban", change - this.#meta("ban_offset"));
  }

  rewindBans(change: number): void {
    const rewound = Math.max(0, change - this.#meta("ban_offset"));
    if (rewound < this.#meta("shipped_ban")) this.#db.setMeta("shipped_ban", rewound);
  }

  renumberBans(above: number): void {
    this.#db.transaction(() => {
      this.#db.setMeta("ban_offset", above);
      this.#db.setMeta("shipped_ban", 0);
    });
  }

  lastChange(): number {
    const { change } = this.#db.get<{ change: number }>("SELECT ifnull(max(change), 0) AS change FROM ban")!;
    return change + this.#meta("ban_offset");
  }

  backlog(): number {
    const bans = this.#db.get<{ n: number }>(
      "SELECT count(*) AS n FROM ban WHERE change > ? AND provenance <> 'fleet'",
      this.#meta("shipped_ban"),
    )!.n;
    return this.#log.count(this.#meta("shipped_log")) + bans;
  }

  #meta(key: string): number {
    return this.#db.meta<number>(key) ?? 0;
  }
}
