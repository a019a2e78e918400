import { strict as assert } from "node:assert";
import { decode, encode } from "../../lib/core/bytes.ts";
import { type Micros, SECOND } from "../../lib/core/time.ts";
import { sshd } from "../../modules/sshd.ts";
import { ModuleHealth } from "../../lib/reading/health.ts";
import { LineReader } from "../../lib/reading/line_reader.ts";
import { NO_PID } from "../../lib/core/records.ts";
import { TextForm } from "../../lib/reading/text_reader.ts";
import { inZone } from "../support/helpers.ts";
import { NO_OPTIONS, openForm } from "../support/messages.ts";
import {
  A,
  B,
  batchOf,
  C,
  entry,
  line,
  NOW,
  readAll,
  readerOf,
  type Record,
  service,
} from "../support/reader_records.ts";

const WRITTEN = Date.UTC(2026, 4, 30, 12, 0, 3) * 1_000;

Deno.test("`Reader.read()` gives an entry to the module of its program or unit, and to nobody otherwise", () => {
  const reader = readerOf([A, B, C]);
  const inC = { uid: 9, unit: "c@7.service" };
  const cases: readonly [Record, string | null, string | null][] = [
    [entry("a 192.0.2.1", "aa"), "a", "192.0.2.1"],
    [entry("b 192.0.2.1", "aa"), "a", null],
    [entry("b 192.0.2.1", "shared"), "b", "192.0.2.1"],
    [entry("x", "shared"), "a", null],
    [entry("c 192.0.2.1", "x", inC), "c", "192.0.2.1"],
    [entry("c 192.0.2.1", "x", { uid: 9, unit: "d.service" }), null, null],
    [entry("a 192.0.2.1", "x"), null, null],
  ];
  const found = readAll(reader, cases.map(([record]) => record));
  cases.forEach(([record, name, address], i) => {
    assert.equal(found[i]?.name ?? null, name, JSON.stringify(record));
    assert.equal(found[i]?.address ?? null, address, JSON.stringify(record));
  });
});

Deno.test("`Reader.read()` takes time and process of an entry as the journal tells them", () => {
  const [read] = readAll(readerOf([A]), [{ ...entry("@12 a 192.0.2.1", "aa"), time: NOW - 5, pid: 77 }]);
  assert.deepEqual(read, {
    name: "a",
    address: "192.0.2.1",
    isUnderstood: true,
    message: "@12 a 192.0.2.1",
    time: NOW - 5,
    pid: 77,
    count: 1,
    isTrusted: true,
  });
});

Deno.test("`Reader.read()` reads a message of the journal that is a container's line with its own head", () => {
  const D = service("c", { identifiers: ["box"], programs: [] });
  const cases: readonly [text: string, identifier: string, address: string | null, pid?: number][] = [
    ["May 31 00:00:01 host aa[7]: a 192.0.2.1", "aa", "192.0.2.1", 7],
    ["2026-05-31T00:00:01.5Z a 192.0.2.1", "aa", "192.0.2.1", 77],
    ["2026-05-31 00:00:01 shared: a 192.0.2.1", "aa", "192.0.2.1", 77],
    ["2026-05-31 00:00:01 host cron[7]: a 192.0.2.1", "aa", null],
    ["2026-05-31 00:00:01 host kernel: [1.2] aa[7]: a 192.0.2.1", "aa", null],
    ["aa[7]: a 192.0.2.1", "aa", null],
    ["see 2026-05-31 00:00:01 a 192.0.2.1", "aa", null],
    ["2026-05-31 00:00:01 host whoever[7]: c 192.0.2.1", "box", "192.0.2.1", 7],
  ];
  for (const [text, identifier, address, pid] of cases) {
    const [read] = readAll(readerOf([A, D]), [{ ...entry(text, identifier), time: NOW - 5, pid: 77 }]);
    assert.equal(read?.address ?? null, address, text);
    if (address !== null) assert.deepEqual([read?.pid, read?.time], [pid, NOW - 5], text);
  }
});

Deno.test("`Reader.read()` tells for each module whether root or the service itself wrote an entry", () => {
  const reader = readerOf([A, B, C]);
  const found = readAll(reader, [
    entry("b 192.0.2.1", "shared", { uid: 9, unit: "b.service" }),
    entry("a 192.0.2.1", "shared", { uid: 9, unit: "b.service" }),
    entry("a 192.0.2.1", "shared", { uid: 0, unit: "" }),
    entry("x", "shared", { uid: null, unit: "session-1.scope" }),
  ]);
  assert.deepEqual(found.map((read) => read?.isTrusted), [true, false, true, false]);
});

