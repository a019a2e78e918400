import { strict as assert } from "node:assert";
import { addressOf } from "../../lib/core/address_text.ts";
import { decode, encode } from "../../lib/core/bytes.ts";
import { HOUR, type Micros, SECOND } from "../../lib/core/time.ts";
import { type Zone, zoneOf } from "../../lib/core/zone.ts";
import { pattern as ownPattern } from "../../modules/pattern/pattern.ts";
import { sshd } from "../../modules/sshd.ts";
import { MODULE_FAILURES, ModuleHealth } from "../../lib/reading/health.ts";
import type { ReadableModule } from "../../lib/reading/candidates.ts";
import { Reader } from "../../lib/reading/reader.ts";
import { isTrusted } from "../../lib/reading/trust.ts";
import { LINE, NO_PID, type Origin, type Records, type Sender } from "../../lib/core/records.ts";
import { TextForm } from "../../lib/reading/text_reader.ts";
import type { Stamp } from "../../lib/core/stamp.ts";
import { UserError } from "../../lib/core/error.ts";
import { inZone } from "../support/helpers.ts";
import { openForm } from "../support/messages.ts";

const NOW = Date.UTC(2026, 5, 1) * 1_000;
const NAMES = ["a", "b", "c"];
/** Stands for the file that lines are of. */
const FILE = {};

/** A service that says `NAME ADDRESS`, perhaps behind a time in UTC such as `@12 `, in seconds of the 31st of May. */
function service(name: string, place: Partial<ReadableModule>): ReadableModule {
  const pattern = new RegExp(`^(?:@(\\d+) )?${name} (\\S+)$`);
  const parse = (message: string) => {
    if (message === "fail") throw new Error("a fault");
    const match = pattern.exec(message);
    if (!match) return null;
    const stamp = match[1] === undefined ? {} : { stamp: second(Number(match[1])) };
    return { address: match[2]!, fields: {}, ...stamp };
  };
  const reader = openForm(new TextForm({ fields: [], parse }));
  return { index: NAMES.indexOf(name), identifiers: [], units: [], reader, ...place };
}

function second(second: number): Stamp {
  return { year: 2026, month: 5, day: 31, hour: 0, minute: 0, second, fraction: 0, offset: 0 };
}

const A = service("a", { identifiers: ["aa", "shared"] });
const B = service("b", { identifiers: ["bb", "shared"], units: ["b.service"] });
const C = service("c", { units: ["c.service", "c@.service"] });

/** An entry of the journal, or with `origin: null` a line. */
interface Record {
  readonly text: string;
  readonly origin: Origin | null;
  readonly time?: Micros;
  readonly pid?: number;
}

/** A batch of records in one buffer. */
function batchOf(
  all: readonly Record[],
  { stream = null, written = NaN, isLive = false }: Partial<Pick<Records, "stream" | "written" | "isLive">> =
    {},
): Records {
  const { bytes } = encode(all.map(({ text }) => `${text}\n`).join(""));
  const ends = all.map((_, i) => encode(all.slice(0, i + 1).map(({ text }) => `${text}\n`).join("")).end);
  const origins = [...new Set(all.flatMap(({ origin }) => origin ?? []))];
  return {
    bytes,
    length: all.length,
    from: Int32Array.from(ends, (end, i) => end - encode(all[i]!.text).end - 1),
    to: Int32Array.from(ends, (end) => end - 1),
    origin: Int32Array.from(all, ({ origin }) => origin === null ? LINE : origins.indexOf(origin)),
    origins,
    times: Float64Array.from(all, ({ time = NOW }) => time),
    pids: Int32Array.from(all, ({ pid = NO_PID }) => pid),
    stream,
    written,
    isLive,
  };
}

function readerOf(
  modules: readonly ReadableModule[],
  report = (complaint: string) => assert.fail(complaint),
) {
  return new Reader(modules, new ModuleHealth(NAMES, report));
}

