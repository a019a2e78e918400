/** PostgreSQL's failures: their codes, and sentences about them with remedies. */
import { messageOf, UserError } from "../core/error.ts";
import { LOST, sqlState } from "./connection.ts";
import { type DatabaseConfig, spellServer } from "./database_config.ts";
import { explainCertificate } from "./encryption.ts";

/** SQLSTATE of an operation without permission, of a lock that others hold too long, of a deadlock. */
export const [INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED] = ["42501", "55P03", "40P01"];
/** SQLSTATE of a missing value. */
export const NOT_NULL_VIOLATION = "23502";

/** Explains an error of PostgreSQL in one sentence, with a remedy if one is known. */
export function explain(error: unknown, config: DatabaseConfig): string {
  if (error instanceof UserError) return error.message;
  const { user, database } = config;
  const cause = isLoss(error) ? LOST : messageOf(error);
  const server = `PostgreSQL at ${spellServer(config)}`;
  if (isRefusal(error)) return `${server} refuses connections: is it running there?`;
  const mistrust = explainCertificate(error);
  if (mistrust !== null) return `${server} is not trusted: ${mistrust}`;
  switch (sqlState(error)) {
    case "28P01":
      return `${server} refuses the password of user "${user}": write the right one to db_password.secret and ` +
        `reload the monitor`;
    case "3F000":
      return `${server} fails: ${noSchema(user)}`;
    case "3D000":
      return `${server} has no database "${database}": create it, owned by user "${user}"`;
    case INSUFFICIENT_PRIVILEGE:
      return `${server} lacks rights for user "${user}" (${cause}): make it the owner of database ` +
        `"${database}" and of the tables in it, or GRANT CREATE, USAGE ON SCHEMA public TO "${user}" there`;
    case "25006":
      return `${server} takes no rows (${cause}): it is a standby or read-only; name its primary`;
    case LOCK_NOT_AVAILABLE:
      return `${server} makes us wait: another session there holds a lock (${cause}); see its view pg_locks`;
    case NOT_NULL_VIOLATION:
      return `${server} fails: ${cause}. Give that column a DEFAULT, as this program does not write it`;
    case "23505":
      return `${server} fails: ${cause}. A member's role registers one server: remove the row of its former server ` +
        `from the table host`;
    case "53300":
      return `${server} has no connection left (${cause}): raise its max_connections, or the CONNECTION LIMIT of ` +
        `user "${user}"`;
    case "42P07":
      return `${server} fails: ${cause}. Rename that table, or attach it to log again: its lines have no place`;
    case "57P03":
      return `${server} is not ready (${cause})`;
    default:
      return `${server} fails: ${cause}`;
  }
}

/** Says that a user's `search_path` leads nowhere, and what helps. */
export function noSchema(user: string): string {
  return `the search_path of user "${user}" names no schema that it may use: ALTER ROLE "${user}" SET search_path = public`;
}

function isRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
}

/** Reports whether the server ended the connection, by the words of the driver, of node:net or of Deno. */
function isLoss(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Error && "code" in error &&
      /^(?:CONNECTION_|EPIPE$|ECONNRESET$)/.test(String(error.code));
}
