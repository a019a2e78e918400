import type { BanChange } from "../deciding/ban.ts";
import type { LogRow } from "../reading/event.ts";
import { databaseOf } from "../core/state_files.ts";
import type { Micros } from "../core/time.ts";
import { selectChanges } from "./ban_rows.ts";
import { type Database, Table } from "./database.ts";
import type { LogTable } from "./log_table.ts";

/**
 * Rows to ship: everything behind two confirmed numbers, without a copy. Ids and changes of bans
 * are shipped with an offset, which is not 0 after a loss of the state: see `renumberBans()`.
 */
export class StateOutbox extends Table {
  readonly hostId = this.db.meta<string>("host")!;
  readonly #log: LogTable;

  constructor(db: Database, log: LogTable) {
    super(db);
    this.#log = log;
  }

  unshippedLog(limit: number): LogRow[] {
    // After a crash the file gives the numbers of lines in memory again, perhaps to others.
    return this.db.isInMemory ? [] : this.#log.after(this.#meta("shipped_log"), limit);
  }

  async settle(): Promise<void> {
    try {
      // SQLite locks the database, but not the log beside it.
      using file = await Deno.open(`${databaseOf(this.db.directory)}-wal`);
      await file.syncData();
    } catch {
      // The state is in memory, or a new file replaces it.
    }
  }

  confirmLog(seq: number): void {
    this.db.setMeta("shipped_log", seq);
  }

  confirmedLine(back: number): LogRow | null {
    const last = this.#meta("shipped_log");
    const [line] = this.#log.after(Math.max(0, last - back - 1), 1);
    return line !== undefined && line.seq <= last ? line : null;
  }

  unshippedBans(limit: number): BanChange[] {
    const offset = this.#meta("ban_offset");
    const bans = selectChanges(this.db, this.#meta("shipped_ban"), limit);
    return bans.map((ban) => ({ ...ban, id: ban.id + offset, change: ban.change + offset }));
  }

  confirmBans(change: number): void {
    this.db.setMeta("shipped_ban", change - this.#meta("ban_offset"));
  }

  noteSent(change: number): void {
    this.db.setMeta("sent_ban", Math.max(change, this.lastSent()) - this.#meta("ban_offset"));
  }

  lastSent(): number {
    // A state of an earlier program has no such number.
    const query =
      "SELECT coalesce((SELECT value FROM meta WHERE key = 'sent_ban'), (SELECT max(change) FROM ban), 0)";
    return this.db.value<number>(query)! + this.#meta("ban_offset");
  }

  rewindBans(change: number): void {
    const rewound = Math.max(0, change - this.#meta("ban_offset"));
    if (rewound < this.#meta("shipped_ban")) this.db.setMeta("shipped_ban", rewound);
  }

  renumberBans(above: number): void {
    this.db.transaction(() => {
      this.db.setMeta("ban_offset", above);
      this.db.setMeta("shipped_ban", 0);
      this.db.setMeta("sent_ban", 0);
    });
  }

  backlog(): number {
    const query = "SELECT count(*) FROM ban WHERE change > ? AND provenance <> 'fleet'";
    const bans = this.db.value<number>(query, [this.#meta("shipped_ban")])!;
    return this.#log.count(this.#meta("shipped_log")) + bans;
  }

  lastSeen(): Micros | null {
    return this.db.meta<Micros>("last_seen");
  }

  noteSeen(time: Micros): void {
    this.db.setMeta("last_seen", time);
  }

  #meta(key: string): number {
    return this.db.meta<number>(key) ?? 0;
  }
}
