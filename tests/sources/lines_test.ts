import { strict as assert } from "node:assert";
import { lineEntry, parseLine } from "../../lib/sources/lines.ts";
import { MAX_MESSAGE, type Micros } from "../../lib/types.ts";
import { sshd } from "../../modules/sshd.ts";
import { SSHD_SAMPLES } from "../samples/sshd.ts";
import { BEGINNING, canMakeJournals, JournalDirectory, sshdEntry } from "./journal_files.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const MESSAGE = "Invalid user admin from 203.0.113.5 port 33100";

/** Runs `body` in a time zone. */
function inZone(zone: string, body: () => void): void {
  const before = Deno.env.get("TZ");
  const zoneBefore = Intl.DateTimeFormat().resolvedOptions().timeZone;
  Deno.env.set("TZ", zone);
  try {
    body();
  } finally {
    // Only setting it reaches the clock of Deno 2.4.
    Deno.env.set("TZ", before ?? zoneBefore);
    if (before === undefined) Deno.env.delete("TZ");
  }
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
        assert.deepEqual(parseLine(before + MESSAGE, NOW), {
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
    assert.equal(parseLine(`Mar  9 04:05:06 web ${name}[7]: text`, NOW).identifier, name);
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
    assert.deepEqual(parseLine(message, NOW), { time: null, identifier: "", pid: null, message });
  }
});

Deno.test("`parseLine()` cuts long messages and takes line ends away", () => {
  assert.equal(
    parseLine(`Mar  9 04:05:06 web sshd[1]: ${"x".repeat(20_000)}`, NOW).message.length,
    MAX_MESSAGE,
  );
  assert.equal(parseLine(`Mar  9 04:05:06 web sshd[1]: ${MESSAGE}  \r`, NOW).message, MESSAGE);
});

Deno.test("`parseLine()` gives no time to one that cannot be", () => {
  for (const time of ["2026-13-45T99:99:99Z", "0000-00-00T00:00:00Z", "[999999999.000000]"]) {
    const { time: found } = parseLine(`${time} web sshd[1]: ${MESSAGE}`, NOW);
    assert(found === null || Number.isFinite(found), `${time}: ${found}`);
  }
});

