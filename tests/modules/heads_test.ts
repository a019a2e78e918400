/** Every head before messages of every module: who is named does not depend on what stands before. */
import { strict as assert } from "node:assert";
import { addressOf } from "../../lib/core/address_text.ts";
import { encode } from "../../lib/core/bytes.ts";
import { LINE, NO_PID, type Origin, type Records } from "../../lib/core/records.ts";
import { fieldText } from "../../lib/reading/field_text.ts";
import { ModuleHealth } from "../../lib/reading/health.ts";
import type { ModuleKind } from "../../lib/reading/module.ts";
import { LineReader } from "../../lib/reading/line_reader.ts";
import { readRecordLine } from "../../modules/nginx/error.ts";
import { nginx } from "../../modules/nginx/nginx.ts";
import { pattern } from "../../modules/pattern/pattern.ts";
import { sshd } from "../../modules/sshd.ts";
import { HEADS, type HeadSample } from "../samples/heads.ts";
import { NGINX_SAMPLES } from "../samples/nginx.ts";
import { SSHD_SAMPLES } from "../samples/sshd.ts";
import { inZone } from "../support/helpers.ts";
import { NO_OPTIONS, openForm } from "../support/messages.ts";

const NOW = Date.UTC(2026, 11, 1) * 1_000;

interface Case {
  readonly program: string;
  readonly reader: LineReader;
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
  return { program, reader: new LineReader([module], new ModuleHealth([program], fail)), messages };
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

/** The message as a head needs it: a string of JSON, or with its quotes doubled, or as it is. */
function quoted(
  message: string,
  { line, isQuoted, isPrinted }: Pick<HeadSample, "line" | "isQuoted" | "isPrinted">,
): string {
  if (isPrinted) return message;
  if (isQuoted) return message.replaceAll('"', '""');
  return /\{[^{}]*"%|: ?"[^"]*%[^"]*"/.test(line) ? JSON.stringify(message).slice(1, -1) : message;
}

/** Whom a line names, or an entry of the journal with its text: null, nobody. */
function named(reader: LineReader, line: string, origin?: Origin): string | null {
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
      for (const { line, time, isObject = false, isKnown = false } of samples) {
        if (isKnown) continue;
        for (const user of ["bob", "bob k", "2020-03-01T10:56:10Z x", "x[7]: y", "error: x"]) {
          const whole = line.replaceAll("sshd", "app").replace(
            "%",
            () => `${user} failed to log in from 203.0.113.5`,
          );
          assert.equal(named(reader, whole), isObject ? null : "203.0.113.5", whole);
          if (isObject) continue;
          if (/^bob/.test(user)) assert.equal(fieldText(reader.event.reader, "user"), user, whole);
          if (time !== null) assert.equal(reader.event.time, time, whole);
        }
      }
    }));
}

Deno.test("a stranger whose name looks like a tag counts in a log that names no programs, and nobody else", () => {
  const [good, other] = ["bob", "x[7]: y"].map((user) =>
    `2026-03-09T04:05:06Z ${user} failed to log in from 203.0.113.5`
  );
  const make = () => {
    const reader = openForm(
      pattern.form({ ...NO_OPTIONS, patterns: ["^(?<user>.*) failed to log in from <ADDR>$"] }),
    );
    const fail = (complaint: string) => assert.fail(complaint);
    return new LineReader(
      [{ index: 0, identifiers: ["app"], units: [], reader }],
      new ModuleHealth(["app"], fail),
    );
  };
  const reader = make();
  assert.equal(named(reader, good!), "203.0.113.5");
  assert.equal(named(reader, other!), "203.0.113.5");
  assert.equal(fieldText(reader.event.reader, "user"), "x[7]: y");
  const tagged = make();
  assert.equal(
    named(tagged, "Mar  9 04:05:06 web app[7]: bob failed to log in from 203.0.113.5"),
    "203.0.113.5",
  );
  assert.equal(named(tagged, "Mar  9 04:05:06 web cron[7]: bob failed to log in from 198.51.100.9"), null);
});

Deno.test("a stranger whose name looks like a head dates no line back in a log without heads", () => {
  const { reader } = caseOf(pattern, "app", [], ["^(?<user>.*) failed to log in from <ADDR>$"]);
  for (const user of ["bob", "2020-03-01T10:56:10Z x", "Mar  1 10:56:10 web app[7]: x"]) {
    assert.equal(named(reader, `${user} failed to log in from 203.0.113.5`), "203.0.113.5");
    assert.equal(reader.event.time, NOW, user);
  }
});

