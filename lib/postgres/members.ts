import { canonicalNetwork } from "../core/address.ts";
import { parseScope, type Scope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import { UserError } from "../core/error.ts";
import { MOST_TEXT } from "../deciding/ban.ts";
import { type Connection, sqlState } from "./connection.ts";
import { INSUFFICIENT_PRIVILEGE } from "./failures.ts";
import { arrayOf, micros } from "./values.ts";
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
  const rows = await connection.query<{ member: string }>(MEMBERS);
  return rows.map(({ member }) => JSON.parse(member) as FleetMember);
}

/** Returns bans in force of all members, newest first. Throws the errors of `connection`. */
export async function fleetBans(connection: Connection, limit: number): Promise<FleetBan[]> {
  const rows = await connection.query<{ ban: string }>(BANS, [String(limit)]);
  return rows.flatMap((row) => {
    const ban = JSON.parse(row.ban) as Omit<FleetBan, "scope"> & { readonly scope: string };
    const address = canonicalNetwork(ban.address), scope = parseScope(ban.scope);
    return address === null || scope === null ? [] : [{ ...ban, address, scope }];
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

const NAME = `left(${SERVER}, ${MOST_TEXT})`;

const MEMBERS = `
SELECT json_build_object('id', id, 'server', ${NAME}, 'name', left(name, ${MOST_TEXT}), 'role', role,
  'version', left(version, ${MOST_TEXT}), 'lastSeen', ${micros("last_seen")}, 'waiting', waiting,
  'bans', (SELECT count(*) FROM ban WHERE ban.host = host.id AND ${IN_FORCE}), 'followed', followed,
  'removed', ${micros("removed")})::text AS member
FROM host ORDER BY ${NAME}, id`;

const BANS = `
SELECT json_build_object('address', address, 'scope', scope, 'servers', json_agg(${NAME} ORDER BY start),
  'reason', (array_agg(left(reason, ${MOST_TEXT}) ORDER BY start))[1], 'start', ${micros("min(start)")},
  'until', CASE WHEN count(*) = count(until) THEN ${micros("max(until)")} END)::text AS ban
FROM ban JOIN host ON host.id = ban.host
WHERE ${IN_FORCE} AND removed IS NULL
  AND octet_length(scope) <= ${MOST_SCOPE}
GROUP BY address, scope ORDER BY max(start) DESC LIMIT $1::bigint`;
