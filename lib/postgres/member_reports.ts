/** Lines and bans of an address that other members of the fleet have shipped. */
import type { Micros } from "../core/time.ts";
import { type Ban, MOST_TEXT } from "../deciding/ban.ts";
import { arrayOf, withConnection } from "./connection.ts";
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
const SECONDS = "extract(epoch FROM";

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
  return rows.map(({ report }) => read(JSON.parse(report) as Row));
}

interface Row {
  readonly member: string;
  readonly lines: number;
  readonly last: number | null;
  readonly bans: readonly { readonly [key: string]: string | number | null }[];
}

function read({ member, lines, last, bans }: Row): MemberReport {
  const micros = (seconds: number | null) => seconds === null ? null : Math.round(seconds * 1e6);
  return {
    member,
    lines,
    lastLine: micros(last),
    bans: bans.map((ban) => ({
      address: ban.address as string,
      reason: ban.reason as string,
      start: micros(ban.start as number)!,
      until: micros(ban.until as number | null),
      ended: micros(ban.ended as number | null),
      endReason: ban.end_reason as string | null,
    })),
  };
}

const QUERY = `
SELECT json_build_object('member', left(${SERVER}, ${MOST_TEXT}), 'lines', lines.count, 'last', ${SECONDS} lines.last),
  'bans', coalesce(bans.list, '[]'::json))::text AS report
FROM host,
  LATERAL (SELECT count(*) AS count, max(time) AS last FROM (
    SELECT time FROM log WHERE log.host = host.id AND address = $2::inet ORDER BY time DESC LIMIT ${MOST_LINES}
  ) AS newest) AS lines,
  LATERAL (SELECT json_agg(json_build_object('address', address, 'reason', left(reason, ${MOST_TEXT}), 'start', ${SECONDS} start), 'until', ${SECONDS} until),
      'ended', ${SECONDS} ended), 'end_reason', left(end_reason, ${MOST_TEXT})) ORDER BY start DESC) AS list FROM (
    SELECT * FROM ban WHERE ban.host = host.id AND address = ANY($3::inet[]) ORDER BY start DESC LIMIT ${MOST_BANS}
  ) AS newest) AS bans
WHERE host.id <> $1::uuid AND (lines.count > 0 OR bans.list IS NOT NULL)
ORDER BY left(${SERVER}, ${MOST_TEXT})`;