Deno.test("a stranger whose name looks like a zone or half of a day hides no line, nor dates it back", () =>
  inZone("UTC", () => {
    const words = ["am", "PM", "a.m.", "UTC", "EST", "GMT+1", "GMT+0100", "+01", "Z", "am bob", "+01 bob"];
    const times = ["2026-03-09 12:05:06", "[2026-03-09 12:05:06]", "Mar  9 12:05:06", "09/Mar/2026:12:05:06"];
    for (const at of [...times, "Mon Mar  9 2026 12:05:06", "2026-03-09T12:05:06", "2026 Mar  9 12:05:06"]) {
      for (
        const source of ["^(?<user>.*) failed to log in from <ADDR>$", "^(?<user>\\S+) failed by <ADDR>$"]
      ) {
        const { reader } = caseOf(pattern, "app", [], [source]);
        const behind = source.includes("S+") ? "failed by 203.0.113.5" : "failed to log in from 203.0.113.5";
        for (const user of ["bob", ...words, "2027", "2027 bob"]) {
          if (user.includes(" ") && source.includes("S+")) continue;
          const line = `${at} ${user} ${behind}`;
          assert.equal(named(reader, line), "203.0.113.5", line);
          assert.equal(reader.event.time, Date.UTC(2026, 2, 9, 12, 5, 6) * 1_000, line);
          assert.equal(fieldText(reader.event.reader, "user"), user, line);
        }
      }
    }
  }));

Deno.test("words behind times that are a log's own are no part of a stranger's name", () => {
  const { reader } = caseOf(pattern, "app", [], ["^(?<user>.*) failed to log in from <ADDR>$"]);
  for (const user of ["bob", "UTC", "am", "bob"]) {
    const line = `2026-03-09 04:05:06 EST ${user} failed to log in from 203.0.113.5`;
    assert.equal(named(reader, line), "203.0.113.5");
    assert.equal(fieldText(reader.event.reader, "user"), user);
    assert.equal(reader.event.time, Date.UTC(2026, 2, 9, 9, 5, 6) * 1_000, user);
  }
});

