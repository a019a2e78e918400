import type { BanChange } from "../deciding/ban.ts";
import type { Log } from "../core/log.ts";
import type { LogRow } from "../reading/event.ts";
import { abortedWith, NEVER, pause } from "../core/async.ts";
import { elapsed, type Micros, MINUTE } from "../core/time.ts";
import { counted } from "../core/text.ts";
import { type Connection, sqlState } from "./connection.ts";
import { DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE } from "./failures.ts";
import { storeAddresses, storeAll, storeBans, storeLog } from "./rows.ts";
import { instant } from "./values.ts";

/** The part of the state that is shipped to PostgreSQL. */
export interface Outbox {
  /** UUID of this state. With `key` and `time` it identifies a line in the whole fleet. */
  readonly hostId: string;
  /** Returns at most `limit` unconfirmed log rows, ascending by `seq`. */
  unshippedLog(limit: number): LogRow[];
  /** Brings the rows to the disk: a power cut must not undo shipped ones, whose numbers others would get. */
  settle(): Promise<void>;
  /** Marks all rows up to `seq` as shipped. */
  confirmLog(seq: number): void;
  /** Returns the line this many before the last confirmed one, or the oldest; null: there is none. */
  confirmedLine(back: number): LogRow | null;
  /** Returns at most `limit` bans after the last confirmed change, ascending by `change`. */
  unshippedBans(limit: number): BanChange[];
  confirmBans(change: number): void;
  /** Remembers that bans up to this change are sent, before they are. */
  noteSent(change: number): void;
  /** Returns the number of the latest change that was sent. */
  lastSent(): number;
  /** Makes bans after this change wait again, if they were confirmed. */
  rewindBans(change: number): void;
  /** Gives all bans ids and changes above a number, and makes them wait again. */
  renumberBans(above: number): void;
  /** Returns the number of waiting rows and bans. */
  backlog(): number;
  /** Returns the time of this server's row in the database, as it was written last; null: unknown. */
  lastSeen(): Micros | null;
  noteSeen(time: Micros): void;
}

/** Most rows of one statement; a larger one is no faster. */
const LARGEST_BATCH = 5000;
const SMALLEST_BATCH = 50;

/** Longest wait, in milliseconds, for the disk, as bans wait behind the lines. */
const MOST_SETTLING = 250;

/** Counts of shipments since the start. */
export interface ShipmentTotals {
  /** Number of rows that PostgreSQL refused for their content; the state keeps them. */
  setAside: number;
}

/** What may still wait after a shipment. */
export interface Waiting {
  readonly lines: boolean;
  readonly bans: boolean;
  /** The server's error, after which rows wait; null: all went well. */
  readonly failure: unknown;
}

/** Ships the state's outbox to PostgreSQL. */
export class Shipper {
  readonly #outbox: Outbox;
  readonly #log: Log;
  readonly #totals: ShipmentTotals;
  #limit = LARGEST_BATCH;
  /** Latest change that this shipper has confirmed. */
  #confirmed = 0;
  /** Connections to the database whose bans and lines were compared last. */
  #comparedBans: Connection | null = null;
  #comparedLines: Connection | null = null;
  /** Whether the database is an older copy, from before all lines that it lacks. */
  #isOlder = false;
  /** Earliest time of the next addition to `ips`, by `elapsed()`. */
  #seeingDue: Micros = 0;

  /** @param totals counts of earlier shippers, to go on from */
  constructor(outbox: Outbox, log: Log, totals: ShipmentTotals = { setAside: 0 }) {
    this.#outbox = outbox;
    this.#log = log;
    this.#totals = totals;
  }

  /** See `ShipmentTotals`. */
  get setAside(): number {
    return this.#totals.setAside;
  }

  /** Remembers that the database is an older copy: it has lost lines, and nobody deleted them. */
  noteOlder(): void {
    this.#isOlder = true;
  }

  /**
   * Ships one batch of bans, for which other servers wait, and one of log rows, and confirms each to
   * the state. A crash before the confirmation ships the batch again, which changes nothing in
   * PostgreSQL. Reports of which more may wait, and an error of the server; throws others. Rows that
   * PostgreSQL has not stored stay unconfirmed.
   *
   * @param isBansOnly leaves out lines, which the server has just refused
   */
  async ship(connection: Connection, isBansOnly = false): Promise<Waiting> {
    const limit = this.#limit;
    // After a time-out the next batch is half as large.
    this.#limit = Math.max(SMALLEST_BATCH, limit >> 1);
    const bans = await attempt(() => this.#shipBans(connection, limit));
    const lines = await attempt(() => isBansOnly ? Promise.resolve(0) : this.#shipLog(connection, limit));
    const failure = bans.failure ?? lines.failure;
    if (failure === null && !isBansOnly) this.#limit = Math.min(LARGEST_BATCH, limit + SMALLEST_BATCH);
    if (lines.count + bans.count > 0) {
      this.#log.debug(() =>
        `PostgreSQL took ${counted(lines.count, "line")} and ${counted(bans.count, "ban")}`
      );
    }
    return { lines: lines.count === limit, bans: bans.count === limit, failure };
  }

  /**
   * Holds the number of the latest change sent against the database's, as one of both may be an old
   * copy or new: ships again what the database has lost. If the state never sent a change that the
   * database has, ends all its bans in the database, and ships those that it has under new numbers:
   * an old number would change the ban of another address.
   */
  async #compare(connection: Connection): Promise<void> {
    this.#confirmed = 0;
    const { hostId } = this.#outbox;
    const [row] = await connection.query<{ change: string | null; id: string | null }>(LAST, [hostId]);
    const [change, id] = [Number(row?.change), Number(row?.id)];
    if (change <= this.#outbox.lastSent()) return this.#outbox.rewindBans(change);
    const ended = await connection.query(END_ALL, [hostId, String(change)]);
    this.#outbox.renumberBans(Math.max(change + ended.length, id));
    this.#log.warn(
      "The state is older than this server's bans in PostgreSQL, which end: shipping the state's bans anew. " +
        "If another server uses a copy of this state, delete the copy",
    );
  }