/** Time of a line, the present, the year that it must be. All in UTC. */
const YEARS: readonly (readonly [line: string, now: string, expected: string])[] = [
  ["Mar  9 04:05:06", "2026-03-09T04:05:06Z", "2026-03-09T04:05:06Z"],
  ["Dec 31 23:59:59", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z"],
  ["Dec 31 23:59:59", "2026-12-31T23:59:58Z", "2026-12-31T23:59:59Z"],
  ["Jan  1 00:00:05", "2025-12-31T23:59:59Z", "2026-01-01T00:00:05Z"],
  ["Jan  1 23:00:00", "2025-12-31T23:30:00Z", "2026-01-01T23:00:00Z"],
  ["Jan  2 12:00:00", "2025-12-31T23:59:59Z", "2025-01-02T12:00:00Z"],
  ["Mar 10 12:00:00", "2026-03-09T12:00:00Z", "2026-03-10T12:00:00Z"],
  ["Mar 10 12:00:01", "2026-03-09T12:00:00Z", "2025-03-10T12:00:01Z"],
  ["Feb 29 10:00:00", "2026-03-09T12:00:00Z", "2024-02-29T10:00:00Z"],
  ["Feb 29 10:00:00", "2024-02-29T11:00:00Z", "2024-02-29T10:00:00Z"],
  ["Feb 29 10:00:00", "2024-02-28T11:00:00Z", "2024-02-29T10:00:00Z"],
  ["Feb 29 10:00:00", "2024-02-20T11:00:00Z", "2020-02-29T10:00:00Z"],
  ["Feb 29 10:00:00", "2103-06-01T00:00:00Z", "2096-02-29T10:00:00Z"],
];

Deno.test("`parseLine()` puts a time without a year into the latest one that fits", () =>
  inZone("UTC", () => {
    for (const [line, now, expected] of YEARS) {
      const { time } = parseLine(`${line} web sshd[1]: ${MESSAGE}`, micros(now));
      assert.equal(time, micros(expected), `${line} at ${now}`);
    }
  }));

const ZONES: readonly (readonly [zone: string, line: string, expected: string])[] = [
  ["Europe/Berlin", "Mar  9 05:05:06", "2026-03-09T04:05:06Z"],
  ["Europe/Berlin", "2026-07-09 05:05:06", "2026-07-09T03:05:06Z"],
  ["Europe/Berlin", "Thu 2026-07-09 05:05:06 CEST", "2026-07-09T03:05:06Z"],
  ["Europe/Berlin", "2026-07-09T05:05:06Z", "2026-07-09T05:05:06Z"],
  ["America/St_Johns", "Mar  7 00:30:00", "2026-03-07T04:00:00Z"],
  ["Asia/Kolkata", "2026-03-09 05:30:00", "2026-03-09T00:00:00Z"],
  // Clocks go from 01:59:59 to 03:00:00, and half a year later from 02:59:59 back to 02:00:00.
  ["Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59Z"],
  ["Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00Z"],
  ["Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24T23:59:59Z"],
  ["Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z"],
];

Deno.test("`parseLine()` takes times without a zone for local ones, summer and winter", () => {
  for (const [zone, line, expected] of ZONES) {
    inZone(zone, () => {
      const { time } = parseLine(`${line} web sshd[1]: ${MESSAGE}`, NOW);
      assert.equal(time, micros(expected), `${line} in ${zone}`);
    });
  }
});

Deno.test("`parseLine()` reads the hour that clocks repeat or skip as one that exists", () =>
  inZone("Europe/Berlin", () => {
    const at = (line: string) => parseLine(`${line} web sshd[1]: ${MESSAGE}`, NOW).time;
    assert(
      [micros("2026-10-25T00:30:00Z"), micros("2026-10-25T01:30:00Z")].includes(at("2026-10-25 02:30:00")!),
    );
    assert(
      [micros("2026-03-29T00:30:00Z"), micros("2026-03-29T01:30:00Z")].includes(at("2026-03-29 02:30:00")!),
    );
  }));

const options = { modules: [sshd], now: NOW, time: 42 };

Deno.test("`lineEntry()` makes of every sample, bare or not, an entry that its module reads", () => {
  for (const { message, address } of SSHD_SAMPLES) {
    for (
      const before of [
        "",
        "web sshd[1]: ",
        "Mar  9 04:05:06 web sshd-session[1]: ",
        "[ 1.234567] web sshd[1]: ",
      ]
    ) {
      const entry = lineEntry(before + message, options);
      assert(sshd.identifiers.includes(entry.identifier), before + message);
      assert.equal(sshd.parse(entry.message)?.address, address, before + message);
      assert.equal(entry.sender, null);
    }
  }
});

Deno.test("`lineEntry()` gives the time before to a line without one", () => {
  assert.equal(lineEntry(MESSAGE, options).time, 42);
  assert.equal(lineEntry(`[ 1.234567] web sshd[1]: ${MESSAGE}`, options).time, 42);
  assert.equal(lineEntry(`2026-03-09T04:05:06Z web sshd[1]: ${MESSAGE}`, options).time, TIME);
});

Deno.test("`lineEntry()` believes no line that is hidden within a bare message", () => {
  const hidden = "sshd[1]: Invalid user y from 198.51.100.7 port 22";
  for (
    const message of [
      `Invalid user x ${hidden} from 203.0.113.5 port 33100`,
      `Received disconnect from 203.0.113.5 port 1:11: ${hidden}`,
      `Failed password for invalid user Mar  9 04:05:06 web ${hidden} from 203.0.113.5 port 1 ssh2`,
    ]
  ) {
    const entry = lineEntry(message, options);
    assert.equal(sshd.parse(entry.message)?.address, "203.0.113.5", message);
  }
});

Deno.test("`lineEntry()` leaves another program's lines to it", () => {
  for (const program of ["sudo", "nginx", "ssh", "kernel"]) {
    const entry = lineEntry(`Mar  9 04:05:06 web ${program}[1]: ${MESSAGE}`, options);
    assert.deepEqual([entry.identifier, entry.message], [program, MESSAGE]);
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
        lines.map((line) => parseLine(line, now)),
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
