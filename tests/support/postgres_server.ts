/** A PostgreSQL server for tests: the system's, or the one that an npm package carries. */
import { Connection } from "../../lib/postgres/connection.ts";
import { findPrograms, type Programs } from "./postgres_programs.ts";

/** A running server of its own, on loopback, with its data in a temporary directory. */
export interface TestPostgres extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
  /** Exists, and is empty. */
  readonly database: string;
  /** Where the Unix socket is. */
  readonly directory: string;
  /** The major version. */
  readonly version: number;
  /** Makes an empty database; returns its name. */
  createDatabase(name: string): Promise<string>;
  /** Runs SQL as the superuser, like psql. */
  query<R = Record<string, unknown>>(sql: string, database?: string): Promise<R[]>;
  /** Stops all of the server's processes in their tracks (SIGSTOP); connections stay open and silent. */
  freeze(): void;
  thaw(): void;
  /** Shuts down, ending all connections. */
  stop(): Promise<void>;
  /** Ends all of the server's processes at once (SIGKILL), as a crash does. */
  kill(): Promise<void>;
  /** Starts again, with the same port and data. */
  start(): Promise<void>;
  /** Stops and starts. */
  restart(): Promise<void>;
}

/** Which PostgreSQL to start. */
export interface TestPostgresOptions {
  /** A major version, taken from npm if the system has another; any version unless given. */
  readonly version?: number;
  /** Write to disk as in earnest, for measuring. */
  readonly durable?: boolean;
  /** Where to listen; on a free port unless given. */
  readonly port?: number;
  /** Most connections; PostgreSQL's own 100 unless given. */
  readonly connections?: number;
  /** Words of a command that runs another in its place, such as in a network namespace; none unless given. */
  readonly through?: readonly string[];
}

const USER = "postgres";
const PASSWORD = "of tests only";
const HOST = "127.0.0.1";

