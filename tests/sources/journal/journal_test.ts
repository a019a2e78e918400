import { strict as assert } from "node:assert";
import { entriesOf } from "../../support/records.ts";
import { type JournalOptions, openJournal } from "../../../lib/sources/journal/journal.ts";
import { MAX_MESSAGE } from "../../../lib/core/records.ts";
import type { Source } from "../../../lib/sources/source.ts";
import { eventually } from "../../support/helpers.ts";
import {
  BEGINNING,
  canMakeJournals,
  type Fields,
  JournalDirectory,
  JournalWriter,
  read,
  sshdEntry,
} from "../../support/journal_files.ts";

/** Tests that need `journalctl` and journal files of their own making. */
function testFiles(name: string, work: (files: JournalDirectory) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !canMakeJournals,
    fn: async () => {
      using files = new JournalDirectory();
      await work(files);
    },
  });
}

function open(files: JournalDirectory, options: Partial<JournalOptions> = {}): Source {
  return openJournal({
    identifiers: ["sshd", "sshd-session"],
    units: ["ssh.service"],
    directory: files.path,
    follow: false,
    ...options,
  });
}

function numbered(from: number, to: number): Fields[] {
  return Array.from({ length: to - from }, (_, i) => sshdEntry(from + i, `entry ${from + i}`));
}

/** Another value for a field. */
function having(entry: Fields, name: string, value: string): Fields {
  return entry.map((field) => field[0] === name ? [name, value] : field);
}

async function messages(source: Source, options: Parameters<typeof read>[1] = {}): Promise<string[]> {
  return (await read(source, options)).entries.map(({ message }) => message);
}

testFiles("the journal gives what was written, with its proven writer", async (files) => {
  await files.write("a", [sshdEntry(1, "Invalid user x from 192.0.2.1 port 2")]);
  const { entries: [entry], batches } = await read(open(files));
  assert.equal(batches.length, 1);
  const { time, identifier, pid, message, sender } = entry!;
  assert.deepEqual({ time, identifier, pid, message, sender }, {
    time: BEGINNING + 1_000,
    identifier: "sshd",
    pid: 1_001,
    message: "Invalid user x from 192.0.2.1 port 2",
    sender: { uid: 0, unit: "ssh.service" },
  });
});

testFiles("the journal gives binary messages, and cuts and counts one of 10 MB", async (files) => {
  await files.write("a", [
    sshdEntry(1, new Uint8Array([0x61, 0x00, 0xff, 0x0a, 0x62])),
    sshdEntry(2, "x".repeat(10 << 20)),
    sshdEntry(3, new Uint8Array(10 << 20).fill(0xff)),
    sshdEntry(4, "behind"),
  ]);
  const { entries, batches } = await read(open(files));
  assert.deepEqual(entries.map(({ message }) => message), [
    "a\0\ufffd\nb",
    "x".repeat(MAX_MESSAGE),
    "\ufffd".repeat(MAX_MESSAGE),
    "behind",
  ]);
  assert.equal(batches.reduce((sum, { damaged }) => sum + damaged, 0), 2);
});

testFiles(
  "the journal gives entries of its programs and units only, and none of this program",
  async (files) => {
    const entry = sshdEntry(1, "");
    const from = (identifier: string, unit: string) =>
      having(
        having(having(entry, "SYSLOG_IDENTIFIER", identifier), "_SYSTEMD_UNIT", unit),
        "MESSAGE",
        `${identifier} ${unit}`,
      );
    await files.write("a", [
      from("sshd", "ssh.service"),
      from("sshd-session", "session-1.scope"),
      from("strange", "ssh.service"),
      from("cron", "cron.service"),
      from("sshd", "strongmonitor.service"),
      from("sshd", "strongmonitor-sudo.service"),
      from("strongmonitor", "ssh.service"),
    ]);
    const own = ["sshd ssh.service", "sshd-session session-1.scope", "strange ssh.service"];
    assert.deepEqual(await messages(open(files)), own);
    assert.deepEqual(await messages(open(files, { identifiers: [] })), [own[0], own[2]]);
    assert.deepEqual(await messages(open(files, { units: [] })), [own[0], own[1]]);
    assert.deepEqual(await messages(open(files, { units: [], identifiers: [] })), [
      ...own,
      "cron cron.service",
    ]);
  },
);

