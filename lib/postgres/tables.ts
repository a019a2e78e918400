/** The tables as SQL: as each migration makes them, and as they are after all migrations. */
import { HAS_ROOM, SHARED_BAN, SHARED_HOST, SHARED_IPS, SHARED_LOG } from "./sharing.ts";

/** Channel of notifications about the whitelist. */
export const WHITELIST_CHANNEL = "strongmonitor_whitelist";

export const HOST = `
CREATE TABLE host (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  last_seen timestamptz NOT NULL DEFAULT now()
);`;

export const IPS = `
CREATE TABLE ips (
  address inet PRIMARY KEY,
  whitelisted boolean NOT NULL DEFAULT false,
  note text NOT NULL DEFAULT '',
  first_seen timestamptz,
  last_seen timestamptz
);
CREATE INDEX ON ips (address) WHERE whitelisted;`;

export const LOG = `
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

export const BAN = `
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
export const BAN_COLUMNS = `
ALTER TABLE ban ADD COLUMN scope text NOT NULL DEFAULT 'all', ADD COLUMN provenance text, ADD COLUMN name text`;

export const CHANGED = `
CREATE FUNCTION strongmonitor_whitelist_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('${WHITELIST_CHANNEL}', '') WHERE ${HAS_ROOM};
  RETURN NULL;
END $$;`;

export const REPLACE_CHANGED = CHANGED.replace("CREATE", "CREATE OR REPLACE");

/** Triggers for changes of the whitelist alone: writing `last_seen` notifies nobody. */
export const TRIGGERS = `
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

/** Definition of each table after all migrations. */
export const TABLES: Readonly<Record<string, string>> = {
  host: HOST + SHARED_HOST,
  // DROP TABLE does not drop the function.
  ips: IPS + REPLACE_CHANGED + TRIGGERS + ";" + SHARED_IPS,
  log: LOG + SHARED_LOG,
  ban: BAN + BAN_COLUMNS + ";" + SHARED_BAN,
};
