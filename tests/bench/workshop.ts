/** The directory of a benchmark run, and its programs. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parse } from "jsonc-parser";
import { loadConfig } from "../../lib/config/load.ts";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { State } from "../../lib/state/state.ts";
import { modules } from "../../modules/mod.ts";
import { compile, hasSockets } from "../../tools/compile.ts";
import { npmBase } from "../../tools/npm_base.ts";
import { buildPermissions, permissionOptions } from "../../tools/permissions.ts";
import { type Expected, exportedAuthLog, writeAccessLog, writeAuthLog } from "./corpus.ts";

/** A log file and its content. */
export interface Log extends Expected {
  readonly path: string;
}

/** Output and exit code of a program. */
export interface Run {
  readonly milliseconds: number;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of a run. */
export interface RunOptions {
  /** File for its standard input. */
  readonly input?: string;
  /** Whether to discard its output. */
  readonly quiet?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const SEED = 2_026;
/** Most time of another program: fail2ban-regex needs a minute for the longest part of a log. */
const PEER_SECONDS = 600;
/** Exit code of timeout(1). */
const TIMED_OUT = 124;

/** The measured program and its files, in one directory. */
export class Workshop {
  readonly directory: string;
  readonly lines: number;
  readonly #say: (words: string) => void;
  readonly #made = new Map<string, Promise<unknown>>();

  /** @param options.lines number of each log's lines; @param options.say receives the progress */
  constructor(directory: string, { lines, say }: { lines: number; say: (words: string) => void }) {
    this.directory = directory;
    this.lines = lines;
    this.#say = say;
    for (const name of ["", "state", "log", "bin"]) {
      Deno.mkdirSync(`${directory}/${name}`, { recursive: true });
    }
  }

  /** Path of the program, compiled for these measurements. */
  get program(): string {
    return `${this.directory}/strongmonitor`;
  }

  get config(): string {
    return `${this.directory}/config.jsonc`;
  }

  get state(): string {
    return `${this.directory}/state`;
  }

  /** Path of a log file that the program may follow. */
  get followed(): string {
    return `${this.directory}/log/auth.log`;
  }

  /** File with the start and the address of each ban command. */
  get bans(): string {
    return `${this.directory}/bans`;
  }

  /** Compiles the program unless its executable is newer than its sources. */
  build(): Promise<void> {
    return this.#once("program", async () => {
      await Deno.writeTextFile(
        `${this.directory}/bin/tool`,
        `#!/bin/bash\n[[ $1 == nft ]] && exec "$@"\necho "$EPOCHREALTIME $1" >> ${this.bans}\n`,
      );
      await Deno.chmod(`${this.directory}/bin/tool`, 0o755);
      await this.configure({
        DB: { host: "127.0.0.1", port: POSTGRES_PORT, user: "postgres", database: "strongmonitor" },
        ban_command: `${this.directory}/bin/tool %s`,
        modules: { SSHD: { match: { file: this.followed, identifier: "sshd" }, rules: [RULE] } },
      });
      if (newest(this.program) > Math.max(...SOURCES.map((path) => newest(`${ROOT}/${path}`)))) return;
      this.#say("compiling the program");
      const config = loadConfig(this.config, { known: modules });
      const permissions = buildPermissions(config);
      // The program finds programs by its own PATH, so that journalctl reads another journal.
      const env = [...permissions.env, "PATH"];
      const run = [...permissions.run, `${this.directory}/bin/journalctl`];
      const base = await npmBase(() => {});
      await compile(`${ROOT}/main.ts`, {
        output: this.program,
        permissions: permissionOptions({ ...permissions, env, run }, { hasSockets: await hasSockets(base) }),
        base,
      });
    });
  }

  /** Sets the program's configuration. */
  async configure(config: Readonly<Record<string, unknown>>): Promise<void> {
    await Deno.writeTextFile(this.config, JSON.stringify({ state: this.state, ...config }));
  }

  /**
   * Sets the shipped configuration, or some of its modules, as the program's.
   * @param keys additional top-level keys @param moduleKeys additional keys of each module
   */
  async configureAsShipped(
    names?: readonly string[],
    keys: Readonly<Record<string, unknown>> = {},
    moduleKeys: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const shipped = parse(await Deno.readTextFile(`${ROOT}/config.jsonc`)) as Shipped;
    const modules = Object.fromEntries(
      Object.entries(shipped.modules).filter(([name]) => names?.includes(name) ?? true)
        .map(([name, section]) => [name, { ...section, ...moduleKeys }]),
    );
    await this.configure({ ...shipped, ...keys, modules });
  }

