import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import type { Trial } from "../deciding/ban.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import { BanRetention } from "./ban_retention.ts";
import { BanTable } from "./ban_table.ts";
import { BatchWriter } from "./batch_writer.ts";
import { Database } from "./database.ts";
import { DeedTable } from "./deed_table.ts";
import { EnforcementTable } from "./enforcement_table.ts";
import { FleetTable } from "./fleet_table.ts";
import { History } from "./history.ts";
import { Keeper } from "./keeper.ts";
import { KnockTable } from "./knock_table.ts";
import { LogTable } from "./log_table.ts";
import { LoginTable } from "./login_table.ts";
import { NoteTable } from "./note_table.ts";
import { StateOutbox } from "./outbox.ts";
import { RollupTable } from "./rollup_table.ts";

/** Stands before the path of a whitelist file in the key of its copy. */
const COPY = "whitelist file ";

/** The daemon's own embedded database. All methods are synchronous and atomic. */
export class State {
  readonly log: LogTable;
  readonly bans: BanTable;
  readonly banRetention: BanRetention;
  readonly enforcement: EnforcementTable;
  readonly logins: LoginTable;
  readonly knocks: KnockTable;
  readonly deeds: DeedTable;
  readonly notes: NoteTable;
  readonly outbox: StateOutbox;
  readonly rollups: RollupTable;
  readonly history: History;
  readonly fleet: FleetTable;
  readonly #db: Database;
  readonly #keeper: Keeper | null;
  /** What sources have reached, by their names. */
  readonly #reached = new Map<string, string>();

