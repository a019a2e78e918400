import { strict as assert } from "node:assert";
import { type JournalOptions, openJournal } from "../../lib/sources/journal.ts";
import type { Micros, Source } from "../../lib/types.ts";
import { eventually } from "../helpers.ts";
import { canMakeJournals, exists, JournalWriter, sshdEntry } from "./journal_files.ts";

const PROGRAM = "/lib/systemd/systemd-journald";
const hasJournald = [PROGRAM, "/usr/bin/journalctl", "/usr/bin/logger", "/usr/bin/unshare"].every(exists) &&
  canMakeJournals && canMount();

function canMount(): boolean {
  const args = ["--mount", "--propagation=private", "mount", "-t", "tmpfs", "run", "/run"];
  return new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).outputSync().success;
}

/** A systemd-journald of its own, whose `/run` nobody else sees; its journal files are in `directory`. */
class Journald implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-journald-" });
  /** For what is not journald's. */
  readonly #other = Deno.makeTempDirSync({ prefix: "strongmonitor-links-" });
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

  /** Makes a directory by which journalctl can be woken, and returns its path. */
  link(): string {
    const links = `${this.#other}/links`;
    Deno.mkdirSync(links);
    Deno.symlinkSync(this.#machine, `${links}/${"0".repeat(32)}`);
    // The other of the places where journald may write: nothing is there.
    Deno.symlinkSync(`${this.#other}/run`, `${links}/${"1".repeat(32)}`);
    return links;
  }

  /** Writes an entry beside all that it writes itself. */
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

  /** Where its files are. */
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
    this.#process.kill("SIGKILL");
    await this.#process.status;
    for (const path of [this.directory, this.#other]) Deno.removeSync(path, { recursive: true });
  }
}

/** Follows a journald, from where the last one who did had come. */
class Follower {
  readonly seen: string[] = [];
  readonly problems: string[] = [];
  readonly #source: Source;
  #position: string | null = null;

  constructor(directory: string, options: Partial<JournalOptions>) {
    const problem = (sentence: string) => void this.problems.push(sentence);
    this.#source = openJournal({
      ...{ identifiers: ["sshd"], units: ["ssh.service"], directory, problem },
      ...options,
    });
  }

  get delivery(): string {
    return this.#source.delivery ?? "";
  }

  async follow(signal: AbortSignal): Promise<void> {
    const start = { after: this.#position, since: 0 };
    for await (const { entries, position } of this.#source.batches(start, signal)) {
      this.seen.push(...entries.map(({ message }) => message));
      this.#position = position;
    }
  }
}

/** Tests that need a journald. */
function testJournald(name: string, work: (journald: Journald) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasJournald,
    fn: async () => {
      await using journald = await new Journald().ready();
      await work(journald);
    },
  });
}

const WAKE: Micros = 5_000;

for (const isWoken of [false, true]) {
  const how = isWoken ? " by a journalctl kept awake" : "";
  testJournald(
    `a running journald, rotated, vacuumed, and left in between, is read in order and each entry once${how}`,
    async (journald) => {
      const wake = isWoken ? { directory: journald.link(), interval: WAKE } : null;
      const follower = new Follower(journald.directory, { wake });
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
        const following = follower.follow(stop.signal);
        for (let round = 0; round < 3; round++) {
          await write(200);
          if (round > 0) await journald.rotate();
          await write(1);
          await eventually(() => follower.seen.length >= written.length);
        }
        await eventually(() => follower.delivery.startsWith("at once") === isWoken);
        stop.abort();
        await following;
        // The entry that was reached is gone now.
        await journald.rotate();
        journald.vacuum();
      }
      assert.deepEqual(follower.seen, written);
      assert.deepEqual(follower.problems, []);
    },
  );
}

testJournald(
  "a journalctl kept awake reads what is written while journald rotates again and again",
  async (journald) => {
    const follower = new Follower(journald.directory, {
      wake: { directory: journald.link(), interval: WAKE },
    });
    const stop = new AbortController();
    const following = follower.follow(stop.signal);
    const written = ["ready"];
    for (let round = 0; round < 12; round++) {
      const lines = Array.from({ length: 50 }, (_, i) => `round ${round}, line ${i}`);
      written.push(...lines);
      await Promise.all([journald.log(lines), journald.rotate()]);
    }
    await eventually(() => follower.seen.length >= written.length);
    stop.abort();
    await following;
    assert.deepEqual(follower.seen, written);
  },
);

testJournald("a journalctl that cannot be kept awake reads all the same, and says why", async (journald) => {
  const other = Deno.makeTempDirSync({ dir: journald.link() });
  for (
    const [directory, reason] of [
      [`${other}/nothing`, "No such file or directory"],
      [other, "it does not show this machine's journal"],
    ] as const
  ) {
    const follower = new Follower(journald.directory, { wake: { directory, interval: WAKE } });
    const stop = new AbortController();
    const following = follower.follow(stop.signal);
    await eventually(() => follower.seen.length === 1 && follower.problems.length === 1);
    assert.ok(follower.problems[0]!.startsWith(`Cannot wake journalctl by ${directory}: ${reason}`));
    assert.equal(follower.delivery, "as journald announces them");
    stop.abort();
    await following;
  }
});

testJournald(
  "a journal that moves away from where journalctl is kept awake is read where it is now",
  async (journald) => {
    const follower = new Follower(journald.directory, {
      wake: { directory: journald.link(), interval: WAKE },
      silence: 100_000,
    });
    const following = assert.rejects(follower.follow(new AbortController().signal), /fell silent/);
    await eventually(() => follower.delivery.startsWith("at once"));
    await journald.writeElsewhere("elsewhere");
    await following;
    assert.match(follower.problems.join(), /it does not show all of the journal/);
    const stop = new AbortController();
    const again = follower.follow(stop.signal);
    await eventually(() => follower.seen.length === 2);
    assert.equal(follower.delivery, "as journald announces them");
    stop.abort();
    await again;
    assert.deepEqual(follower.seen, ["ready", "elsewhere"]);
  },
);
