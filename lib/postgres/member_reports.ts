/** Lines and bans of an address that other members of the fleet have shipped. */
import type { Micros } from "../core/time.ts";
import { type Ban, MOST_TEXT } from "../deciding/ban.ts";
import { withConnection } from "./connection.ts";
import { arrayOf, micros } from "./values.ts";
import type { DatabaseConfig } from "./database_config.ts";
import { SERVER } from "./views.ts";

/** Lines and bans that one other member has shipped. */
export interface MemberReport {
  /** Its name, see `SERVER`. */
  readonly member: string;
  /** Number of its lines of the address among the fleet's newest 10,000 of it, 1,000 at most. */
  readonly lines: number;
  readonly lastLine: Micros | null;
  /** Its newest bans of the address and of networks around it. */
  readonly bans: readonly MemberBan[];
}

/** A ban of another member. */
export type MemberBan = Pick<Ban, "address" | "reason" | "start" | "until" | "ended" | "endReason">;

/** The address to ask about, and the host that asks. */
export interface ReportsQuery {
  /** Id of this host, which is left out. */
  readonly host: string;
  readonly address: string;
  /** Networks around the address. */
  readonly networks: readonly string[];
}

/** Most lines and bans that are told of one member. */
const [MOST_LINES, MOST_BANS] = [1_000, 10];
/** Most lines that are read of all members. */
const MOST_READ = 10_000;

/** Reads other members' reports, within twice `timeout`. Throws errors for `explain()`. */
export async function memberReports(
  config: DatabaseConfig,
  { host, address, networks }: ReportsQuery,
  timeout: Micros,
): Promise<MemberReport[]> {
  const parameters = [host, address, arrayOf([address, ...networks])];
  const rows = await withConnection(
    config,
    timeout,
    (connection) => connection.query<{ report: string }>(QUERY, parameters),
  );
  return rows.map(({ report }) => JSON.parse(report) as MemberReport);
}

const TIMES = ["start", "until", "ended"].map((column) => `'${column}', ${micros(column)}`).join(", ");

/**
 * Reads the newest lines of the address once, in the order of their index: to look for each member's
 * lines among half a million took a minute with 20 members. Bans are looked up by address alone, as
 * without statistics PostgreSQL would read all bans of each member.
 */
const QUERY = `
WITH seen AS (
  SELECT host, least(count(*), ${MOST_LINES}) AS count, max(time) AS last
  FROM (SELECT host, time FROM log WHERE address = $2::inet ORDER BY time DESC LIMIT ${MOST_READ}) AS newest
  GROUP BY host
), banned AS MATERIALIZED (
  SELECT *, row_number() OVER (PARTITION BY host ORDER BY start DESC) AS place FROM ban WHERE address = ANY($3::inet[])
), bans AS (
  SELECT host, json_agg(json_build_object('address', address, 'reason', left(reason, ${MOST_TEXT}),
    ${TIMES}, 'endReason', left(end_reason, ${MOST_TEXT})) ORDER BY start DESC) AS list
  FROM banned WHERE place <= ${MOST_BANS} GROUP BY host
)
SELECT json_build_object('member', left(${SERVER}, ${MOST_TEXT}), 'lines', coalesce(seen.count, 0),
  'lastLine', ${micros("seen.last")}, 'bans', coalesce(bans.list, '[]'::json))::text AS report
FROM host LEFT JOIN seen ON seen.host = host.id LEFT JOIN bans ON bans.host = host.id
WHERE host.id <> $1::uuid AND (seen.count > 0 OR bans.list IS NOT NULL)
ORDER BY left(${SERVER}, ${MOST_TEXT})`;