  /**
   * Opens the state in `directory`, which must exist. With a log it is a monitor's, which goes on whatever becomes of the file:
   * see `Keeper`. Throws `UserError` (69).
   */
  constructor(readonly directory: string, log: Log | null = null) {
    this.#keeper = log && new Keeper(directory, log);
    this.#db = new Database(directory, this.#keeper);
    if (this.#db.get("SELECT 1 FROM meta WHERE key = 'host'") === null) {
      this.#db.run("INSERT OR IGNORE INTO meta VALUES ('host', ?)", crypto.randomUUID());
    }
    this.log = new LogTable(this.#db);
    this.bans = new BanTable(this.#db);
    this.banRetention = new BanRetention(this.#db);
    this.enforcement = new EnforcementTable(this.#db);
    this.logins = new LoginTable(this.#db);
    this.knocks = new KnockTable(this.#db);
    this.deeds = new DeedTable(this.#db);
    this.notes = new NoteTable(this.#db);
    this.outbox = new StateOutbox(this.#db, this.log);
    this.rollups = new RollupTable(this.#db);
    this.history = new History(this.#db);
    this.fleet = new FleetTable(this.#db);
  }

  /**
   * Looks whether the file is still what it was, or can be written again, and mends what it can. Returns whether the state is
   * another than before. Throws `UserError` (69).
   */
  look(): boolean {
    if (!this.#db.look()) return false;
    this.#db.transaction(() => {
      this.#db.run("INSERT OR REPLACE INTO meta VALUES ('host', ?)", this.outbox.hostId);
      this.#db.run("INSERT OR REPLACE INTO meta VALUES ('note_seed', ?)", this.notes.seed);
      for (const [source, position] of this.#reached) {
        this.#db.run("INSERT OR IGNORE INTO position VALUES (?, ?)", source, position);
      }
    });
    return true;
  }

  /** Reports, once, that bans may have been lost with a damaged file: those that the firewall has are to be taken over. */
  takeLoss(): boolean {
    return this.#keeper?.takeLoss() ?? false;
  }

  /** What became of the file since the start, in sentences: the last ones. */
  get losses(): readonly string[] {
    return this.#keeper?.losses ?? [];
  }

  /** Reports whether what is written stays in memory for now, as the file cannot be written. */
  get isInMemory(): boolean {
    return this.#db.isInMemory;
  }

  /** Begins to write batches of these modules, known by their indexes. */
  batches(modules: readonly string[]): BatchWriter {
    return new BatchWriter(modules, { db: this.#db, tables: this, reached: this.#reached });
  }

  /** The stored position of a source, or null before its first batch. */
  position(source: string): string | null {
    return this.#db.get<{ position: string }>("SELECT position FROM position WHERE source = ?", source)
      ?.position ?? null;
  }

  /** Since when a source is read that has no position yet: `now` at its first start, and the same ever after. */
  firstSince(source: string, now: Micros): Micros {
    this.#db.run("INSERT OR IGNORE INTO meta VALUES (?, ?)", `since ${source}`, now);
    return this.#db.get<{ value: Micros }>("SELECT value FROM meta WHERE key = ?", `since ${source}`)!.value;
  }

  /** The whitelist kept under `origin` (`command`, `database`, `name`, `knock`, `machine`, or a `Surrounding`), as of `now`. */
  whitelist(origin: string, now: Micros): WhitelistEntry[] {
    return this.#db.all<WhitelistEntry>(
      `SELECT address, note, until FROM whitelist WHERE origin = ? AND (until IS NULL OR until > ?)
       ORDER BY since, address`,
      origin,
      now,
    );
  }

  /** Puts an address or network on the whitelist of `origin`; a second time changes its note and its end. */
  addToWhitelist(origin: string, entry: WhitelistEntry & { since: Micros }): void {
    this.#db.run(
      `INSERT INTO whitelist (origin, address, note, since, until) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (origin, address) DO UPDATE SET note = excluded.note, until = excluded.until`,
      origin,
      entry.address,
      entry.note,
      entry.since,
      entry.until,
    );
  }

  /** Drops whitelist entries whose end has come. */
  expireWhitelist(now: Micros): void {
    this.#db.run("DELETE FROM whitelist WHERE until <= ?", now);
  }

  /** Takes an address or network off the whitelist of `origin`; false when it was not on it. */
  removeFromWhitelist(origin: string, address: string): boolean {
    return this.#db.run("DELETE FROM whitelist WHERE origin = ? AND address = ?", origin, address) > 0;
  }

  /** Makes `entries` the whole whitelist of `origin`. Entries that it has already stay as old as they are. */
  replaceWhitelist(origin: string, entries: readonly WhitelistEntry[], now: Micros): void {
    this.#db.transaction(() => {
      this.#db.run(
        "DELETE FROM whitelist WHERE origin = ? AND address NOT IN (SELECT value FROM json_each(?))",
        origin,
        JSON.stringify(entries.map(({ address }) => address)),
      );
      for (const entry of entries) this.addToWhitelist(origin, { ...entry, since: now });
    });
  }

  /** The copy of the whitelist file `path` that was kept last; null: there is none. */
  whitelistCopy(path: string): Uint8Array | null {
    return this.#db.get<{ value: Uint8Array }>("SELECT value FROM meta WHERE key = ?", COPY + path)?.value ??
      null;
  }

  /** Keeps a copy of the whitelist file `path`. */
  keepWhitelistCopy(path: string, copy: Uint8Array): void {
    this.#db.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", COPY + path, copy);
  }

  /** Drops the copies of all whitelist files but `paths`. */
  keepWhitelistCopies(paths: readonly string[]): void {
    this.#db.run(
      "DELETE FROM meta WHERE substr(key, 1, ?) = ? AND key NOT IN (SELECT ? || value FROM json_each(?))",
      COPY.length,
      COPY,
      COPY,
      JSON.stringify(paths),
    );
  }

  /** The trial that nobody has confirmed; null: there is none. */
  trial(): Trial | null {
    const row = this.#db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'trial'");
    return row === null ? null : JSON.parse(row.value) as Trial;
  }

  /** Begins a trial; null ends it. */
  setTrial(trial: Trial | null): void {
    if (trial === null) this.#db.run("DELETE FROM meta WHERE key = 'trial'");
    else this.#db.run("INSERT OR REPLACE INTO meta VALUES ('trial', ?)", JSON.stringify(trial));
  }

  /** The JSON in which the monitor last told about itself; null before the first time. */
  report(): string | null {
    return this.#db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'report'")?.value ?? null;
  }

  /** Leaves word for `strongmonitor status`, as JSON. */
  setReport(report: string): void {
    this.#db.run("INSERT OR REPLACE INTO meta VALUES ('report', ?)", report);
  }

  /** What the notifier remembers, as JSON; null: nothing. */
  noticeMemory(): string | null {
    return this.#db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'notices'")?.value ?? null;
  }

  /** Keeps what the notifier remembers; null: forgets it. */
  keepNoticeMemory(memory: string | null): void {
    if (memory === null) this.#db.run("DELETE FROM meta WHERE key = 'notices'");
    else this.#db.run("INSERT OR REPLACE INTO meta VALUES ('notices', ?)", memory);
  }

  close(): void {
    this.#db.close();
  }
}