/** What a reader makes of the records of a batch, in words; null for one that belongs to no module. */
function readAll(reader: Reader, all: readonly Record[], now = NOW, stream: object = FILE) {
  const records = batchOf(all, { stream });
  return all.map((_, i) => {
    if (!reader.read(records, i, now)) return null;
    const { module, isUnderstood, bytes, from, to, time, pid, count, isTrusted } = reader.event;
    return {
      name: NAMES[module]!,
      address: isUnderstood ? addressOf(reader.event.reader.address) : null,
      isUnderstood,
      message: decode(bytes, from, to),
      time,
      pid,
      count,
      isTrusted,
    };
  });
}

const line = (text: string, time = NOW): Record => ({ text, origin: null, time });
const entry = (text: string, identifier: string, sender: Sender = { uid: 0, unit: "" }): Record => ({
  text,
  origin: { identifier, sender },
  pid: 1,
});

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

Deno.test("`Reader.read()` reads the hour that clocks show twice by the line before, which `timeOf()` does not change", () =>
  inZone("Europe/Berlin", () => {
    const now = Date.UTC(2026, 10, 1) * 1_000;
    const reader = readerOf([A]);
    const [first, second] = [0, 1].map((hour) => Date.UTC(2026, 9, 25, hour, 30) * 1_000) as [Micros, Micros];
    const text = "Oct 25 02:30:00 host aa: a 192.0.2.1";
    const timeOf = (text: string) => readAll(reader, [line(text)], now)[0]?.time;
    assert.equal(timeOf(text), first);
    const { bytes, end } = encode("2026-10-25T00:59:59Z host cron: x");
    reader.timeOf({ bytes, from: 0, to: end }, { now });
    assert.equal(timeOf(text), first);
    readAll(reader, [line("2026-10-25T00:59:59Z host cron: x")], now);
    assert.equal(timeOf(text), second);
  }));

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

Deno.test("`Reader.read()` takes a time without a zone for one of the module's, in a head or in the message", () =>
  inZone("Europe/Berlin", () => {
    const zone = zoneOf("Asia/Tokyo")!;
    const now = Date.UTC(2026, 5, 1) * 1_000;
    const cases: readonly [text: string, time: string][] = [
      ["May 31 12:00:00 host aa: a 192.0.2.1", "2026-05-31T03:00:00Z"],
      ["May 31 12:00:00 host bb: b 192.0.2.1", "2026-05-31T10:00:00Z"],
      ["May 31 12:00:01 host aa: a 192.0.2.1", "2026-05-31T03:00:01Z"],
      ["2026-05-31T12:00:00+01:00 host aa: a 192.0.2.1", "2026-05-31T11:00:00Z"],
      ["2026-05-31 12:00:00 -03 host aa: a 192.0.2.1", "2026-05-31T15:00:00Z"],
      ["2026-05-31 12:00:00 host aa: a 192.0.2.1", "2026-05-31T03:00:00Z"],
      // The name of a zone counts for its line alone, and the outermost time for all of a line.
      ["May 31 12:00:02 EST host aa: a 192.0.2.1", "2026-05-31T17:00:02Z"],
      ["May 31 12:00:03 host aa: a 192.0.2.1", "2026-05-31T03:00:03Z"],
      ["May 31 12:00:04 EST host aa: a 192.0.2.1", "2026-05-31T17:00:04Z"],
      ["May 31 12:00:05 EST host bb: b 192.0.2.1", "2026-05-31T17:00:05Z"],
      ["May 31 12:00:06 2026-05-31T01:00:00Z host aa: a 192.0.2.1", "2026-05-31T03:00:06Z"],
      ["May 31 12:00:07 2026-05-31 01:00:00 host aa: a 192.0.2.1", "2026-05-31T03:00:07Z"],
      ["Feb 31 12:00:07 2026-05-31 12:00:00 host aa: a 192.0.2.1", "2026-05-31T03:00:00Z"],
      ["[31/May/2026:12:00:08] host aa: a 192.0.2.1", "2026-05-31T03:00:08Z"],
    ];
    const found = readAll(readerOf([{ ...A, zone }, B]), cases.map(([text]) => line(text)), now);
    assert.deepEqual(found.map((event) => event?.time), cases.map(([, time]) => Date.parse(time) * 1_000));
  }));

