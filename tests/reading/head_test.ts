import { strict as assert } from "node:assert";
import { decode, encode } from "../../lib/core/bytes.ts";
import { HeadReader } from "../../lib/reading/head.ts";
import { NO_PID } from "../../lib/core/records.ts";
import type { Micros } from "../../lib/core/time.ts";
import { inZone } from "../support/helpers.ts";
import { Random } from "../support/random.ts";
import { HEADS } from "../samples/heads.ts";
import { SSHD_SAMPLES } from "../samples/sshd.ts";
import { BEGINNING, canMakeJournals, JournalDirectory, sshdEntry } from "../support/journal_files.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const MESSAGE = "Invalid user admin from 203.0.113.5 port 33100";

/** What a head reader makes of lines, in words. */
class Heads {
  readonly surroundings = { now: 0, before: NaN };
  readonly reader = new HeadReader({
    programOf: (identifier) => identifier,
    isKnown: (identifier) => identifier === "sshd",
    isObjectRead: true,
    mayBegin: () => true,
    reference: this.surroundings,
  });

  /** Takes all parts of a head off. */
  read(line: string, isLine = true) {
    const { reader } = this;
    const { bytes, end } = encode(line + "]:junk");
    reader.begin(bytes, 0, end - 6, isLine);
    while (reader.next());
    return {
      time: Number.isNaN(reader.time) ? null : reader.time,
      identifier: reader.program ?? "",
      pid: reader.pid === NO_PID ? null : reader.pid,
      count: reader.count,
      message: decode(reader.bytes, reader.from, reader.to),
    };
  }
}

/** Returns how many texts `work` decodes. */
function decodings(work: () => void): number {
  const { decode } = TextDecoder.prototype;
  let count = 0;
  TextDecoder.prototype.decode = function (...input) {
    count++;
    return decode.apply(this, input);
  };
  try {
    work();
  } finally {
    TextDecoder.prototype.decode = decode;
  }
  return count;
}

/** A line's head and message as a reader finds them twice: new and known. */
function timed(line: string, now: Micros) {
  const heads = new Heads();
  heads.surroundings.now = now;
  const found = heads.read(line);
  assert.deepEqual(heads.read(line), found, line);
  return found;
}

const NOW = micros("2026-03-10T12:00:00Z");

Deno.test("`HeadReader` takes a known time and tag at once if no message begins like these, and else in turn", () => {
  const line = `Mar  9 10:56:10 web sshd[4711]: ${MESSAGE}`;
  for (const [beginning, isSure, parts] of [["Mar ", false, 1], ["web ", true, 2], ["", true, 1]] as const) {
    const mayBegin = (text: string) => beginning !== "" && text.startsWith(beginning);
    const reader = new HeadReader({
      programOf: (identifier) => identifier,
      isKnown: () => false,
      isObjectRead: false,
      reference: { now: NOW, before: NaN },
      mayBegin,
    });
    const { bytes, end } = encode(line);
    assert.equal(reader.isAt(bytes, 0, end), false, "no earlier line has this time");
    for (const expected of [2, parts]) {
      reader.begin(bytes, 0, end, true);
      let taken = 0;
      while (reader.next()) taken++;
      assert.deepEqual([taken, reader.program, reader.pid], [expected, "sshd", 4711]);
      assert.equal(decode(reader.bytes, reader.from, reader.to), MESSAGE);
    }
    assert.equal(reader.isAt(bytes, 0, end), isSure);
  }
});

for (const [format, samples] of Object.entries(HEADS)) {
  Deno.test(`\`HeadReader.next()\` takes heads off: ${format}`, () =>
    inZone("UTC", () => {
      for (const { line, time, program: identifier = "sshd", pid = 4711, count = 1, nearMiss } of samples) {
        const expected = { time, identifier, pid, count, message: MESSAGE };
        assert.deepEqual(timed(line.replace("%", MESSAGE), NOW), expected, line);
        const missed = timed(nearMiss.replace("%", MESSAGE), NOW);
        assert.notDeepEqual({ ...missed, time }, expected, nearMiss);
        assert(missed.message.endsWith(MESSAGE) || missed.message.includes(MESSAGE), nearMiss);
      }
    }));
}

