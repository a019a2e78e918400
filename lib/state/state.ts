import type { Log } from "../core/log.ts";
import { hasMemoryMark } from "../core/state_files.ts";
import type { Micros } from "../core/time.ts";
import type { Trial } from "../deciding/ban.ts";
import type { KeptOrigin, WhitelistEntry } from "../deciding/whitelist.ts";
import { BanRetention } from "./ban_retention.ts";
import { BanTable } from "./ban_table.ts";
import { BatchWriter } from "./batch_writer.ts";
import { Database, Table } from "./database.ts";
import { ManualChangeTable } from "./manual_change_table.ts";
import { EnforcementTable } from "./enforcement_table.ts";
import { FleetTable } from "./fleet_table.ts";
import { History } from "./history.ts";
import { FileRecovery } from "./recovery.ts";
import { KnockTable } from "./knock_table.ts";
import { LogTable } from "./log_table.ts";
import { LoginTable } from "./login_table.ts";
import { NoteTable } from "./note_table.ts";
import { StateOutbox } from "./outbox.ts";
import { RollupTable } from "./rollup_table.ts";

/** Prefix of a whitelist file's path in the key of its copy. */
const COPY = "whitelist file ";

/** The program's embedded database. All methods are synchronous and atomic. */
export class State extends Table {
  readonly log = new LogTable(this.db);
  readonly bans = new BanTable(this.db);
  readonly banRetention = new BanRetention(this.db);
  readonly enforcement = new EnforcementTable(this.db);
  readonly logins = new LoginTable(this.db);
  readonly knocks = new KnockTable(this.db);
  readonly manualChanges = new ManualChangeTable(this.db);
  readonly notes = new NoteTable(this.db);
  readonly outbox = new StateOutbox(this.db, this.log);
  readonly rollups = new RollupTable(this.db);
  readonly history = new History(this.db);
  readonly fleet = new FleetTable(this.db);
  readonly #recovery: FileRecovery | null;
  /** Positions reached, by source. */
  readonly #reached = new Map<string, string>();

  /**
   * Opens the state in `directory`, which must exist. With a log it is a monitor's, which survives
   * faults of its file: see `FileRecovery`. Throws `UserError` (69).
   */
  constructor(readonly directory: string, log: Log | null = null) {
    const recovery = log && new FileRecovery(directory, log);
    const db = new Database(directory, recovery);
    if (db.meta("host") === null) {
      db.run("INSERT OR IGNORE INTO meta VALUES ('host', ?)", [crypto.randomUUID()]);
    }
    super(db);
    this.#recovery = recovery;
  }

  /**
   * Checks whether the file has changed or can be written again, and mends it. Returns whether the
   * state was replaced. Throws `UserError` (69).
   */
  look(): boolean {
    if (!this.db.look()) return false;
    this.db.transaction(() => {
      this.db.setMeta("host", this.outbox.hostId);
      this.db.setMeta("note_seed", this.notes.seed);
      for (const [source, position] of this.#reached) {
        this.db.run("INSERT OR IGNORE INTO position VALUES (?, ?)", [source, position]);
      }
    });
    return true;
  }

  /** Reports, once per loss, whether bans may be lost, so that the firewall's must be adopted. */
  takeLoss(): boolean {
    return this.#recovery?.takeLoss() ?? false;
  }

  /** The last sentences about losses of the file since the start. */
  get losses(): readonly string[] {
    return this.#recovery?.losses ?? [];
  }

  /** Whether the monitor's data stays in memory for now, as the file cannot be written. */
  get isInMemory(): boolean {
    return this.#recovery === null ? hasMemoryMark(this.directory) : this.db.isInMemory;
  }

