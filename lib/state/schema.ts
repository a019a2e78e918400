import type { DatabaseSync } from "node:sqlite";
import { migrateTallies } from "./note_migration.ts";
import { queryNumber, transact } from "./sqlite.ts";

/** The tables of 1.0, the first release. Never edit them: states of that program have them. */
export const FIRST_RELEASE = {
  version: 5,
  tables: `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE position (source TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE log_batch (
    last INTEGER PRIMARY KEY AUTOINCREMENT, lines INTEGER NOT NULL, time INTEGER NOT NULL, content TEXT NOT NULL
  );
  CREATE VIEW log (seq, service, address, time, message) AS
    SELECT last - lines + 1 + key, value ->> 0, value ->> 1, time - (value ->> 2), value ->> 3
    FROM log_batch, json_each(content);
  CREATE TABLE tally (id INTEGER PRIMARY KEY, until INTEGER, content TEXT NOT NULL);
  CREATE INDEX tally_until ON tally (until);
  CREATE TABLE ban (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    change INTEGER NOT NULL,
    address TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
    start INTEGER NOT NULL, until INTEGER, ended INTEGER, end_reason TEXT,
    applied_by TEXT, applied_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0, next_try INTEGER NOT NULL DEFAULT 0, error TEXT,
    scope TEXT NOT NULL DEFAULT 'all'
  );
  CREATE UNIQUE INDEX ban_in_force ON ban (address) WHERE ended IS NULL;
  CREATE UNIQUE INDEX ban_change ON ban (change);
  CREATE INDEX ban_until ON ban (until) WHERE ended IS NULL;
  CREATE INDEX ban_address ON ban (address);
  CREATE INDEX ban_to_apply ON ban (next_try) WHERE ended IS NULL AND applied_at IS NULL;
  CREATE INDEX ban_to_lift ON ban (id) WHERE ended IS NOT NULL AND applied_by IS NOT NULL;
  CREATE TABLE whitelist (
    origin TEXT NOT NULL, address TEXT NOT NULL, note TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
    PRIMARY KEY (origin, address)
  ) WITHOUT ROWID;
  CREATE TABLE login (
    address TEXT NOT NULL, method TEXT NOT NULL, user TEXT NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (address, method)
  ) WITHOUT ROWID;
  CREATE TABLE session (
    address TEXT NOT NULL, port INTEGER NOT NULL, pid INTEGER, time INTEGER NOT NULL,
    PRIMARY KEY (address, port)
  ) WITHOUT ROWID;
  CREATE TABLE knock_key (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, secret TEXT NOT NULL, since INTEGER NOT NULL,
    used_step INTEGER, used_by TEXT, used_at INTEGER
  ) WITHOUT ROWID;
  `,
};