  /**
   * Makes lines wait again that the database has lost: those behind the newest one that it has. If
   * it has none of them, somebody deleted them, unless it is an older copy.
   */
  async #findLost(connection: Connection): Promise<void> {
    let oldest = NaN;
    for (let back = 0;; back = 2 * back + 1) {
      const line = this.#outbox.confirmedLine(back);
      if (line === null) break;
      if (line.seq === oldest) {
        if (this.#isOlder) this.#outbox.confirmLog(oldest - 1);
        break;
      }
      oldest = line.seq;
      const names = [this.#outbox.hostId, line.key, String(line.time)];
      if ((await connection.query(FIND_LINE, names)).length === 0) continue;
      if (back > 0) this.#outbox.confirmLog(line.seq);
      break;
    }
    this.#isOlder = false;
  }

  async #shipLog(connection: Connection, limit: number): Promise<number> {
    if (this.#comparedLines !== connection) await this.#findLost(connection);
    this.#comparedLines = connection;
    const { hostId } = this.#outbox;
    const rows = this.#outbox.unshippedLog(limit);
    if (rows.length === 0) return 0;
    using late = abortedWith(NEVER);
    await Promise.race([this.#outbox.settle(), pause(MOST_SETTLING, late.signal)]);
    const refused = await storeAll(rows, async (some) => {
      await storeLog(connection, some, hostId);
      await this.#see(connection, some.map(({ address, time }) => [address, time]));
    });
    this.#report(refused.map(({ row, cause }) => ({ name: `log row ${row.seq}`, cause })));
    this.#outbox.confirmLog(rows.at(-1)!.seq);
    return rows.length;
  }

  async #shipBans(connection: Connection, limit: number): Promise<number> {
    const { hostId } = this.#outbox;
    const isLost = this.#outbox.lastSent() < this.#confirmed;
    if (isLost || this.#comparedBans !== connection) await this.#compare(connection);
    this.#comparedBans = connection;
    const bans = this.#outbox.unshippedBans(limit);
    if (bans.length === 0) return 0;
    this.#outbox.noteSent(bans.at(-1)!.change);
    const refused = await storeAll(bans, async (some) => {
      await storeBans(connection, some, hostId);
      await this.#see(connection, some.map(({ address, start }) => [address, start]));
    });
    this.#report(refused.map(({ row, cause }) => ({ name: `ban ${row.id}`, cause })));
    this.#confirmed = bans.at(-1)!.change;
    this.#outbox.confirmBans(this.#confirmed);
    return bans.length;
  }

  /** Notes addresses as seen. Any member may lock rows of `ips`, which must delay no shipment. */
  async #see(connection: Connection, seen: readonly (readonly [string, Micros])[]): Promise<void> {
    if (elapsed() < this.#seeingDue) return;
    try {
      await storeAddresses(connection, seen);
    } catch (error) {
      if (![LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED].includes(sqlState(error))) throw error;
      this.#seeingDue = elapsed() + MINUTE;
      this.#log.warn(
        "Another session locks rows of PostgreSQL's table ips: no address is noted there for 1m",
      );
    }
  }

  #report(refused: readonly { name: string; cause: string }[]): void {
    if (refused.length === 0) return;
    this.#totals.setAside += refused.length;
    const { name, cause } = refused[0]!;
    const others = refused.length > 1 ? ` and ${refused.length - 1} more` : "";
    this.#log.warn(`PostgreSQL refuses ${name}${others}, kept in the local state alone: ${cause}`);
  }
}

/** Counts shipped rows. Returns the server's error, so that others are shipped anyway; throws others. */
async function attempt(ship: () => Promise<number>): Promise<{ count: number; failure: unknown }> {
  try {
    return { count: await ship(), failure: null };
  } catch (error) {
    // The server has ended the connection (classes 57P, 08), or it was lost.
    if (/^(?:$|57P|08)/.test(sqlState(error))) throw error;
    return { count: 0, failure: error };
  }
}

/** Finds a server's line by its key. */
const FIND_LINE = `SELECT FROM log WHERE host = $1::uuid AND seq = $2::bigint AND time = ${
  instant("$3::bigint")
}`;

/** Finds a server's largest numbers of bans. */
const LAST = "SELECT max(change) AS change, max(id) AS id FROM ban WHERE host = $1::uuid";

/** Ends all bans of a server in force, numbering the changes above $2. */
const END_ALL = `
UPDATE ban SET ended = now(), end_reason = 'lost', change = $2::bigint + number
FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM ban WHERE host = $1::uuid AND ended IS NULL) AS due
WHERE ban.host = $1::uuid AND ban.id = due.id RETURNING 1`;
