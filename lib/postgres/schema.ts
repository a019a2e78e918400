import { type Micros, SECOND } from "../core/time.ts";
import type { Log } from "../core/log.ts";
import { messageOf, UserError } from "../core/error.ts";
import { type Connection, sqlState } from "./connection.ts";
import { INSUFFICIENT_PRIVILEGE } from "./failures.ts";
import { arrayOf } from "./values.ts";
import { adoptOriginal, BEFORE, type MigrationContext, setOriginalAside } from "./original.ts";
import * as sharing from "./sharing.ts";
import { BAN, BAN_COLUMNS, CHANGED, HOST, IPS, LOG, REPLACE_CHANGED, TABLES, TRIGGERS } from "./tables.ts";
import { MAKE_VIEWS, MISSING_VIEWS, VIEW_NAMES } from "./views.ts";

/** No server makes or ends bans of the original, so that none follows them. */
const NOBODY_BEFORE = `UPDATE host SET removed = now() WHERE id = '${BEFORE}' AND removed IS NULL;`;

interface Migration {
  readonly name: string;
  /** Whether programs that do not know it may go on using the database. */
  readonly isAdditive?: boolean;
  /** Whether a member, which may not migrate, can do without it until the owner has migrated. */
  readonly isForOwner?: boolean;
  /** SQL, or a function that runs it. */
  readonly up: string | ((context: MigrationContext) => Promise<void>);
}

/**
 * Migrations in order, numbered from 1. A released migration is never changed. Each runs in a
 * transaction of its own.
 */
const MIGRATIONS: readonly Migration[] = [
  { name: "set the original's tables aside", up: setOriginalAside },
  { name: "tables", up: HOST + IPS + LOG + BAN },
  { name: "whitelist notification", up: CHANGED + TRIGGERS },
  {
    name: "adopt the original's rows",
    async up(context) {
      await context.connection.query(sharing.ADD_PARTITION);
      await adoptOriginal(context);
    },
  },
  { name: "scope and provenance of bans", up: BAN_COLUMNS },
  {
    name: "sharing of bans",
    isAdditive: true,
    up: sharing.SHARED_HOST + sharing.SHARED_IPS + sharing.SHARED_LOG + sharing.SHARED_BAN +
      sharing.ADD_PARTITION + sharing.ADMIT,
  },
  { name: "views across servers", isAdditive: true, up: MAKE_VIEWS + sharing.ADMIT },
  {
    name: "stricter rights of members",
    isAdditive: true,
    isForOwner: true,
    up: REPLACE_CHANGED + MAKE_VIEWS + sharing.BAN_CHANGED + sharing.ADD_PARTITION + sharing.ADMIT +
      sharing.ADMIT_AGAIN + NOBODY_BEFORE,
  },
];

/** Advisory lock, so that one host migrates at a time: "migr" in ASCII. */
const MIGRATION_LOCK = 0x6d696772;
/** Time-out of a migration: the original's history may be large. */
const MIGRATION_TIMEOUT: Micros = 3600 * SECOND;

/**
 * Migrates the database to the newest schema and makes dropped tables anew. Many hosts may call it
 * at once. Returns the names of the tables made anew. Throws `UserError` (69) if a newer program
 * has changed the schema. Additions are allowed: two versions share a database during an upgrade.
 */