  /** Makes a new state in which sources are read from an instant on. */
  async freshState({ since = {} }: { since?: Readonly<Record<string, number>> } = {}): Promise<void> {
    await Deno.remove(this.state, { recursive: true }).catch(() => {});
    prepareStateDirectory(this.state);
    const state = new State(this.state);
    for (const [source, time] of Object.entries(since)) state.firstSince(source, time);
    state.close();
  }

  authLog(lines = this.lines): Promise<Log> {
    return this.#log(`auth-${lines}.log`, (write) => writeAuthLog({ lines, seed: SEED, write }));
  }

  accessLog(lines = this.lines): Promise<Log> {
    return this.#log(`access-${lines}.log`, (write) => writeAccessLog({ lines, seed: SEED, write }));
  }

  /** Returns a directory with a real journal of the auth.log's messages. */
  journal(lines = this.lines): Promise<string> {
    return this.#once(`journal ${lines}`, async () => {
      const path = `${this.directory}/journal-${lines}`;
      await Deno.remove(path, { recursive: true }).catch(() => {});
      await Deno.mkdir(path);
      this.#say(`making a journal of ${lines} entries`);
      const writer = new Deno.Command("/lib/systemd/systemd-journal-remote", {
        args: [`--output=${path}/made.journal`, "--split-mode=none", "-"],
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const input = writer.stdin.getWriter();
      for (const piece of exportedAuthLog({ lines, seed: SEED })) await input.write(piece);
      await input.close();
      if (!(await writer.status).success) {
        throw new Error("Cannot make a journal: systemd-journal-remote failed");
      }
      return path;
    });
  }

  /** Makes the program's journalctl read another journal than the machine's. */
  async readJournal(directory: string): Promise<Record<string, string>> {
    const wrapper = `${this.directory}/bin/journalctl`;
    await Deno.writeTextFile(wrapper, `#!/bin/sh\nexec /usr/bin/journalctl --directory=${directory} "$@"\n`);
    await Deno.chmod(wrapper, 0o755);
    return { PATH: `${this.directory}/bin:${Deno.env.get("PATH")}` };
  }

  /** Runs a program to its end. */
  async run(words: readonly string[], { input, quiet = false, env }: RunOptions = {}): Promise<Run> {
    const [program, ...args] = input === undefined
      ? words
      : ["sh", "-c", `exec "$@" < "$0"`, input, ...words];
    const began = performance.now();
    const output = await new Deno.Command(program!, {
      args,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: quiet ? "null" : "piped",
      stderr: quiet ? "null" : "piped",
    }).output();
    const milliseconds = performance.now() - began;
    const [stdout, stderr] = quiet ? ["", ""] : [decode(output.stdout), decode(output.stderr)];
    return { milliseconds, code: output.code, stdout, stderr };
  }

  /**
   * Runs another program to its end by `timeout`, which also ends its children.
   * @throws {Error} if it fails or takes longer than ten minutes
   */
  async peer(words: readonly string[], options: RunOptions = {}): Promise<Run> {
    const run = await this.run(["timeout", "--kill-after=5", String(PEER_SECONDS), ...words], options);
    if (run.code === 0) return run;
    if (run.code === TIMED_OUT) throw new Error(`${words[0]} takes longer than ${PEER_SECONDS} s`);
    const complaint = run.stderr.trim().split("\n")[0] || "it does not say why";
    throw new Error(`${words[0]} failed with exit code ${run.code}: ${complaint}`);
  }

  /** Runs our program with its configuration. */
  ours(words: readonly string[], options: RunOptions = {}): Promise<Run> {
    return this.run([this.program, ...words, "--config", this.config], options);
  }

  /** Returns the summary of a log by `replay --json`. */
  async replay(log: Pick<Log, "path">): Promise<Run & { summary: Summary }> {
    const run = await this.ours(["replay", "--json", "-"], { input: log.path });
    const last = run.stdout.trim().split("\n").at(-1)!;
    if (run.code !== 0) throw new Error(`Cannot replay ${log.path}: ${run.stderr}`);
    return { ...run, summary: JSON.parse(last).summary as Summary };
  }

