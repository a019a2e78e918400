import { strict as assert } from "node:assert";
import { openJournal } from "../../lib/sources/journal.ts";
import { eventually } from "../helpers.ts";
import { exists } from "./journal_files.ts";

const PROGRAM = "/lib/systemd/systemd-journald";
const hasJournald = [PROGRAM, "/usr/bin/journalctl", "/usr/bin/logger", "/usr/bin/unshare"].every(exists) &&
  canMount();

function canMount(): boolean {
  const args = ["--mount", "--propagation=private", "mount", "-t", "tmpfs", "run", "/run"];
  return new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).outputSync().success;
}

/** A systemd-journald of its own, whose `/run` nobody else sees; its journal files are in `directory`. */
class Journald implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-journald-" });
  readonly #process = new Deno.Command("unshare", {
    args: [
      "--mount",
      "--propagation=private",
      "sh",
      "-c",
      "mount -t tmpfs run /run && mkdir -p /run/systemd/journal /run/log/journal && " +
      'mount --bind "$0" /run/log/journal && exec "$1"',
      this.directory,
      PROGRAM,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();

  /** Its `/run/systemd/journal` as it is seen from here. */
  get #sockets(): string {
    return `/proc/${this.#process.pid}/root/run/systemd/journal`;
  }

  /** Waits until its first journal file is there: then it listens. */
  async ready(): Promise<this> {
    await eventually(() => [...Deno.readDirSync(this.directory)].length > 0);
    await this.log(["ready"]);
    return this;
  }

  /** Writes lines as sshd does: through syslog's socket. */
  async log(lines: readonly string[]): Promise<void> {
    const logger = new Deno.Command("logger", {
      args: ["--tag=sshd", `--socket=${this.#sockets}/dev-log`],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const input = logger.stdin.getWriter();
    await input.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
    await input.close();
    assert.ok((await logger.status).success);
  }

  /** Makes it begin a new file. */
  async rotate(): Promise<void> {
    const before = this.#archived().length;
    this.#process.kill("SIGUSR2");
    await eventually(() => this.#archived().length > before);
  }

  /** Removes all files but those being written to. */
  vacuum(): void {
    this.#archived().forEach((file) => Deno.removeSync(file));
  }

  #archived(): string[] {
    return [...Deno.readDirSync(this.directory)].flatMap(({ name: machine }) =>
      [...Deno.readDirSync(`${this.directory}/${machine}`)]
        .filter(({ name }) => name.includes("@"))
        .map(({ name }) => `${this.directory}/${machine}/${name}`)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Follows a journald, from where the last one who did had come. */
class Follower {
  readonly seen: string[] = [];
  #position: string | null = null;

  async follow(directory: string, signal: AbortSignal): Promise<void> {
    const source = openJournal({ identifiers: ["sshd"], units: ["ssh.service"], directory });
    for await (const { entries, position } of source.batches({ after: this.#position, since: 0 }, signal)) {
      this.seen.push(...entries.map(({ message }) => message));
      this.#position = position;
    }
  }
}

Deno.test({
  name: "a running journald, rotated, vacuumed, and left in between, is read in order and each entry once",
  ignore: !hasJournald,
  fn: async () => {
    await using journald = await new Journald().ready();
    const follower = new Follower();
    const written = ["ready"];
    const write = async (count: number) => {
      const lines = Array.from(
        { length: count },
        (_, i) => `Invalid user u${written.length + i} from 192.0.2.1`,
      );
      written.push(...lines);
      await journald.log(lines);
    };
    for (let visit = 0; visit < 3; visit++) {
      // Nobody reads these as they come.
      await write(100);
      const stop = new AbortController();
      const following = follower.follow(journald.directory, stop.signal);
      for (let round = 0; round < 3; round++) {
        await write(200);
        if (round > 0) await journald.rotate();
        await write(1);
        await eventually(() => follower.seen.length >= written.length);
      }
      stop.abort();
      await following;
      // The entry that was reached is gone now.
      await journald.rotate();
      journald.vacuum();
    }
    assert.deepEqual(follower.seen, written);
  },
});
