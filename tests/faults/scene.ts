/**
 * The program under trouble: it follows a log file, bans by a command that records whom, and keeps its state on a file system
 * that can be filled. What it must have stored and banned is known independently of it: see `Ledger`.
 */
import { DatabaseSync } from "node:sqlite";
import { canMount, fillDisk, mount, unmount } from "../support/faults.ts";
import { eventually, script } from "../support/helpers.ts";
import type { TestPostgres } from "../support/postgres_server.ts";
import { Ledger } from "./ledger.ts";
import { tryTo } from "./troubles.ts";

const [PROGRAM, CLOCK] = ["../../main.ts", "./clock.ts"].map((path) =>
  new URL(path, import.meta.url).pathname
);

/** Hours of faults count together. */
const COUNTING = { limit: Ledger.LIMIT, window: "1d", ban_time: "1d" };

/** How a scene is built. */
export interface SceneOptions {
  /** Further keys of the configuration. */
  readonly config?: Record<string, unknown>;
  /** Further variables of the program's environment. */
  readonly env?: Record<string, string>;
  /** Directory of a journal that the program reads in place of the machine's. */
  readonly journal?: string;
  /** Where lines and bans are shipped; null: nowhere. */
  readonly postgres?: TestPostgres | null;
  /** Bytes of the disk that the state has for itself. */
  readonly disk?: string;
}

