/** Every head before messages of every module: who is named does not depend on what stands before. */
import { strict as assert } from "node:assert";
import { addressOf } from "../../lib/core/address_text.ts";
import { encode } from "../../lib/core/bytes.ts";
import { LINE, NO_PID, type Origin, type Records } from "../../lib/core/records.ts";
import { fieldText } from "../../lib/reading/field_text.ts";
import { ModuleHealth } from "../../lib/reading/health.ts";
import type { ModuleKind } from "../../lib/reading/module.ts";
import { Reader } from "../../lib/reading/reader.ts";
import { readRecordLine } from "../../modules/nginx/error.ts";
import { nginx } from "../../modules/nginx/nginx.ts";
import { pattern } from "../../modules/pattern/pattern.ts";
import { sshd } from "../../modules/sshd.ts";
import { HEADS } from "../samples/heads.ts";
import { NGINX_SAMPLES } from "../samples/nginx.ts";
import { SSHD_SAMPLES } from "../samples/sshd.ts";
import { inZone } from "../support/helpers.ts";
import { NO_OPTIONS, openForm } from "../support/messages.ts";

const NOW = Date.UTC(2026, 11, 1) * 1_000;

interface Case {
  readonly program: string;
  readonly reader: Reader;
  readonly messages: readonly string[];
}

function caseOf(
  kind: ModuleKind,
  program: string,
  messages: readonly string[],
  patterns: string[] = [],
): Case {
  const reader = openForm(kind.form({ ...NO_OPTIONS, patterns }));
  const module = { index: 0, identifiers: kind.match.identifiers, units: [`${program}.service`], reader };
  const fail = (complaint: string) => assert.fail(complaint);
  return { program, reader: new Reader([module], new ModuleHealth([program], fail)), messages };
}

const CASES: Readonly<Record<string, Case>> = {
  SSHD: caseOf(sshd, "sshd", SSHD_SAMPLES.map(({ message }) => message)),
  NGINX: caseOf(
    nginx,
    "nginx",
    NGINX_SAMPLES.filter(({ form }) => ["combined", "json"].includes(form)).map(({ line }) => line),
  ),
  "a pattern": caseOf(
    pattern,
    "imapd",
    ["warning: unknown[203.0.113.5]: SASL LOGIN failed", "error: warning: a[203.0.113.5]: SASL PLAIN failed"],
    ["^(?:error: )?warning: \\w+\\[<ADDR>\\]: SASL \\w+ failed$"],
  ),
};

/** Whom a line names, or an entry of the journal with its text: null, nobody. */
function named(reader: Reader, line: string, origin?: Origin): string | null {
  const { bytes, end } = encode(line);
  if (origin === undefined) bytes.logged = end;
  const records: Records = {
    bytes,
    length: 1,
    from: Int32Array.of(0),
    to: Int32Array.of(end),
    origin: Int32Array.of(origin === undefined ? LINE : 0),
    origins: origin === undefined ? [] : [origin],
    times: Float64Array.of(NOW),
    pids: Int32Array.of(NO_PID),
    written: NaN,
    isLive: false,
  };
  return reader.read(records, 0, NOW) && reader.event.isUnderstood
    ? addressOf(reader.event.reader.address)
    : null;
}

for (const [heads, samples] of Object.entries(HEADS)) {
  Deno.test(`a pattern that begins with a user's name takes no part of a head for it: ${heads}`, () =>
    inZone("UTC", () => {
      const { reader } = caseOf(pattern, "app", [], ["^(?<user>.*) failed to log in from <ADDR>$"]);
      for (const { line, time } of samples) {
        for (const user of ["bob", "bob k", "2020-03-01T10:56:10Z x", "x[7]: y", "error: x"]) {
          const whole = line.replaceAll("sshd", "app").replace(
            "%",
            () => `${user} failed to log in from 203.0.113.5`,
          );
          assert.equal(named(reader, whole), "203.0.113.5", whole);
          if (/^bob/.test(user)) assert.equal(fieldText(reader.event.reader, "user"), user, whole);
          if (time !== null) assert.equal(reader.event.time, time, whole);
        }
      }
    }));
}

Deno.test("a stranger whose name looks like a head dates no line back in a log without heads", () => {
  const { reader } = caseOf(pattern, "app", [], ["^(?<user>.*) failed to log in from <ADDR>$"]);
  for (const user of ["bob", "2020-03-01T10:56:10Z x", "Mar  1 10:56:10 web app[7]: x"]) {
    assert.equal(named(reader, `${user} failed to log in from 203.0.113.5`), "203.0.113.5");
    assert.equal(reader.event.time, NOW, user);
  }
});

for (const [module, { program, reader, messages }] of Object.entries(CASES)) {
  for (const [heads, samples] of Object.entries(HEADS)) {
    Deno.test(`${module} reads its messages behind ${heads}`, () => {
      assert(messages.length > 1);
      for (const { line, program: told = "sshd" } of samples) {
        if (told === "kernel" || (module === "NGINX" && /"?stderr\b/.test(line))) continue;
        const head = line.replaceAll("sshd", program);
        for (const message of messages) {
          // Docker writes the message as a string of JSON.
          const text = head.startsWith("{") ? JSON.stringify(message).slice(1, -1) : message;
          const whole = head.replace("%", () => text);
          assert.equal(named(reader, whole), named(reader, message), whole);
        }
      }
    });
  }
}

Deno.test("NGINX names somebody by an error record alone that is whole, or has only nginx's own text", () => {
  const errors = NGINX_SAMPLES.filter(({ form }) => form === "error").map(({ line }) => line);
  assert(errors.length > 1);
  for (const { line, program: told = "sshd" } of Object.values(HEADS).flat()) {
    if (told === "kernel" || line.startsWith("{")) continue;
    const head = line.replaceAll("sshd", "nginx");
    for (const message of errors) {
      const { reader } = caseOf(nginx, "nginx", []);
      const isOfSyslog = /\bnginx\b/.test(head) && !/ std(?:out|err) F /.test(head);
      const isClosed = !readRecordLine(message).isOpen;
      const expected = isOfSyslog || isClosed ? named(reader, message) : null;
      assert.equal(named(reader, head.replace("%", () => message)), expected, `${head}: ${message}`);
      const entry: Origin = { identifier: "nginx", sender: { uid: 0, unit: "nginx.service" } };
      assert.equal(
        named(reader, message, { ...entry, isWhole: true }),
        named(caseOf(nginx, "nginx", []).reader, message),
      );
      const inJournal = isClosed ? named(caseOf(nginx, "nginx", []).reader, message) : null;
      assert.equal(named(caseOf(nginx, "nginx", []).reader, message, entry), inJournal);
    }
  }
});

for (const [module, { program, reader, messages }] of Object.entries(CASES)) {
  Deno.test(`${module} reads its messages before a carriage return, also as rsyslog writes it`, () => {
    const sender = { uid: 0, unit: `${program}.service` };
    const entry: Origin = { identifier: program, sender, isWhole: true };
    for (const message of messages) {
      const expected = named(reader, message);
      for (const text of [`${message}\r`, `${message}#015`]) {
        assert.equal(named(reader, `Mar  9 04:05:06 web ${program}[7]: ${text}`), expected, text);
        assert.equal(named(reader, text, entry), expected, text);
      }
    }
  });
}