Deno.test("`Reader.read()` tells origins apart whose numbers are used again", () => {
  const reader = readerOf([A, B]);
  assert.equal(readAll(reader, [entry("x", "aa")])[0]?.name, "a");
  assert.equal(readAll(reader, [entry("x", "bb")])[0]?.name, "b");
});

Deno.test("`Reader.read()` takes a line of text as it stands, or without what syslog put before it", () => {
  const reader = readerOf([A, B]);
  const cases: readonly [text: string, name: string | null, message: string | null, pid?: number][] = [
    ["a 192.0.2.1", "a", "a 192.0.2.1"],
    ["b 192.0.2.1", "b", "b 192.0.2.1"],
    ["May 31 00:00:01 host aa[7]: a 192.0.2.1", "a", "a 192.0.2.1", 7],
    ["May 31 00:00:01 host bb: b 192.0.2.1", "b", "b 192.0.2.1"],
    ["May 31 00:00:01 host aa[7]: b 192.0.2.1", "a", "b 192.0.2.1", 7],
    ["May 31 00:00:01 host cron[7]: a 192.0.2.1", null, null],
  ];
  // The second time all heads are known.
  for (const _ of ["new", "known"]) {
    const found = readAll(reader, cases.map(([text]) => line(text)));
    cases.forEach(([text, name, message, pid = NO_PID], i) => {
      assert.equal(found[i]?.name ?? null, name, text);
      assert.equal(found[i]?.message ?? null, message, text);
      assert.equal(found[i]?.isTrusted ?? true, true, text);
      assert.equal(found[i]?.pid ?? pid, pid, text);
    });
  }
});

Deno.test("`Reader.read()` takes what stands behind a bare time for a message before it looks for a program", () => {
  const pattern = /^(?:error: )?(?:drop|Invalid user .* from) (\S+)$/;
  const parse = (message: string) => {
    const address = pattern.exec(message)?.[1];
    return address === undefined ? null : { address, fields: {} };
  };
  const plain = service("a", { identifiers: ["aa"], reader: openForm(new TextForm({ fields: [], parse })) });
  const cases: readonly [text: string, address: string | null][] = [
    ["2026-05-31T00:00:01.123456789Z error: drop 192.0.2.1", "192.0.2.1"],
    ["2026-05-31 00:00:01.123456789  drop 192.0.2.1", "192.0.2.1"],
    ["2026-05-31T00:00:01Z Invalid user aa[1]: drop 198.51.100.7 from 192.0.2.1", "192.0.2.1"],
    ["2026-05-31T00:00:01Z Invalid user x: from 192.0.2.1", "192.0.2.1"],
    ["2026-05-31T00:00:01Z bb: drop 192.0.2.1", null],
  ];
  const reader = readerOf([plain]);
  for (const _ of ["new", "known"]) {
    for (const [text, address] of cases) {
      assert.equal(readAll(reader, [line(text)])[0]?.address ?? null, address, text);
    }
  }
  // A word before a colon that is a level and no program: the module's message, which it does not know.
  const [unknown] = readAll(reader, [line("2026-05-31T00:00:01Z error: something new")]);
  assert.deepEqual([unknown?.isUnderstood, unknown?.message], [false, "error: something new"]);
});

Deno.test("`Reader.read()` counts a message as often as syslog says that it was repeated", () => {
  const head = "May 31 00:00:01 host aa[7]: ";
  const cases: readonly [text: string, count: number | null][] = [
    [`${head}message repeated 5 times: [ a 192.0.2.1]`, 5],
    [`${head}message repeated 123456789 times: [a 192.0.2.1]`, 123_456_789],
    ["message repeated 2 times: [ a 192.0.2.1]", 2],
    [`${head}a 192.0.2.1`, 1],
    [`${head}message repeated 0 times: [ a 192.0.2.1]`, null],
    [`${head}message repeated 1234567890 times: [ a 192.0.2.1]`, null],
    [`${head}message repeated 5 times: [ a 192.0.2.1`, null],
    [`${head}message repeated 5 times: [ message repeated 5 times: [ a 192.0.2.1]]`, null],
    [`${head}no message repeated 5 times: [ a 192.0.2.1]`, null],
    ["May 31 00:00:01 host cron[7]: message repeated 5 times: [ a 192.0.2.1]", null],
  ];
  for (const [text, count] of cases) {
    const [read] = readAll(readerOf([A]), [line(text)]);
    assert.equal(read?.isUnderstood ? read.count : null, count, text);
  }
  const [read] = readAll(readerOf([A]), [entry("message repeated 5 times: [ a 192.0.2.1]", "aa")]);
  assert.deepEqual([read?.count, read?.address], [5, "192.0.2.1"]);
});

