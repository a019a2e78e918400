import type { Duplex } from "node:stream";
import postgres from "postgres";
import { formatDuration, type Micros, MILLISECOND, SECOND } from "../core/time.ts";
import { dial } from "./dial.ts";
import type { DatabaseConfig } from "./database_config.ts";
import { arrayOf } from "./values.ts";

/** Options of a connection. */
export interface ConnectionOptions {
  /** Longest wait for one answer, also for the first. Then the connection is destroyed. */
  readonly timeout: Micros;
  /** Called for each notification. */
  readonly onNotify?: (channel: string, payload: string) => void;
  /** Called when the connection is lost or closed. */
  readonly onLost?: () => void;
  /** Called with the server's address after each connection over TCP. */
  readonly onPeer?: (address: string) => void;
}

/** A value in PostgreSQL's text format, or null. */
export type Parameter = string | null;

/**
 * One connection to PostgreSQL, for one caller at a time. Every call answers or throws within its
 * time-out. After a time-out or a loss all further calls throw, and a new connection is needed.
 */
export class Connection {
  /** Lead of the server's clock over this machine's, in which bans are shipped and read. */
  ahead: Micros = 0;
  readonly #config: DatabaseConfig;
  readonly #options: ConnectionOptions;
  readonly #sql: postgres.Sql;
  readonly #ending = new AbortController();
  #isDialled = false;
  #timeout: Micros;
  #gone: Error | null = null;
  /** Rejects the call under way. */
  #abort: ((reason: Error) => void) | null = null;

  /** Opens no connection; call `open()`. */
  constructor(config: DatabaseConfig, options: ConnectionOptions) {
    this.#config = config;
    this.#options = options;
    this.#timeout = options.timeout;
    this.#sql = postgres(this.#driverOptions());
  }

  /** Connects, within the time-out. Throws errors for `explain()` of failures.ts. */
  async open(): Promise<void> {
    await this.#limitServer();
    await this.query(SETTINGS, [
      arrayOf([...OWN_SETTINGS, `lock_timeout=${Math.ceil(this.#timeout / 2000)}`]),
    ]);
  }

  /**
   * Runs one statement, or several if there are no parameters. SQL must cast each parameter. Returns
   * the rows, and the number of rows found or written.
   */
  query<R = Record<string, unknown>>(
    text: string,
    parameters: readonly Parameter[] = [],
  ): Promise<R[] & { readonly count: number }> {
    if (this.#gone) return Promise.reject(this.#gone);
    const prepare = parameters.length > 0;
    const answer = this.#sql.unsafe(text, [...parameters], { prepare });
    return this.#within(answer) as unknown as Promise<R[] & { readonly count: number }>;
  }

  /** Runs `work` between BEGIN and COMMIT, `timeout` per statement. Rolls back if it throws. */
  async transaction<T>(work: () => Promise<T>, timeout: Micros = this.#options.timeout): Promise<T> {
    await this.query("BEGIN");
    this.#timeout = timeout;
    try {
      await this.#limitServer();
      const result = await work();
      await this.query("COMMIT");
      return result;
    } catch (error) {
      // If ROLLBACK fails, the connection is gone, and the server rolls back.
      await this.query("ROLLBACK").catch(() => {});
      throw error;
    } finally {
      this.#timeout = this.#options.timeout;
      if (!this.#gone) await this.#limitServer();
    }
  }

  /** Gives the server a second to end the session, then destroys the connection. */
  async close(): Promise<void> {
    if (!this.#gone) await this.#sql.end({ timeout: 1 }).catch(() => {});
    this.destroy();
  }

  /** Destroys the connection at once. Calls under way throw `reason`. */
  destroy(reason: Error = new Error("the connection is closed")): void {
    this.#gone ??= reason;
    this.#abort?.(this.#gone);
    this.#ending.abort(this.#gone);
    this.#sql.end({ timeout: 0 }).catch(() => {});
  }

  /** Makes the server end a statement when its caller has given up. */
  #limitServer(): Promise<unknown> {
    return this.query(`SET statement_timeout = ${Math.ceil(this.#timeout / 1000)}`);
  }

  async #within<T>(answer: PromiseLike<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#abort = reject;
    const late = () => this.destroy(new Error(`no answer within ${seconds(this.#timeout)}`));
    const timer = setTimeout(late, this.#timeout / 1000);
    try {
      return await Promise.race([answer, promise]);
    } finally {
      clearTimeout(timer);
      this.#abort = null;
    }
  }

  /**
   * Makes the driver take its socket from `#dial()`: `destroy()` reaches a stalled socket, and the
   * driver does not split IPv6 addresses at colons, does not reconnect, and leaves TLS to us.
   */
  #driverOptions(): postgres.Options<Record<string, never>> {
    const { host, port, user, database, password } = this.#config;
    const options = {
      host,
      port,
      user,
      database,
      password,
      max: 1,
      fetch_types: false,
      connect_timeout: null,
      max_lifetime: null,
      no_subscribe: true,
      ssl: false,
      connection: { application_name: "strongmonitor" },
      onnotice: () => {},
      onnotify: (channel: string, payload: string) => this.#options.onNotify?.(channel, payload),
      onclose: () => this.#lost(),
      socket: () => this.#dial(),
    };
    return options as unknown as postgres.Options<Record<string, never>>;
  }

  async #dial(): Promise<Duplex> {
    if (this.#gone || this.#isDialled) throw this.#gone ?? new Error(LOST);
    this.#isDialled = true;
    const { signal } = this.#ending;
    const { socket, peer } = await dial(this.#config, signal);
    signal.addEventListener("abort", () => socket.destroy());
    if (signal.aborted) socket.destroy();
    if (peer !== undefined) this.#options.onPeer?.(peer);
    return Object.assign(socket, { host: this.#config.host });
  }

  #lost(): void {
    this.#gone ??= new Error(LOST);
    this.#options.onLost?.();
  }
}

/**
 * Runs `work` on a connection of its own, with `timeout` for each answer. Throws errors for
 * `explain()`.
 */
export async function withConnection<T>(
  config: DatabaseConfig,
  timeout: Micros,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = new Connection(config, { timeout });
  try {
    await connection.open();
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/**
 * Settings that this program's SQL and sessions need, whatever the role or database has. A wait for
 * a lock ends before the statement, so that the connection outlives another session's lock. The
 * server ends the session of a machine that is gone after 2 minutes, not hours: a role may have few.
 */
const OWN_SETTINGS = [
  "idle_in_transaction_session_timeout=60s",
  "idle_session_timeout=0",
  "tcp_keepalives_idle=60",
  "tcp_keepalives_interval=15",
  "tcp_keepalives_count=4",
  "transaction_timeout=0",
  "client_min_messages=warning",
  "standard_conforming_strings=on",
  "default_transaction_isolation=read committed",
  "datestyle=ISO",
];

/** Sets those of the settings that the server's version knows. */
const SETTINGS = `
SELECT set_config(name, split_part(own, '=', 2), false)
FROM unnest($1::text[]) AS own JOIN pg_settings ON lower(name) = split_part(own, '=', 1)`;

function seconds(span: Micros): string {
  return span < SECOND ? `${span / MILLISECOND} ms` : formatDuration(span);
}

/** Returns the server's five-character error code (SQLSTATE); "" for other errors. */
export function sqlState(error: unknown): string {
  return error instanceof postgres.PostgresError ? error.code : "";
}

/** Message of the error after a loss. */
export const LOST = "the connection was lost";
