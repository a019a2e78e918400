/** Reports of other servers about addresses. */
import { canonicalNetwork } from "../core/address.ts";
import { parseScope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import { type Provenance, PROVENANCES } from "../deciding/ban.ts";
import type { Report } from "../deciding/following.ts";
import { arrayOf, type Connection, micros, numberOrNull } from "./connection.ts";

/** Most reports read at once: a hostile member may report many scopes of one address. */
const MOST_REPORTS = 20_000;

/** A row of `REPORTS`. */
interface Row {
  readonly address: string;
  readonly scope: string;
  readonly host: string;
  readonly server: string;
  readonly provenance: string | null;
  readonly name: string | null;
  readonly reason: string;
  readonly start: string;
  readonly until: string | null;
  readonly is_in_force: boolean;
}

/** Returns the latest reports of servers but `hostId`: in force, or begun within `window`. */
export async function reportsOf(
  connection: Connection,
  { addresses, hostId, window }: { addresses: readonly string[]; hostId: string; window: Micros },
): Promise<Report[]> {
  const rows = await connection.query<Row>(REPORTS, [
    arrayOf(addresses),
    hostId,
    String(window),
    String(MOST_REPORTS),
  ]);
  return rows.flatMap((row) => {
    const address = canonicalNetwork(row.address), scope = parseScope(row.scope);
    if (address === null || scope === null) return [];
    return [{
      address,
      scope,
      host: row.host,
      server: row.server,
      provenance: { kind: kindOf(row.provenance), name: row.name ?? "" },
      reason: row.reason,
      start: Number(row.start),
      until: numberOrNull(row.until),
      isInForce: row.is_in_force,
    }];
  });
}

function kindOf(text: string | null): Provenance["kind"] {
  return PROVENANCES.find((kind) => kind === text) ?? "manual";
}

/**
 * The latest report of each server about each address and scope. A member's name is its role, which
 * it cannot choose; a server that connects as the tables' owner has the name that it gives.
 */
const REPORTS = `
SELECT DISTINCT ON (ban.host, ban.address, ban.scope) ban.address, ban.scope, ban.host, ban.provenance, ban.name, ban.reason,
  ${micros("ban.start")} AS start, ${micros("ban.until")} AS until,
  ban.ended IS NULL AND (ban.until IS NULL OR ban.until > now()) AS is_in_force,
  CASE WHEN host.role = pg_get_userbyid(owner) THEN host.name ELSE host.role END AS server
FROM ban JOIN host ON host.id = ban.host,
  (SELECT relowner AS owner FROM pg_class WHERE oid = 'ban'::regclass) AS tables
WHERE ban.address = ANY($1::inet[]) AND ban.host <> $2::uuid AND host.removed IS NULL
  AND ban.provenance IS DISTINCT FROM 'fleet'
  AND (ban.ended IS NULL OR ban.end_reason = 'expired' AND ban.start > now() - $3::bigint * interval '1 microsecond')
ORDER BY ban.host, ban.address, ban.scope, ban.ended IS NULL DESC, ban.start DESC LIMIT $4::bigint`;