Deno.test("`Reader.read()` counts the line before as often as syslog says that it was repeated", () => {
  const before = "May 31 00:00:01 host aa[7]: a 192.0.2.1";
  const cases: readonly [before: string, text: string, count: number | null][] = [
    [before, "May 31 00:00:09 host last message repeated 5 times", 5],
    [before, "May 31 00:00:09 host last message repeated 1 time", 1],
    [before, "May 31 00:00:09 host syslogd: last message repeated 5 times", 5],
    [before, "May 31 00:00:09 host aa[7]: last message repeated 5 times", 5],
    [before, "May 31 00:00:09 --- last message repeated 5 times ---", 5],
    [
      "<38>1 2026-05-31T00:00:01Z host aa 7 - - a 192.0.2.1",
      "<5>1 2026-05-31T00:00:09Z host syslogd - - - last message repeated 5 times",
      5,
    ],
    [
      before,
      "May 31 00:00:09 host aa: Last message 'a 192.0.2.1' repeated 5 times, suppressed by syslog-ng on host.example",
      5,
    ],
    [
      before,
      "May 31 00:00:09 host aa: Last message 'b' repeated 5 times, suppressed by syslog-ng on h",
      null,
    ],
    [
      before,
      "May 31 00:00:09 host bb: Last message 'a' repeated 5 times, suppressed by syslog-ng on h",
      null,
    ],
    ["May 31 00:00:09 [aa] a 192.0.2.1", "                - Last output repeated 5 times -", 5],
    ["May 31 00:00:09 [aa] a 192.0.2.1", "                - Last output repeated twice -", 1],
    ["May 31 00:00:09 [aa] a 192.0.2.1", "May 31 00:00:09 [aa] - Last output repeated 5 times -", null],
    ["May 31 00:00:09 a 192.0.2.1", "                - Last output repeated 5 times -", null],
    // Another host's, another program's, or another process's.
    [before, "May 31 00:00:09 other last message repeated 5 times", null],
    [before, "May 31 00:00:09 host bb[7]: last message repeated 5 times", null],
    [before, "May 31 00:00:09 host aa[8]: last message repeated 5 times", null],
    // A stranger's text in a message.
    [before, "May 31 00:00:09 host aa[7]: user last message repeated 5 times", null],
    [before, "May 31 00:00:09 host aa[7]: host last message repeated 5 times", null],
    [before, "last message repeated 5 times", null],
    [before, "May 31 00:00:09 host last message repeated 5 times from here", null],
    [before, "May 31 00:00:09 host last message repeated 1234567890 times", null],
    // No line of syslog, or of nobody's.
    ["May 31 00:00:01 a 192.0.2.1", "May 31 00:00:09 last message repeated 5 times", null],
    ["May 31 00:00:01 host cron[7]: x", "May 31 00:00:09 host last message repeated 5 times", null],
  ];
  const time = Date.UTC(2026, 4, 31, 0, 0, 9) * 1_000;
  inZone("UTC", () => {
    for (const [before, text, count] of cases) {
      const [, read] = readAll(readerOf([A]), [line(before), line(text)]);
      assert.equal(read?.isUnderstood ? read.count : null, count, text);
      if (count !== null) assert.deepEqual([read?.address, read?.time], ["192.0.2.1", time], text);
    }
  });
});

Deno.test("`Reader.read()` knows the line before of each file, also from another batch", () => {
  const reader = readerOf([A]);
  const [one, two] = [{}, {}];
  const repeated = line("May 31 00:00:09 host last message repeated 5 times");
  const said = (address: string) => line(`May 31 00:00:01 host aa[7]: a ${address}`);
  const readOf = (stream: object, ...lines: Record[]) =>
    readAll(reader, lines, NOW, stream).map((read) =>
      read?.isUnderstood ? `${read.address} ${read.count}` : ""
    );
  assert.deepEqual(readOf(one, repeated), [""]);
  assert.deepEqual(readOf(one, said("192.0.2.1")), ["192.0.2.1 1"]);
  assert.deepEqual(readOf(two, said("192.0.2.2"), repeated), ["192.0.2.2 1", "192.0.2.2 5"]);
  assert.deepEqual(readOf(one, repeated, repeated), ["192.0.2.1 5", "192.0.2.1 5"]);
  assert.deepEqual(readOf(two, repeated), ["192.0.2.2 5"]);
  assert.deepEqual(readOf(one, line("May 31 00:00:02 host cron[1]: x")), [""]);
  assert.deepEqual(readOf(one, repeated), [""]);
});

Deno.test("`Reader.read()` lets a module without programs of its own read what any program writes to a file", () => {
  const found = readAll(readerOf([C]), [line("May 31 00:00:01 host whoever[7]: c 192.0.2.1")]);
  assert.equal(found[0]?.address, "192.0.2.1");
});