/** Makes the tables of version 13 of those of the first release. */
function migrateFirst(db: DatabaseSync): void {
  migrateTallies(db);
  db.exec(`
  -- Times of lines are relative to the first of their batch, so that JSON is written as they come.
  ALTER TABLE log_batch ADD COLUMN base INTEGER;
  DROP VIEW log;
  CREATE VIEW log (seq, module, address, time, message) AS
    SELECT last - lines + 1 + key, value ->> 0, value ->> 1, ifnull(base, time) - (value ->> 2), value ->> 3
    FROM log_batch, json_each(content);

  -- A ban is identified by address and scope. Its provenance was only in its reason.
  ALTER TABLE ban ADD COLUMN provenance TEXT NOT NULL DEFAULT 'manual';
  ALTER TABLE ban ADD COLUMN name TEXT NOT NULL DEFAULT '';
  ALTER TABLE ban ADD COLUMN decided INTEGER NOT NULL DEFAULT 0;
  UPDATE ban SET decided = start,
    provenance = CASE
      WHEN reason LIKE '[NETWORK]%' THEN 'network'
      WHEN reason LIKE '[MANUAL]%' THEN 'manual'
      WHEN reason LIKE '[IMPORT]%' THEN 'import'
      WHEN reason LIKE '[%] %' THEN 'rule'
      ELSE 'manual' END,
    name = CASE
      WHEN reason LIKE '[NETWORK]%' THEN substr(address, instr(address, '/'))
      WHEN reason LIKE '[MANUAL]%' THEN ''
      WHEN reason LIKE '[IMPORT]%' THEN trim(substr(reason, 9))
      WHEN reason LIKE '[%] %' THEN substr(reason, 2, instr(reason, '] ') - 2) || substr(reason, instr(reason, '] ') + 1)
      ELSE '' END;
  DROP INDEX ban_in_force;
  CREATE UNIQUE INDEX ban_in_force ON ban (address, scope) WHERE ended IS NULL;

  -- Source of a batch, index of lines by address, and counts of each hour. Earlier lines are in none.
  CREATE TABLE source (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  ALTER TABLE log_batch ADD COLUMN source INTEGER;
  CREATE TABLE log_index (last INTEGER PRIMARY KEY, lines INTEGER NOT NULL, filter BLOB NOT NULL);
  CREATE TABLE rollup (
    span INTEGER NOT NULL, start INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY (span, start)
  ) WITHOUT ROWID;

  -- Turn of a ban: a module's, that of a provenance, or that of a lift. Bans of a module's own firewall,
  -- "~NGINX " and the turn, sort behind all others: each firewall visits only its own.
  ALTER TABLE ban ADD COLUMN turn TEXT GENERATED ALWAYS AS (
    iif(scope GLOB 'module *', '~' || substr(scope, 8) || ' ', '') || CASE
    WHEN ended IS NOT NULL THEN iif(end_reason = 'expired', 'expired', 'unban')
    WHEN provenance = 'rule' THEN 'rule ' || substr(name, 1, instr(name || ' ', ' ') - 1)
    ELSE provenance END) VIRTUAL;
  DROP INDEX ban_to_apply;
  DROP INDEX ban_to_lift;
  CREATE INDEX ban_to_apply ON ban (turn, next_try, id) WHERE ended IS NULL AND applied_at IS NULL;
  CREATE INDEX ban_to_lift ON ban (turn, next_try, id) WHERE ended IS NOT NULL AND applied_by IS NOT NULL;

  -- Servers of the fleet. Each news asks how many bans follow one: the index holds its condition, so
  -- that no row is read. Each commit asks for unshipped bans, among which are no followed ones.
  CREATE TABLE fleet_position (host TEXT PRIMARY KEY, change INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX ban_followed ON ban (name, provenance, ended) WHERE ended IS NULL AND provenance = 'fleet';
  CREATE INDEX ban_followed_past ON ban (id)
    WHERE provenance = 'fleet' AND end_reason IN ('fleet', 'expired', 'unfollowed') AND applied_by IS NULL;
  CREATE INDEX ban_shipped ON ban (change) WHERE provenance <> 'fleet';
  `);
}

/** Number of a source's lines, and of a batch's newest line among them. Earlier lines have none. */
const NUMBER_LINES = `
  ALTER TABLE source ADD COLUMN lines INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE log_batch ADD COLUMN nth INTEGER;
`;

/** Versions (`PRAGMA user_version`) with their changes: of the first release, and of builds since. */
const VERSIONS: readonly (readonly [version: number, up: (db: DatabaseSync) => void])[] = [
  [FIRST_RELEASE.version, (db) => db.exec(FIRST_RELEASE.tables)],
  [13, migrateFirst],
  [14, (db) => db.exec(NUMBER_LINES)],
];
/** This program's version. */
const NEWEST = VERSIONS.at(-1)![0];

/**
 * Migrates `db` to a version in one transaction. Throws for a newer one, and for the versions of
 * early builds.
 */
export function migrate(db: DatabaseSync, target = NEWEST): void {
  if (version(db) === target) return;
  transact(db, () => {
    // Another process may have made the tables since the first look.
    const found = version(db);
    if (found > NEWEST) throw new Error(`it has version ${found}, made by a newer StrongMonitor`);
    if (found !== 0 && !isKnown(found)) {
      throw new Error(`it has version ${found}, which no release made: move it away to begin a new one`);
    }
    for (const [number, up] of VERSIONS) if (found < number && number <= target) up(db);
    db.exec(`PRAGMA user_version = ${target}`);
  });
}

/** Reports whether this program can migrate a state of this version. */
export function isKnown(version: number): boolean {
  return VERSIONS.some(([number]) => number === version);
}

/** Returns the version of a state. */
export function version(db: DatabaseSync): number {
  return queryNumber(db, "PRAGMA user_version")!;
}
