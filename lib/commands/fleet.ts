import { counted } from "../core/text.ts";
import { isoTime, isoTimeOrNull, MINUTE, now, SECOND } from "../core/time.ts";
import { withPassword } from "../config/load.ts";
import { UserError } from "../core/error.ts";
import { nameOf } from "../deciding/ban.ts";
import { formatScope } from "../core/scope.ts";
import { type Connection, withConnection } from "../postgres/connection.ts";
import { explain } from "../postgres/failures.ts";
import { fleetBans, type FleetMember, members, removeMember } from "../postgres/members.ts";
import { openConfig } from "./common/open_config.ts";
import {
  type CommonOptions,
  print,
  printJson,
  printResult,
  printTable,
  tableEnd,
  tableTime,
  zoneText,
} from "./common/output.ts";

/** Longest wait for one answer of the database. */
const TIMEOUT = 10 * SECOND;
/** Most bans that `fleet bans` lists. */
const MOST_BANS = 1_000;
/** A member not seen for this long is away: members report every minute. */
const AWAY = 3 * MINUTE;

/** `fleet`: lists the servers on the database. Throws `UserError` (69, 78). */
export function fleetCommand(options: CommonOptions): Promise<number> {
  return withDatabase(options, async (connection) => {
    const all = await members(connection);
    if (options.json) {
      for (const { lastSeen, removed, ...member } of all) {
        printJson({ ...member, last_seen: isoTime(lastSeen), removed: isoTimeOrNull(removed) });
      }
      return 0;
    }
    printTable(["SERVER", "VERSION", "LAST SEEN", "WAITING", "BANS", "FOLLOWS", "STATE"], all.map(memberRow));
    print(`${counted(all.filter(({ removed }) => removed === null).length, "server")}. ${zoneText()}`);
    return 0;
  });
}

/** `fleet bans`: lists the bans in force of all servers. Throws `UserError` (69, 78). */
export function fleetBansCommand(options: CommonOptions): Promise<number> {
  return withDatabase(options, async (connection) => {
    const bans = await fleetBans(connection, MOST_BANS);
    if (options.json) {
      for (const ban of bans) {
        const times = { start: isoTime(ban.start), until: isoTimeOrNull(ban.until) };
        printJson({ ...ban, scope: formatScope(ban.scope), ...times });
      }
      return 0;
    }
    if (bans.length === 0) {
      print("No bans in force.");
      return 0;
    }
    printTable(
      ["ADDRESS", "SINCE", "UNTIL", "SERVERS", "REASON"],
      bans.map((ban) => [
        nameOf(ban),
        tableTime(ban.start),
        tableEnd(ban.until),
        ban.servers.join(", "),
        ban.reason,
      ]),
    );
    const more = bans.length === MOST_BANS ? ", the newest" : "";
    print(`${counted(bans.length, "ban")} in force${more}. ${zoneText()}`);
    return 0;
  });
}

/** `fleet remove`: removes a server, by name or id. Throws `UserError` (1, 69, 78). */
export function fleetRemoveCommand(which: string, options: CommonOptions): Promise<number> {
  return withDatabase(options, async (connection) => {
    const { id, name, server, bans } = await removeMember(connection, which);
    const lifted = `the other servers lift what it alone banned (${counted(bans, "ban")} in force)`;
    printResult(options, { id, name, done: "removed" }, `${server} removed: ${lifted}`);
    return 0;
  });
}

/** Runs `work` on a connection to the configured database. Throws `UserError` (69, 78). */
async function withDatabase<T>(
  options: CommonOptions,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { database, path } = withPassword(openConfig(options));
  if (database === null) throw new UserError(`Cannot find the fleet: ${path} names no DB`, 78);
  try {
    return await withConnection(database, TIMEOUT, work);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(explain(error, database), 69);
  }
}

function memberRow(member: FleetMember): string[] {
  const { server, name, version, lastSeen, waiting, bans, followed, removed } = member;
  const count = (value: number | null) => value === null ? "" : String(value);
  return [
    server === name ? server : `${server} (${name})`,
    version ?? "",
    tableTime(lastSeen),
    count(waiting),
    String(bans),
    count(followed),
    removed !== null ? "removed" : now() - lastSeen > AWAY ? "away" : "",
  ];
}