Deno.test("`HeadReader.next()` knows the halves of a day apart in lines of one log", () =>
  inZone("UTC", () => {
    const heads = new Heads();
    heads.surroundings.now = NOW;
    for (
      const [clock, time] of [["12:05:06 AM", "00:05:06"], ["12:05:07 PM", "12:05:07"], [
        "12:05:08 AM",
        "00:05:08",
      ]]
    ) {
      const expected = micros(`2026-03-09T${time}Z`);
      assert.equal(heads.read(`2026-03-09 ${clock} web sshd[1]: ${MESSAGE}`).time, expected);
      assert.equal(heads.read(`Mon Mar  9 ${clock} UTC 2026 web sshd[1]: ${MESSAGE}`).time, expected);
    }
  }));

Deno.test("`HeadReader.next()` takes a sender before facility and level for no earlier line's program", () => {
  const heads = new Heads();
  for (const text of ["x", "auth.info: web sshd[1]: x"]) {
    assert.equal(heads.read(`2026-03-09T04:05:06Z cafe: ${text}`).message, "x");
  }
});

Deno.test("`HeadReader.next()` knows the zone behind half of a day in brackets in each line", () =>
  inZone("Asia/Tokyo", () => {
    const heads = new Heads();
    heads.surroundings.now = NOW;
    for (const half of ["PM", "p.m.", "pm"]) {
      for (const second of ["06", "07"]) {
        const { time } = heads.read(`[2026-03-09 01:05:${second} ${half}] UTC web sshd[1]: ${MESSAGE}`);
        assert.equal(time, micros(`2026-03-09T13:05:${second}Z`), half);
      }
    }
  }));

Deno.test("`HeadReader.next()` reads names of programs as they are", () => {
  for (
    const name of [
      "sshd",
      "sshd-session",
      "sshd-auth",
      "systemd-logind",
      "CRON",
      "postfix/smtpd",
      "user@1000",
    ]
  ) {
    assert.equal(timed(`Mar  9 04:05:06 web ${name}[7]: text`, NOW).identifier, name);
  }
});

Deno.test("`HeadReader.next()` takes a bare message for nothing else", () => {
  for (
    const message of [
      ...SSHD_SAMPLES.map(({ message }) => message),
      "",
      "a",
      "March 9",
      "<1234>x",
      "[x] y: z",
      "[2026-03-09] y",
      "[2026-03-09 04:05:06]y",
      "1773029106y",
    ]
  ) {
    assert.deepEqual(timed(message, NOW), { time: null, identifier: "", pid: null, count: 1, message });
  }
});

Deno.test("`HeadReader.next()` takes heads off long lines, and long heads off", () => {
  const long = `${MESSAGE} ${"x".repeat(8_000)}`;
  const heads = [480, 500, 501, 502, 503, 504, 505, 506, 507, 508, 520, 3_000].flatMap((size) => [
    `<38>1 2026-03-09T04:05:06Z web sshd 7 - [a@1 b="${"é".repeat(size / 2)}"]`,
    `2026-03-09T04:05:06Z ${"w".repeat(size)} sshd 7 - -`,
  ]);
  for (const head of ["Mar  9 04:05:06 web sshd[7]:", ...heads]) {
    const { identifier, pid, message } = timed(`${head} ${long}`, NOW);
    assert.deepEqual({ identifier, pid, message }, { identifier: "sshd", pid: 7, message: long }, head);
  }
});