  /** Starts the monitor in the background. Its output goes to `monitor.log`. */
  start(env: Readonly<Record<string, string>> = {}, prefix: readonly string[] = []): Daemon {
    const words = [...prefix, this.program, "run", "--config", this.config];
    const child = new Deno.Command("sh", {
      args: ["-c", `exec "$@" 2> "$0"`, `${this.directory}/monitor.log`, ...words],
      env: { NO_COLOR: "1", ...unitEnvironment(), ...env },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    return new Daemon(child);
  }

  #log(name: string, make: (write: (text: string) => void) => Expected): Promise<Log> {
    return this.#once(name, () => {
      this.#say(`making ${name}`);
      const path = `${this.directory}/${name}`;
      using file = Deno.openSync(path, { create: true, write: true, truncate: true });
      const expected = make((text) => writeAll(file, text));
      return Promise.resolve({ ...expected, path });
    });
  }

  #once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const made = this.#made.get(name) as Promise<T> | undefined ?? make();
    this.#made.set(name, made);
    return made;
  }
}

interface Shipped {
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** SQL for the number of lines in the state. */
export const RECORDED = "SELECT ifnull(max(last), 0) AS n FROM log_batch";

/** Returns a number from the state's tables. */
export function ask({ state }: Workshop, query: string): number {
  using asking = new Asking(state, query);
  return asking.answer();
}

/** Waits until a number from the state's tables is reached. Disturbs other users of the state little. */
export async function untilReached(
  { state }: Workshop,
  { query, number, seconds = 300 }: { query: string; number: number; seconds?: number },
): Promise<void> {
  using asking = new Asking(state, query);
  await until(query, () => asking.answer() >= number || undefined, { seconds, pause: 20 });
}

/** A second connection to a monitor's state. */
class Asking implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statement: StatementSync;

  constructor(state: string, query: string) {
    this.#db = new DatabaseSync(`${state}/state.db`, { readOnly: true });
    this.#statement = this.#db.prepare(query);
  }

  answer(): number {
    return (this.#statement.get() as { n: number }).n;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/** Waits until the monitor reads all its sources. */
export async function ready(workshop: Workshop): Promise<void> {
  const query = `SELECT count(*) AS n FROM meta, json_each(meta.value, '$.sources')
    WHERE meta.key = 'report' AND json_each.value ->> 'running'`;
  await untilReached(workshop, { query, number: 1 });
  // Its report comes before it watches files.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
}

/** Returns the variables that the unit sets for the monitor. */
function unitEnvironment(): Record<string, string> {
  const [, words = ""] = /^Environment=(.*)$/m.exec(Deno.readTextFileSync(`${ROOT}/strongmonitor.service`)) ??
    [];
  return Object.fromEntries(words.split(" ").map((word) => word.split("=")));
}

/** Counts of `replay`. */
export interface Summary {
  readonly lines: number;
  readonly logged: number;
  readonly hits: number;
  readonly bans: number;
}

/** A program that runs until it is disposed of. */
export class Daemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Returns the resident memory in MiB. */
  get memory(): number {
    const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1_024;
  }

  /** Returns the processor time of all threads in ms, in steps of a hundredth of a second (proc(5)). */
  get processorTime(): number {
    const stat = Deno.readTextFileSync(`/proc/${this.pid}/stat`);
    // The program's name, in parentheses, may have blanks. utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // The program has already ended.
    }
    await this.#child.status;
  }
}

/** The rule of live measurements. */
export const RULE = { name: "failed", str: "Failed password for ", limit: 1, window: "10m", ban_time: "1h" };

/** Returns sshd's present line about an attacker at `address`, which hits that rule. */
export function syslogLine(address: string): string {
  const [, month, day, , time] = new Date().toString().split(" ");
  return `${month} ${
    day!.padStart(2)
  } ${time} web1 sshd[4711]: Failed password for root from ${address} port 4022 ssh2\n`;
}

/** Port of our PostgreSQL, which the program is built to reach. */
export const POSTGRES_PORT = 54_329;

const SOURCES = ["main.ts", "lib", "modules", "tools", "deno.json"];

/** Returns the time of the newest file's change below a path; 0: no file. */
function newest(path: string): number {
  try {
    const { isDirectory, mtime } = Deno.statSync(path);
    if (!isDirectory) return mtime!.getTime();
    return Math.max(0, ...[...Deno.readDirSync(path)].map(({ name }) => newest(`${path}/${name}`)));
  } catch {
    return 0;
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Writes a text to an open file. */
export function writeAll(file: Deno.FsFile, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** Reports whether this machine has a program. */
export function isInstalled(program: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v "$0"`, program], stdout: "null", stderr: "null" })
    .outputSync().success;
}

/**
 * Waits until `look` returns something, with some milliseconds between two looks. Throws after some
 * seconds.
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  { seconds = 120, pause = 2 }: { seconds?: number; pause?: number } = {},
): Promise<T> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
