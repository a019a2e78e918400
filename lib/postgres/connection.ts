import type { Duplex } from "node:stream";
import postgres from "postgres";
import { messageOf, UserError } from "../core/error.ts";
import { formatDuration, type Micros, MILLISECOND, SECOND } from "../core/time.ts";
import { dial } from "./dial.ts";
import { explainCertificate } from "./encryption.ts";
import { type DatabaseConfig, spellServer } from "./database_config.ts";

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

  /** Connects, within the time-out. Throws errors for `explain()`. */
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

/** SQLSTATE of an operation without permission, of a lock that others hold too long, of a deadlock. */
export const [INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED] = ["42501", "55P03", "40P01"];
/** SQLSTATE of a missing value. */
export const NOT_NULL_VIOLATION = "23502";

function seconds(span: Micros): string {
  return span < SECOND ? `${span / MILLISECOND} ms` : formatDuration(span);
}

/** Returns the server's five-character error code (SQLSTATE); "" for other errors. */
export function sqlState(error: unknown): string {
  return error instanceof postgres.PostgresError ? error.code : "";
}

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

const LOST = "the connection was lost";

/** Reports whether the server ended the connection, by the words of the driver, of node:net or of Deno. */
function isLoss(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Error && "code" in error &&
      /^(?:CONNECTION_|EPIPE$|ECONNRESET$)/.test(String(error.code));
}

/** Returns a PostgreSQL array as text, with U+FFFD for NUL and lone surrogates (not storable). */
export function arrayOf(values: readonly (string | number | null)[]): string {
  const items = values.map((value) => value === null ? "NULL" : `"${storable(String(value))}"`);
  return `{${items.join(",")}}`;
}

/**
 * Returns SQL for the microseconds since the epoch of a timestamp in SQL. A time before 1970 or
 * after 2254, `infinity` too, becomes the nearest one that a number holds exactly: anybody with
 * rights on a row may have written it.
 */
export function micros(instant: string): string {
  const bounded = `greatest('1970-01-01 00:00Z', least('2255-01-01 00:00Z', ${instant}))`;
  return `(extract(epoch FROM CASE WHEN ${instant} IS NOT NULL THEN ${bounded} END) * 1000000)::bigint`;
}

function storable(text: string): string {
  return text.toWellFormed().replace(/[\0"\\]/g, (c) => c === "\0" ? "\ufffd" : `\\${c}`);
}
