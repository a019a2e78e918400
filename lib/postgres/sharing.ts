/** Schema by which servers share bans: reports, announcements, and the right to write rows. */
import { VIEW_NAMES } from "./views.ts";

/** Columns of a ban that change after its first report. */
export const MUTABLE = ["start", "until", "ended", "end_reason", "change"] as const;

/** Channel about bans. Payload: id of the reporting host; empty: the list of hosts has changed. */
export const BAN_CHANNEL = "strongmonitor_ban";

/**
 * Each server's own row, and who may write it. Every role with a GRANT may read all tables; a member
 * writes rows of its own server; the tables' owner is exempt from the policies.
 *
 *   role       the role that registered the server; it alone may write the server's rows
 *   addresses  the server's own addresses: no other member follows a ban of one
 *   waiting    rows and bans that the server has not shipped yet
 *   followed   number of other servers' bans that it has in force
 *   removed    when `fleet remove` cut it off; NULL: it is a member
 */
export const SHARED_HOST = `
ALTER TABLE host ADD COLUMN version text, ADD COLUMN role name NOT NULL DEFAULT current_user,
  ADD COLUMN addresses inet[] NOT NULL DEFAULT '{}', ADD COLUMN waiting bigint, ADD COLUMN followed bigint,
  ADD COLUMN removed timestamptz;
ALTER TABLE host ENABLE ROW LEVEL SECURITY;
CREATE POLICY reading ON host FOR SELECT USING (true);
CREATE POLICY registering ON host FOR INSERT WITH CHECK (role = current_user AND removed IS NULL);
CREATE POLICY renewing ON host FOR UPDATE USING (role = current_user) WITH CHECK (role = current_user);
DO $$ BEGIN
  EXECUTE format('CREATE UNIQUE INDEX host_of_member ON host (role) WHERE role <> %L', current_user);
END $$;`;

/** `hosts`: names of the servers that a whitelist entry applies to; NULL: all. */
export const SHARED_IPS = `
ALTER TABLE ips ADD COLUMN hosts text[];
CREATE TRIGGER whitelist_hosts AFTER UPDATE OF hosts ON ips FOR EACH ROW WHEN (old.whitelisted OR new.whitelisted)
  EXECUTE FUNCTION strongmonitor_whitelist_changed();
ALTER TABLE ips ENABLE ROW LEVEL SECURITY;
CREATE POLICY reading ON ips FOR SELECT USING (true);
CREATE POLICY seeing ON ips FOR INSERT WITH CHECK (NOT whitelisted);
CREATE POLICY seeing_again ON ips FOR UPDATE USING (true) WITH CHECK (true);`;

/**
 * Condition under which notifications are sent. A full queue fails the transaction of whoever
 * notifies, and a member can fill it: without notifications others ask once a minute.
 */
export const HAS_ROOM = "pg_notification_queue_usage() < 0.5";

/** Announces servers with changed bans. Followed bans are not shipped, so nobody announces them. */
export const BAN_CHANGED = `
CREATE OR REPLACE FUNCTION strongmonitor_ban_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('${BAN_CHANNEL}', host::text) FROM (SELECT DISTINCT host FROM changed) AS hosts WHERE ${HAS_ROOM};
  RETURN NULL;
END $$;`;

/**
 * Condition of a policy: the current role registered the row's host, and it is not removed. A
 * function would look tables up by the caller's search path, where a member can put its own.
 */
const OWN = (table: string) =>
  `EXISTS (SELECT 1 FROM host AS own
     WHERE own.id = ${table}.host AND own.role = current_user AND own.removed IS NULL)`;

export const SHARED_LOG = `
ALTER TABLE log ENABLE ROW LEVEL SECURITY;
CREATE POLICY reading ON log FOR SELECT USING (true);
CREATE POLICY recording ON log FOR INSERT WITH CHECK (${OWN("log")});`;

/** Each server writes its changes in order: the index finds its latest one. */
export const SHARED_BAN = `
CREATE INDEX ON ban (host, change);
${BAN_CHANGED}
CREATE TRIGGER ban_insert AFTER INSERT ON ban REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  EXECUTE FUNCTION strongmonitor_ban_changed();
CREATE TRIGGER ban_update AFTER UPDATE ON ban REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  EXECUTE FUNCTION strongmonitor_ban_changed();
ALTER TABLE ban ENABLE ROW LEVEL SECURITY;
CREATE POLICY reading ON ban FOR SELECT USING (true);
CREATE POLICY reporting ON ban FOR INSERT WITH CHECK (${OWN("ban")});
CREATE POLICY ending ON ban FOR UPDATE USING (${OWN("ban")}) WITH CHECK (${OWN("ban")});`;

