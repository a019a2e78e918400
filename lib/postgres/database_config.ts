/**
 * The PostgreSQL server of a configuration, and its spelling. Separate from the driver, which takes
 * long to load.
 */
/** libpq's modes, from no encryption to proof of the server's identity. */
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
  /** Empty: the variable `PGPASSWORD` has it. */
  readonly password: string;
  /** How to encrypt; without it the variable `PGSSLMODE` decides. */
  readonly sslmode?: SslMode;
  /** File with certificates of trusted authorities; without it `PGSSLROOTCERT` names one. */
  readonly sslrootcert?: string;
}

/** Host and port of a database. */
export type ServerAddress = Pick<DatabaseConfig, "host" | "port">;

/** Returns the path of the server's Unix socket; null: the server is reached over TCP. */
export function socketOf({ host, port }: ServerAddress): string | null {
  return host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : null;
}

/** Returns the path of the server's socket, or `host:port`, with an IPv6 address in brackets. */
export function spellServer({ host, port }: ServerAddress): string {
  return socketOf({ host, port }) ?? (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
}
