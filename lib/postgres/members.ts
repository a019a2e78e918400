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
import { IN_FORCE, SERVER } from "./views.ts";

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

const MEMBERS = `
SELECT id, left(${SERVER}, ${MOST_TEXT}) AS server, left(name, ${MOST_TEXT}) AS name, role, left(version, ${MOST_TEXT}) AS version, waiting, followed, ${
  micros("last_seen")
} AS last_seen,
  ${micros("removed")} AS removed,
  (SELECT count(*) FROM ban WHERE ban.host = host.id AND ${IN_FORCE}) AS bans
FROM host ORDER BY 2, id`;

const BANS = `
SELECT address, scope, (array_agg(left(reason, ${MOST_TEXT}) ORDER BY start))[1] AS reason,
  json_agg(left(${SERVER}, ${MOST_TEXT}) ORDER BY start)::text AS servers, ${micros("min(start)")} AS start,
  CASE WHEN count(*) = count(until) THEN ${micros("max(until)")} END AS until
FROM ban JOIN host ON host.id = ban.host
WHERE ${IN_FORCE} AND removed IS NULL
  AND octet_length(scope) <= ${MOST_SCOPE}
GROUP BY address, scope ORDER BY max(start) DESC LIMIT $1::bigint`;
