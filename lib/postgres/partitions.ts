import type { Log } from "../core/log.ts";
import { DAY, type Micros, now, WEEK } from "../core/time.ts";
import { type Connection, sqlState } from "./connection.ts";
import { INSUFFICIENT_PRIVILEGE } from "./failures.ts";

/**
 * The table `log` has one partition for each week of UTC. A partition is dropped when its last row
 * is older than `keep_log`; partitions of a month would keep for five weeks what should stay for
 * one. Rows before EARLY and after LATE share one partition each, so that a wrong clock cannot make
 * thousands. There is no DEFAULT partition: PostgreSQL would search it for each new partition under
 * a lock that stops all inserts, and refuse the new one while a row of it is there.
 */
/** The first Monday after the epoch. */
const MONDAY: Micros = 4 * DAY;
const EARLY = mondayOf(Date.UTC(2020, 0, 6) * 1000);
const LATE = mondayOf(Date.UTC(2100, 0, 4) * 1000);

/** A partition of `log`: rows from `from` until before `to`; null: no bound. */
interface Partition {
  readonly name: string;
  readonly from: Micros | null;
  readonly to: Micros | null;
}

/** Advisory lock held while partitions are made or dropped: "log" in ASCII. */
const PARTITION_LOCK = 0x6c6f67;

/**
 * Makes next week's partition, and drops partitions whose rows are all older than `keepLog` by the
 * database's clock and by `time`; null drops none. Logs a refusal instead of throwing it, so that
 * lines are shipped anyway.
 */
export async function tidyPartitions(
  connection: Connection,
  { keepLog, log, time }: { keepLog: Micros | null; log: Log; time: Micros },
): Promise<void> {
  try {
    await makePartitions(connection, [now(), now() + WEEK]);
    // A wrong clock of one server must not drop the lines of all.
    const latest = Math.min(time, now() + connection.ahead);
    const dropped = keepLog === null ? [] : await dropPartitions(connection, latest - keepLog);
    if (dropped.length > 0) log.info(`Dropped log rows older than keep_log: ${dropped.join(", ")}`);
  } catch (error) {
    const state = sqlState(error);
    if (state === "") throw error;
    // Only the owner of the tables drops partitions.
    if (state !== INSUFFICIENT_PRIVILEGE) {
      log.warn(`Cannot tidy the log table, trying again within the hour: ${(error as Error).message}`);
    }
  }
}

/** Makes the missing partitions for rows of these instants. */
export async function makePartitions(connection: Connection, times: readonly Micros[]): Promise<void> {
  const needed = new Map(times.filter(Number.isFinite).map((t) => partitionOf(t)).map((p) => [p.name, p]));
  const known = await existing(connection);
  if (known === null || known.isSupersetOf(needed)) return;
  await connection.transaction(async () => {
    await connection.query(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
    const present = await existing(connection);
    for (const partition of needed.values()) {
      if (present?.has(partition.name) === false) await attach(connection, partition);
    }
  });
}

/** Drops whole partitions with all rows older than `before`. Returns the partitions' names. */
export async function dropPartitions(connection: Connection, before: Micros): Promise<string[]> {
  const isOld = (name: string) => (endOf(name) ?? Infinity) <= before;
  if (![...await existing(connection) ?? []].some(isOld)) return [];
  return await connection.transaction(async () => {
    // DROP waits for readers, inserts wait for DROP. A short lock_timeout makes it give up.
    await connection.query("SET LOCAL lock_timeout = '2s'");
    await connection.query(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
    const dropped = [...await existing(connection) ?? []].filter(isOld);
    for (const name of dropped) await connection.query(`DROP TABLE ${name}`);
    return dropped;
  });
}

/** Returns the names of the partitions; null: another engine partitions `log` itself. */
async function existing(connection: Connection): Promise<Set<string> | null> {
  const rows = await connection.query<{ name: string | null }>(
    `SELECT part.relname AS name FROM pg_class AS whole
     LEFT JOIN pg_inherits ON inhparent = whole.oid LEFT JOIN pg_class AS part ON part.oid = inhrelid
     WHERE whole.oid = 'log'::regclass AND whole.relkind = 'p'`,
  );
  return rows.length === 0 ? null : new Set(rows.flatMap(({ name }) => name ?? []));
}

/** Creates a table and attaches it: CREATE … PARTITION OF would stop readers and writers. */
async function attach(connection: Connection, { name, from, to }: Partition): Promise<void> {
  const bound = (time: Micros | null) => time === null ? null : new Date(time / 1000).toISOString();
  await connection.query("SELECT strongmonitor_add_partition($1::text, $2::timestamptz, $3::timestamptz)", [
    name,
    bound(from),
    bound(to),
  ]);
}

function partitionOf(time: Micros): Partition {
  if (time < EARLY) return { name: "log_early", from: null, to: EARLY };
  if (time >= LATE) return { name: "log_late", from: LATE, to: null };
  const from = mondayOf(time);
  const day = new Date(from / 1000).toISOString().slice(0, 10).replaceAll("-", "_");
  return { name: `log_${day}`, from, to: from + WEEK };
}

/** Returns the end of the partition with this name; null: no end, or no partition's name. */
function endOf(name: string): Micros | null {
  if (name === "log_early") return EARLY;
  const day = /^log_(\d{4})_(\d\d)_(\d\d)$/.exec(name);
  return day && Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) * 1000 + WEEK;
}

function mondayOf(time: Micros): Micros {
  return Math.floor((time - MONDAY) / WEEK) * WEEK + MONDAY;
}
