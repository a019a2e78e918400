import { type Micros, SECOND } from "../core/time.ts";
import { withConnection } from "./connection.ts";
import { explain, noSchema } from "./failures.ts";
import { micros } from "./values.ts";
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
  try {
    return await withConnection(config, TIMEOUT, async (connection) => {
      const [row] = await connection.query<Row>(RIGHTS);
      const [open] = await connection.query<{ member: string }>(OPEN_TO_MEMBER);
      return {
        version: row!.version,
        time: Number(row!.time),
        obstacle: obstacleOf(config, row!),
        risk: open === undefined ? null : riskOf(open.member),
      };
    });
  } catch (error) {
    throw new Error(explain(error, config));
  }
}

interface Row {
  readonly version: string;
  readonly time: string;
  readonly isReadOnly: boolean;
  /** Null: there is no schema in which the tables could be. */
  readonly writable: boolean | null;
}

function obstacleOf({ user, database }: DatabaseConfig, { isReadOnly, writable }: Row): string | null {
  if (isReadOnly) return "it is a standby or read-only, and takes no rows; name its primary";
  if (writable === true) return null;
  if (writable === null) return noSchema(user);
  return `user "${user}" may not write; make it the owner of database "${database}" and of the tables in it`;
}

/** Only a superuser can take away what PostgreSQL before 15 lets everybody do. */
function riskOf(member: string): string {
  return "every role may make functions there that the owner's server would run; " +
    `as a superuser in this database: SELECT strongmonitor_admit(${member})`;
}
