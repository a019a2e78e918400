import { formatScope } from "../core/scope.ts";
import type { BanChange } from "../deciding/ban.ts";
import type { Log } from "../core/log.ts";
import type { LogRow } from "../deciding/record.ts";
import type { Micros } from "../core/time.ts";
import { counted } from "../core/text.ts";
import { arrayOf, type Connection, sqlState } from "./connection.ts";
import { makePartitions } from "./partitions.ts";
import { MUTABLE } from "./sharing.ts";

/** The part of the state that is shipped to PostgreSQL. */
export interface Outbox {
  /** UUID of this state. With `seq` it identifies a log row in the whole fleet. */
  readonly hostId: string;
  /** Returns at most `limit` unconfirmed log rows, ascending by `seq`. */
  unshippedLog(limit: number): LogRow[];
  /** Marks all rows up to `seq` as shipped. */
  confirmLog(seq: number): void;
  /** Returns at most `limit` bans after the last confirmed change, ascending by `change`. */
  unshippedBans(limit: number): BanChange[];
  confirmBans(change: number): void;
  /** Returns the number of waiting rows and bans. */
  backlog(): number;
}

/** Most rows of one statement; a larger one is no faster. */
const LARGEST_BATCH = 5000;
const SMALLEST_BATCH = 50;

/** Counts of shipments since the start. */
export interface ShipmentTotals {
  /** Number of rows that PostgreSQL refused for their content; the state keeps them. */
  setAside: number;
}

/** What may still wait after a shipment. */
export interface Waiting {
  readonly lines: boolean;
  readonly bans: boolean;
}

/** Ships the state's outbox to PostgreSQL. */
export class Shipper {
  readonly #outbox: Outbox;
  readonly #log: Log;
  readonly #totals: ShipmentTotals;
  #limit = LARGEST_BATCH;

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

  /**
   * Ships one batch of bans, for which other servers wait, and one of log rows, and confirms each to
   * the state. A crash before the confirmation ships the batch again, which changes nothing in
   * PostgreSQL. Reports of which more may wait. Throws the errors of `connection`; rows that
   * PostgreSQL has not stored stay unconfirmed.
   */
  async ship(connection: Connection): Promise<Waiting> {
    const limit = this.#limit;
    // After a time-out the next batch is half as large.
    this.#limit = Math.max(SMALLEST_BATCH, limit >> 1);
    const { bans, failure } = await this.#tryBans(connection, limit);
    const rows = await this.#shipLog(connection, limit);
    if (failure !== null) throw failure;
    this.#limit = Math.min(LARGEST_BATCH, limit + SMALLEST_BATCH);
    if (rows + bans > 0) {
      this.#log.debug(() => `PostgreSQL took ${counted(rows, "line")} and ${counted(bans, "ban")}`);
    }
    return { lines: rows === limit, bans: bans === limit };
  }

  /** Ships bans. Returns the server's error, so that lines are shipped anyway; throws others. */
  async #tryBans(connection: Connection, limit: number): Promise<{ bans: number; failure: unknown }> {
    try {
      return { bans: await this.#shipBans(connection, limit), failure: null };
    } catch (error) {
      if (sqlState(error) === "") throw error;
      return { bans: 0, failure: error };
    }
  }

  async #shipLog(connection: Connection, limit: number): Promise<number> {
    const { hostId } = this.#outbox;
    const rows = this.#outbox.unshippedLog(limit);
    if (rows.length === 0) return 0;
    const refused = await storeAll(rows, (some) => storeLog(connection, some, hostId));
    this.#report(refused.map(({ row, cause }) => ({ name: `log row ${row.seq}`, cause })));
    this.#outbox.confirmLog(rows.at(-1)!.seq);
    return rows.length;
  }

  async #shipBans(connection: Connection, limit: number): Promise<number> {
    const { hostId } = this.#outbox;
    const bans = this.#outbox.unshippedBans(limit);
    if (bans.length === 0) return 0;
    const refused = await storeAll(bans, (some) => storeBans(connection, some, hostId));
    this.#report(refused.map(({ row, cause }) => ({ name: `ban ${row.id}`, cause })));
    this.#outbox.confirmBans(bans.at(-1)!.change);
    return bans.length;
  }

  #report(refused: readonly { name: string; cause: string }[]): void {
    if (refused.length === 0) return;
    this.#totals.setAside += refused.length;
    const { name, cause } = refused[0]!;
    const others = refused.length > 1 ? ` and ${refused.length - 1} more` : "";
    this.#log.warn(`PostgreSQL refuses ${name}${others}, kept in the local state alone: ${cause}`);
  }
}