Deno.test("`HeadReader.next()` tells the instants of Docker's times, known hours and new ones", () => {
  const heads = new Heads();
  const docker = (time: string) => heads.read(`{"log":"${MESSAGE}\\n","stream":"stdout","time":"${time}"}`);
  for (
    const time of [
      "2026-05-06T10:56:10.25Z",
      "2026-05-06T10:56:59.999999999Z",
      "2026-05-06T10:57:00Z",
      "2026-05-06T12:57:00.5+02:00",
      "2026-05-06T10:57:01.000001Z",
    ]
  ) {
    const expected = Date.parse(time.replace(/(\.\d{3})\d+/, "$1")) * 1_000;
    const found = docker(time);
    assert.equal(Math.floor(found.time! / 1_000) * 1_000, expected, time);
    assert.equal(found.message, MESSAGE);
  }
  for (const time of ["2026-13-06T10:57:00.1Z", "2026-05-06T10:57:75.1Z", "2026-05-06T10:57:xx.1Z", "x"]) {
    assert.deepEqual([docker(time).time, docker(time).message], [null, MESSAGE], time);
  }
  for (const [escaped, text] of [["\\u00e9\\u20aC", "é€"], ["a\\ud83dx", "a\ufffdx"], ["\\u003c", "<"]]) {
    const line = `{"log":"${escaped}\\n","stream":"stderr","time":"2026-05-06T10:56:10Z"}`;
    const { time, message } = heads.read(line);
    assert.deepEqual([time, message], [micros("2026-05-06T10:56:10Z"), text]);
  }
  // A known time of Docker is none of a line without a blank behind it.
  const unclear = "2026-05-06T10:56:10.25Z= x";
  assert.deepEqual(heads.read(unclear), new Heads().read(unclear));
});

Deno.test("`HeadReader` decodes nothing to tell where a message begins behind a known time without words", () => {
  const { reader } = new Heads();
  const { bytes, end } = encode(`Mar  9 04:05:06 ${MESSAGE}`);
  for (const most of [Infinity, 0]) {
    reader.begin(bytes, 0, end, true);
    assert.ok(reader.next());
    const { from } = reader;
    const decoded = decodings(() => {
      assert.deepEqual([reader.beginning(), reader.wordless()], [{ from, stamp: null }, null]);
    });
    assert.ok(decoded <= most);
  }
});

Deno.test("`HeadReader.next()` takes line ends away", () => {
  assert.equal(timed(`Mar  9 04:05:06 web sshd[1]: ${MESSAGE}  \r`, NOW).message, MESSAGE);
});

Deno.test("`HeadReader.next()` gives no time to one that cannot be", () => {
  for (const time of ["2026-13-45T99:99:99Z", "0000-00-00T00:00:00Z", "[999999999.000000]"]) {
    assert.equal(timed(`${time} web sshd[1]: ${MESSAGE}`, NOW).time, null, time);
  }
});

Deno.test("`HeadReader.next()` reads the zone behind a time in brackets in each line", () => {
  const heads = new Heads();
  const times = ["06", "07"].map((second) =>
    heads.read(`[Mar  9 04:05:${second}] EST sshd[47]: ${MESSAGE}`).time
  );
  assert.equal(times[1]! - times[0]!, 1_000_000);
});

const OUTPUTS = {
  "short": 1_000_000,
  "short-iso": 1_000_000,
  "short-full": 1_000_000,
  "short-precise": 1,
  "short-iso-precise": 1,
  "short-unix": 1,
  "short-monotonic": null,
};

Deno.test({
  name: "`HeadReader.next()` reads what journalctl prints in each of its short formats" +
    (canMakeJournals ? "" : " (needs systemd-journal-remote)"),
  ignore: !canMakeJournals,
  fn: async () => {
    using directory = new JournalDirectory();
    const host = [["_HOSTNAME", "web"]] as const;
    await directory.write("one", [
      sshdEntry(123, MESSAGE, host),
      sshdEntry(4_567, "Connection from 203.0.113.5", host),
    ]);
    const real = [BEGINNING + 123_000, BEGINNING + 4_567_000];
    for (const [output, resolution] of Object.entries(OUTPUTS)) {
      const { stdout, success } = await new Deno.Command("journalctl", {
        args: [`--directory=${directory.path}`, "--quiet", "--no-pager", "-o", output],
        env: { TZ: "UTC" },
      }).output();
      assert(success);
      const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
      const now = BEGINNING + 86_400_000_000;
      inZone("UTC", () =>
        assert.deepEqual(
          lines.map((line) => ({ output, ...timed(line, now) })),
          [MESSAGE, "Connection from 203.0.113.5"].map((message, i) => ({
            output,
            time: resolution === null ? null : real[i]! - real[i]! % resolution,
            identifier: "sshd",
            pid: [1_123, 5_567][i],
            count: 1,
            message,
          })),
        ));
    }
  },
});

