import { type Micros, SECOND } from "../core/time.ts";
import type { Log } from "../core/log.ts";
import { messageOf, UserError } from "../core/error.ts";
import { arrayOf, type Connection, sqlState } from "./connection.ts";
import { adoptOriginal, type MigrationContext, setOriginalAside } from "./original.ts";
import * as sharing from "./sharing.ts";
import { MAKE_VIEWS, MISSING_VIEWS, VIEW_NAMES } from "./views.ts";

interface Migration {
  readonly name: string;
  /** Whether programs that do not know it may go on using the database. */
  readonly isAdditive?: boolean;
  up(context: MigrationContext): Promise<void>;
}

/** Channel of notifications about the whitelist. */
export const WHITELIST_CHANNEL = "strongmonitor_whitelist";

/**
 * Migrations in order, numbered from 1. A released migration is never changed. Each runs in a
 * transaction of its own.
 */
const MIGRATIONS: readonly Migration[] = [
  { name: "set the original's tables aside", up: setOriginalAside },
  { name: "tables", up: ({ connection }) => connection.query(HOST + IPS + LOG + BAN).then(() => {}) },
  {
    name: "whitelist notification",
    up: ({ connection }) => connection.query(CHANGED + TRIGGERS).then(() => {}),
  },
  {
    name: "adopt the original's rows",
    async up(context) {
      await context.connection.query(sharing.ADD_PARTITION);
      await adoptOriginal(context);
    },
  },
  {
    name: "scope and provenance of bans",
    up: ({ connection }) => connection.query(BAN_COLUMNS).then(() => {}),
  },
  {
    name: "sharing of bans",
    isAdditive: true,
    up: ({ connection }) =>
      connection.query(
        SHARED_HOST + SHARED_IPS + SHARED_LOG + SHARED_BAN + sharing.ADD_PARTITION + sharing.ADMIT,
      ).then(() => {}),
  },
  {
    name: "views across servers",
    isAdditive: true,
    up: ({ connection }) => connection.query(MAKE_VIEWS + sharing.ADMIT).then(() => {}),
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
  while (done < MIGRATIONS.length) {
    done = await connection.transaction(() => applyNext({ connection, log }), MIGRATION_TIMEOUT);
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
  await next.up(context);
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

const HOST = `
CREATE TABLE host (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  last_seen timestamptz NOT NULL DEFAULT now()
);`;

const IPS = `
CREATE TABLE ips (
  address inet PRIMARY KEY,
  whitelisted boolean NOT NULL DEFAULT false,
  note text NOT NULL DEFAULT '',
  first_seen timestamptz,
  last_seen timestamptz
);
CREATE INDEX ON ips (address) WHERE whitelisted;`;

const LOG = `
-- (host, seq) names a row; time leads the key because the key must hold what the table is partitioned by,
-- and first so that the same index finds the latest rows. A row's time never changes.
CREATE TABLE log (
  host uuid NOT NULL,
  seq bigint NOT NULL,
  service text NOT NULL,
  address inet NOT NULL,
  time timestamptz NOT NULL,
  message text NOT NULL,
  PRIMARY KEY (time, host, seq)
) PARTITION BY RANGE (time);
CREATE INDEX ON log (address, time);`;

const BAN = `
CREATE TABLE ban (
  host uuid NOT NULL,
  id bigint NOT NULL,
  address inet NOT NULL,
  reason text NOT NULL,
  count bigint NOT NULL,
  start timestamptz NOT NULL,
  until timestamptz,
  ended timestamptz,
  end_reason text,
  change bigint NOT NULL,
  PRIMARY KEY (host, id)
);
CREATE INDEX ON ban (address);
CREATE INDEX ON ban (until) WHERE ended IS NULL;`;

/** Bans shipped before this migration have no provenance. */
const BAN_COLUMNS = `
ALTER TABLE ban ADD COLUMN scope text NOT NULL DEFAULT 'all', ADD COLUMN provenance text, ADD COLUMN name text`;

const CHANGED = `
CREATE FUNCTION strongmonitor_whitelist_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NOTIFY ${WHITELIST_CHANNEL};
  RETURN NULL;
END $$;`;

/** Triggers for changes of the whitelist alone: writing `last_seen` notifies nobody. */
const TRIGGERS = `
CREATE TRIGGER whitelist_insert AFTER INSERT ON ips FOR EACH ROW WHEN (new.whitelisted)
  EXECUTE FUNCTION strongmonitor_whitelist_changed();
CREATE TRIGGER whitelist_update AFTER UPDATE ON ips FOR EACH ROW
  WHEN ((old.whitelisted OR new.whitelisted)
    AND (old.whitelisted, old.address, old.note) IS DISTINCT FROM (new.whitelisted, new.address, new.note))
  EXECUTE FUNCTION strongmonitor_whitelist_changed();
CREATE TRIGGER whitelist_delete AFTER DELETE ON ips FOR EACH ROW WHEN (old.whitelisted)
  EXECUTE FUNCTION strongmonitor_whitelist_changed();
CREATE TRIGGER whitelist_truncate AFTER TRUNCATE ON ips FOR EACH STATEMENT
  EXECUTE FUNCTION strongmonitor_whitelist_changed()`;

const SHARED_HOST = sharing.HOST_COLUMNS + sharing.HOST_POLICIES;
const SHARED_IPS = sharing.IPS_COLUMNS + sharing.IPS_POLICIES;
const SHARED_LOG = sharing.LOG_POLICIES;
const SHARED_BAN = sharing.BAN_INDEX + sharing.BAN_CHANGED + sharing.BAN_TRIGGERS + sharing.BAN_POLICIES;

/** Definition of each table after all migrations. */
const TABLES: Readonly<Record<string, string>> = {
  host: HOST + SHARED_HOST,
  // DROP TABLE does not drop the function.
  ips: IPS + CHANGED.replace("CREATE", "CREATE OR REPLACE") + TRIGGERS + ";" + SHARED_IPS,
  log: LOG + SHARED_LOG,
  ban: BAN + BAN_COLUMNS + ";" + SHARED_BAN,
};

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