Deno.test("`Reader.read()` believes a head rather than a message's time without a zone", () =>
  inZone("UTC", () => {
    const form = ownPattern.form({
      logFormats: [],
      trustedProxies: [],
      unsafe: false,
      patterns: ["^[\\d/]+ [\\d:]+ refused <ADDR>", "^[\\d-]+T[\\d:]+Z refused <ADDR>"],
    });
    const reader = readerOf([{ ...C, reader: openForm(form) }]);
    const cases: readonly [text: string, time: string][] = [
      ["2026/05/30 10:00:00 refused 192.0.2.1", "2026-05-30T10:00:00Z"],
      ["May 30 12:00:00 host x: 2026/05/30 10:00:00 refused 192.0.2.1", "2026-05-30T12:00:00Z"],
      ["May 30 12:00:00 host x: 2026-05-30T10:00:00Z refused 192.0.2.1", "2026-05-30T10:00:00Z"],
    ];
    for (const [text, time] of cases) {
      assert.equal(readAll(reader, [line(text)])[0]?.time, Date.parse(time) * 1_000, text);
    }
  }));

/** When a reader says that the lines of a batch were written, and of which shifts of zones it told. */
function readWritten(
  texts: readonly string[],
  { written, isLive, zone }: { written: Micros; isLive: boolean; zone?: Zone },
): { times: string[]; told: Micros[] } {
  const told: Micros[] = [];
  const health = new ModuleHealth(NAMES, (complaint) => assert.fail(complaint));
  const reader = new Reader([{ ...A, zone }], health, (shift) => told.push(shift));
  const records = batchOf(texts.map((text) => line(text, written)), { written, isLive });
  const times = texts.map((_, i) => {
    reader.read(records, i, written);
    return new Date(reader.event.time / 1_000).toISOString().slice(0, 19);
  });
  return { times, told };
}

const WRITTEN = Date.UTC(2026, 4, 30, 12, 0, 3) * 1_000;

Deno.test("`Reader.read()` takes lines just written, whose times are hours off, for lines of another zone", () =>
  inZone("Asia/Tokyo", () => {
    const texts = [
      "May 30 11:58:00 host aa: a 192.0.2.1",
      "May 30 12:00:02 host aa: a 192.0.2.1",
      "and more",
    ];
    assert.deepEqual(readWritten(texts, { written: WRITTEN, isLive: true }), {
      times: ["2026-05-30T11:58:00", "2026-05-30T12:00:02", "2026-05-30T12:00:03"],
      told: [9 * HOUR],
    });
    // These lay there already, and may have been copied there.
    assert.deepEqual(readWritten(texts, { written: WRITTEN, isLive: false }), {
      times: ["2026-05-30T02:58:00", "2026-05-30T03:00:02", "2026-05-30T12:00:03"],
      told: [],
    });
    const zoned = ["2026-05-30T12:00:02+09:00 host aa: a 192.0.2.1"];
    assert.deepEqual(readWritten(zoned, { written: WRITTEN, isLive: true }), {
      times: ["2026-05-30T03:00:02"],
      told: [],
    });
  }));

Deno.test("`Reader.read()` takes lines of other programs for lines of the module's zone", () =>
  inZone("UTC", () => {
    const texts = ["May 30 21:00:00 host aa: a 192.0.2.1", "May 30 21:00:02 host cron: x"];
    const zone = zoneOf("Asia/Tokyo")!;
    assert.deepEqual(readWritten(texts, { written: WRITTEN, isLive: true, zone }), {
      times: ["2026-05-30T12:00:00", "2026-05-30T12:00:02"],
      told: [],
    });
  }));

Deno.test("`Reader.read()` keeps lines of another zone as far apart as they are", () =>
  inZone("UTC", () => {
    const ahead = ["May 30 16:00:00 host aa: a 192.0.2.1", "May 30 21:00:00 host aa: a 192.0.2.1"];
    for (const isLive of [true, false]) {
      assert.deepEqual(readWritten(ahead, { written: WRITTEN, isLive }), {
        times: ["2026-05-30T07:00:00", "2026-05-30T12:00:00"],
        told: [-9 * HOUR],
      });
    }
  }));

