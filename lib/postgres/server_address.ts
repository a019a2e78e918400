/** Spells where a PostgreSQL server is: needed without the driver too, which takes its time to load. */
import type { DatabaseConfig } from "./connection.ts";

/** Host and port of a database. */
export type ServerAddress = Pick<DatabaseConfig, "host" | "port">;

/** Returns the path of the server's Unix socket; null for a server that is reached over TCP. */
export function socketOf({ host, port }: ServerAddress): string | null {
  return host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : null;
}

/** Returns the path of the server's socket, or `host:port`, with an IPv6 address in brackets. */
export function spellServer({ host, port }: ServerAddress): string {
  return socketOf({ host, port }) ?? (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
}
