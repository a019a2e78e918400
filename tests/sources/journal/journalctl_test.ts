import { strict as assert } from "node:assert";
import { userInfo } from "node:os";
import { concatenated } from "../../../lib/core/bytes.ts";
import { joining } from "../../../lib/core/denial.ts";
import { entriesOf } from "../../support/records.ts";
import { type JournalOptions, openJournal } from "../../../lib/sources/journal/journal.ts";
import { readPosition } from "../../../lib/sources/journal/position.ts";
import type { Source, Start } from "../../../lib/sources/source.ts";
import { eventually, script } from "../../support/helpers.ts";
import {
  canMakeJournals,
  exportText,
  type Fields,
  FROM_START,
  JournalDirectory,
  read,
  sshdEntry,
} from "../../support/journal_files.ts";

/** Output of 3,000 entries and part of one, in whole pages, as if there were more. */
function pages(): Uint8Array {
  const entries = exportText(Array<Fields>(3_000).fill(exported(1)));
  const field = "MESSAGE=\n";
  const filling = "x".repeat(4_096 - (entries.length + field.length) % 4_096);
  return concatenated([entries, new TextEncoder().encode(field.replace("\n", `${filling}\n`))]);
}

function exported(n: number): Fields {
  return [["__CURSOR", `s=1;i=${n};b=2;m=3;t=4;x=${n}`], ...sshdEntry(n, `entry ${n}`)];
}