/**
 * Makes a partition of `log`, also for a member, which may not create tables. A member gets only
 * whole weeks from a year ago to two weeks ahead, so that it cannot make thousands, nor one in
 * which others' lines find no place. The caller's style of dates would make literals ambiguous, and
 * its zone would, since PostgreSQL 18, give "UTC" another meaning.
 */
export const ADD_PARTITION = inSchema(`
  CREATE OR REPLACE FUNCTION strongmonitor_add_partition(part text, since timestamptz, until timestamptz) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET timezone = 'UTC' AS $fn$
  BEGIN
    IF (part ~ '^log_(early|late|[0-9]{4}_[0-9]{2}_[0-9]{2})$' AND (pg_has_role(session_user, current_user, 'MEMBER')
      OR part = to_char(since AT TIME ZONE 'UTC', '"log_"YYYY_MM_DD') AND since = date_trunc('week', since, 'UTC')
        AND until = since + interval '168 hours'
        AND since BETWEEN now() - interval '53 weeks' AND now() + interval '2 weeks')) IS NOT TRUE
    THEN
      RAISE EXCEPTION 'a member may not make the partition "%%"', left(part, 40) USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE format('CREATE TABLE %1$I.%%I (LIKE %1$I.log INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    EXECUTE format('ALTER TABLE %1$I.log ATTACH PARTITION %1$I.%%I FOR VALUES FROM (%%s) TO (%%s)', part,
      coalesce(quote_literal(since), 'MINVALUE'), coalesce(quote_literal(until), 'MAXVALUE'));
  END $fn$;
  REVOKE EXECUTE ON FUNCTION strongmonitor_add_partition FROM PUBLIC;`);

/**
 * Gives a role a member's rights: to read, to register one server, and to write its rows. Nobody
 * but the owner may make functions or operators in the schema any more, as PostgreSQL before 15
 * lets everybody do: the owner's server would run them.
 */
export const ADMIT = inSchema(`
  CREATE OR REPLACE FUNCTION strongmonitor_admit(member name) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
  DECLARE present regclass;
  BEGIN
    EXECUTE format('GRANT CREATE ON SCHEMA %1$I TO %%s; REVOKE CREATE ON SCHEMA %1$I FROM PUBLIC',
      (SELECT relowner::regrole FROM pg_class WHERE oid = '%1$I.log'::regclass));
    FOR present IN SELECT oid FROM pg_class
      WHERE relnamespace = '%1$I'::regnamespace AND relname = ANY ('{${VIEW_NAMES.join(",")}}')
    LOOP
      EXECUTE format('GRANT SELECT ON %%s TO %%I', present, member);
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %1$I TO %%1$I;
      GRANT SELECT ON %1$I.host, %1$I.ips, %1$I.log, %1$I.ban, %1$I.strongmonitor_migration TO %%1$I;
      GRANT INSERT (id, name, last_seen, version, addresses, waiting, followed),
        UPDATE (name, last_seen, version, addresses, waiting, followed) ON %1$I.host TO %%1$I;
      GRANT INSERT (address, first_seen, last_seen), UPDATE (first_seen, last_seen) ON %1$I.ips TO %%1$I;
      GRANT INSERT ON %1$I.log TO %%1$I;
      GRANT INSERT, UPDATE (${MUTABLE.join(", ")}) ON %1$I.ban TO %%1$I;
      GRANT EXECUTE ON FUNCTION %1$I.strongmonitor_add_partition TO %%1$I', member);
  END $fn$;
  REVOKE EXECUTE ON FUNCTION strongmonitor_admit FROM PUBLIC;`);

const ADMITTED = `
FROM pg_class, aclexplode(relacl) AS acl JOIN pg_roles ON pg_roles.oid = acl.grantee
WHERE pg_class.oid = to_regclass('strongmonitor_migration') AND acl.privilege_type = 'SELECT' AND acl.grantee <> relowner`;

/** Admits all members again, as tables made anew lack their rights. */
export const ADMIT_AGAIN = `SELECT strongmonitor_admit(rolname) ${ADMITTED};`;

/** Finds a member's role, as a literal, if everybody may still make something in the schema. */
export const OPEN_TO_MEMBER = `SELECT quote_literal(rolname) AS member ${ADMITTED} AND EXISTS (
  SELECT 1 FROM pg_namespace, aclexplode(nspacl) AS everybody
  WHERE pg_namespace.oid = relnamespace AND everybody.grantee = 0 AND everybody.privilege_type = 'CREATE') LIMIT 1`;

/**
 * Returns SQL that makes functions, with the current schema for `%1$I`. They find nothing else
 * outside pg_catalog, so that no caller's object replaces what they mean.
 */
function inSchema(functions: string): string {
  return `DO $do$ BEGIN EXECUTE format($sql$${functions}$sql$, current_schema()); END $do$;`;
}
