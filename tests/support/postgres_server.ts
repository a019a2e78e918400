/** A PostgreSQL server for tests: the system's, or an npm package's. */
import { Connection } from "../../lib/postgres/connection.ts";
import { findPrograms, type Programs } from "./postgres_programs.ts";
import { freePort } from "./probes.ts";

/** A running server on loopback, with its data in a temporary directory. */
export interface TestPostgres extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Name of a superuser. */
  readonly user: string;
  readonly password: string;
  /** Name of an empty database. */
  readonly database: string;
  /** Directory of the Unix socket. */
  readonly directory: string;
  /** The major version. */
  readonly version: number;
  /** Makes an empty database; returns its name. */
  createDatabase(name: string): Promise<string>;
  /** Runs SQL as the superuser, like psql. */
  query<R = Record<string, unknown>>(sql: string, database?: string): Promise<R[]>;
  /** Stops all processes of the server (SIGSTOP). Connections stay open and silent. */
  freeze(): void;
  thaw(): void;
  /** Shuts down, ending all connections. */
  stop(): Promise<void>;
  /** Kills all processes of the server (SIGKILL), as a crash does. */
  kill(): Promise<void>;
  /** Starts again, with the same port and data. */
  start(): Promise<void>;
  /** Stops and starts. */
  restart(): Promise<void>;
}

/** Options of a server. */
export interface TestPostgresOptions {
  /** Major version, taken from npm if the system has another. Default: any. */
  readonly version?: number;
  /** Whether to write to disk as in production, for measuring. */
  readonly durable?: boolean;
  /** Address and port to listen on. Default: a free port. */
  readonly port?: number;
  /** Most connections. Default: PostgreSQL's own 100. */
  readonly connections?: number;
  /** Words of a command that runs another, as in a network namespace. Default: none. */
  readonly through?: readonly string[];
}

const USER = "postgres";
const PASSWORD = "of tests only";
const HOST = "127.0.0.1";

/** Starts a server. Throws if this machine can get none: see `postgresMissing()`. */
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

/** Returns why no PostgreSQL (of this major version) can start here, to skip a test by name; null: it can. */
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

  /** Starts on the port of before, or on a free one. */
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
    // The postmaster first: once it is stopped, it starts no other process, and all children stay listed.
    this.#process?.kill("SIGSTOP");
    this.#signalChildren("SIGSTOP");
  }

  thaw(): void {
    this.#signalChildren("SIGCONT");
    this.#process?.kill("SIGCONT");
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
    this.freeze();
    this.#signalChildren("SIGKILL");
    process.kill("SIGKILL");
    this.#process = null;
    await process.status;
    // A new server refuses to start while an old process uses the shared memory.
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

  /** While the postmaster runs and ends children, the kernel may leave others out (proc(5)). */
  #signalChildren(signal: Deno.Signal): void {
    if (!this.#process) return;
    const { pid } = this.#process;
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

  /** Reports whether the server says that it is ready, in the eighth line of postmaster.pid. */
  async #ready(): Promise<boolean> {
    const lines = await Deno.readTextFile(`${this.directory}/data/postmaster.pid`).catch(() => "");
    return lines.split("\n")[7]?.trim() === "ready";
  }

  /** Returns a command of the server, as another user than root: PostgreSQL refuses root. */
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

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The user to run PostgreSQL as; null: the present one, who is not root. */
function unprivileged(): Account | null {
  if (Deno.uid() !== 0) return null;
  const accounts = Deno.readTextFileSync("/etc/passwd").split("\n").map((line) => line.split(":"));
  const account = accounts.find(([name]) => name === "postgres") ??
    accounts.find(([name]) => name === "nobody");
  if (!account) throw new Error("Cannot start PostgreSQL as root: there is no user postgres or nobody");
  return { uid: Number(account[2]), gid: Number(account[3]) };
}