/** Starts a server. Throws when there is none to be had: see `postgresMissing()`. */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const programs = await findPrograms(options.version);
  const directory = await Deno.makeTempDir({ prefix: "strongmonitor-postgres-" });
  const server = new Server(programs, { directory, port: options.port, through: options.through });
  try {
    await server.initialize(options);
    await server.start();
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** Why no PostgreSQL (of this major version) can be started here, for ignoring a test by name; null if one can. */
export async function postgresMissing(version?: number): Promise<string | null> {
  try {
    await findPrograms(version);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

class Server implements TestPostgres {
  readonly host = HOST;
  readonly user = USER;
  readonly password = PASSWORD;
  readonly database = "strongmonitor";
  readonly directory: string;
  readonly #programs: Programs;
  readonly #through: readonly string[];
  readonly #account: Account | null = unprivileged();
  #port: number;
  #process: Deno.ChildProcess | null = null;

  constructor(
    programs: Programs,
    { directory, port = 0, through = [] }: Pick<TestPostgresOptions, "port" | "through"> & {
      directory: string;
    },
  ) {
    this.#programs = programs;
    this.directory = directory;
    this.#port = port;
    this.#through = through;
  }

  get port(): number {
    return this.#port;
  }

  get version(): number {
    return this.#programs.version;
  }

  async initialize({ durable, connections }: TestPostgresOptions): Promise<void> {
    const { directory } = this;
    await Deno.writeTextFile(`${directory}/password`, PASSWORD);
    if (this.#account) {
      for (const path of [directory, `${directory}/password`]) {
        await Deno.chown(path, this.#account.uid, this.#account.gid);
      }
    }
    const { success, stderr } = await this.#command(this.#programs.initdb, [
      `--pgdata=${directory}/data`,
      `--username=${USER}`,
      `--pwfile=${directory}/password`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--no-locale",
      "--no-sync",
    ]).output();
    if (!success) throw new Error(`Cannot make a database cluster: ${new TextDecoder().decode(stderr)}`);
    const settings = [
      `listen_addresses = '${HOST}'`,
      `unix_socket_directories = '${directory}'`,
      "shared_buffers = 64MB",
      ...connections === undefined ? [] : [`max_connections = ${connections + 10}`],
      ...durable ? [] : ["fsync = off", "full_page_writes = off"],
    ];
    await Deno.writeTextFile(`${directory}/data/postgresql.conf`, settings.join("\n") + "\n", {
      append: true,
    });
  }

  /** Starts on the port had before, or on a free one. */
  async start(): Promise<void> {
    this.#port ||= freePort();
    const args = ["-D", `${this.directory}/data`, "-p", String(this.#port)];
    const process = this.#process = this.#command(this.#programs.postgres, args).spawn();
    const said = new Response(process.stderr).text();
    for (let tries = 0; tries < 600; tries++) {
      if (await this.#answers()) return;
      const ended = await Promise.race([process.status, delay(50)]);
      if (ended) {
        this.#process = null;
        throw new Error(`Cannot start PostgreSQL: ${await said}`);
      }
    }
    throw new Error("Cannot start PostgreSQL: no answer within 30 s");
  }

  async createDatabase(name: string): Promise<string> {
    await this.query(`CREATE DATABASE "${name}"`, "postgres");
    return name;
  }

  async query<R>(sql: string, database: string = this.database): Promise<R[]> {
    const { port, user, password } = this;
    const host = this.#through.length === 0 ? this.host : this.directory;
    const connection = new Connection({ host, port, user, password, database }, { timeout: 60_000_000 });
    try {
      await connection.open();
      return await connection.query<R>(sql);
    } finally {
      await connection.close();
    }
  }

  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  async stop(): Promise<void> {
    if (!this.#process) return;
    this.thaw();
    this.#process.kill("SIGINT");
    await this.#process.status;
    this.#process = null;
  }

  async kill(): Promise<void> {
    const process = this.#process;
    if (!process) return;
    this.#process = null;
    const { pid } = process;
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);
    for (const each of [pid, ...children.map(Number)]) {
      try {
        Deno.kill(each, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    await process.status;
    // A new server refuses to start while one of the old still uses the shared memory.
    await delay(200);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.directory, { recursive: true });
  }

  /** The postmaster first, so that it starts no process that is then missed. */
  #signal(signal: Deno.Signal): void {
    if (!this.#process) return;
    const { pid } = this.#process;
    Deno.kill(pid, signal);
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    for (const child of children.split(" ").filter((word) => word !== "")) {
      try {
        Deno.kill(Number(child), signal);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  async #answers(): Promise<boolean> {
    if (!await this.#ready()) return false;
    try {
      const databases = await this.query<{ name: string }>(
        "SELECT datname AS name FROM pg_database",
        "postgres",
      );
      if (!databases.some(({ name }) => name === this.database)) await this.createDatabase(this.database);
      return true;
    } catch {
      return false;
    }
  }

  /** Whether the server says so in its own file: the eighth line of postmaster.pid. */
  async #ready(): Promise<boolean> {
    const lines = await Deno.readTextFile(`${this.directory}/data/postmaster.pid`).catch(() => "");
    return lines.split("\n")[7]?.trim() === "ready";
  }

  /** PostgreSQL refuses to run as root. */
  #command(program: string, args: readonly string[]): Deno.Command {
    const as = this.#account;
    const drop = as ? ["setpriv", `--reuid=${as.uid}`, `--regid=${as.gid}`, "--clear-groups"] : [];
    const [first, ...rest] = [...this.#through, ...drop, program, ...args];
    return new Deno.Command(first!, { args: rest, cwd: "/", stdin: "null", stdout: "null", stderr: "piped" });
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  return listener.addr.port;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Whom to run PostgreSQL as; null when we are nobody special. */
function unprivileged(): Account | null {
  if (Deno.uid() !== 0) return null;
  const accounts = Deno.readTextFileSync("/etc/passwd").split("\n").map((line) => line.split(":"));
  const account = accounts.find(([name]) => name === "postgres") ??
    accounts.find(([name]) => name === "nobody");
  if (!account) throw new Error("Cannot start PostgreSQL as root: there is no user postgres or nobody");
  return { uid: Number(account[2]), gid: Number(account[3]) };
}