testFiles("the journal gives what journald itself says of dropped messages, if asked for", async (files) => {
  const dropped = (n: number, transport: string) =>
    having(
      sshdEntry(n, `Suppressed ${n} messages from ssh.service`, [
        ["MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e"],
        ["_TRANSPORT", transport],
      ]),
      "SYSLOG_IDENTIFIER",
      "systemd-journald",
    ).filter(([name]) => name !== "_SYSTEMD_UNIT");
  await files.write("a", [sshdEntry(1, "one"), dropped(2, "driver"), dropped(3, "journal")]);
  assert.deepEqual(await messages(open(files)), ["one"]);
  const { entries } = await read(open(files, { suppressions: true }));
  assert.deepEqual(entries.map(({ message, identifier }) => [message, identifier]), [
    ["one", "sshd"],
    ["Suppressed 2 messages from ssh.service", "systemd-journald"],
  ]);
});

testFiles("the journal begins at `since` and ends at `until`, to the microsecond", async (files) => {
  await files.write("a", numbered(0, 3_000));
  const start = { after: null, since: BEGINNING + 1_500_000 };
  const until = BEGINNING + 1_503_000;
  const wanted = [1_500, 1_501, 1_502, 1_503].map((n) => `entry ${n}`);
  assert.deepEqual(await messages(open(files, { until }), { start }), wanted);
  assert.deepEqual(await messages(open(files, { until: until - 1 }), { start }), wanted.slice(0, -1));
  const later = { after: null, since: start.since + 1 };
  assert.deepEqual(await messages(open(files, { until }), { start: later }), wanted.slice(1));
});

testFiles("the journal resumed at any position loses nothing and doubles nothing", async (files) => {
  const total = 10_000;
  await files.write("a", numbered(0, total));
  const positions = new Map<number, string>();
  let seen = 0;
  let after: string | null = null;
  // Stops at every batch, and starts again.
  while (seen < total) {
    const stop = new AbortController();
    for await (const { records, position } of open(files).batches({ after, since: 0 }, stop.signal)) {
      for (const { message } of entriesOf(records)) assert.equal(message, `entry ${seen++}`);
      positions.set(seen, after = position);
      stop.abort();
    }
  }
  assert.equal(seen, total);
  assert.ok(positions.size > 3, `${positions.size} batches`);
  for (const [count, position] of positions) {
    const rest = await messages(open(files), { start: { after: position, since: 0 } });
    assert.deepEqual(rest, Array.from({ length: total - count }, (_, i) => `entry ${count + i}`));
  }
});

testFiles("the journal resumes at each single entry", async (files) => {
  await files.write("a", numbered(0, 40));
  for (let n = 0; n < 40; n++) {
    const { batches } = await read(open(files, { until: BEGINNING + n * 1_000 }));
    const start = { after: batches.at(-1)!.position, since: 0 };
    assert.deepEqual(
      await messages(open(files), { start }),
      numbered(n + 1, 40).map(messageOf),
      `after ${n}`,
    );
  }
});

function messageOf(fields: Fields): string {
  return fields.find(([name]) => name === "MESSAGE")![1] as string;
}

testFiles("the journal goes on with the next entry where the one it had reached is gone", async (files) => {
  await files.write("old", numbered(0, 10));
  const start = { after: (await read(open(files))).batches.at(-1)!.position, since: 0 };
  await files.write("new", numbered(10, 20));
  Deno.removeSync(`${files.path}/old.journal`);
  const wanted = numbered(10, 20).map(messageOf);
  assert.deepEqual(await messages(open(files), { start }), wanted);
  const enough = ({ length }: readonly unknown[]) => length >= wanted.length;
  assert.deepEqual(await messages(open(files, { follow: true }), { start, enough }), wanted);
});

testFiles("the journal knows the entry it had reached in another file again", async (files) => {
  await files.write("a", numbered(0, 10));
  const start = { after: (await read(open(files))).batches.at(-1)!.position, since: 0 };
  Deno.removeSync(`${files.path}/a.journal`);
  await files.write("copy", numbered(0, 12));
  assert.deepEqual(await messages(open(files), { start }), ["entry 10", "entry 11"]);
});

