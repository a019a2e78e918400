import { connect, type Socket } from "node:net";
import postgres from "postgres";
import { formatDuration, type Micros } from "../core/time.ts";

/** Where PostgreSQL is and who we are there. */
export interface DatabaseConfig {
  /** Name, address, or the directory of the server's Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** "" leaves it to the environment's `PGPASSWORD`. */
  readonly password: string;
}

/** What a connection is given. */
export interface ConnectionOptions {
  /** Longest wait for any one answer, the first included; after it the connection is gone. */
  readonly timeout: Micros;
  /** A notification came in; the channel is not told, as one is listened to. */
  readonly onNotify?: () => void;
  /** The connection was lost or closed. */
  readonly onLost?: () => void;
  /** Told the address that a connection was made to; never with a Unix socket. */
  readonly onPeer?: (address: string) => void;
}

/** A value as PostgreSQL's text format has it, or null. */
export type Parameter = string | null;

/**
 * One connection to PostgreSQL for one caller at a time. Every call answers or throws within its time-out;
 * after a time-out or a lost connection all further calls throw and a new connection is needed.
 */
export class Connection {
  readonly #config: DatabaseConfig;
  readonly #options: ConnectionOptions;
  readonly #sql: postgres.Sql;
  #socket: Socket | null = null;
  #timeout: Micros;
  #gone: Error | null = null;
  /** Ends the call under way. */
  #abort: ((reason: Error) => void) | null = null;

  /** Touches nothing yet: see `open()`. */
  constructor(config: DatabaseConfig, options: ConnectionOptions) {
    this.#config = config;
    this.#options = options;
    this.#timeout = options.timeout;
    this.#sql = postgres(this.#driverOptions());
  }

  /** Connects, within the time-out. Throws what `explain()` explains. */
  async open(): Promise<void> {
    await this.#limitServer();
    await this.query("SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning");
  }

  /** Runs one statement; without parameters it may be several. Parameters need a cast where they stand. */
  query<R = Record<string, unknown>>(text: string, parameters: readonly Parameter[] = []): Promise<R[]> {
    if (this.#gone) return Promise.reject(this.#gone);
    const prepare = parameters.length > 0;
    const answer = this.#sql.unsafe(text, [...parameters], { prepare });
    return this.#within(answer) as unknown as Promise<R[]>;
  }

  /** Runs `work` between BEGIN and COMMIT; each of its statements may take `timeout`. Rolls back if it throws. */
  async transaction<T>(work: () => Promise<T>, timeout: Micros = this.#options.timeout): Promise<T> {
    await this.query("BEGIN");
    this.#timeout = timeout;
    try {
      await this.#limitServer();
      const result = await work();
      await this.query("COMMIT");
      return result;
    } catch (error) {
      // A rollback that fails too adds nothing: the connection is gone, and with it the transaction.
      await this.query("ROLLBACK").catch(() => {});
      throw error;
    } finally {
      this.#timeout = this.#options.timeout;
      if (!this.#gone) await this.#limitServer();
    }
  }

  /** Takes leave of the server if it still listens, within a second, then destroys the connection. */
  async close(): Promise<void> {
    if (!this.#gone) await this.#sql.end({ timeout: 1 }).catch(() => {});
    this.destroy();
  }

  /** Throws the connection away at once, whatever the server does. Calls under way throw. */
  destroy(reason: Error = new Error("the connection is closed")): void {
    this.#gone ??= reason;
    this.#abort?.(this.#gone);
    this.#socket?.destroy();
    this.#sql.end({ timeout: 0 }).catch(() => {});
  }

  /** Keeps the server from working on for a caller that has given up. */
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
   * The driver dials through us: only so can a socket be destroyed that the server no longer serves, IPv6
   * addresses survive its splitting of hosts at colons, and a lost connection stays lost.
   */
  #driverOptions(): postgres.Options<Record<string, never>> {
    const options = {
      ...this.#config,
      max: 1,
      fetch_types: false,
      connect_timeout: null,
      max_lifetime: null,
      no_subscribe: true,
      ssl: encryption(),
      connection: { application_name: "strongmonitor" },
      onnotice: () => {},
      onnotify: () => this.#options.onNotify?.(),
      onclose: () => this.#lost(),
      socket: () => this.#dial(),
    };
    return options as unknown as postgres.Options<Record<string, never>>;
  }

  async #dial(): Promise<Socket> {
    if (this.#gone || this.#socket) throw this.#gone ?? new Error("the connection was lost");
    const { host, port } = this.#config;
    const socket = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    this.#socket = socket;
    // The driver listens for errors too late to hear of one in connecting, which would then end the program.
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).on("error", reject));
    if (socket.remoteAddress !== undefined) this.#options.onPeer?.(socket.remoteAddress);
    return Object.assign(socket, { host });
  }

  #lost(): void {
    this.#gone ??= new Error("the connection was lost");
    this.#options.onLost?.();
  }
}

/**
 * Whether to encrypt: the environment's PGSSLMODE, in libpq's words; `verify-full` alone proves who the server is.
 * Not unless asked for, as Deno 2.4's TLS never gets an answer on a connection that began in the clear.
 */
function encryption(): string | false {
  const mode = Deno.env.get("PGSSLMODE") ?? "disable";
  return mode === "disable" ? false : mode;
}

function seconds(span: Micros): string {
  return span < 1_000_000 ? `${span / 1000} ms` : formatDuration(span);
}

/** PostgreSQL's five-character error code (SQLSTATE), or "" for errors that are not the server's. */
export function sqlState(error: unknown): string {
  return error instanceof postgres.PostgresError ? error.code : "";
}

/** What kept us from PostgreSQL, in one sentence with the remedy where there is one. */
export function explain(error: unknown, config: DatabaseConfig): string {
  const { host, port, user, database } = config;
  const cause = error instanceof Error ? error.message || error.name : String(error);
  const server = `PostgreSQL at ${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") {
    return `${server} refuses connections: is it running there?`;
  }
  switch (sqlState(error)) {
    case "28P01":
      return `${server} refuses the password of user "${user}"`;
    case "3D000":
      return `${server} has no database "${database}": create it, owned by user "${user}"`;
    case "42501":
      return `${server} lacks rights for user "${user}" (${cause}): make it the owner of database ` +
        `"${database}" and of the tables in it, or GRANT CREATE, USAGE ON SCHEMA public TO "${user}" there`;
    case "57P03":
      return `${server} is not ready (${cause})`;
    default:
      return `${server} fails: ${cause}`;
  }
}

/** A PostgreSQL array of `values` in text format. What PostgreSQL cannot store in text becomes U+FFFD. */
export function arrayOf(values: readonly (string | number | null)[]): string {
  const items = values.map((value) => value === null ? "NULL" : `"${storable(String(value))}"`);
  return `{${items.join(",")}}`;
}

function storable(text: string): string {
  return text.toWellFormed().replace(/[\0"\\]/g, (c) => c === "\0" ? "\ufffd" : `\\${c}`);
}