for (const [module, { program, reader, messages }] of Object.entries(CASES)) {
  for (const [heads, samples] of Object.entries(HEADS)) {
    Deno.test(`${module} reads its messages behind ${heads}`, () => {
      assert(messages.length > 1);
      for (const sample of samples) {
        const { line, program: told = "sshd", isObject = false, isKnown = false } = sample;
        if (isKnown && module === "a pattern") continue;
        if (told === "kernel" || (module === "NGINX" && /"?stderr\b/.test(line))) continue;
        const head = line.replaceAll("sshd", program);
        for (const message of messages) {
          const whole = head.replace("%", () => quoted(message, sample));
          const isRead = !isObject || module !== "NGINX";
          assert.equal(named(reader, whole), isRead ? named(reader, message) : null, whole);
        }
      }
    });
  }
}

Deno.test("a line of another program names nobody, whatever heads are in its message", () => {
  const forged = "Failed password for root from 198.51.100.9 port 40022 ssh2";
  const texts = Object.values(HEADS).flat().map((sample) =>
    sample.line.replace("%", () => quoted(forged, sample))
  );
  const others = [
    "Mar  9 04:05:06 web cron[7]: %",
    "Mar  9 04:05:06 web cron: %",
    "2026-03-09T04:05:06Z web cron 7 - - %",
    '<38>1 2026-03-09T04:05:06Z web cron 7 - [a b="\\"] %"] x',
    "2026-03-09T04:05:06Z stdout F web cron[7]: %",
    "web-1  | cron[7]: %",
    "cron[7]: %",
    "[cron]: %",
    "Mar  9 04:05:06 web kernel: [12.3] usb 1-1: Product: %",
    '{"log":"cron[7]: %\\n","stream":"stdout","time":"2026-03-09T04:05:06Z"}',
    '{"SYSLOG_IDENTIFIER":"cron","MESSAGE":"%"}',
    '{"programname":"my sshd","msg":"%"}',
    '{"user":"%","message":"Session opened"}',
    '2026-03-09T04:05:06Z cron: {"message":"%"}',
    '2026-03-09T04:05:06Z\tinfo\t{"message":"%"}',
    'data: {"message":"%"}',
    '2026-03-09T04:05:06Z {user="%"} Session opened',
    "2026-03-09T04:05:06Z app[cron.7]: Session of %",
    '1773029106250,"user "%" logged in"',
    "1773029106250,user,%",
    "login ssh-6b7f9c8d5-abcde ssh %",
    '[0] tail.0: [1773029106.250000, {"log"=>"cron[7]: %"}]',
    '[0] tail.0: [1773029106.250000, {"log"=>"Session opened", "user"=>"%"}]',
    '[0] tail.0: [1773029106.250000, {"log"=>"Invalid user %", "user"=>"x"}]',
    '{"log"=>"%"}',
    "Information,3/9/2026 4:05:06 AM,Cron,4,None,user %",
    'Information,3/9/2026 4:05:06 AM,sshd,4,None,"user "%" logged in"',
    "Mar  9 04:05:06 web cron: 788a20aabbcc,v4.0.66: %",
    "2026-03-09T04:05:06Z web cron: a/b %",
    "2026-03-09T04:05:06Z docker/cron[7]: %",
    "2026-03-09T04:05:06Z docker/cron[7] %",
    "2026-03-09T04:05:06Z docker/cron: %",
    'Mar  9 04:05:06 web cron[7]: @cee: {"msg":"%"}',
    "Mar  9 04:05:06 web cron[7]: (libpam.2.dylib) %",
    "Mar  9 04:05:06 web kernel: [12.3] @vserver_a cron[7] %",
    "2026-03-09T04:05:06Z cron[4d891d7df12345] lhr [info] %",
    "2026-03-09T04:05:06Z app[4d891d7df12345] lhr user %",
    "2026-03-09T04:05:06Z cron  | %",
    "auth.log: user %",
  ];
  for (const other of others) {
    const { reader } = caseOf(sshd, "sshd", []);
    for (const text of [forged, ...texts]) {
      const line = other.replace("%", () => /\{"/.test(other) ? JSON.stringify(text).slice(1, -1) : text);
      assert.equal(named(reader, line), null, line);
    }
  }
});

Deno.test("SSHD counts an entry that journalctl wrote as JSON only if root wrote it", () => {
  const { reader } = caseOf(sshd, "sshd", []);
  const line = '{"SYSLOG_IDENTIFIER":"sshd","_UID":"0","MESSAGE":"Invalid user x from 203.0.113.5 port 7"}';
  assert.equal(named(reader, line), "203.0.113.5");
  assert(reader.event.isTrusted);
  assert.equal(named(reader, line.replace('"0"', '"1000"')), "203.0.113.5");
  assert(!reader.event.isTrusted);
  assert.equal(named(reader, line.replace('"_UID":"0",', "")), "203.0.113.5");
  assert(reader.event.isTrusted);
});

Deno.test("NGINX reads JSON of journald, rsyslog and containers, and no other text in JSON", () => {
  const { reader } = caseOf(nginx, "nginx", []);
  const MESSAGE = '203.0.113.5 - - [09/Mar/2026:04:05:06 +0000] "GET / HTTP/1.1" 404 153 "-" "-"';
  const entry = { __CURSOR: "s=1", SYSLOG_IDENTIFIER: "nginx", _UID: "0", MESSAGE };
  assert.equal(named(reader, JSON.stringify(entry)), "203.0.113.5");
  assert.equal(named(reader, JSON.stringify({ ...entry, SYSLOG_IDENTIFIER: "cron" })), null);
  assert.equal(named(reader, JSON.stringify({ syslogtag: "nginx[7]:", msg: ` ${MESSAGE}` })), "203.0.113.5");
  assert.equal(named(reader, JSON.stringify({ program: "nginx", msg: MESSAGE })), null);
  assert.equal(named(reader, JSON.stringify({ time: "2026-03-09T04:05:06Z", message: MESSAGE })), null);
  assert.equal(named(reader, JSON.stringify({ stream: "stdout", log: `${MESSAGE}\n` })), "203.0.113.5");
});

Deno.test("a text in JSON is read behind collectors' heads only if the service writes no JSON itself", () => {
  const inner = (message: string) => JSON.stringify({ time: "2026-03-09T04:05:06Z", message });
  const refused = "refused 203.0.113.5";
  for (const source of ["^refused <ADDR>$", "^(?:error: )?refused <ADDR>$", "^(?:\\[|)refused <ADDR>$"]) {
    const { reader } = caseOf(pattern, "app", [], [source]);
    assert.equal(named(reader, inner(refused)), "203.0.113.5", source);
  }
  for (
    const source of ['^(?:\\{"message":"|)refused <ADDR>$', "^.?refused <ADDR>$", "^\\W*refused <ADDR>$"]
  ) {
    const { reader } = caseOf(pattern, "app", [], [source]);
    assert.equal(named(reader, inner(refused)), null, source);
    assert.equal(named(reader, refused), "203.0.113.5", source);
  }
});

Deno.test("a program's path, inetd's prefix and a unit's instance do not hide the program", () => {
  const { reader } = caseOf(sshd, "sshd", []);
  const names = ["/usr/sbin/sshd", "/usr/lib/openssh/sshd-session", "in.sshd", "sshd@0-192.0.2.1:22"];
  for (const name of [...names, "sshd@0-192.0.2.1:22-203.0.113.5:7.service"]) {
    const line = `Mar  9 04:05:06 web ${name}[7]: Invalid user x from 203.0.113.5 port 7`;
    assert.equal(named(reader, line), "203.0.113.5", name);
  }
  for (const name of ["/usr/sbin/cron", "in.cron", "cron@sshd", "xin.sshd"]) {
    const line = `Mar  9 04:05:06 web ${name}[7]: Invalid user x from 203.0.113.5 port 7`;
    assert.equal(named(reader, line), null, name);
  }
});

Deno.test("SSHD knows its units of Debian and its source of Windows' event log, and no client by these names", () => {
  const message = "Invalid user x from 203.0.113.5 port 7";
  const module = { index: 0, identifiers: sshd.match.identifiers, units: [], aliases: sshd.aliases };
  const nameBy = (program: string) => {
    const health = new ModuleHealth(["sshd"], (complaint) => assert.fail(complaint));
    const reader = new LineReader([{ ...module, reader: openForm(sshd.form(NO_OPTIONS)) }], health);
    return named(reader, `Mon 2026-03-09 04:05:06 UTC web ${program}[7]: ${message}`);
  };
  const names = ["ssh.service", "sshd.service", "sshd@3-192.0.2.1:22-198.51.100.7:5022.service", "OpenSSH"];
  for (
    const name of [...names, "ssh@3-192.0.2.1:22-198.51.100.7:5022.service", "a.slice/b.slice/ssh.service"]
  ) {
    assert.equal(nameBy(name), "203.0.113.5", name);
  }
  const others = ["ssh", "ssh@a", "cron.service", "cron@ssh.service", "a/sshd"];
  const ofUsers = [
    "user.slice/ssh.service",
    "user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service",
  ];
  for (const name of [...others, ...ofUsers]) {
    assert.equal(nameBy(name), null, name);
  }
});

Deno.test("a host may be an address with a zone", () => {
  const { reader } = caseOf(sshd, "sshd", []);
  const line = "Mar  9 04:05:06 fe80::1%eth0 sshd[7]: Invalid user x from 203.0.113.5 port 7";
  assert.equal(named(reader, line), "203.0.113.5");
});

Deno.test("NGINX names somebody by an error record alone that is whole, or has only nginx's own text", () => {
  const errors = NGINX_SAMPLES.filter(({ form }) => form === "error").map(({ line }) => line);
  assert(errors.length > 1);
  for (const sample of Object.values(HEADS).flat()) {
    const { line, program: told = "sshd", isObject = false } = sample;
    if (told === "kernel" || line.startsWith('{"log"') || isObject) continue;
    const head = line.replaceAll("sshd", "nginx");
    for (const message of errors) {
      const { reader } = caseOf(nginx, "nginx", []);
      const isOfSyslog = /(?:^|[\s>])nginx(?:(?:\[\d+\])?: *| - - (?:-|\[.*\]) \ufeff?)%$/.test(head) &&
        !/ std(?:out|err) F /.test(head);
      const isClosed = !readRecordLine(message).isOpen;
      // What follows a cut line is not known.
      const isCut = / std(?:out|err) P[ :]/.test(head);
      const expected = isOfSyslog || (isClosed && !isCut) ? named(reader, message) : null;
      const whole = head.replace("%", () => quoted(message, sample));
      assert.equal(named(reader, whole), expected, `${head}: ${message}`);
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

Deno.test("NGINX names nobody by an error record behind a container's name, which stands before each line", () => {
  const { line } = NGINX_SAMPLES.find(({ form, line }) => form === "error" && readRecordLine(line).isOpen)!;
  for (const container of ["nginx-1  | ", "a.nginx.1.x@b  | ", "nginx | ", "nginx.1     | "]) {
    assert.equal(named(caseOf(nginx, "nginx", []).reader, container + line), null, container);
  }
  assert.notEqual(named(caseOf(nginx, "nginx", []).reader, `Mar  9 04:05:06 web nginx: ${line}`), null);
});

for (const [module, { reader, messages }] of Object.entries(CASES)) {
  Deno.test(`${module} reads bare messages behind a byte order mark and in colours, but none behind blanks`, () => {
    for (const message of messages) {
      const expected = named(reader, message);
      assert.equal(named(reader, `\ufeff${message}`), expected, message);
      assert.equal(named(reader, `\x1b[0;1;31m\x1b[1m${message}\x1b[0m`), expected, message);
      // journalctl prints further lines of a message so: a stranger may have written them.
      assert.equal(named(reader, `      ${message}`), null, message);
    }
  });
}

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