/** A program in place of journalctl. It runs one of three scripts: asked whether it can read, to follow, or for what there is. */
class FakeJournalctl implements Disposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "strongmonitor-journalctl-" });
  readonly command: string;

  constructor({ probe = "exit 0", follow = "exec sleep 1000", check = "exit 0" }) {
    Deno.writeFileSync(`${this.#directory}/one`, exportText([exported(1)]));
    Deno.writeFileSync(`${this.#directory}/two`, exportText([exported(1), exported(2)]));
    Deno.writeFileSync(`${this.#directory}/four`, exportText([1, 2, 3, 4].map(exported)));
    Deno.writeFileSync(`${this.#directory}/all`, pages());
    Deno.writeFileSync(`${this.#directory}/gaps`, exportText([2, 4].map(exported)));
    Deno.writeFileSync(`${this.#directory}/ends`, exportText([1, 4].map(exported)));
    Deno.writeFileSync(`${this.#directory}/fourth`, exportText([exported(4)]));
    this.command = script(this.#directory, {
      name: "journalctl",
      body: `cd ${this.#directory}
echo $$ >> pids
case "$*" in
  *--follow*) ${follow} ;;
  *--lines=0*) ${probe} ;;
  *) ${check} ;;
esac`,
    });
  }

  open(options: Partial<JournalOptions> = {}): Source {
    return openJournal({ identifiers: ["sshd"], units: [], command: this.command, ...options });
  }

  /** Writes an empty file where its scripts run. */
  write(name: string): void {
    Deno.writeTextFileSync(`${this.#directory}/${name}`, "");
  }

  /** Processes started so far. */
  get pids(): number[] {
    try {
      // One that is killed may leave an empty file.
      return Deno.readTextFileSync(`${this.#directory}/pids`).split("\n").filter((line) => line !== "").map(
        Number,
      );
    } catch {
      return [];
    }
  }

  [Symbol.dispose](): void {
    assert.deepEqual(this.pids.filter(isRunning), [], "processes left behind");
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

function argumentsOf(pid: number): string[] {
  return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
}

Deno.test("a missing journalctl is the user's to mend", async () => {
  await assert.rejects(read(openJournal({ identifiers: [], units: [], command: "/nowhere/journalctl" })), {
    name: "UserError",
    code: 69,
    message: "Cannot read the journal: /nowhere/journalctl is not installed; it comes with systemd",
  });
});

const USER = userInfo().username;
/** What lets this user in: another user would have to join a group, or the files lack theirs. */
const remedy = (other: string) =>
  Deno.uid() === 0 ? "give it CAP_DAC_READ_SEARCH, which this container or unit withholds" : other;

/** The error of a user who may not do `deed`. */
function denied(deed: string, other: string): { name: string; code: number; message: string } {
  const message = `Cannot read the journal: user ${USER} may not ${deed}; ${remedy(other)}`;
  return { name: "UserError", code: 69, message };
}

const DENIED = denied("see what others write", joining("systemd-journal")(USER));
const WITHOUT_GROUP = denied(
  "read its files",
  "give the files their group with: sudo systemd-tmpfiles --create --prefix=/run/log/journal --prefix=/var/log/journal",
);

for (
  const [how, probe, error] of [
    [
      "who sees only its own entries is told the group to join",
      `echo "Hint: You are currently not seeing messages from other users and the system." >&2`,
      DENIED,
    ],
    [
      "of that group who sees nothing is told how the files get their group",
      `echo "No journal files were opened due to insufficient permissions." >&2; exit 1`,
      WITHOUT_GROUP,
    ],
  ] as const
) {
  Deno.test(`a user ${how}, and root that its powers are held back`, async () => {
    using fake = new FakeJournalctl({ probe, follow: "cat one; exec sleep 1000" });
    await assert.rejects(read(fake.open()), error);
  });
}

Deno.test({
  name: "a journal that journalctl may not see is told, whether it enters the directory or not",
  ignore: Deno.uid() !== 0 || !canMakeJournals,
  fn: async () => {
    using files = new JournalDirectory();
    await files.write("a", [sshdEntry(1, "secret")]);
    Deno.chmodSync(files.path, 0o755);
    using fake = new FakeJournalctl({});
    const command = fake.command;
    Deno.writeTextFileSync(
      command,
      `#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups journalctl "$@"\n`,
    );
    for (const mode of [0o755, 0o700]) {
      Deno.chmodSync(files.path, mode);
      const source = openJournal({ identifiers: ["sshd"], units: [], directory: files.path, command });
      await assert.rejects(read(source), DENIED);
    }
  },
});

Deno.test("a journalctl that dies is an error with its last words, after what it gave", async () => {
  using fake = new FakeJournalctl({
    follow: "cat one; echo 'first word' >&2; echo 'Bus error in file' >&2; exit 3",
  });
  const seen: string[] = [];
  await assert.rejects(
    async () => {
      for await (
        const { records } of fake.open().batches(FROM_START, new AbortController().signal)
      ) {
        seen.push(...entriesOf(records).map(({ message }) => message));
      }
    },
    { name: "Error", message: "journalctl failed (exit status 3): Bus error in file" },
  );
  assert.deepEqual(seen, ["entry 1"]);
});

Deno.test("a journalctl that is killed is an error naming the signal", async () => {
  using fake = new FakeJournalctl({ follow: "kill -SEGV $$" });
  await assert.rejects(read(fake.open()), { name: "Error", message: "journalctl failed (SIGSEGV)" });
});

Deno.test("a journalctl that stops following is an error", async () => {
  using fake = new FakeJournalctl({ follow: "exit 0" });
  await assert.rejects(read(fake.open()), {
    message: "journalctl ended, although it was to follow the journal",
  });
});

for (const end of ["ends", "goes on without a word"]) {
  Deno.test(`of a flood whatever says that more follows is followed, also where it ${end}`, async () => {
    using fake = new FakeJournalctl({
      check: end === "ends" ? "cat all" : "cat all; sleep 1",
      follow: "exec sleep 1000",
    });
    const stop = new AbortController();
    const batches: [entries: number, isMore: boolean][] = [];
    for await (const { records, isMore = false } of fake.open().batches(FROM_START, stop.signal)) {
      batches.push([entriesOf(records).length, isMore]);
      if (batches.reduce((sum, [entries]) => sum + entries, 0) === 3_000 && !isMore) stop.abort();
    }
    assert.ok(batches.length > 2);
    assert.ok(batches.some(([, isMore]) => isMore));
    assert.equal(batches.at(-1)![1], false);
    // Where it did not come in time, an empty one says so.
    assert.ok(batches.every(([entries, isMore]) => entries > 0 || !isMore));
  });
}

Deno.test("a journalctl that closes its output but stays is killed", async () => {
  using fake = new FakeJournalctl({ follow: "exec sleep 1000 >&- 2>&-" });
  await assert.rejects(read(fake.open()), { message: "journalctl failed (SIGKILL)" });
});

Deno.test("a megabyte of complaints holds nothing up", async () => {
  using fake = new FakeJournalctl({
    follow: "head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; cat one; echo >&2; echo enough >&2; exit 1",
  });
  await assert.rejects(read(fake.open()), { message: "journalctl failed (exit status 1): enough" });
});

Deno.test("a journalctl that falls silent while the journal goes on is an error", async () => {
  using fake = new FakeJournalctl({ follow: "cat one; exec sleep 1000", check: "cat two" });
  await assert.rejects(read(fake.open({ silence: 50_000 })), {
    name: "Error",
    message: "journalctl fell silent, although the journal has new entries",
  });
});

Deno.test("a proof that hangs holds reading up no longer than a following journalctl that falls silent", async () => {
  using fake = new FakeJournalctl({
    follow: "touch follows; cat one; exec sleep 1000",
    check: 'if [ -e follows ]; then case "$*" in *--lines=*) cat two ;; *) exec sleep 1000 ;; esac; fi',
  });
  await assert.rejects(read(fake.open({ silence: 100_000, answer: 600_000_000, proof: 20_000 })), {
    message: "journalctl fell silent, although the journal has new entries",
  });
});

for (
  const [what, scripts, message] of [
    ["asked whether it can read hangs", { probe: "exec sleep 1000" }, "journalctl does not answer"],
    [
      "asked what there is hangs",
      { follow: "cat one; exec sleep 1000", check: "exec sleep 1000" },
      "journalctl does not answer",
    ],
    [
      "asked for a proof prints all and hangs",
      {
        follow: "cat one; exec sleep 1000",
        check: 'cat one; case "$*" in *--lines=*) ;; *) exec sleep 1000 ;; esac',
      },
      "journalctl does not come to its end",
    ],
  ] as const
) {
  Deno.test(`a journalctl that ${what} is an error, and is gone`, async () => {
    using fake = new FakeJournalctl(scripts);
    await assert.rejects(read(fake.open({ silence: 100_000, answer: 500_000, proof: 20_000 })), { message });
    await eventually(() => fake.pids.every((pid) => !isRunning(pid)));
  });
}

Deno.test({
  name: "a real journalctl that is stopped while the journal goes on is an error, and nothing is lost",
  ignore: !canMakeJournals,
  fn: async () => {
    const real = 'exec journalctl "$@"';
    using fake = new FakeJournalctl({ probe: real, follow: real, check: real });
    using files = new JournalDirectory();
    await files.write("a", [sshdEntry(1, "before")]);
    const source = fake.open({ directory: files.path, silence: 200_000 });
    let after: string | null = null;
    const stopping = (async () => {
      const follower = () => fake.pids.find((pid) => isRunning(pid) && argumentsOf(pid).includes("--follow"));
      await eventually(() => follower() !== undefined);
      Deno.kill(follower()!, "SIGSTOP");
      await files.write("a", [sshdEntry(2, "after")]);
    })();
    await assert.rejects(async () => {
      for await (const { position } of source.batches(FROM_START, new AbortController().signal)) {
        after = position;
      }
    }, { message: "journalctl fell silent, although the journal has new entries" });
    await stopping;
    const { entries } = await read(source, {
      start: { after, since: 0 },
      enough: ({ length }) => length > 0,
    });
    assert.deepEqual(entries.map(({ message }) => message), ["after"]);
  },
});

Deno.test("what a following journalctl leaves out is read from the journal, once", async () => {
  using fake = new FakeJournalctl({
    follow: "touch follows; cat gaps; exec sleep 1000",
    check: "if [ -e follows ]; then cat four; fi",
  });
  const { entries, batches } = await read(fake.open({ proof: 20_000, silence: 100_000 }), {
    enough: ({ length }) => length >= 4,
  });
  assert.deepEqual(entries.map(({ message }) => message), ["entry 2", "entry 4", "entry 1", "entry 3"]);
  const places = batches.map(({ position }) => readPosition({ after: position, since: 0 }));
  assert.equal(new Set(places.map(({ start }) => start.after)).size, 1);
  assert.deepEqual(places.map(({ unproved }) => unproved?.count), [2, undefined]);
});

Deno.test("what a following journalctl left out before it died is read when reading begins anew, once", async () => {
  using fake = new FakeJournalctl({
    follow: "if [ -e follows ]; then exec sleep 1000; fi; touch follows; cat gaps",
    check: "if [ -e follows ]; then cat four; fi",
  });
  const source = fake.open({ proof: 60_000_000 });
  const before = new Reading(source);
  await assert.rejects(before.read(FROM_START), /journalctl ended/);
  const after = new Reading(source);
  await after.read({ ...FROM_START, after: before.position }, 2);
  assert.deepEqual([...before.messages, ...after.messages], ["entry 2", "entry 4", "entry 1", "entry 3"]);
});

/** What a source yields. */
class Reading {
  readonly messages: string[] = [];
  position: string | null = null;
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Reads until so many entries came. */
  async read(start: Start, enough = Infinity): Promise<void> {
    const stop = new AbortController();
    for await (const { records, position } of this.#source.batches(start, stop.signal)) {
      this.messages.push(...entriesOf(records).map(({ message }) => message));
      this.position = position;
      if (this.messages.length >= enough) stop.abort();
    }
  }
}

Deno.test("what a journalctl left out before the program died is read at the next start, once", async () => {
  using fake = new FakeJournalctl({
    follow: "touch follows; cat ends",
    check: 'if [ -e follows ]; then case "$*" in *"i=4;"*) cat fourth ;; *) cat four ;; esac; fi',
  });
  const readings: Reading[] = [];
  const read = (follow: boolean) => {
    const after = readings.at(-1)?.position ?? null;
    const reading = new Reading(fake.open({ follow, proof: 60_000_000 }));
    readings.push(reading);
    return reading.read({ ...FROM_START, after });
  };
  await assert.rejects(read(true), /journalctl ended/);
  await read(false);
  await read(false);
  assert.deepEqual(readings.map(({ messages }) => messages), [
    ["entry 1", "entry 4"],
    ["entry 2", "entry 3"],
    [],
  ]);
});

Deno.test("in a flood what was taken in is not kept waiting by a proof", async () => {
  using fake = new FakeJournalctl({
    follow: "while [ ! -e enough ]; do cat all; done; exec sleep 1000",
    // A proof waits once the flood has shown itself.
    check: "if [ -e flood ]; then while [ ! -e enough ]; do sleep 0.01; done; fi",
  });
  const stop = new AbortController();
  let [isMore, isSettled] = [false, false];
  const settle = () => {
    fake.write("enough");
    stop.abort();
  };
  // Only where it never comes to that.
  const patience = setTimeout(settle, 120_000);
  for await (const batch of fake.open({ proof: 1_000 }).batches(FROM_START, stop.signal)) {
    isSettled ||= isMore && !batch.isMore && !stop.signal.aborted;
    isMore = batch.isMore ?? false;
    if (isMore) fake.write("flood");
    if (isSettled) settle();
  }
  clearTimeout(patience);
  assert.ok(isSettled);
});

Deno.test("a following journalctl that leaves out the last entry is an error soon, and nothing is lost", async () => {
  using fake = new FakeJournalctl({
    follow: "touch follows; cat one; exec sleep 1000",
    check: "if [ -e follows ]; then cat two; fi",
  });
  await assert.rejects(read(fake.open({ proof: 20_000 })), {
    message: "journalctl fell silent, although the journal has new entries",
  });
});

Deno.test("silence in a silent journal is no error", async () => {
  using fake = new FakeJournalctl({ follow: "cat one; exec sleep 1000", check: "cat one" });
  const stop = new AbortController();
  const reading = (async () => {
    for await (const _ of fake.open({ silence: 20_000 }).batches(FROM_START, stop.signal));
  })();
  // The first question, the two that read, and four that looked again.
  await eventually(() => fake.pids.length >= 7);
  stop.abort();
  await reading;
});

for (
  const [what, follow] of [
    ["is silent", "exec sleep 1000"],
    ["is stopped", "kill -STOP $$"],
    ["ignores signals", "trap '' TERM INT HUP; while :; do read -r _ < /dev/tty || sleep 1; done"],
    ["has children holding its output", "sleep 3 & wait"],
    ["floods", "while :; do cat one; done"],
  ]
) {
  Deno.test(`an abort ends a journalctl that ${what}, quietly and at once`, async () => {
    using fake = new FakeJournalctl({ follow });
    const stop = new AbortController();
    const reading = read({ name: "", batches: (start) => fake.open().batches(start, stop.signal) });
    await eventually(() => fake.pids.length === 3);
    stop.abort();
    stop.abort();
    await reading;
  });
}

Deno.test("an abort before the start starts nothing, and one during the first question is quiet", async () => {
  using fake = new FakeJournalctl({ probe: "exec sleep 1000" });
  for await (const _ of fake.open().batches(FROM_START, AbortSignal.abort())) assert.fail();
  const stop = new AbortController();
  assert.deepEqual(fake.pids, []);
  const reading = read({ name: "", batches: (start) => fake.open().batches(start, stop.signal) });
  await eventually(() => fake.pids.length === 1);
  stop.abort();
  await reading;
});

Deno.test("a reader that leaves takes journalctl with it", async () => {
  using fake = new FakeJournalctl({ follow: "cat one; exec sleep 1000" });
  for await (
    const { records } of fake.open().batches(FROM_START, new AbortController().signal)
  ) {
    assert.equal(entriesOf(records).length, 1);
    break;
  }
});
