import { strict as assert } from "node:assert";
import { encode } from "../../lib/core/bytes.ts";
import { HeadReader } from "../../lib/reading/head.ts";
import { readHead } from "../../lib/reading/head_text.ts";
import { NO_PID } from "../../lib/core/records.ts";
import { resolveStamp } from "../../lib/core/timestamp.ts";
import type { Micros } from "../../lib/core/time.ts";
import { inZone } from "../support/helpers.ts";
import { Random } from "../support/random.ts";
import { SSHD_SAMPLES } from "../samples/sshd.ts";
import { BEGINNING, canMakeJournals, JournalDirectory, sshdEntry } from "../support/journal_files.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const MESSAGE = "Invalid user admin from 203.0.113.5 port 33100";

/** What a head reader makes of lines, in words. */
class Heads {
  readonly surroundings = { now: 0, before: NaN };
  readonly reader = new HeadReader((identifier) => identifier, this.surroundings);

  read(line: string) {
    const { reader } = this;
    const { bytes, end } = encode(line + "]:junk");
    reader.read(bytes, 0, end - 6);
    return {
      time: Number.isNaN(reader.time) ? null : reader.time,
      identifier: reader.program,
      pid: reader.pid === NO_PID ? null : reader.pid,
      message: new TextDecoder("utf-8", { ignoreBOM: true }).decode(
        bytes.array.subarray(reader.from, reader.to),
      ),
    };
  }
}

/** A line's head and message, its time as an instant: by the expressions, and by a reader twice, new and known. */
function timed(line: string, now: Micros) {
  const { stamp, ...rest } = readHead(line);
  const expected = { time: stamp && resolveStamp(stamp, { now, before: NaN }), ...rest };
  const heads = new Heads();
  heads.surroundings.now = now;
  assert.deepEqual(heads.read(line), expected, line);
  assert.deepEqual(heads.read(line), expected, line);
  return expected;
}

const NOW = micros("2026-03-10T12:00:00Z");
const TIME = micros("2026-03-09T04:05:06Z");

/** What stands before the message, and what it says. */
const FORMATS: Record<
  string,
  readonly (readonly [before: string, time: Micros | null, pid?: number | null])[]
> = {
  "classic syslog": [
    ["Mar  9 04:05:06 web sshd[4711]: ", TIME],
    ["Mar 9 04:05:06 web sshd[4711]: ", TIME],
    ["Mar 09 04:05:06 web sshd[4711]: ", TIME],
    ["Mar  9 04:05:06.123456 web sshd[4711]: ", TIME + 123_456],
    ["Mar  9 04:05:06,5 web sshd[4711]: ", TIME + 500_000],
    ["Mar  9 04:05:06: web sshd[4711]: ", TIME],
    ["Mar  9 04:05:06 web sshd: ", TIME, null],
    ["Mar  9 04:05:06 sshd[4711]: ", TIME],
    ["<38>Mar  9 04:05:06 web sshd[4711]: ", TIME],
  ],
  "a host named twice, or by its address": [
    ["Mar  9 04:05:06 web web sshd[4711]: ", TIME],
    ["Mar  9 04:05:06 192.0.2.22 web.example.org sshd[4711]: ", TIME],
  ],
  "facility and level": [
    ["Mar  9 04:05:06 web auth.info sshd[4711]: ", TIME],
    ["Mar  9 04:05:06 web authpriv.warning: sshd[4711]: ", TIME],
    ["Mar  9 04:05:06 web auth.info sshd: ", TIME, null],
  ],
  "decorations of Solaris and kernels": [
    ["Mar  9 04:05:06 web sshd[4711]: [ID 800047 auth.info] ", TIME],
    ["Mar  9 04:05:06 web sshd[4711]: kernel: [12345.678901] ", TIME],
  ],
  "syslog with ISO 8601 times": [
    ["2026-03-09T04:05:06Z web sshd[4711]: ", TIME],
    ["2026-03-09T04:05:06.123456+00:00 web sshd[4711]: ", TIME + 123_456],
    ["2026-03-09T04:05:06.123456789Z web sshd[4711]: ", TIME + 123_456],
    ["2026-03-09T09:35:06+05:30 web sshd[4711]: ", TIME],
    ["2026-03-08T20:05:06-0800 web sshd[4711]: ", TIME],
    ["2026-03-09 04:05:06 web sshd[4711]: ", TIME],
    ["2026-03-09T04:05:06,25Z web sshd: ", TIME + 250_000, null],
  ],
  "RFC 5424": [
    ["<38>1 2026-03-09T04:05:06.000007Z web sshd 4711 - - ", TIME + 7],
    ["<38>1 2026-03-09T04:05:06Z web.example.org sshd - - - ", TIME, null],
    ['<86>1 2026-03-09T06:05:06+02:00 web sshd 4711 ID47 [origin ip="198.51.100.7"] ', TIME],
    ["<38>1 2026-03-09T04:05:06Z web sshd 4711 - - \ufeff", TIME],
  ],
  "`journalctl -o short…`": [
    ["Mon 2026-03-09 04:05:06 UTC web sshd[4711]: ", TIME],
    ["2026-03-09T04:05:06+0000 web sshd[4711]: ", TIME],
    ["2026-03-09T04:05:06.000042+0000 web sshd[4711]: ", TIME + 42],
    ["1773029106.250000 web sshd[4711]: ", TIME + 250_000],
    ["[ 1234.567890] web sshd[4711]: ", null],
    ["[    0.000001] web sshd[4711]: ", null],
  ],
  "times of a service's own": [
    ["[2026-03-09 04:05:06] sshd[4711]: ", TIME],
    ["[2026-03-09 04:05:06.5] web sshd[4711]: ", TIME + 500_000],
    ["[09/Mar/2026:05:05:06 +0100] sshd[4711]: ", TIME],
    ["Mon Mar  9 04:05:06 2026: sshd[4711]: ", TIME],
    ["1773029106 sshd[4711]: ", TIME],
    ["1773029106250 sshd[4711]: ", TIME + 250_000],
  ],
  "zones by hours and by name": [
    ["2026-03-09 01:05:06 -03 web sshd[4711]: ", TIME],
    ["2026-03-09 09:50:06.038 +0545 web sshd[4711]: ", TIME + 38_000],
    ["2026-03-08 23:05:06 EST web sshd[4711]: ", TIME],
    ["2026-03-09 05:05:06 CET web sshd[4711]: ", TIME],
    ["2026-03-09T05:05:06 CET sshd[4711]: ", TIME],
  ],
  "a message with its program alone": [
    ["sshd[4711]: ", null],
    ["web sshd[4711]: ", null],
  ],
};