export async function migrate(connection: Connection, log: Log): Promise<readonly string[]> {
  let done = await appliedMigrations(connection);
  try {
    while (done < MIGRATIONS.length) {
      done = await connection.transaction(() => applyNext({ connection, log }), MIGRATION_TIMEOUT);
    }
  } catch (error) {
    if (done === 0 || sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    if (!MIGRATIONS.slice(done).every(({ isForOwner }) => isForOwner)) {
      throw new UserError(
        "Cannot upgrade the tables: this server's role does not own them; upgrade the owner's server first",
        69,
      );
    }
  }
  if (done > MIGRATIONS.length && !await hasOnlyAdded(connection)) {
    throw new UserError(
      `Cannot use the database: its schema is number ${done} and this program knows ${MIGRATIONS.length}; ` +
        `update this host`,
      69,
    );
  }
  const restored = await restore(connection, log);
  await restoreViews(connection, log);
  return restored;
}

/** Reports whether all migrations that this program does not know are additive. */
async function hasOnlyAdded(connection: Connection): Promise<boolean> {
  const rows = await connection.query(
    "SELECT 1 FROM strongmonitor_migration WHERE number > $1::int AND NOT additive",
    [String(MIGRATIONS.length)],
  );
  return rows.length === 0;
}

/** Makes dropped tables anew, empty. */
async function restore(connection: Connection, log: Log): Promise<readonly string[]> {
  const missing = await missingTables(connection);
  if (missing.length === 0) return [];
  return await connection.transaction(async () => {
    await connection.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    const names = await missingTables(connection);
    for (const name of names) await connection.query(TABLES[name]!);
    if (names.length > 0) {
      await connection.query(sharing.ADMIT_AGAIN);
      log.error(`The database lacked the tables ${names.join(", ")}: made them anew, empty`);
    }
    return names;
  });
}

/** Makes views anew that went with a dropped table. Logs a refusal: no shipment needs them. */
async function restoreViews(connection: Connection, log: Log): Promise<void> {
  const missing = await connection.query(MISSING_VIEWS, [arrayOf(VIEW_NAMES)]);
  if (missing.length === 0) return;
  try {
    await connection.transaction(async () => {
      await connection.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      await connection.query(MAKE_VIEWS);
    });
  } catch (error) {
    if (sqlState(error) === "") throw error;
    log.warn(`Cannot make the views across servers: ${messageOf(error)}`);
  }
}

async function missingTables(connection: Connection): Promise<string[]> {
  const names = Object.keys(TABLES);
  const rows = await connection.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL",
    [arrayOf(names)],
  );
  return rows.map(({ name }) => name);
}

async function appliedMigrations(connection: Connection): Promise<number> {
  const [table] = await connection.query<{ found: boolean }>(
    "SELECT to_regclass('strongmonitor_migration') IS NOT NULL AS found",
  );
  if (!table?.found) return 0;
  const [row] = await connection.query<{ number: number }>(
    "SELECT coalesce(max(number), 0) AS number FROM strongmonitor_migration",
  );
  return row?.number ?? 0;
}

/** Takes the lock and applies the first missing migration. Returns the number of applied ones. */
async function applyNext(context: MigrationContext): Promise<number> {
  const { connection } = context;
  await connection.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
  await connection.query(MIGRATION_TABLE);
  const done = await appliedMigrations(connection);
  const next = MIGRATIONS[done];
  if (!next) return done;
  await connection.query(LOCK_TABLES);
  if (typeof next.up === "string") await connection.query(next.up);
  else await next.up(context);
  await connection.query(
    "INSERT INTO strongmonitor_migration (number, name, additive) VALUES ($1::int, $2::text, $3::boolean)",
    [String(done + 1), next.name, String(next.isAdditive ?? false)],
  );
  return done + 1;
}

const MIGRATION_TABLE = `
CREATE TABLE IF NOT EXISTS strongmonitor_migration (
  number integer PRIMARY KEY,
  name text NOT NULL,
  applied timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE strongmonitor_migration ADD COLUMN IF NOT EXISTS additive boolean NOT NULL DEFAULT false`;

/**
 * Locks all tables. Shipments lock them in varying orders, as prepared statements do after their
 * first run. So this one waits less than `deadlock_timeout`, releases its locks and tries again.
 */
const LOCK_TABLES = `
DO $$
DECLARE
  tables text[] := '{${Object.keys(TABLES).join()}}';
  before text := current_setting('lock_timeout');
  name text;
BEGIN
  FOR attempt IN 1..100 LOOP
    BEGIN
      PERFORM set_config('lock_timeout', '300ms', true);
      FOREACH name IN ARRAY tables LOOP
        IF to_regclass(name) IS NOT NULL THEN EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name); END IF;
      END LOOP;
      PERFORM set_config('lock_timeout', before, true);
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(0.1 * random());
    END;
  END LOOP;
  RAISE lock_not_available USING MESSAGE = 'others hold the tables';
END $$`;
