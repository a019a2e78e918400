/** Changes of other servers' bans, and the reports that they leave, read by one query. */
import { canonicalNetwork } from "../core/address.ts";
import { parseScope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import { MOST_TEXT, PROVENANCES } from "../deciding/ban.ts";
import type { Report } from "../deciding/following.ts";
import type { Connection } from "./connection.ts";
import { arrayOf, micros } from "./values.ts";
import { IN_FORCE, SERVER } from "./views.ts";

/** What to read. */
export interface NewsQuery {
  /** Id of this server, whose reports are left out. */
  readonly hostId: string;
  /** By server, the number of its latest change that was read. */
  readonly known: ReadonlyMap<string, number>;
  /** Addresses to ask about although no report has changed. */
  readonly asked: readonly string[];
  /** How long a report counts after its start. */
  readonly window: Micros;
  /** Most changes to read. */
  readonly limit: number;
}

/** Changes, and all reports about their addresses. */
export interface News {
  /** Canonical addresses and networks that changed or were asked about. */
  readonly addresses: readonly string[];
  readonly reports: readonly Report[];
  /** By server with news, its position after these changes. */
  readonly positions: Map<string, number>;
  /** Whether more changes wait. */
  readonly isMore: boolean;
}

/** Most reports of a server about one address: a hostile member may report many scopes of it. */
const MOST_REPORTS = 16;

/** Longest text of a scope. A hostile member may write texts of a gigabyte. */
export const MOST_SCOPE = 4_096;

/** Rows of `NEWS`, by kind. */
interface Kinds {
  readonly host: { readonly host: string; readonly latest: number };
  readonly change: { readonly host: string; readonly change: number; readonly address: string };
  readonly report: {
    readonly address: string;
    readonly scope: string;
    readonly host: string;
    readonly server: string;
    readonly provenance: string | null;
    readonly name: string | null;
    readonly reason: string;
    readonly start: number;
    readonly until: number | null;
    readonly is_in_force: boolean;
  };
}

/**
 * Reads changes behind the known ones, and the latest reports of servers but `hostId` about their
 * addresses and those asked about: reports in force, or begun within `window`. Throws the errors of
 * `connection`.
 */
export async function readNews(
  connection: Connection,
  { hostId, known, asked, window, limit }: NewsQuery,
): Promise<News> {
  const rows = await connection.query<{ kind: keyof Kinds; content: string }>(NEWS, [
    arrayOf([...known.keys()]),
    arrayOf([...known.values()]),
    arrayOf(asked),
    hostId,
    String(window),
    String(limit),
  ]);
  const all = <K extends keyof Kinds>(kind: K) =>
    rows.flatMap((row) => row.kind === kind ? [JSON.parse(row.content) as Kinds[K]] : []);
  const changes = all("change");
  const positions = new Map(all("host").map(({ host, latest }) => [host, latest]));
  const isMore = changes.length === limit;
  if (isMore) {
    // Changes come by server: the last server is read in part, the servers after it not at all.
    const { host, change } = changes.reduce(later);
    positions.set(host, change);
    for (const other of positions.keys()) if (other > host) positions.delete(other);
  }
  const changed = changes.flatMap(({ address }) => canonicalNetwork(address) ?? []);
  const reports = all("report").flatMap((row) => reportOf(row, connection.ahead) ?? []);
  return { addresses: [...new Set([...changed, ...asked])], reports, positions, isMore };
}

function later(a: Kinds["change"], b: Kinds["change"]): Kinds["change"] {
  return a.host < b.host || (a.host === b.host && a.change < b.change) ? b : a;
}

/** Reads a report, with times of this machine's clock. */
function reportOf(row: Kinds["report"], ahead: Micros): Report | null {
  const address = canonicalNetwork(row.address), scope = parseScope(row.scope);
  if (address === null || scope === null) return null;
  const { host, server, reason, is_in_force: isInForce } = row;
  const start = row.start - ahead, until = row.until === null ? null : row.until - ahead;
  const kind = PROVENANCES.find((kind) => kind === row.provenance) ?? "manual";
  const provenance = { kind, name: row.name ?? "" };
  return { address, scope, host, server, provenance, reason, start, until, isInForce };
}

/**
 * One statement, as each round trip delays bans: the servers with later changes than the known
 * ones, the first of these changes by server and number, and the latest report of each server about
 * each address and scope.
 *
 * Changes leave out followed bans, expired ones, whose end followers know, and numbers that are not
 * exact in JSON. They leave out addresses that are read as another one (IPv4 in IPv6, host bits):
 * a member could make others ask about that one without its reports, and so lift its bans.
 *
 * Reports are looked up address by address, so that no estimate makes PostgreSQL read the whole
 * table. OFFSET 0 keeps the host out of that lookup: without statistics, as in a new table or after
 * a dump, PostgreSQL would read all changes of each server for each address.
 */
const NEWS = `
WITH news AS (
  SELECT host, change, latest FROM unnest($1::uuid[], $2::bigint[]) AS known (host, change),
    LATERAL (
      SELECT max(ban.change) AS latest FROM ban WHERE ban.host = known.host AND ban.change <= ${Number.MAX_SAFE_INTEGER}
    ) AS newest
  WHERE latest > change
), changed AS (
  SELECT next.* FROM news, LATERAL (
    SELECT host, change, address FROM ban
    WHERE ban.host = news.host AND ban.change > news.change AND ban.change <= news.latest
      AND end_reason IS DISTINCT FROM 'expired' AND provenance IS DISTINCT FROM 'fleet'
      AND address = network(address)::inet AND NOT address <<= '::/80'
    ORDER BY change LIMIT $6::bigint
  ) AS next ORDER BY host, change LIMIT $6::bigint
), about AS (
  SELECT address FROM changed UNION SELECT address FROM unnest($3::inet[]) AS asked (address)
), reports AS (
  SELECT report.* FROM about, LATERAL (
    SELECT *, row_number() OVER (PARTITION BY host ORDER BY is_in_force DESC, start DESC) AS place FROM (
      SELECT DISTINCT ON (ban.host, ban.scope) ban.address, ban.scope, ban.host,
        left(ban.provenance, ${MOST_TEXT}) AS provenance, left(ban.name, ${MOST_TEXT}) AS name,
        left(ban.reason, ${MOST_TEXT}) AS reason,
        ${micros("ban.start")} AS start, ${micros("ban.until")} AS until,
        ${IN_FORCE} AS is_in_force,
        ${SERVER} AS server
      FROM (SELECT * FROM ban WHERE ban.address = about.address OFFSET 0) AS ban JOIN host ON host.id = ban.host
      WHERE ban.host <> $4::uuid AND host.removed IS NULL
        AND ban.provenance IS DISTINCT FROM 'fleet' AND octet_length(ban.scope) <= ${MOST_SCOPE}
        AND (ban.ended IS NULL
          OR ban.end_reason = 'expired' AND ban.start > now() - $5::bigint * interval '1 microsecond')
      ORDER BY ban.host, ban.scope, ban.ended IS NULL DESC, ban.start DESC
    ) AS latest
  ) AS report WHERE place <= ${MOST_REPORTS}
)
SELECT 'host' AS kind, row_to_json(news)::text AS content FROM news
UNION ALL SELECT 'change', row_to_json(changed)::text FROM changed
UNION ALL SELECT 'report', row_to_json(reports)::text FROM reports`;