for (const [format, cases] of Object.entries(FORMATS)) {
  Deno.test(`\`HeadReader.read()\` reads ${format}`, () =>
    inZone("UTC", () => {
      for (const [before, time, pid = 4711] of cases) {
        assert.deepEqual(timed(before + MESSAGE, NOW), {
          time,
          identifier: "sshd",
          pid,
          message: MESSAGE,
        }, before);
      }
    }));
}

Deno.test("`HeadReader.read()` reads names of programs as they are", () => {
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
    assert.equal(readHead(`Mar  9 04:05:06 web ${name}[7]: text`).identifier, name);
  }
});

Deno.test("`HeadReader.read()` takes a bare message for nothing else", () => {
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
    assert.deepEqual(readHead(message), { stamp: null, identifier: "", pid: null, message });
  }
});

Deno.test("`HeadReader.read()` takes line ends away", () => {
  assert.equal(readHead(`Mar  9 04:05:06 web sshd[1]: ${MESSAGE}  \r`).message, MESSAGE);
});

Deno.test("`HeadReader.read()` gives no time to one that cannot be", () => {
  for (const time of ["2026-13-45T99:99:99Z", "0000-00-00T00:00:00Z", "[999999999.000000]"]) {
    assert.equal(timed(`${time} web sshd[1]: ${MESSAGE}`, NOW).time, null, time);
  }
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
  name: "`HeadReader.read()` reads what journalctl prints in each of its short formats" +
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
      }).output();
      assert(success);
      const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
      const now = BEGINNING + 86_400_000_000;
      assert.deepEqual(
        lines.map((line) => timed(line, now)),
        [MESSAGE, "Connection from 203.0.113.5"].map((message, i) => ({
          time: resolution === null ? null : real[i]! - real[i]! % resolution,
          identifier: "sshd",
          pid: [1_123, 5_567][i],
          message,
        })),
        output,
      );
    }
  },
});

Deno.test("`HeadReader.read()` reads every line as `readHead()` does, whatever came before", () => {
  const random = new Random(17);
  const minutes = [
    "Mar  9 04:05:",
    "Mar 19 04:05:",
    "2026-03-09T04:05:",
    "2026-03-09T04:06:",
    "Foo  9 04:05:",
  ];
  // Lines of one minute follow each other.
  let current = minutes[0]!;
  const minute = () => current = random.below(20) === 0 ? random.pick(minutes) : current;
  const second = () =>
    random.pick(["06", "07", "60", "6", "061", "06.5", "06,123456", "06.1234567891", "06.", "06Z"]);
  const zone = () => random.pick(["", "", "Z", "+02:00", "-0800", " +0200", ":", " CET"]);
  const host = () =>
    random.pick([" web", " web", " web", " other", "", "  web", " web web", " sshd:", " a:b", " [x]"]);
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
    ]);
  const process = () => random.pick(["[47]", "[47]", "[48]", "", "[]", "[x]", "[1234567890123]", "[47"]);
  const end = () => random.pick([": ", ": ", ": ", ":", ":  ", " : "]);
  const rest = () =>
    random.pick([
      "Invalid user x from 192.0.2.1",
      " blank",
      "kernel: [1.2] x",
      "kex_exchange_identification: x",
      "sshd[12]: x",
      "[ID 1 a.b] x",
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
    const { stamp, ...rest } = readHead(line);
    const time = stamp && resolveStamp(stamp, { now: surroundings.now, before: NaN });
    const misses = heads.reader.misses;
    assert.deepEqual(heads.read(line), { time, ...rest }, line);
    if (heads.reader.misses === misses) known++;
  }
  assert.ok(known > 1_000, `${known} heads were known`);
});
