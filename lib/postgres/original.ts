import { UserError } from "../core/error.ts";
import { type Micros, SECOND } from "../core/time.ts";
import type { Connection } from "./connection.ts";
import { arrayOf } from "./values.ts";
import { makePartitions } from "./partitions.ts";
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";

/** Arguments of a migration. */
export interface MigrationContext {
  readonly connection: Connection;
  readonly log: Log;
}

/**
 * Host id of the rows copied from a database of the original tool: tables `ips`, `log` and `ban`
 * with a text column "IP". They are renamed to `original_…` and kept whole; their readable rows are
 * copied into the new tables.
 */
export const BEFORE = "00000000-0000-0000-0000-000000000000";

/** Tables of the original; StrongMonitor's have the same names. */
const ORIGINALS = ["ips", "log", "ban"] as const;
type Original = (typeof ORIGINALS)[number];

/** Renames the original's tables. Throws `UserError` (78) if they belong to another program. */
export async function setOriginalAside({ connection }: MigrationContext): Promise<void> {
  const tables = await columnsOf(connection, [...ORIGINALS, "host"]);
  if (tables.size === 0) return;
  const isOriginal = [...tables.values()].some((columns) => columns.find(["ip"]));
  if (!isOriginal || tables.has("host")) {
    throw new UserError(
      `Cannot make tables: the database has other ones named ${[...tables.keys()].join(", ")}; ` +
        "give StrongMonitor a database of its own",
      78,
    );
  }
  for (const table of tables.keys()) {
    await connection.query(`ALTER TABLE ${table} RENAME TO original_${table}`);
  }
}

/** Copies readable rows of the original's tables. Logs whitelisted entries that it cannot read. */
export async function adoptOriginal({ connection, log }: MigrationContext): Promise<void> {
  const tables = await columnsOf(connection, ORIGINALS.map((table) => `original_${table}`));
  const readers = new Map(ORIGINALS.map((table) => [table, reader(table, tables.get(`original_${table}`))]));
  if (tables.size === 0) return;
  await connection.query(READ_FUNCTIONS);
  await connection.query("INSERT INTO host (id, name) VALUES ($1::uuid, 'before the upgrade')", [BEFORE]);
  await makePartitions(connection, await weeksOf(connection, readers.get("log")!));
  const unread = await unreadWhitelist(connection, tables.get("original_ips"));
  const copied = {
    log: await count(connection, insertLog(readers.get("log")!)),
    ban: await count(connection, insertBans(readers.get("ban")!)),
    ips: await count(connection, insertAddresses([...readers.values()])),
  };
  await connection.query(DROP_READ_FUNCTIONS);
  log.info(
    `Took over the original's database: ${counted(copied.log, "log row")}, ` +
      `${counted(copied.ban, "ban")} and ${counted(copied.ips, "address")}; ` +
      `its tables are kept as ${[...tables.keys()].join(", ")} and may be dropped`,
  );
  if (unread.length > 0) log.warn(`Not on the whitelist any more, being no addresses: ${unread.join(", ")}`);
}

/** A table's columns by name, ignoring case, quoted for SQL. */
class Columns {
  readonly #columns: readonly { name: string; isText: boolean }[];

  constructor(columns: readonly { name: string; isText: boolean }[]) {
    this.#columns = columns;
  }

  /** Returns the first column with one of these names, in the order of `names`. */
  find(names: readonly string[]): string | null {
    const found = names.flatMap((name) =>
      this.#columns.filter((column) => column.name.toLowerCase() === name)
    );
    return found[0] ? quote(found[0].name) : null;
  }