/** One program with its files. */
export class Scene implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-faults-" });
  readonly stateDirectory = `${this.directory}/disk/state`;
  readonly logFile = `${this.directory}/app.log`;
  readonly ledger = new Ledger();
  readonly #options: SceneOptions;
  readonly #isMounted: boolean;
  #child: Deno.ChildProcess | null = null;
  #said = "";
  #rotations = 0;
  #kept: string[] = [];
  #file: Deno.FsFile;

  constructor(options: SceneOptions = {}) {
    this.#options = options;
    const disk = `${this.directory}/disk`;
    Deno.mkdirSync(disk);
    this.#isMounted = canMount() &&
      mount("-t", "tmpfs", "-o", `size=${options.disk ?? "256m"}`, "none", disk);
    script(this.directory, { name: "ban", body: `echo "$1" >> ${this.directory}/banned` });
    const { journal } = options;
    if (journal !== undefined) {
      const body =
        `echo $$ > ${this.directory}/journalctl.pid; exec /usr/bin/journalctl --directory=${journal} "$@"`;
      script(this.directory, { name: "journalctl", body });
    }
    Deno.writeTextFileSync(`${this.directory}/banned`, "");
    this.#file = Deno.openSync(this.logFile, { append: true, create: true });
    this.#configure();
  }

  /** The disk of the state can be filled. */
  get hasDisk(): boolean {
    return this.#isMounted;
  }

  #configure(): void {
    const { postgres } = this.#options;
    const config = {
      ...postgres ? { DB: this.#database(postgres) } : {},
      ban_command: "./ban %s",
      keep_log: "forever",
      ...this.#options.config,
      modules: {
        app: {
          match: { file: this.logFile },
          pattern: "^\\d+ refused <ADDR>$",
          rules: [{ name: "refused", ...COUNTING }],
        },
        ...this.#options.journal === undefined ? {} : {
          SSHD: { rules: [{ name: "invalid", str: "Invalid user", mode: "start", ...COUNTING }] },
        },
      },
    };
    Deno.writeTextFileSync(`${this.directory}/config.jsonc`, JSON.stringify(config));
  }

  #database({ host, port, user, password, database }: TestPostgres): Record<string, unknown> {
    Deno.writeTextFileSync(`${this.directory}/db_password.secret`, password, { mode: 0o600 });
    return { host, port, user, database };
  }

  /** Starts the program. */
  start(...options: string[]): void {
    this.#said = "";
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        `--preload=${CLOCK}`,
        PROGRAM!,
        "--config",
        `${this.directory}/config.jsonc`,
      ].concat(
        ["--state", this.stateDirectory, ...options],
      ),
      env: {
        NO_COLOR: "1",
        CLOCK_OFF_BY: `${this.directory}/clock`,
        PATH: `${this.directory}:${Deno.env.get("PATH")}`,
        ...this.#options.env,
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#listen(this.#child.stderr);
  }

  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) this.#said += decoder.decode(bytes, { stream: true });
  }

  /** What the program has logged since its start. */
  get said(): string {
    return this.#said;
  }

  /** Waits until the program follows its log. */
  async ready(): Promise<this> {
    await eventually(() => /^<6>monitoring /m.test(this.#said) && this.position() !== null);
    return this;
  }

  /** Process id of the program; null: none runs. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  signal(signal: Deno.Signal): void {
    this.#child?.kill(signal);
  }

  /** Ends the program by a signal; returns its exit code. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    const child = this.#child!;
    this.#child = null;
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    return (await child.status).code;
  }

  /** The exit code of the program that ends by itself. */
  async ended(): Promise<number> {
    const { code } = await this.#child!.status;
    this.#child = null;
    return code;
  }

  /** Writes refusals of addresses to the log, and notes in the ledger what must become of them. */
  refuse(...addresses: string[]): void {
    const lines = addresses.map((address) => this.ledger.write(address));
    this.#file.writeSync(new TextEncoder().encode(lines.join("")));
  }

  /** Process id of the journalctl that was started last; null: none was. */
  get journalctl(): number | null {
    try {
      return Number(Deno.readTextFileSync(`${this.directory}/journalctl.pid`));
    } catch {
      return null;
    }
  }

  /** Rotates the log by renaming; `isLast`: all that was written before is removed. */
  rotate({ isLast = false } = {}): void {
    Deno.renameSync(this.logFile, `${this.logFile}.${++this.#rotations}`);
    for (let i = 1; isLast && i <= this.#rotations; i++) tryTo(() => Deno.removeSync(`${this.logFile}.${i}`));
    this.#file.close();
    this.#file = Deno.openSync(this.logFile, { append: true, create: true });
  }

  /** Whom the ban command was told of, in order. */
  told(): string[] {
    return Deno.readTextFileSync(`${this.directory}/banned`).split("\n").filter((line) => line !== "");
  }

  /** Messages in the state, in order, behind those that `keep()` has kept. */
  stored(): string[] {
    const rows = this.ask<{ message: string }>("SELECT message FROM log ORDER BY seq");
    return [...this.#kept, ...rows.map(({ message }) => message)];
  }

  /** Keeps the messages of a state that is about to be destroyed: they were stored. */
  keep(): void {
    this.#kept = this.stored();
  }

  /** The stored position of the log; null: there is none. */
  position(): string | null {
    return this.ask<{ position: string }>("SELECT position FROM position WHERE source LIKE 'file:%'")[0]
      ?.position ?? null;
  }

  /** Rows of a query on the state, none while it cannot be asked. */
  ask<Row>(sql: string): Row[] {
    let db: DatabaseSync | null = null;
    try {
      Deno.statSync(`${this.stateDirectory}/state.db`);
      db = new DatabaseSync(`${this.stateDirectory}/state.db`);
      db.exec("PRAGMA busy_timeout = 5000");
      return db.prepare(sql).all() as Row[];
    } catch {
      return [];
    } finally {
      db?.close();
    }
  }

  /** Sets the clock of the program off by some seconds. */
  stepClock(seconds: number): void {
    Deno.writeTextFileSync(`${this.directory}/clock`, String(seconds));
  }

  /** Lets nobody write on the disk of the state, which nobody may be doing at the moment, or lets them again. */
  setReadOnly(isReadOnly: boolean): void {
    mount("-o", `remount,${isReadOnly ? "ro" : "rw"}`, `${this.directory}/disk`);
  }

  /** Leaves no room on the disk of the state. */
  fill(): void {
    fillDisk(`${this.directory}/disk/filler`);
  }

  /** Makes room again. */
  empty(): void {
    Deno.removeSync(`${this.directory}/disk/filler`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== null) await this.end("SIGKILL");
    this.#file.close();
    if (this.#isMounted) unmount(`${this.directory}/disk`);
    Deno.removeSync(this.directory, { recursive: true });
  }
}
