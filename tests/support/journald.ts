/** A systemd-journald for tests. */
import { strict as assert } from "node:assert";
import { eventually } from "./helpers.ts";
import { canMakeJournals, JournalWriter, sshdEntry } from "./journal_files.ts";
import { exists, works } from "./probes.ts";

const PROGRAM = "/lib/systemd/systemd-journald";
/** Whether this machine can run journald and make journal files. */
export const hasJournald =
  [PROGRAM, "/usr/bin/journalctl", "/usr/bin/logger", "/usr/bin/unshare"].every(exists) &&
  canMakeJournals &&
  works("unshare", ["--mount", "--propagation=private", "mount", "-t", "tmpfs", "run", "/run"]);

/** A systemd-journald with a private `/run`. Its journal files are in `directory`. */
export class Journald implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-journald-" });
  /** Directory for other files of the test. */
  readonly #other = Deno.makeTempDirSync({ prefix: "strongmonitor-links-" });
  /** Process that keeps the namespace and restarts journald in it. */
  readonly #shell = new Deno.Command("unshare", {
    args: [
      "--mount",
      "--propagation=private",
      "sh",
      "-c",
      "mount -t tmpfs run /run && mkdir -p /run/systemd/journal /run/log/journal && " +
      'mount --bind "$0" /run/log/journal && while :; do "$1"; done',
      this.directory,
      PROGRAM,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();

  /** Path of its `/run/systemd/journal` outside of the namespace. */
  get #sockets(): string {
    return `/proc/${this.#shell.pid}/root/run/systemd/journal`;
  }

  /** Waits for its first journal file: journald then listens. */
  async ready(): Promise<this> {
    await eventually(() => [...Deno.readDirSync(this.directory)].length > 0);
    await this.log(["ready"]);
    return this;
  }

  /** Writes lines through syslog's socket, as sshd does. */
  async log(lines: readonly string[], tag = "sshd"): Promise<void> {
    assert.ok(await this.#tryToLog(lines, tag));
  }

  async #tryToLog(lines: readonly string[], tag = "sshd"): Promise<boolean> {
    const logger = new Deno.Command("logger", {
      args: [`--tag=${tag}`, `--socket=${this.#sockets}/dev-log`],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const input = logger.stdin.getWriter();
    await input.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
    await input.close();
    return (await logger.status).success;
  }

  /** Stops journald in its tracks, or lets it go on. */
  hang(hangs: boolean): void {
    Deno.kill(this.#pid, hangs ? "SIGSTOP" : "SIGCONT");
  }

  /** Kills journald and waits until its successor, which starts at once, takes lines. */
  async kill(): Promise<void> {
    const before = this.#pid;
    Deno.kill(before, "SIGKILL");
    await eventually(() => this.#child !== null && this.#child !== before);
    await eventually(async () => await this.#tryToLog(["ready again"]));
  }

  /**
   * Writes `garbage` over a part of the current journal file, or with `truncate` in place of all of
   * it. journald takes the id of its next file from this one's head, so journalctl would take two
   * files with the same garbage for one.
   */
  overwrite(from: number, garbage: Uint8Array, { truncate = false } = {}): void {
    using file = Deno.openSync(`${this.#machine}/system.journal`, { write: true, truncate });
    file.seekSync(from, Deno.SeekMode.Start);
    file.writeSync(garbage);
  }

  /** Returns the messages that journalctl finds in the journal: all, or by fields. */
  async messages(...fields: readonly string[]): Promise<string[]> {
    const args = [`--directory=${this.directory}`, "--output=cat", "--all", "--quiet", ...fields];
    const { stdout } = await new Deno.Command("journalctl", { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout).split("\n");
  }

  get #pid(): number {
    return this.#child!;
  }

  /** Process id of the running journald; null: none. */
  get #child(): number | null {
    const { pid } = this.#shell;
    const [child] = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ");
    return child ? Number(child) : null;
  }

  /** Makes journald begin a new file. */
  async rotate(): Promise<void> {
    const before = this.#archived().length;
    Deno.kill(this.#pid, "SIGUSR2");
    await eventually(() => this.#archived().length > before);
  }

  /** Removes all files that journald does not write to. */
  vacuum(): void {
    this.#archived().forEach((file) => Deno.removeSync(file));
  }

  /** Makes a directory by which journalctl can be woken, and returns its path. */
  link(): string {
    const links = `${this.#other}/links`;
    Deno.mkdirSync(links);
    Deno.symlinkSync(this.#machine, `${links}/${"0".repeat(32)}`);
    // journald's other place for files: it is empty.
    Deno.symlinkSync(`${this.#other}/run`, `${links}/${"1".repeat(32)}`);
    return links;
  }

  /** Writes an entry of another program. */
  async writeElsewhere(message: string): Promise<void> {
    const directory = `${this.directory}/${"2".repeat(32)}`;
    Deno.mkdirSync(directory);
    const writer = new JournalWriter(`${directory}/system.journal`);
    await writer.write([[
      ["__REALTIME_TIMESTAMP", `${Date.now() * 1_000}`],
      ...sshdEntry(0, message).slice(1),
    ]]);
    await writer.close();
  }

  /** Directory of its files. */
  get #machine(): string {
    const [machine] = Deno.readDirSync(this.directory);
    return `${this.directory}/${machine!.name}`;
  }

  #archived(): string[] {
    return [...Deno.readDirSync(this.directory)].flatMap(({ name: machine }) =>
      [...Deno.readDirSync(`${this.directory}/${machine}`)]
        .filter(({ name }) => name.includes("@"))
        .map(({ name }) => `${this.directory}/${machine}/${name}`)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shell.kill("SIGSTOP");
    Deno.kill(this.#pid, "SIGKILL");
    this.#shell.kill("SIGKILL");
    await this.#shell.status;
    for (const path of [this.directory, this.#other]) Deno.removeSync(path, { recursive: true });
  }
}
