import { type Micros, SECOND } from "../core/time.ts";
import { explain, micros, withConnection } from "./connection.ts";
import type { DatabaseConfig } from "./database_config.ts";

/** Longest wait for one answer. */
const TIMEOUT: Micros = 5 * SECOND;

/** Facts that a database tells about itself. */
export interface Probe {
  readonly version: string;
  /** Time of its clock. */
  readonly time: Micros;
  /** Why no rows can be written, as a sentence; null: they can. */
  readonly obstacle: string | null;
}

/** Asks for the right to write the tables, or to make them, in the search path's first schema. */
const RIGHTS = `
  SELECT current_setting('server_version') AS version,
    ${micros("clock_timestamp()")}::text AS time,
    pg_is_in_recovery() AS standby,
    CASE WHEN to_regclass('log') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE')
      ELSE has_table_privilege(to_regclass('log'), 'INSERT') END AS writable`;

/** Asks a database whether it takes rows; changes nothing. Throws an `Error` with a sentence. */
export async function probeDatabase(config: DatabaseConfig): Promise<Probe> {
  try {
    const [row] = await withConnection(config, TIMEOUT, (connection) => connection.query<Row>(RIGHTS));
    return { version: row!.version, time: Number(row!.time), obstacle: obstacleOf(config, row!) };
  } catch (error) {
    throw new Error(explain(error, config));
  }
}

interface Row {
  readonly version: string;
  readonly time: string;
  readonly standby: boolean;
  readonly writable: boolean | null;
}

function obstacleOf({ user, database }: DatabaseConfig, { standby, writable }: Row): string | null {
  if (standby) return "it is a standby, which takes no rows; name its primary";
  if (writable === true) return null;
  return `user "${user}" may not write; make it the owner of database "${database}" and of the tables in it`;
}