  /** Returns a writer of batches of these modules, by index. */
  batches(modules: readonly string[]): BatchWriter {
    return new BatchWriter(modules, { db: this.db, tables: this, reached: this.#reached });
  }

  /** Returns the stored position of a source; null: before its first batch. */
  position(source: string): string | null {
    return this.db.value("SELECT position FROM position WHERE source = ?", [source]);
  }

  /** Returns the stored positions by source. */
  positions(): Map<string, string> {
    const rows = this.db.all<{ source: string; position: string }>("SELECT source, position FROM position");
    return new Map(rows.map(({ source, position }) => [source, position]));
  }

  /** Makes the next start of a source its first one. */
  forgetPosition(source: string): void {
    this.#reached.delete(source);
    this.db.run("DELETE FROM position WHERE source = ?", [source]);
    this.db.setMeta(`since ${source}`, null);
  }

  /** Returns where to start a source without position: `now` at its first start, then the same. */
  firstSince(source: string, now: Micros): Micros {
    this.db.run("INSERT OR IGNORE INTO meta VALUES (?, ?)", [`since ${source}`, now]);
    return this.db.meta<Micros>(`since ${source}`)!;
  }

  /** Returns the whitelist of `origin` at `now`. */
  whitelist(origin: KeptOrigin, now: Micros): WhitelistEntry[] {
    return this.db.all<WhitelistEntry>(
      `SELECT address, note, until FROM whitelist WHERE origin = ? AND (until IS NULL OR until > ?)
       ORDER BY since, address`,
      [origin, now],
    );
  }

  /** Adds an entry to the whitelist of `origin`, or changes its note and end. */
  addToWhitelist(origin: KeptOrigin, entry: WhitelistEntry & { since: Micros }): void {
    this.db.run(
      `INSERT INTO whitelist (origin, address, note, since, until) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (origin, address) DO UPDATE SET note = excluded.note, until = excluded.until`,
      [origin, entry.address, entry.note, entry.since, entry.until],
    );
  }

  /** Returns when the next whitelist entry ends, of whatever origin; null: none will. */
  nextWhitelistEnd(now: Micros): Micros | null {
    return this.db.value("SELECT min(until) FROM whitelist WHERE until > ?", [now]);
  }

  /** Deletes whitelist entries whose end has come; returns their number. */
  deleteEndedWhitelist(now: Micros): number {
    return this.db.run("DELETE FROM whitelist WHERE until <= ?", [now]);
  }

  /** Removes an address or network from the whitelist of `origin`; false: it was not on it. */
  removeFromWhitelist(origin: KeptOrigin, address: string): boolean {
    return this.db.run("DELETE FROM whitelist WHERE origin = ? AND address = ?", [origin, address]) > 0;
  }

  /** Makes `entries` the whole whitelist of `origin`. Existing entries keep their age. */
  replaceWhitelist(origin: KeptOrigin, entries: readonly WhitelistEntry[], now: Micros): void {
    this.db.transaction(() => {
      this.db.run(
        "DELETE FROM whitelist WHERE origin = ? AND address NOT IN (SELECT value FROM json_each(?))",
        [origin, JSON.stringify(entries.map(({ address }) => address))],
      );
      for (const entry of entries) this.addToWhitelist(origin, { ...entry, since: now });
    });
  }

  /** Returns the last copy of the whitelist file `path`; null: there is none. */
  whitelistCopy(path: string): Uint8Array | null {
    return this.db.meta<Uint8Array>(COPY + path);
  }

  storeWhitelistCopy(path: string, copy: Uint8Array): void {
    this.db.setMeta(COPY + path, copy);
  }

  /** Deletes the copies of all whitelist files but `paths`. */
  keepOnlyWhitelistCopies(paths: readonly string[]): void {
    this.db.run(
      "DELETE FROM meta WHERE substr(key, 1, ?) = ? AND key NOT IN (SELECT ? || value FROM json_each(?))",
      [COPY.length, COPY, COPY, JSON.stringify(paths)],
    );
  }

  /** Returns the unconfirmed trial; null: there is none. */
  trial(): Trial | null {
    return JSON.parse(this.db.meta<string>("trial") ?? "null") as Trial | null;
  }

  /** Begins a trial; null ends it. */
  setTrial(trial: Trial | null): void {
    this.db.setMeta("trial", trial && JSON.stringify(trial));
  }

  /** Returns the monitor's last report, as JSON; null: none yet. */
  report(): string | null {
    return this.db.meta("report");
  }

  /** Stores the monitor's report for `strongmonitor status`, as JSON. */
  setReport(report: string): void {
    this.db.setMeta("report", report);
  }

  /** Returns the notifier's memory, as JSON; null: none. */
  noticeMemory(): string | null {
    return this.db.meta("notices");
  }

  /** Stores the notifier's memory; null: deletes it. */
  setNoticeMemory(memory: string | null): void {
    this.db.setMeta("notices", memory);
  }

  close(): void {
    this.db.close();
  }
}