testFiles("the journal moves past what it leaves out", async (files) => {
  const own = numbered(0, 5).map((entry) => having(entry, "_SYSTEMD_UNIT", "strongmonitor.service"));
  await files.write("a", [
    ...own,
    sshdEntry(5, "seen"),
    having(sshdEntry(6, "own"), "SYSLOG_IDENTIFIER", "strongmonitor"),
  ]);
  const { batches: [batch, ...others] } = await read(open(files));
  assert.deepEqual(others, []);
  assert.deepEqual(batch!.entries.map(({ message }) => message), ["seen"]);
  assert.deepEqual(await messages(open(files), { start: { after: batch!.position, since: 0 } }), []);
});

testFiles("the journal followed gives entries as they are written, each once", async (files) => {
  await files.write("old", numbered(0, 20));
  const writer = new JournalWriter(`${files.path}/new.journal`);
  const stop = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (
      const { records } of open(files, { follow: true }).batches({ after: null, since: 0 }, stop.signal)
    ) {
      seen.push(...entriesOf(records).map(({ message }) => message));
    }
  })();
  await eventually(() => seen.length === 20);
  for (let n = 20; n < 30; n++) {
    await writer.write([sshdEntry(n, `entry ${n}`)]);
    await eventually(() => seen.length === n + 1);
  }
  await writer.write(numbered(30, 3_000));
  await eventually(() => seen.length === 3_000);
  stop.abort();
  await following;
  await writer.close();
  assert.deepEqual(seen, numbered(0, 3_000).map(messageOf));
});

testFiles("the journal followed gives what was written before a reboot", async (files) => {
  const later = numbered(5, 10).map((entry) => having(entry, "_BOOT_ID", "f".repeat(32)));
  await files.write("a", [...numbered(0, 5), ...later]);
  const { entries, batches } = await read(open(files, { until: BEGINNING + 2_000 }));
  assert.equal(entries.length, 3);
  for (const [after, from] of [[null, 0], [batches.at(-1)!.position, 3]] as const) {
    const enough = ({ length }: readonly unknown[]) => length >= 10 - from;
    assert.deepEqual(
      await messages(open(files, { follow: true }), { start: { after, since: 0 }, enough }),
      numbered(from, 10).map(messageOf),
    );
  }
});

testFiles("the journal followed gives the first entry of a boot that had none", async (files) => {
  await files.write("a", [
    ...numbered(0, 2),
    having(
      having(having(sshdEntry(2, "other"), "_BOOT_ID", "f".repeat(32)), "SYSLOG_IDENTIFIER", "cron"),
      "_SYSTEMD_UNIT",
      "cron.service",
    ),
  ]);
  const writer = new JournalWriter(`${files.path}/b.journal`);
  const stop = new AbortController();
  const seen: string[] = [];
  for await (
    const { records } of open(files, { follow: true }).batches({ after: null, since: 0 }, stop.signal)
  ) {
    seen.push(...entriesOf(records).map(({ message }) => message));
    if (seen.length === 2) await writer.write([having(sshdEntry(3, "first"), "_BOOT_ID", "f".repeat(32))]);
    else stop.abort();
  }
  await writer.close();
  assert.deepEqual(seen, ["entry 0", "entry 1", "first"]);
});

testFiles("the journal refuses a position that is none", async (files) => {
  await files.write("a", numbered(0, 1));
  await assert.rejects(messages(open(files), { start: { after: "nonsense", since: 0 } }), {
    name: "Error",
    message: "journalctl failed (exit status 1): Failed to seek to cursor: Invalid argument",
  });
});

testFiles("without journal files the journal says what must run", async (files) => {
  for (const follow of [false, true]) {
    await assert.rejects(messages(open(files, { follow })), {
      name: "UserError",
      code: 69,
      message:
        "Cannot read the journal: there is none; let systemd-journald run, with Storage= in journald.conf not none; " +
        "or let each module match a log file alone: docs/configuration.md",
    });
  }
});
