import { canonicalNetwork } from "../core/address.ts";
import { parseScope, type Scope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import { UserError } from "../core/error.ts";
import { MOST_TEXT } from "../deciding/ban.ts";
import {
  arrayOf,
  type Connection,
  INSUFFICIENT_PRIVILEGE,
  micros,
  numberOrNull,
  sqlState,
} from "./connection.ts";
import { MOST_SCOPE } from "./news.ts";
import { BAN_CHANNEL, HAS_ROOM } from "./sharing.ts";
import { WHITELIST_CHANNEL } from "./tables.ts";
import { SERVER } from "./views.ts";

/** Facts that a server tells about itself. */
export interface MemberFacts {
  /** Version of its program. */
  readonly version: string;
  /** Its own addresses, canonical. */
  readonly addresses: readonly string[];
  /** Number of other servers' bans that it has in force. */
  readonly followed: number;
}

/** A server on the database. */
export interface FleetMember {
  readonly id: string;
  /** Name that cannot be forged, see `SERVER`. */
  readonly server: string;
  /** Name that it gives. */
  readonly name: string;
  /** Role in the database that registered it. */
  readonly role: string;
  /** Version of its program; null: one without shared bans. */
  readonly version: string | null;
  readonly lastSeen: Micros;
  /** Number of rows and bans not shipped when it was last seen; null: unknown. */
  readonly waiting: number | null;
  /** Number of its own bans that have not ended. */
  readonly bans: number;
  /** Number of other servers' bans that it has in force; null: unknown. */
  readonly followed: number | null;
  /** When it was removed; null: it is a member. */
  readonly removed: Micros | null;
}

/** A ban in force of one or more members. */
export interface FleetBan {
  readonly address: string;
  readonly scope: Scope;
  /** Names of the servers that made the ban, the first one first. */
  readonly servers: readonly string[];
  /** Reason of the first server. */
  readonly reason: string;
  readonly start: Micros;
  /** Latest end; null: for good. */
  readonly until: Micros | null;
}

/**
 * Writes a server's row, as seen now; returns the time of the database's clock. Throws `UserError` (69) if the server was removed, or if
 * another role has registered it.
 */
export async function register(
  connection: Connection,
  { id, name, waiting, facts }: { id: string; name: string; waiting: number; facts: MemberFacts | undefined },
): Promise<Micros> {
  const { version = null, addresses = [], followed = 0 } = facts ?? {};
  const parameters = [id, name, version, arrayOf(addresses), String(waiting), String(followed)];
  const [row] = await connection.query<{ removed: boolean; time: string }>(SEEN, parameters).catch(
    async (error) => {
      if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
      const [own] = await connection.query<{ role: string }>("SELECT quote_literal(current_user) AS role");
      throw new UserError(
        `Another role registered this server: as the owner of the tables, ` +
          `UPDATE host SET role = ${own!.role} WHERE id = '${id}'`,
        69,
      );
    },
  );
  if (row!.removed) {
    throw new UserError("This server was removed from the fleet: see strongmonitor fleet", 69);
  }
  return Number(row!.time);
}

/** Returns all servers by name, also removed ones. Throws the errors of `connection`. */
export async function members(connection: Connection): Promise<FleetMember[]> {
  const rows = await connection.query<Record<string, string | null>>(MEMBERS);
  return rows.map((row) => ({
    id: row.id!,
    server: row.server!,
    name: row.name!,
    role: row.role!,
    version: row.version!,
    lastSeen: Number(row.last_seen),
    waiting: numberOrNull(row.waiting),
    bans: Number(row.bans),
    followed: numberOrNull(row.followed),
    removed: numberOrNull(row.removed),
  }));
}

/** Returns bans in force of all members, newest first. Throws the errors of `connection`. */
export async function fleetBans(connection: Connection, limit: number): Promise<FleetBan[]> {
  const rows = await connection.query<Record<string, string | null>>(BANS, [String(limit)]);
  return rows.flatMap(({ address, scope: text, servers, reason, start, until }) => {
    const network = canonicalNetwork(address!), scope = parseScope(text!);
    if (network === null || scope === null) return [];
    const names = JSON.parse(servers!) as string[];
    return [{
      address: network,
      scope,
      servers: names,
      reason: reason!,
      start: Number(start),
      until: numberOrNull(until),
    }];
  });
}

/**
 * Removes a member: others no longer follow its bans, and the database refuses its rows. `which` is
 * its name or id. Throws `UserError` (1) unless exactly one member matches.
 */
export async function removeMember(connection: Connection, which: string): Promise<FleetMember> {
  const all = await members(connection);
  const present = all.filter(({ removed }) => removed === null);
  const known = present.filter(({ id, server }) => id === which || server === which);
  const found = known.length > 0 ? known : present.filter(({ name }) => name === which);
  const [member] = found;
  if (member === undefined) {
    throw new UserError(`Cannot remove ${which}: the fleet has no such server: see strongmonitor fleet`, 1);
  }
  if (found.length > 1) {
    const ids = found.map(({ id }) => id).join(", ");
    throw new UserError(
      `Cannot remove ${which}: ${found.length} servers have this name; give an id: ${ids}`,
      1,
    );
  }
  try {
    await connection.query("UPDATE host SET removed = now() WHERE id = $1::uuid", [member.id]);
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new UserError(
      `Cannot remove ${which}: this server is a member, and only the owner of the database removes servers; ` +
        `run this on a server that connects as the owner`,
      69,
    );
  }
  // Makes members read the list of servers again, and the server its own row.
  await connection.query(
    `SELECT pg_notify(channel, '') FROM unnest($1::text[]) AS channel WHERE ${HAS_ROOM}`,
    [arrayOf([BAN_CHANNEL, WHITELIST_CHANNEL])],
  );
  return member;
}

const SEEN = `
INSERT INTO host AS known (id, name, last_seen, version, addresses, waiting, followed)
VALUES ($1::uuid, $2::text, now(), $3::text, $4::inet[], $5::bigint, $6::bigint)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, last_seen = excluded.last_seen, version = excluded.version,
  addresses = excluded.addresses, waiting = excluded.waiting, followed = excluded.followed
RETURNING removed IS NOT NULL AS removed, ${micros("clock_timestamp()")} AS time`;

const MEMBERS = `
SELECT id, left(${SERVER}, ${MOST_TEXT}) AS server, left(name, ${MOST_TEXT}) AS name, role, left(version, ${MOST_TEXT}) AS version, waiting, followed, ${
  micros("last_seen")
} AS last_seen,
  ${micros("removed")} AS removed,
  (SELECT count(*) FROM ban WHERE ban.host = host.id AND ended IS NULL AND (until IS NULL OR until > now())) AS bans
FROM host ORDER BY 2, id`;

const BANS = `
SELECT address, scope, (array_agg(left(reason, ${MOST_TEXT}) ORDER BY start))[1] AS reason,
  json_agg(left(${SERVER}, ${MOST_TEXT}) ORDER BY start)::text AS servers, ${micros("min(start)")} AS start,
  CASE WHEN count(*) = count(until) THEN ${micros("max(until)")} END AS until
FROM ban JOIN host ON host.id = ban.host
WHERE ended IS NULL AND (until IS NULL OR until > now()) AND removed IS NULL
  AND octet_length(scope) <= ${MOST_SCOPE}
GROUP BY address, scope ORDER BY max(start) DESC LIMIT $1::bigint`;
