import { strict as assert } from "node:assert";
import { LineParser, parseLine } from "../lib/lines.ts";
import { resolveStamp, StampResolver } from "../lib/core/timestamp.ts";
import type { Micros } from "../lib/core/time.ts";
import { inZone } from "./support/helpers.ts";
import { Random } from "./support/random.ts";
import { SSHD_SAMPLES } from "./samples/sshd.ts";
import { BEGINNING, canMakeJournals, JournalDirectory, sshdEntry } from "./support/journal_files.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const MESSAGE = "Invalid user admin from 203.0.113.5 port 33100";

/** A line taken apart, its time as an instant. */
function timed(line: string, now: Micros) {
  const { stamp, ...rest } = parseLine(line);
  return { time: stamp && resolveStamp(stamp, { now, before: null }), ...rest };
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
  "a message with its program alone": [
    ["sshd[4711]: ", null],
    ["web sshd[4711]: ", null],
  ],
};

for (const [format, cases] of Object.entries(FORMATS)) {
  Deno.test(`\`parseLine()\` reads ${format}`, () =>
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

Deno.test("`parseLine()` reads names of programs as they are", () => {
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
    assert.equal(parseLine(`Mar  9 04:05:06 web ${name}[7]: text`).identifier, name);
  }
});

Deno.test("`parseLine()` takes a bare message for nothing else", () => {
  for (
    const message of [
      ...SSHD_SAMPLES.map(({ message }) => message),
      "",
      "a",
      "March 9",
      "<1234>x",
      "[x] y: z",
    ]
  ) {
    assert.deepEqual(parseLine(message), { stamp: null, identifier: "", pid: null, message });
  }
});

Deno.test("`parseLine()` takes line ends away", () => {
  assert.equal(parseLine(`Mar  9 04:05:06 web sshd[1]: ${MESSAGE}  \r`).message, MESSAGE);
});

Deno.test("`parseLine()` gives no time to one that cannot be", () => {
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
  name: "`parseLine()` reads what journalctl prints in each of its short formats" +
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

Deno.test("`LineParser.parse()` takes every line apart as `parseLine()` does, whatever came before", () => {
  const random = new Random(17);
  const minute = () =>
    `${
      random.pick(["Mar  9 04:05", "Mar 19 04:05", "2026-03-09T04:05", "2026-03-09T04:06", "Foo  9 04:05"])
    }:`;
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
  const parser = new LineParser();
  for (let i = 0; i < 50_000; i++) {
    const line = parts.map((part) => part()).join("");
    assert.deepEqual(parser.parse(line), parseLine(line), line);
  }
});

Deno.test("`StampResolver.resolve()` finds the instants that `resolveStamp()` finds, through a year and both its changes of clocks", () => {
  for (const zone of ["UTC", "Europe/Berlin", "Australia/Lord_Howe"]) {
    inZone(zone, () => {
      const random = new Random(23);
      const resolver = new StampResolver();
      let now = micros("2026-11-02T12:00:00Z");
      let before: Micros | null = null;
      for (let i = 0; i < 20_000; i++) {
        if (random.below(50) === 0) now = micros("2026-01-01T00:00:30Z") + random.below(365 * 86_400) * 1e6;
        const at = new Date(
          (now - random.below(3) * random.below(90_000) * 1e6) / 1_000 + random.below(2) * 100_000_000,
        );
        const stamp = {
          year: random.pick([null, 2026]),
          month: at.getMonth() + 1,
          day: at.getDate(),
          hour: random.pick([at.getHours(), 2, 1]),
          minute: random.pick([at.getMinutes(), 30, 59]),
          second: random.pick([0, 30, 59, 60, 61]),
          fraction: random.pick([0, 123_456]),
          offset: random.pick([null, null, 0, 120]),
        };
        for (const second of [stamp.second, 5, 60]) {
          const one = { ...stamp, second };
          const expected = resolveStamp(one, { now, before });
          assert.equal(
            resolver.resolve(one, { now, before }),
            expected,
            `${zone} ${JSON.stringify(one)} as of ${now}`,
          );
        }
        before = random.below(3) === 0 ? null : now - random.below(7_200) * 1e6;
      }
    });
  }
});