  /** Returns the first text column whose name is not among `names`. */
  textBeside(names: readonly string[]): string | null {
    const found = this.#columns.find((column) => column.isText && !names.includes(column.name.toLowerCase()));
    return found ? quote(found.name) : null;
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function columnsOf(connection: Connection, tables: readonly string[]): Promise<Map<string, Columns>> {
  const rows = await connection.query<{ table: string; name: string | null; is_text: boolean }>(
    `SELECT relname AS table, attname AS name, atttypid IN ('text'::regtype, 'varchar'::regtype) AS is_text
     FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname = current_schema()
     LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
     WHERE relname = ANY ($1::text[]) ORDER BY relname, attnum`,
    [arrayOf(tables)],
  );
  const names = new Set(rows.map((row) => row.table));
  return new Map([...names].map((table) => {
    const columns = rows.filter((row) => row.table === table && row.name !== null);
    return [table, new Columns(columns.map((row) => ({ name: row.name!, isText: row.is_text })))];
  }));
}

const ADDRESS = ["ip", "address"];
const TIME = ["timestamp", "time"];
const SERVICE = ["service", "module"];
const MESSAGE = ["message", "line", "log", "text", "msg", "entry", "raw"];
const NO_MESSAGE = [...ADDRESS, ...TIME, ...SERVICE, "reason", "id"];

/** Returns a query with one row per original row; missing and unreadable values are NULL. */
function reader(table: Original, columns: Columns = new Columns([])): string {
  const read = (names: readonly string[]) => columns.find(names) ?? "NULL";
  const message = columns.find(MESSAGE) ?? columns.textBeside(NO_MESSAGE) ?? "NULL";
  const source = columns.find(ADDRESS) || columns.textBeside([]) ? `FROM original_${table}` : "WHERE false";
  return `SELECT strongmonitor_read_address(${read(ADDRESS)}::text) AS address,
    strongmonitor_read_instant(${read(TIME)}::text) AS time,
    coalesce(${read(SERVICE)}::text, '') AS service,
    coalesce(${message}::text, '') AS message,
    coalesce(${read(["reason"])}::text, '') AS reason,
    strongmonitor_read_count(${read(["count", "hits"])}::text) AS count,
    ${whitelisted(columns)} AS whitelisted
    ${source}`;
}

function whitelisted(columns: Columns): string {
  const column = columns.find(["whitelisted"]) ?? "NULL";
  return `coalesce(lower(${column}::text) IN ('t', 'true', '1', 'y', 'yes', 'on'), false)`;
}

/** Returns up to ten whitelisted entries of original_ips that are not addresses. */
async function unreadWhitelist(connection: Connection, columns?: Columns): Promise<string[]> {
  const name = columns?.find(ADDRESS);
  if (!name) return [];
  const rows = await connection.query<{ name: string }>(
    `SELECT ${name}::text AS name FROM original_ips
     WHERE ${
      whitelisted(columns!)
    } AND strongmonitor_read_address(${name}::text) IS NULL AND ${name} IS NOT NULL
     LIMIT 10`,
  );
  return rows.map((row) => JSON.stringify(row.name));
}

async function weeksOf(connection: Connection, reader: string): Promise<Micros[]> {
  const rows = await connection.query<{ seconds: string }>(
    `SELECT DISTINCT extract(epoch FROM date_trunc('week', time AT TIME ZONE 'UTC'))::bigint AS seconds
     FROM (${reader}) AS original WHERE address IS NOT NULL AND time IS NOT NULL`,
  );
  return rows.map((row) => Number(row.seconds) * SECOND);
}

function insertLog(reader: string): string {
  return `INSERT INTO log (host, seq, service, address, time, message)
    SELECT '${BEFORE}', row_number() OVER (ORDER BY time), service, address, time, message
    FROM (${reader}) AS original WHERE address IS NOT NULL AND time IS NOT NULL RETURNING 1`;
}

/** The original's bans do not end. A ban without a readable time begins at the upgrade. */
function insertBans(reader: string): string {
  return `INSERT INTO ban (host, id, address, reason, count, start, change)
    SELECT '${BEFORE}', number, address, reason, count, coalesce(time, now()), number
    FROM (SELECT *, row_number() OVER (ORDER BY time) AS number FROM (${reader}) AS original
          WHERE address IS NOT NULL) AS numbered RETURNING 1`;
}

function insertAddresses(readers: readonly string[]): string {
  return `INSERT INTO ips (address, whitelisted, first_seen, last_seen)
    SELECT address, bool_or(whitelisted), min(time), max(time)
    FROM (${readers.join(" UNION ALL ")}) AS originals WHERE address IS NOT NULL
    GROUP BY address ORDER BY address
    ON CONFLICT (address) DO UPDATE SET whitelisted = ips.whitelisted OR excluded.whitelisted RETURNING 1`;
}

async function count(connection: Connection, query: string): Promise<number> {
  const [row] = await connection.query<{ count: string }>(
    `WITH rows AS (${query}) SELECT count(*) FROM rows`,
  );
  return Number(row?.count);
}

/**
 * SQL functions that return NULL for an unreadable value, where a cast fails the statement.
 * Addresses lose their zone; mapped ones become IPv4. A number's size tells its unit, s to ns.
 */
const READ_FUNCTIONS = `
CREATE FUNCTION strongmonitor_read_address(given text) RETURNS inet LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE address inet;
BEGIN
  address := regexp_replace(btrim(given), '%[^/]*', '')::inet;
  IF address <<= '::ffff:0.0.0.0/96' THEN
    RETURN set_masklen('0.0.0.0'::inet + (address - '::ffff:0.0.0.0'), masklen(address) - 96);
  END IF;
  RETURN address;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$;
CREATE FUNCTION strongmonitor_read_instant(given text) RETURNS timestamptz LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  number numeric;
  instant timestamptz;
BEGIN
  IF given ~* '^\\s*-?[0-9]+(\\.[0-9]+)?(e[+-]?[0-9]{1,3})?\\s*$' THEN
    number := given::numeric;
    number := CASE
      WHEN abs(number) < 1e11 THEN number * 1e6
      WHEN abs(number) < 1e14 THEN number * 1e3
      WHEN abs(number) < 1e17 THEN number
      ELSE number / 1e3
    END;
    RETURN timestamptz 'epoch' + trunc(number)::bigint * interval '1 microsecond';
  END IF;
  instant := given::timestamptz;
  RETURN CASE WHEN isfinite(instant) THEN instant END;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$;
CREATE FUNCTION strongmonitor_read_count(given text) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN coalesce(given::bigint, 0);
EXCEPTION WHEN data_exception THEN RETURN 0;
END $$`;

const DROP_READ_FUNCTIONS = `
DROP FUNCTION strongmonitor_read_address(text);
DROP FUNCTION strongmonitor_read_instant(text);
DROP FUNCTION strongmonitor_read_count(text)`;