Deno.test("`Reader.read()` leaves lines of other programs to nobody where a module that knows its programs understands none of them", () => {
  const cases: readonly [text: string, isUnderstood: boolean | undefined][] = [
    ["May 31 00:00:01 host sudo: session opened", undefined],
    ["May 31 00:00:01 host sudo[7]: pam_unix(sudo:session): session closed", undefined],
    ["May 31 00:00:01 host cc[7]: what it never said before", false],
    ["May 31 00:00:01 host /usr/sbin/cc[7]: what it never said before", false],
    ["c 192.0.2.1", true],
    ["what has no head", false],
    ["May 31 00:00:01 host whoever[7]: c 192.0.2.1", true],
  ];
  const reader = readerOf([{ ...C, identifiers: [], programs: ["cc"] }]);
  const found = readAll(reader, cases.map(([text]) => line(text)));
  assert.deepEqual(found.map((one) => one?.isUnderstood), cases.map(([, isUnderstood]) => isUnderstood));
});

Deno.test("`Reader.read()` tells a line's own time: the message's, that before it, or when it was read", () => {
  const reader = readerOf([A]);
  const midnight = Date.UTC(2026, 4, 31) * 1_000;
  const cases: readonly [text: string, time: Micros][] = [
    ["@12 a 192.0.2.1", midnight + 12 * SECOND],
    ["2026-05-31T00:00:05Z host aa: a 192.0.2.1", midnight + 5 * SECOND],
    ["2026-05-31T00:00:05Z host aa: @12 a 192.0.2.1", midnight + 12 * SECOND],
    // A date that does not exist is none, whatever the head says.
    ["2026-05-31T00:00:05Z host aa: @99 a 192.0.2.1", NOW - 7],
    ["a 192.0.2.1", NOW - 7],
  ];
  for (const [text, time] of cases) {
    assert.equal(readAll(reader, [line(text, NOW - 7)])[0]?.time, time, text);
    const { bytes, end } = encode(text);
    assert.equal(
      reader.timeOf({ bytes, from: 0, to: end }, { now: NOW }),
      time === NOW - 7 ? NaN : time,
      text,
    );
  }
});

Deno.test("`Reader.takeSuppressions()` tells what journald dropped of the modules' services", () => {
  const reader = readerOf([A, B]);
  const said = (text: string, uid = 0) =>
    entry(text, "systemd-journald", { uid, unit: "systemd-journald.service" });
  const of = (unit: string) => said(`Suppressed 12 messages from ${unit}`);
  readAll(reader, [
    of("ssh.service"),
    said("Suppressed 12 messages from ssh.service", 9),
    said("Suppressed 12 x"),
  ]);
  assert.deepEqual(reader.takeSuppressions(), [{ unit: "ssh.service", count: 12 }]);
  assert.deepEqual(reader.takeSuppressions(), []);
  // Once a module's unit is known, others are not of interest.
  readAll(reader, [entry("a 192.0.2.1", "aa", { uid: 0, unit: "a.service" })]);
  readAll(reader, [of("/system.slice/a.service"), of("b.service"), of("other.service")]);
  assert.deepEqual(reader.takeSuppressions().map(({ unit }) => unit), ["a.service", "b.service"]);
});

Deno.test("`Reader` has a module take note of a line once, whoever looks at its time before", () =>
  inZone("UTC", () => {
    const reader = new LineReader([
      {
        index: 0,
        identifiers: ["sshd"],
        units: [],
        reader: openForm(sshd.form(NO_OPTIONS)),
      },
    ], new ModuleHealth(["SSHD"], (complaint) => assert.fail(complaint)));
    const meant = (...messages: string[]) => {
      const all = messages.map((message) => line(`May 30 12:00:02 host sshd${message}`));
      const records = batchOf(all, { written: WRITTEN, isLive: true });
      return all.map((_, i) => {
        reader.read(records, i, WRITTEN);
        return readerText(reader);
      });
    };
    const gone = "kex_exchange_identification: Connection closed by remote host";
    const closed = "Connection closed by 192.0.2.1 port 9";
    meant(`[7]: ${gone}`);
    const { bytes, end } = encode(`May 30 12:00:02 host sshd[7]: ${closed}`);
    reader.timeOf({ bytes, from: 0, to: end }, { now: WRITTEN });
    const identification = "Did not receive identification string from 192.0.2.1 port 9";
    assert.deepEqual(meant(`[8]: ${closed}`, `[7]: ${closed}`), [closed, identification]);
  }));

/** The message that the event at hand means. */
function readerText({ event: { reader } }: LineReader): string {
  return decode(reader.bytesOf(0), reader.from[0]!, reader.to[0]!);
}