Deno.test("`Reader.learnZone()` tells the zone of a file before its first lines are read, and `timeOf()` counts it in", () =>
  inZone("UTC", () => {
    const reader = readerOf([A]);
    const [ahead, other] = [{}, {}];
    const lineOf = (text: string) => {
      const { bytes, end } = encode(text);
      return { bytes, from: 0, to: end };
    };
    const end = { stream: ahead, now: WRITTEN, written: WRITTEN, isLive: false };
    assert.equal(reader.learnZone(lineOf("and more"), end), false);
    const here = "May 30 12:00:01 host aa: a 192.0.2.1";
    assert.ok(reader.learnZone(lineOf(here), { ...end, stream: other }));
    assert.ok(reader.learnZone(lineOf("May 30 21:00:01 host aa: a 192.0.2.1"), end));
    const first = "May 30 18:00:00 host aa: a 192.0.2.1";
    const time = Date.parse("2026-05-30T09:00:00Z") * 1_000;
    assert.equal(reader.timeOf(lineOf(first), { stream: ahead, now: WRITTEN }), time);
    assert.equal(reader.timeOf(lineOf(first), { stream: other, now: WRITTEN }), time + 9 * HOUR);
    const read = (stream: object, text: string) => readAll(reader, [line(text)], WRITTEN, stream)[0]!.time;
    assert.deepEqual([read(ahead, first), read(other, here)], [time, WRITTEN - 2 * SECOND]);
  }));

Deno.test("`Reader.read()` learns the zone of a file whose batches end with a line without a time", () =>
  inZone("UTC", () => {
    const reader = readerOf([A]);
    const [first, then] = ["21:00:01", "21:00:02"].map((time) => `May 30 ${time} host aa: a 192.0.2.1`);
    const times = [["and more"], [first!, then!, "and more"]].map((texts) => {
      const records = batchOf(texts.map((text) => line(text)), {
        written: WRITTEN,
        isLive: true,
        stream: FILE,
      });
      reader.read(records, 0, WRITTEN);
      return reader.event.time;
    });
    assert.equal(times[1], Date.parse("2026-05-30T12:00:01Z") * 1_000);
  }));

Deno.test("`Reader` has a module take note of a line once, whoever looks at its time before", () =>
  inZone("UTC", () => {
    const reader = new Reader([
      {
        index: 0,
        identifiers: ["sshd"],
        units: [],
        reader: openForm(sshd.form({ logFormats: [], trustedProxies: [], unsafe: false, patterns: [] })),
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
function readerText({ event: { reader } }: Reader): string {
  return decode(reader.bytesOf(0), reader.from[0]!, reader.to[0]!);
}

Deno.test("a module that throws three times in a row is given up, and the others work on", () => {
  const complaints: string[] = [];
  const health = new ModuleHealth(["a", "b"], (complaint) => complaints.push(complaint));
  const reader = new Reader([A, B], health);
  const fail = entry("fail", "aa");
  const fine = entry("a 192.0.2.1", "aa");
  assert.equal(readAll(reader, [fail, fail, fine])[2]?.address, "192.0.2.1");
  assert.deepEqual(health.givenUp, []);
  assert.equal(readAll(reader, [...Array(MODULE_FAILURES).fill(fail), fine]).at(-1)?.isUnderstood, false);
  assert.deepEqual(health.givenUp, ["a"]);
  assert.equal(complaints.at(-1), "module a failed 3 times in a row and is given up");
  assert.equal(readAll(reader, [line("b 192.0.2.1")])[0]?.address, "192.0.2.1");
  const last = entry("fail", "bb");
  assert.throws(() => readAll(reader, Array(MODULE_FAILURES).fill(last)), UserError);
});

Deno.test("`isTrusted()` believes root and the service's units, and nobody else", () => {
  const units = ["toy.service", "toy@.service"];
  const cases: readonly [Sender, boolean][] = [
    [{ uid: 0, unit: "cron.service" }, true],
    [{ uid: 33, unit: "toy.service" }, true],
    [{ uid: 33, unit: "toy@1-10.0.0.1.service" }, true],
    [{ uid: 33, unit: "toys.service" }, false],
    [{ uid: 33, unit: "" }, false],
    [{ uid: null, unit: "session-1.scope" }, false],
  ];
  for (const [sender, expected] of cases) {
    assert.equal(isTrusted(sender, units), expected, JSON.stringify(sender));
  }
});
