/**
 * The program under test. It follows a log file, bans by a command that records the addresses, and
 * has its state on a file system that a test can fill. `Ledger` knows independently which lines and
 * bans it must store.
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

/** Window of the rule: it spans hours of faults. */
const COUNTING = { limit: Ledger.LIMIT, window: "1d", ban_time: "1d" };

/** Options of a scene. */
export interface SceneOptions {
  /** Additional keys of the configuration. */
  readonly config?: Record<string, unknown>;
  /** Additional variables of the program's environment. */
  readonly env?: Record<string, string>;
  /** Directory of a journal that the program reads instead of the machine's. */
  readonly journal?: string;
  /** The database that gets lines and bans; null: none. */
  readonly postgres?: TestPostgres | null;
  /** Size of the state's disk, in bytes. */
  readonly disk?: string;
}

/** A program with its files. */
export class Scene implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-faults-" });
  readonly stateDirectory = `${this.directory}/disk/state`;
  readonly logFile = `${this.directory}/app.log`;
  readonly ledger = new Ledger();
  readonly #options: SceneOptions;
  readonly #isMounted: boolean;
  #child: Deno.ChildProcess | null = null;
  #said = "";
  /** Resolves when the program's log has been read to its end. */
  #heard = Promise.resolve();
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

  /** Whether the state has a disk that can be filled. */
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
    this.#heard = this.#listen(this.#child.stderr);
  }

  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) this.#said += decoder.decode(bytes, { stream: true });
  }

  /** The program's log since its start. */
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
      // The program has already ended.
    }
    const { code } = await child.status;
    await this.#heard;
    return code;
  }

  /** Waits until the program ends by itself. Returns its exit code. */
  async ended(): Promise<number> {
    const { code } = await this.#child!.status;
    this.#child = null;
    await this.#heard;
    return code;
  }

  /** Writes refusals of addresses to the log, and enters them in the ledger. */
  refuse(...addresses: string[]): void {
    const lines = addresses.map((address) => this.ledger.write(address));
    this.#file.writeSync(new TextEncoder().encode(lines.join("")));
  }

  /** Process id of the journalctl started last; null: none. */
  get journalctl(): number | null {
    try {
      return Number(Deno.readTextFileSync(`${this.directory}/journalctl.pid`));
    } catch {
      return null;
    }
  }

  /** Rotates the log by renaming. `isLast`: removes the rotated files. */
  rotate({ isLast = false } = {}): void {
    Deno.renameSync(this.logFile, `${this.logFile}.${++this.#rotations}`);
    for (let i = 1; isLast && i <= this.#rotations; i++) tryTo(() => Deno.removeSync(`${this.logFile}.${i}`));
    this.#file.close();
    this.#file = Deno.openSync(this.logFile, { append: true, create: true });
  }

  /** Addresses given to the ban command, in order. */
  told(): string[] {
    return Deno.readTextFileSync(`${this.directory}/banned`).split("\n").filter((line) => line !== "");
  }

  /** Messages kept by `keep()`, and then those of the state, in order. */
  stored(): string[] {
    const rows = this.ask<{ message: string }>("SELECT message FROM log ORDER BY seq");
    return [...this.#kept, ...rows.map(({ message }) => message)];
  }

  /** Keeps the messages of a state that a test is about to destroy, as they were stored. */
  keep(): void {
    this.#kept = this.stored();
  }

  /** The stored position of the log; null: none. */
  position(): string | null {
    return this.ask<{ position: string }>("SELECT position FROM position WHERE source LIKE 'file:%'")[0]
      ?.position ?? null;
  }

  /** Returns the rows of a query on the state; none while it cannot be read. */
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

  /** Shifts the program's clock by some seconds. */
  stepClock(seconds: number): void {
    Deno.writeTextFileSync(`${this.directory}/clock`, String(seconds));
  }

  /** Makes the state's disk read-only or writable. Nobody may be writing to it. */
  setReadOnly(isReadOnly: boolean): void {
    mount("-o", `remount,${isReadOnly ? "ro" : "rw"}`, `${this.directory}/disk`);
  }

  /** Fills the state's disk. */
  fill(): void {
    fillDisk(`${this.directory}/disk/filler`);
  }

  /** Frees the state's disk. */
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
