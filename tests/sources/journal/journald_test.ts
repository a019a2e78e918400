import { strict as assert } from "node:assert";
import { entriesOf } from "../../support/records.ts";
import { type JournalOptions, openJournal } from "../../../lib/sources/journal/journal.ts";
import { supervise } from "../../../lib/core/supervise.ts";
import { type Micros, SECOND } from "../../../lib/core/time.ts";
import type { Source } from "../../../lib/sources/source.ts";
import { eventually, memoryLog, script } from "../../support/helpers.ts";
import { hasJournald, Journald } from "../../support/journald.ts";

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

  get sourceProblems(): readonly string[] {
    return this.#source.problems ?? [];
  }

  get delivery(): string {
    return this.#source.delivery ?? "";
  }

  /** Follows as the monitor does, which begins again where journalctl has left out the newest entry or finds none of this boot. */
  follow(signal: AbortSignal): Promise<void> {
    return supervise((progress) => this.read(signal, progress), {
      name: "journal",
      signal,
      log: memoryLog(),
      backoff: [10, 100],
    });
  }

  /** Follows until journalctl fails. */
  async read(signal: AbortSignal, progress = () => {}): Promise<void> {
    const start = { after: this.#position, since: 0 };
    for await (const { records, position } of this.#source.batches(start, signal)) {
      this.seen.push(...entriesOf(records).map(({ message }) => message));
      this.#position = position;
      progress();
    }
  }
}

/** A journalctl that says by a process id in a file that it follows. */
class TellingJournalctl implements Disposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "strongmonitor-journalctl-" });
  readonly command = script(this.#directory, {
    name: "journalctl",
    body: `case "$*" in *--follow*) echo $$ > ${this.#directory}/pid ;; esac\nexec /usr/bin/journalctl "$@"`,
  });

  /** Whether it waits for what is new: then it watches directories. */
  get isWaiting(): boolean {
    try {
      const files = `/proc/${Number(Deno.readTextFileSync(`${this.#directory}/pid`))}/fd`;
      return [...Deno.readDirSync(files)].some(({ name }) =>
        Deno.readLinkSync(`${files}/${name}`) === "anon_inode:inotify"
      );
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
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
        await eventually(() => follower.delivery.startsWith("entries come within some") === isWoken);
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

testJournald(
  "a journalctl that cannot be kept awake reads all the same, and says why unless no unit made its directory",
  async (journald) => {
    const other = Deno.makeTempDirSync({ dir: journald.link() });
    for (
      const [directory, reason] of [
        [`${other}/nothing`, null],
        [other, "it does not show this machine's journal"],
      ] as const
    ) {
      const follower = new Follower(journald.directory, { wake: { directory, interval: WAKE } });
      const stop = new AbortController();
      const following = follower.follow(stop.signal);
      const problems = reason === null ? 0 : 1;
      await eventually(() => follower.seen.length === 1 && follower.problems.length >= problems);
      assert.equal(follower.problems.length, problems);
      if (reason !== null) {
        assert.ok(follower.problems[0]!.startsWith(`Cannot wake journalctl by ${directory}: ${reason}`));
      }
      assert.equal(follower.delivery, "entries come up to half a second late");
      stop.abort();
      await following;
    }
  },
);

testJournald(
  "a journal that moves away from where journalctl is kept awake is read where it is now",
  async (journald) => {
    const follower = new Follower(journald.directory, {
      wake: { directory: journald.link(), interval: WAKE },
      silence: 100_000,
    });
    const following = assert.rejects(follower.read(new AbortController().signal), /fell silent/);
    await eventually(() => follower.delivery.startsWith("entries come within some"));
    await journald.writeElsewhere("elsewhere");
    await following;
    assert.match(follower.problems.join(), /it does not show all of the journal/);
    const stop = new AbortController();
    const again = follower.follow(stop.signal);
    await eventually(() => follower.seen.length === 2);
    assert.equal(follower.delivery, "entries come up to half a second late");
    stop.abort();
    await again;
    assert.deepEqual(follower.seen, ["ready", "elsewhere"]);
  },
);

testJournald(
  "a journal is read on when the directory that journalctl is kept awake by vanishes",
  async (journald) => {
    const links = journald.link();
    const follower = new Follower(journald.directory, { wake: { directory: links, interval: WAKE } });
    const following = assert.rejects(follower.read(new AbortController().signal), /SIGKILL/);
    await eventually(() => follower.delivery.startsWith("entries come within some"));
    await journald.log(["by it"]);
    await eventually(() => follower.seen.length === 2);
    Deno.removeSync(links, { recursive: true });
    await following;
    assert.match(follower.problems.join(), /it does not exist/);
    const stop = new AbortController();
    const again = follower.follow(stop.signal);
    await journald.rotate();
    await journald.log(["without it"]);
    await eventually(() => follower.seen.length === 3);
    stop.abort();
    await again;
    assert.deepEqual(follower.seen, ["ready", "by it", "without it"]);
  },
);

for (const isWoken of [false, true]) {
  const how = isWoken ? " which links show" : "";
  testJournald(
    `a journal without any entry${how} is followed, and what comes next is read`,
    async (journald) => {
      using journalctl = new TellingJournalctl();
      const wake = isWoken ? { directory: journald.link(), interval: WAKE } : null;
      const follower = new Follower(journald.directory, { command: journalctl.command, wake });
      await eventually(async () => (await journald.messages()).includes("ready"));
      journald.overwrite(0, new Uint8Array(65_536).fill(0x47), { truncate: true });
      const stop = new AbortController();
      const following = follower.read(stop.signal);
      await Promise.race([following, eventually(() => journalctl.isWaiting)]);
      await journald.log(["first"]);
      await eventually(() => follower.seen.includes("first"));
      stop.abort();
      await following;
      assert.deepEqual(follower.seen, ["first"]);
      assert.deepEqual(follower.problems, []);
    },
  );
}

testJournald(
  "a journald that writes nothing, not even what the monitor logs, is told from one that has nothing to write",
  async (journald) => {
    let logged = 0;
    const problem = (sentence: string) => {
      logged++;
      void journald.log([sentence], "strongmonitor");
    };
    const options = { silence: SECOND / 20, quiet: 2 * SECOND, problem };
    const follower = new Follower(journald.directory, options);
    const stop = new AbortController();
    const following = follower.follow(stop.signal);
    await eventually(() => logged === 2);
    assert.deepEqual(follower.sourceProblems, []);
    journald.hang(true);
    await eventually(() => follower.sourceProblems.length > 0);
    assert.match(
      follower.sourceProblems.join(),
      /^No program has written to the journal since .* running\?$/,
    );
    journald.hang(false);
    await eventually(() => follower.sourceProblems.length === 0);
    stop.abort();
    await following;
  },
);