/** Stores all rows but the refused ones. Halves a refused batch down to the row at fault. */
async function storeAll<T>(
  rows: readonly T[],
  store: (rows: readonly T[]) => Promise<void>,
): Promise<{ row: T; cause: string }[]> {
  try {
    await store(rows);
    return [];
  } catch (error) {
    if (!isAboutData(error)) throw error;
    if (rows.length === 1) return [{ row: rows[0]!, cause: (error as Error).message }];
  }
  const middle = rows.length >> 1;
  const refused = await storeAll(rows.slice(0, middle), store);
  return refused.concat(await storeAll(rows.slice(middle), store));
}

/**
 * Reports whether the rows cause an error, so that a retry is useless: data exception, constraint
 * violation, program limit exceeded, exception of a trigger (SQLSTATE classes 22, 23, 54, P0).
 */
function isAboutData(error: unknown): boolean {
  return /^(?:22|23|54|P0)/.test(sqlState(error));
}

async function storeLog(connection: Connection, rows: readonly LogRow[], host: string): Promise<void> {
  const parameters = [
    host,
    arrayOf(rows.map((row) => row.seq)),
    arrayOf(rows.map((row) => row.module)),
    arrayOf(rows.map((row) => row.address)),
    arrayOf(rows.map((row) => row.time)),
    arrayOf(rows.map((row) => row.message)),
  ];
  try {
    await connection.query(STORE_LOG, parameters);
  } catch (error) {
    // 23514, check_violation: a row has no partition.
    if (sqlState(error) !== "23514") throw error;
    await makePartitions(connection, rows.map((row) => row.time));
    await connection.query(STORE_LOG, parameters);
  }
}

async function storeBans(connection: Connection, bans: readonly BanChange[], host: string): Promise<void> {
  const column = (value: (ban: BanChange) => string | Micros | null) => arrayOf(bans.map(value));
  await connection.query(STORE_BANS, [
    host,
    column((ban) => ban.id),
    column((ban) => ban.address),
    column((ban) => ban.reason),
    column((ban) => ban.count),
    column((ban) => ban.start),
    column((ban) => ban.until),
    column((ban) => ban.ended),
    column((ban) => ban.endReason),
    column((ban) => ban.change),
    column((ban) => formatScope(ban.scope)),
    column((ban) => ban.provenance.kind),
    column((ban) => ban.provenance.name),
  ]);
}

/** Returns SQL for the exact timestamp of these microseconds; to_timestamp() rounds. */
function instant(micros: string): string {
  return `timestamptz 'epoch' + ${micros} * interval '1 microsecond'`;
}

/** Returns SQL that adds each address to `ips`, sorted so that two hosts never deadlock. */
function storeAddresses(time: string): string {
  return `INSERT INTO ips AS known (address, first_seen, last_seen)
    SELECT address, min(${time}), max(${time}) FROM given GROUP BY address ORDER BY address
    ON CONFLICT (address) DO UPDATE SET
      first_seen = least(known.first_seen, excluded.first_seen),
      last_seen = greatest(known.last_seen, excluded.last_seen)
    WHERE known.first_seen IS NULL OR known.last_seen IS NULL
      OR excluded.first_seen < known.first_seen OR excluded.last_seen > known.last_seen`;
}

const STORE_LOG = `
WITH given AS (
  SELECT seq, service, address, ${instant("micros")} AS time, message
  FROM unnest($2::bigint[], $3::text[], $4::inet[], $5::bigint[], $6::text[])
    AS input (seq, service, address, micros, message)
), addresses AS (
  ${storeAddresses("time")}
)
INSERT INTO log (host, seq, service, address, time, message)
SELECT $1::uuid, seq, service, address, time, message FROM given
ON CONFLICT DO NOTHING`;

const STORE_BANS = `
WITH given AS (
  SELECT DISTINCT ON (id) id, address, reason, count, ${instant("start")} AS start, ${
  instant("until")
} AS until,
    ${instant("ended")} AS ended, end_reason, change, scope, provenance, name
  FROM unnest($2::bigint[], $3::inet[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[])
    AS input (id, address, reason, count, start, until, ended, end_reason, change, scope, provenance, name)
  ORDER BY id, change DESC
), addresses AS (
  ${storeAddresses("start")}
)
INSERT INTO ban
  (host, id, address, reason, count, start, until, ended, end_reason, change, scope, provenance, name)
SELECT $1::uuid, id, address, reason, count, start, until, ended, end_reason, change, scope, provenance, name
FROM given
ON CONFLICT (host, id) DO UPDATE SET ${MUTABLE.map((column) => `${column} = excluded.${column}`).join(", ")}
WHERE ban.change < excluded.change`;
