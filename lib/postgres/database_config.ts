/**
 * Which PostgreSQL server a configuration names, and how that is spelled. Needed without the driver
 * too, which takes its time to load.
 */
/** libpq's words, from none to proof of the server's identity. */
export const SSL_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;

/** How a connection is encrypted. */
export type SslMode = typeof SSL_MODES[number];

/** The server, user and database to connect to. */
export interface DatabaseConfig {
  /** Name, address, or the directory of the server's Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** "" leaves it to the environment's `PGPASSWORD`. */
  readonly password: string;
  /** How to encrypt; without it `PGSSLMODE` says so. */
  readonly sslmode?: SslMode;
  /** File with certificates of the authorities to trust; without it `PGSSLROOTCERT` names one. */
  readonly sslrootcert?: string;
}

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