Deno.test("`HeadReader.next()` reads every line as a new reader does, whatever came before", () => {
  const random = new Random(17);
  const minutes = [
    "Mar  9 04:05:",
    "Mar 19 04:05:",
    "2026-03-09T04:05:",
    "2026-03-09T04:06:",
    "Foo  9 04:05:",
    "<38>1 2026-03-09T04:05:",
    "Mon Mar  9 04:05:",
    "12 2026-03-09 04:05:",
    "[Mar  9 04:05:",
    "[2026-03-09 04:05:",
    "<38>Mar  9 04:05:",
    "2026 Mar  9 04:05:",
    "Mar  9 2026 04:05:",
  ];
  // Lines of one minute follow each other.
  let current = minutes[0]!;
  const minute = () => current = random.below(20) === 0 ? random.pick(minutes) : current;
  const second = () =>
    random.pick(["06", "07", "60", "6", "061", "06.5", "06,123456", "06.1234567891", "06.", "06Z"]);
  const zone = () =>
    random.pick([
      "",
      "",
      "Z",
      "+02:00",
      "-0800",
      " +0200",
      ":",
      " CET",
      " 2026",
      " UTC 2026",
      " Europe/Berlin",
      "]",
      "Z stdout F",
      " stderr P",
    ]);
  const host = () =>
    random.pick([
      " web",
      " web",
      " web",
      " other",
      "",
      "  web",
      " web web",
      " sshd:",
      " a:b",
      " [x]",
      " EST",
      " CET 2026",
      " 2026",
      " 123",
      " A",
      " stdout",
    ]);
  const tag = () =>
    random.pick([
      " sshd",
      " sshd",
      " sshd-session",
      " CRON",
      " a/b.c",
      " auth.info",
      " auth.info sshd",
      " auth.info: sshd",
      " sshd: auth.info",
      " kernel",
      " sshd:",
      " [sshd]",
      " sshd(pam)",
      " sshd 47 - -",
      ' sshd 47 - [a b="c"]',
      " auth.info: [sshd]",
      " error",
    ]);
  const process = () => random.pick(["[47]", "[47]", "[48]", "", "[]", "[x]", "[1234567890123]", "[47"]);
  const end = () => random.pick([": ", ": ", ": ", ":", ":  ", " : ", " "]);
  const rest = () =>
    random.pick([
      "Invalid user x from 192.0.2.1",
      " blank",
      "kernel: [1.2] x",
      "kex_exchange_identification: x",
      "sshd[12]: x",
      "[ID 1 a.b] x",
      "[1.2] sshd[3]: x",
      "2026-03-09T04:05:06Z x",
      "message repeated 2 times: [ x]",
      "x ",
      "x\u00a0",
      "\u00a0x",
      "",
    ]);
  const parts = [minute, second, zone, host, tag, process, end, rest];
  const plain = [minute, () => "06", () => "", () => " web", () => " sshd", () => "[47]", () => ": ", rest];
  const heads = new Heads();
  const { surroundings } = heads;
  let known = 0;
  for (let i = 0; i < 50_000; i++) {
    const line = parts.map((part, i) => (random.below(4) === 0 ? part : plain[i]!)()).join("");
    if (random.below(100) === 0) surroundings.now = NOW + random.below(1_000) * 86_400_000_000;
    const fresh = new Heads();
    fresh.surroundings.now = surroundings.now;
    const expected = fresh.read(line);
    const decoded = decodings(() => assert.deepEqual(heads.read(line), expected, line));
    // `Heads.read()` decodes the message.
    if (decoded === 1) known++;
  }
  assert.ok(known > 1_000, `${known} heads were known`);
});
