/** Lines and bans of an address that other members of the fleet have shipped. */
import type { Micros } from "../core/time.ts";
import { type Ban, MOST_TEXT } from "../deciding/ban.ts";
import { arrayOf, micros, withConnection } from "./connection.ts";
import type { DatabaseConfig } from "./database_config.ts";
import { SERVER } from "./views.ts";

/** Lines and bans that one other member has shipped. */
export interface MemberReport {
  /** Its name, see `SERVER`. */
  readonly member: string;
  /** Number of its recorded lines of the address, 1,000 at most. */
  readonly lines: number;
  readonly lastLine: Micros | null;
  /** Its newest bans of the address and of networks around it. */
  readonly bans: readonly MemberBan[];
}

/** A ban of another member. */
export type MemberBan = Pick<Ban, "address" | "reason" | "start" | "until" | "ended" | "endReason">;

/** The address to ask about, and the host that asks. */
export interface Question {
  /** Id of this host, which is left out. */
  readonly host: string;
  readonly address: string;
  /** Networks around the address. */
  readonly networks: readonly string[];
}

/** Most lines and bans that are read of one member. */
const [MOST_LINES, MOST_BANS] = [1_000, 10];

/** Reads other members' reports, within twice `timeout`. Throws errors for `explain()`. */
export async function memberReports(
  config: DatabaseConfig,
  { host, address, networks }: Question,
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

const QUERY = `
SELECT json_build_object('member', left(${SERVER}, ${MOST_TEXT}), 'lines', lines.count,
  'lastLine', ${micros("lines.last")}, 'bans', coalesce(bans.list, '[]'::json))::text AS report
FROM host,
  LATERAL (SELECT count(*) AS count, max(time) AS last FROM (
    SELECT time FROM log WHERE log.host = host.id AND address = $2::inet ORDER BY time DESC LIMIT ${MOST_LINES}
  ) AS newest) AS lines,
  LATERAL (SELECT json_agg(json_build_object('address', address, 'reason', left(reason, ${MOST_TEXT}),
      ${TIMES}, 'endReason', left(end_reason, ${MOST_TEXT})) ORDER BY start DESC) AS list FROM (
    SELECT * FROM ban WHERE ban.host = host.id AND address = ANY($3::inet[]) ORDER BY start DESC LIMIT ${MOST_BANS}
  ) AS newest) AS bans
WHERE host.id <> $1::uuid AND (lines.count > 0 OR bans.list IS NOT NULL)
ORDER BY left(${SERVER}, ${MOST_TEXT})`;
