/** Views across all servers, for psql and Grafana. */

/** Finds the name of a failed login in sshd's message. The last ` from ADDRESS` is sshd's own. */
const NAME = "^(?:Failed [^ ]+ for (?:(?:invalid|illegal) user )?|(?:Invalid|Illegal) user )(.*)" +
  " from [0-9A-Fa-f.:]+(?: port [0-9]+(?: ssh[12].*)?)?(?: \\[preauth\\])?$";

/** Name of a row of `host` that a member cannot forge: its role. The owner's servers have their own. */
export const SERVER =
  `CASE WHEN host.role = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'ban'::regclass)
  THEN host.name ELSE host.role::text COLLATE "default" END`;

/** Condition of a ban in force. A server that is gone ends none of its bans. */
export const IN_FORCE = "ended IS NULL AND (until IS NULL OR until > now())";

/**
 * Sums up by `key` the `lines`, `first_seen` and `last_seen` of `grouped`, which groups by key and
 * server: the search for the first server then sorts servers, not lines.
 */
const acrossServers = (key: string, grouped: string, more = "") => `
SELECT ${key}, count(DISTINCT host) AS servers, sum(lines)::bigint AS lines, ${more} min(first_seen) AS first_seen,
  (array_agg(server ORDER BY first_seen, server))[1] AS first_server, max(last_seen) AS last_seen
FROM (
  SELECT grouped.*, coalesce(${SERVER}, grouped.host::text) AS server
  FROM (${grouped}) AS grouped LEFT JOIN host ON host.id = grouped.host
) AS named
GROUP BY ${key}`;

const COUNTED = "count(*) AS lines, min(time) AS first_seen, max(time) AS last_seen";

const ATTACKERS = acrossServers(
  "address",
  `SELECT address, host, ${COUNTED} FROM log GROUP BY address, host`,
);

const NAMES = acrossServers(
  "name",
  `SELECT name, host, address, ${COUNTED}
   FROM (SELECT substring(message FROM '${NAME}') AS name, host, address, time FROM log WHERE service = 'SSHD') AS tried
   WHERE name IS NOT NULL GROUP BY name, host, address`,
  "count(DISTINCT address) AS addresses,",
);

/** Queries of the views. The prefix keeps their names apart from the database owner's views. */
const VIEWS: Readonly<Record<string, string>> = {
  strongmonitor_attackers: `
    SELECT seen.*, coalesce(bans, 0) AS bans, coalesce(in_force, 0) AS in_force
    FROM (${ATTACKERS}) AS seen LEFT JOIN (
      SELECT address, count(*) AS bans, count(*) FILTER (WHERE ${IN_FORCE}) AS in_force FROM ban GROUP BY address
    ) AS banned ON banned.address = seen.address`,
  strongmonitor_names: NAMES,
  strongmonitor_bans_by_server: `
    SELECT coalesce(${SERVER}, ban.host::text) AS server, provenance, ban.name, count(*) AS bans,
      count(*) FILTER (WHERE ${IN_FORCE}) AS in_force, count(DISTINCT address) AS addresses,
      min(start) AS first_start, max(start) AS last_start
    FROM ban LEFT JOIN host ON host.id = ban.host GROUP BY ban.host, server, provenance, ban.name`,
};

/** Names of the views. */
export const VIEW_NAMES = Object.keys(VIEWS);

/** Lets all roles that may read `log` read the views. */
const GRANT = `
DO $$ DECLARE reader name; BEGIN
  FOR reader IN SELECT rolname FROM pg_class, aclexplode(relacl) AS acl JOIN pg_roles ON pg_roles.oid = acl.grantee
    WHERE pg_class.oid = 'log'::regclass AND acl.privilege_type = 'SELECT' AND acl.grantee <> relowner
  LOOP
    EXECUTE format('GRANT SELECT ON ${VIEW_NAMES.join(", ")} TO %I', reader);
  END LOOP;
END $$;`;

/** Makes or replaces the views. Takes no lock that stops readers or writers of the tables. */
export const MAKE_VIEWS =
  VIEW_NAMES.map((name) => `CREATE OR REPLACE VIEW ${name} AS ${VIEWS[name]};`).join("\n") + GRANT;

/** Missing views; none unless the current role owns `log`, so that only the owner makes them. */
export const MISSING_VIEWS = `
SELECT name FROM unnest($1::text[]) AS name
WHERE to_regclass(name) IS NULL
  AND (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('log'))`;
