import { type Micros, SECOND } from "../core/time.ts";
import { Connection, explain, micros } from "./connection.ts";
import type { DatabaseConfig } from "./database_config.ts";
import { OPEN_TO_MEMBER } from "./sharing.ts";

/** Longest wait for one answer. */
const TIMEOUT: Micros = 5 * SECOND;

/** Facts that a database tells about itself. */
export interface Probe {
  /** Version of the server. */
  readonly version: string;
  /** Time of its clock. */
  readonly time: Micros;
  /** Why no rows can be written, as a sentence; null: they can. */
  readonly obstacle: string | null;
  /** What members may do beyond their rights, as a sentence; null: nothing. */
  readonly risk: string | null;
}

/** Asks for the right to write the tables, or to make them, in the search path's first schema. */
const RIGHTS = `
  SELECT current_setting('server_version') AS version,
    ${micros("clock_timestamp()")}::text AS time,
    current_setting('transaction_read_only')::boolean AS "isReadOnly",
    CASE WHEN to_regclass('log') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE')
      ELSE has_table_privilege(to_regclass('log'), 'INSERT') END AS writable`;

/** Asks a database whether it takes rows; changes nothing. Throws an `Error` with a sentence. */
export async function probeDatabase(config: DatabaseConfig): Promise<Probe> {
  const connection = new Connection(config, { timeout: TIMEOUT });
  try {
    await connection.open();
    const [row] = await connection.query<
      { version: string; time: string; isReadOnly: boolean; writable: boolean | null }
    >(RIGHTS);
    const { version, time, isReadOnly, writable } = row!;
    const obstacle = obstacleOf(config, { isReadOnly, writable });
    const [open] = await connection.query<{ member: string }>(OPEN_TO_MEMBER);
    return { version, time: Number(time), obstacle, risk: open === undefined ? null : riskOf(open.member) };
  } catch (error) {
    throw new Error(explain(error, config));
  } finally {
    await connection.close();
  }
}

function obstacleOf(
  { user, database }: DatabaseConfig,
  { isReadOnly, writable }: { isReadOnly: boolean; writable: boolean | null },
): string | null {
  if (isReadOnly) return "it is a standby or read-only, and takes no rows; name its primary";
  if (writable === true) return null;
  return `user "${user}" may not write; make it the owner of database "${database}" and of the tables in it`;
}

/** Only a superuser can take away what PostgreSQL before 15 lets everybody do. */
function riskOf(member: string): string {
  return "every role may make functions there that the owner's server would run; " +
    `as a superuser in this database: SELECT strongmonitor_admit(${member})`;
}
