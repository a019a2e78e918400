/** Stores lines, bans and addresses by one statement for many rows. */
import { formatScope } from "../core/scope.ts";
import type { BanChange } from "../deciding/ban.ts";
import type { LogRow } from "../reading/event.ts";
import type { Micros } from "../core/time.ts";
import { type Connection, sqlState } from "./connection.ts";
import { NOT_NULL_VIOLATION } from "./failures.ts";
import { arrayOf, instant } from "./values.ts";
import { makePartitions } from "./partitions.ts";
import { MUTABLE } from "./sharing.ts";

/**
 * Stores all rows but the refused ones. Halves a refused batch down to the row at fault, which is
 * stored with `?` for all characters beyond ASCII if the database's encoding lacks one.
 */
export async function storeAll<T>(
  rows: readonly T[],
  store: (rows: readonly T[]) => Promise<void>,
): Promise<{ row: T; cause: string }[]> {
  try {
    await store(rows);
    return [];
  } catch (error) {
    if (!isAboutData(error)) throw error;
    if (rows.length === 1) {
      const text = JSON.stringify(rows);
      // 22P05, untranslatable_character
      const ascii = sqlState(error) === "22P05" ? text.replace(/[^\0-\x7f]/gu, "?") : text;
      if (ascii !== text) return await storeAll<T>(JSON.parse(ascii), store);
      return [{ row: rows[0]!, cause: (error as Error).message }];
    }
  }
  const middle = rows.length >> 1;
  const refused = await storeAll(rows.slice(0, middle), store);
  return refused.concat(await storeAll(rows.slice(middle), store));
}

/**
 * Reports whether the rows cause an error, so that a retry is useless: data exception, constraint
 * violation, program limit exceeded, exception of a trigger (SQLSTATE classes 22, 23, 54, P0). Not a
 * missing value: it is of a column that somebody added.
 */
function isAboutData(error: unknown): boolean {
  const state = sqlState(error);
  return state !== NOT_NULL_VIOLATION && /^(?:22|23|54|P0)/.test(state);
}

/**
 * Stores lines, and makes missing partitions for them. A state that was lost gives keys again: a line
 * with the key of another one of that instant gets the negative number.
 */
export async function storeLog(connection: Connection, rows: readonly LogRow[], host: string): Promise<void> {
  const parameters = [
    host,
    arrayOf(rows.map((row) => row.key)),
    arrayOf(rows.map((row) => row.module)),
    arrayOf(rows.map((row) => row.address)),
    arrayOf(rows.map((row) => row.time)),
    arrayOf(rows.map((row) => row.message)),
  ];
  const store = () => connection.query(STORE_LOG, parameters);
  const { count } = await store().catch(async (error) => {
    // 23514, check_violation: a row has no partition.
    if (sqlState(error) !== "23514") throw error;
    await makePartitions(connection, rows.map((row) => row.time));
    return await store();
  });
  if (count < rows.length) await connection.query(STORE_OTHERS, parameters);
}

/** Stores bans, of which the database has an earlier change or none, with times of its clock. */
export async function storeBans(
  connection: Connection,
  bans: readonly BanChange[],
  host: string,
): Promise<void> {
  const column = (value: (ban: BanChange) => string | Micros | null) => arrayOf(bans.map(value));
  const times = (value: (ban: BanChange) => Micros | null) =>
    column((ban) => {
      const time = value(ban);
      return time === null ? null : time + connection.ahead;
    });
  await connection.query(STORE_BANS, [
    host,
    column((ban) => ban.id),
    column((ban) => ban.address),
    column((ban) => ban.reason),
    column((ban) => ban.count),
    times((ban) => ban.start),
    times((ban) => ban.until),
    times((ban) => ban.ended),
    column((ban) => ban.endReason),
    column((ban) => ban.change),
    column((ban) => formatScope(ban.scope)),
    column((ban) => ban.provenance.kind),
    column((ban) => ban.provenance.name),
  ]);
}

/** Notes addresses with the times at which they were seen in `ips`. */
export async function storeAddresses(
  connection: Connection,
  seen: readonly (readonly [address: string, time: Micros])[],
): Promise<void> {
  const [addresses, times] = [seen.map(([address]) => address), seen.map(([, time]) => time)];
  await connection.query(STORE_ADDRESSES, [arrayOf(addresses), arrayOf(times)]);
}

/** Adds each address to `ips`, sorted so that two hosts never deadlock. */
const STORE_ADDRESSES = `
INSERT INTO ips AS known (address, first_seen, last_seen)
SELECT address, ${instant("min(micros)")}, ${instant("max(micros)")}
FROM unnest($1::inet[], $2::bigint[]) AS seen (address, micros) GROUP BY address ORDER BY address
ON CONFLICT (address) DO UPDATE SET
  first_seen = least(known.first_seen, excluded.first_seen),
  last_seen = greatest(known.last_seen, excluded.last_seen)
WHERE known.first_seen IS NULL OR known.last_seen IS NULL
  OR excluded.first_seen < known.first_seen OR excluded.last_seen > known.last_seen`;

const TIME = instant("input.micros");

const storeLines = (seq: string, others = "") => `
INSERT INTO log (host, seq, service, address, time, message)
SELECT $1::uuid, ${seq}, input.service, input.address, ${TIME}, input.message
FROM unnest($2::bigint[], $3::text[], $4::inet[], $5::bigint[], $6::text[])
  AS input (seq, service, address, micros, message) ${others}
ON CONFLICT DO NOTHING`;

const STORE_LOG = storeLines("input.seq");

const STORE_OTHERS = storeLines(
  "-input.seq",
  `JOIN log ON log.time = ${TIME} AND log.host = $1::uuid AND log.seq = input.seq
    AND (log.service, log.address, log.message) <> (input.service, input.address, input.message)`,
);

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
)
INSERT INTO ban
  (host, id, address, reason, count, start, until, ended, end_reason, change, scope, provenance, name)
SELECT $1::uuid, id, address, reason, count, start, until, ended, end_reason, change, scope, provenance, name
FROM given
ON CONFLICT (host, id) DO UPDATE SET ${MUTABLE.map((column) => `${column} = excluded.${column}`).join(", ")}
WHERE ban.change < excluded.change`;
