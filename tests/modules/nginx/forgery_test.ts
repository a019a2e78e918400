import { strict as assert } from "node:assert";
import { addressOf } from "../../../lib/core/address_text.ts";
import { encode } from "../../../lib/core/bytes.ts";
import type { Origin } from "../../../lib/core/records.ts";
import { ModuleHealth } from "../../../lib/reading/health.ts";
import { LineReader } from "../../../lib/reading/line_reader.ts";
import { LineSplitter, SURROUNDINGS } from "../../../lib/sources/line_splitter.ts";
import { RecordBuffer } from "../../../lib/core/record_buffer.ts";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { NO_OPTIONS, openForm } from "../../support/messages.ts";
import { linesAt } from "../../support/records.ts";

const NOW = Date.UTC(2026, 11, 1) * 1_000;
const TRUE = "203.0.113.5";
const OTHER = "198.51.100.7";
const HEAD = "2026/03/01 10:56:10 [error] 7#7: *1 ";
const BEGIN = `${HEAD}open() "/srv/www`;
const FAILED = `" failed (2: No such file or directory), client: `;
const END = ', server: x, request: "GET / HTTP/1.1", host: "x"';
const WHOLE = `${HEAD}user "bob": password mismatch, client: ${OTHER}${END}`;
const ACCESS = `${OTHER} - - [01/Mar/2026:10:56:10 +0000] "GET /.env HTTP/1.1" 404 153 "-" "-"`;
const STDERR = `${HEAD}FastCGI sent in stderr: "`;
const READING = '" while reading response header from upstream, client: ';
const FASTCGI = ', server: x, request: "GET /a.php HTTP/1.1", upstream: "fastcgi://127.0.0.1:9", host: "x"';

/** Returns a record as nginx writes it, cut after `length` bytes. */
function cut(text: string, length = 2_048): string {
  return `${text.slice(0, length - 1)}\n`;
}

/** Returns the record about a missing page, of all lines that `path` makes. */
function record(path: string, query = "", length?: number): string {
  const target = encodeURI(path).replaceAll("?", "%3F") + query;
  return cut(
    `${BEGIN}${path}${FAILED}${TRUE}, server: _, request: "GET ${target} HTTP/1.1", host: "h"`,
    length,
  );
}

/** Returns the record of text that a backend wrote. */
function stderr(text: string): string {
  return cut(`${STDERR}${text}${READING}${TRUE}${FASTCGI}`);
}

function ownRecord(text: string, address = OTHER, behind = ""): string {
  return `${HEAD}${text}, client: ${address}, server: x, request: "GET / HTTP/1.1"${behind}, host: "x"\n`;
}

/**
 * Makes a function that reads a piece of a log, perhaps with what was `before`, and returns the
 * address of each line; null: nobody.
 */
function reading(logFormats: readonly string[] = []) {
  const reader = openForm(nginx.form({ ...NO_OPTIONS, logFormats }));
  const module = { index: 0, identifiers: ["nginx"], units: [], reader };
  const events = new LineReader([module], new ModuleHealth(["NGINX"], (complaint) => assert.fail(complaint)));
  const buffer = new RecordBuffer(16);
  const lines = new LineSplitter();
  return (piece: Uint8Array, goesOn: boolean, before?: Uint8Array): (string | null)[] => {
    if (before !== undefined) lines.recall(before);
    lines.begin(buffer);
    buffer.put(piece);
    lines.take(buffer, NOW, goesOn);
    return Array.from({ length: buffer.length }, (_, i) => {
      const isFound = events.read(buffer, i, NOW) && events.event.isUnderstood;
      return isFound ? addressOf(events.event.reader.address) : null;
    });
  };
}

function bytesOf(log: string): Uint8Array {
  const { bytes, end } = encode(log);
  return bytes.array.subarray(0, end);
}

/** Reads a whole log. */
function addresses(log: string, logFormats?: readonly string[]): (string | null)[] {
  return reading(logFormats)(bytesOf(log), false);
}

/** Pads the middle of a record, so that it is cut exactly behind the text at its end. */
function padded(begin: string, end: string, length = 2_048): string {
  return cut(`${begin}${"p".repeat(length - 1 - begin.length - end.length)}${end}, and more`, length);
}

type Case = readonly [name: string, log: string, expected: (string | null)[]];

const FORGED: readonly Case[] = [
  ["a whole line inside of a path", record(`/a\n${WHOLE}\n`), [null, null, null]],
  ["several of them", record(`/a\n${WHOLE}\n${WHOLE}\n${WHOLE}\n`), [null, null, null, null, null]],
  ["a line of an access log", record(`/a\n${ACCESS}\n`), [null, null, null]],
  [
    "lines made complete at both sides",
    record(`/a${FAILED}${OTHER}${END}\n${WHOLE}\n${BEGIN}/b`),
    [null, null, TRUE],
  ],
  [
    "a last line that only ends truly",
    record(`/a\n${HEAD}access forbidden by rule, client: ${OTHER}, server: x`),
    [
      null,
      null,
    ],
  ],
  ["a name of Basic authentication", ownRecord(`user "a\n${OTHER} GET 404\nb": password mismatch`, TRUE), [
    null,
    null,
    null,
  ]],
  [
    "text of a backend, complete at both sides",
    stderr(`a${READING}${OTHER}${FASTCGI}\n${WHOLE}\n${ACCESS}\n${STDERR}b`),
    [null, null, null, TRUE],
  ],
  [
    "text of a backend that ends like a text of nginx",
    stderr(`a\n${WHOLE}\n${HEAD}access forbidden by rule`),
    [
      null,
      null,
      TRUE,
    ],
  ],
  [
    "a path that a backend chose",
    `${BEGIN}/a${FAILED}${OTHER}${END}\n${WHOLE}\n${BEGIN}/b${FAILED}${TRUE}, server: x, ` +
    'request: "GET / HTTP/1.1", upstream: "http://127.0.0.1/", host: "x"\n',
    [null, null, TRUE],
  ],
  [
    "text of a script, which may end the record like a text of nginx",
    `${HEAD}[lua] a.lua:1: a, client: ${OTHER}${END}\n${WHOLE}\n${
      ownRecord("access forbidden by rule", TRUE)
    }`,
    [null, null, TRUE],
  ],
  [
    "an upstream with a line break, behind the true client",
    ownRecord("no live upstreams while connecting to upstream", TRUE, `, upstream: "http://a/\n${WHOLE}`)
      .replace("GET /", "GET /%0a"),
    [null, null],
  ],
  [
    "a login of mail",
    `${HEAD}client login failed: "x" while in http auth state, client: ${TRUE}, server: x, login: "a"\n${WHOLE}\n`,
    [null, null],
  ],
  ["a cut record", record(`/a\n${WHOLE}\n${"b".repeat(2_048)}`), [null, null, null]],
  ["a record cut behind a forged line", padded(`${BEGIN}/`, `\n${WHOLE}\n${WHOLE}`), [null, null, null]],
  ["a record that OpenResty cut there", padded(`${BEGIN}/`, `\n${WHOLE}\n${WHOLE}`, 4_096), [
    null,
    null,
    null,
  ]],
  ["a record of the level debug", `${HEAD.replace("error", "debug")}http uri: "/a\n${WHOLE}\n"\n`, [
    null,
    null,
    null,
  ]],
  [
    "one line of the level debug",
    `${HEAD.replace("error", "debug")}http header: "X: a, client: ${OTHER}${END}\n`,
    [null],
  ],
  ["invalid UTF-8, which is copied", record(`/a\n${WHOLE.replace("bob", "b\ufffdb")}\n`), [null, null, null]],
  ["invalid UTF-8 in a line of an access log", record(`/a\n${ACCESS.replace("GET", "G\ufffdT")}\n`), [
    null,
    null,
    null,
  ]],
];

const HONEST: readonly Case[] = [
  ["the line before a forgery", `${record("/c")}${record(`/a\n${WHOLE}\n`)}`, [TRUE, null, null, null]],
  ["its own records before a forgery", `${record("/c")}${record("/a\n")}`, [TRUE, null, null]],
  ["missing pages of two clients", `${record("/a")}${record("/b").replaceAll(TRUE, OTHER)}`, [TRUE, OTHER]],
  ["a long record of one line", `${record("/a")}${record(`/${"b".repeat(2_048)}`)}`, [TRUE, null]],
  ["texts of nginx beside a missing page", `${WHOLE}\n${record("/a")}${WHOLE}\n${ACCESS}\n`, [
    OTHER,
    TRUE,
    OTHER,
    OTHER,
  ]],
  [
    "texts of nginx beside several lines of PHP",
    `${WHOLE}\n${stderr("PHP message: a\n#0 b.php(7): c()\nthrown")}${WHOLE}\n${ACCESS}\n${record("/a")}`,
    [OTHER, null, null, null, OTHER, OTHER, TRUE],
  ],
  [
    "what nginx tells of connections, bodies and answers",
    [
      `client ${TRUE} closed keepalive connection`,
      `client ${TRUE} closed keepalive connection (104: Connection reset by peer)`,
      "open socket #12 left in connection 5",
      `a client request body is buffered to a temporary file /var/lib/nginx/body/0000000001, client: ${TRUE}${END}`,
      `an upstream response is buffered to a temporary file /var/lib/nginx/proxy/1/00/0000000001 while reading upstream, client: ${TRUE}${END}`,
      `peer closed connection in SSL handshake (104: Connection reset by peer) while SSL handshaking, client: ${TRUE}${END}`,
      `http2 flood detected while processing HTTP/2 connection, client: ${TRUE}${END}`,
      `client sent stream with invalid id 2 while processing HTTP/2 connection, client: ${TRUE}${END}`,
      `handshake rejected while SSL handshaking, client: ${TRUE}${END}`,
      `client SSL certificate verify error: (18:self-signed certificate) while reading client request headers, client: ${TRUE}${END}`,
      `client attempted to request the server name different from the one that was negotiated while reading client request headers, client: ${TRUE}${END}`,
      `using uninitialized "a" variable while logging request, client: ${TRUE}${END}`,
    ].map((text) => `${HEAD}${text}\n`).join("") + `${WHOLE}\n`,
    [null, null, null, TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, OTHER],
  ],
  ["a notice of nginx itself", `2026/03/01 10:56:10 [notice] 7#7: exiting\n${WHOLE}\n`, [null, OTHER]],
  ["a line of another service", `${WHOLE}\nMar  1 10:56:10 web cron[7]: (root) CMD (a)\n${WHOLE}\n`, [
    OTHER,
    null,
    OTHER,
  ]],
];

for (
  const logFormats of [[], ["$remote_addr [$time_local] $status", "$remote_addr $request_method $status"]]
) {
  const kind = logFormats.length === 0 ? "known formats" : "formats of one's own";
  Deno.test(`who writes lines into nginx's error log names nobody else, with ${kind}`, () => {
    for (const [name, log, expected] of FORGED) assert.deepEqual(addresses(log, logFormats), expected, name);
  });
}

Deno.test("honest lines name their clients beside ordinary lines of nginx's error log", () => {
  for (const [name, log, expected] of HONEST) assert.deepEqual(addresses(log), expected, name);
});

Deno.test("who writes lines into nginx's error log names nobody else wherever the pieces of a log end", () => {
  const filler = ownRecord("access forbidden by rule", TRUE).repeat(30);
  for (const [name, forged] of FORGED) {
    const log = bytesOf(filler + forged + filler);
    const expected = addresses(filler + forged + filler);
    for (let at = filler.length - 50; at < filler.length + forged.length + 50; at += 7) {
      const read = reading();
      const found = [...read(log.subarray(0, at), true), ...read(log.subarray(at), false)];
      assert.deepEqual(found, expected, `${name}, at ${at}`);
    }
    // Live: a record comes at once, after the lines before it were read.
    const read = reading();
    const before = read(bytesOf(filler), false);
    const live = [...before, ...read(bytesOf(forged), false), ...read(bytesOf(filler), false)];
    assert(!live.includes(OTHER), name);
  }
});

Deno.test("a look at a line's time alone throws no doubt on other lines", () => {
  const reader = openForm(nginx.form(NO_OPTIONS));
  const module = { index: 0, identifiers: ["nginx"], units: [], reader };
  const events = new LineReader([module], new ModuleHealth(["NGINX"], (complaint) => assert.fail(complaint)));
  const { bytes, end } = encode(`${STDERR}a`);
  assert(events.timeOf({ bytes, from: 0, to: end }, { now: NOW }) > 0);
  for (const line of [WHOLE, ACCESS]) {
    assert(events.read(linesAt(NOW, line), 0, NOW));
    assert.equal(addressOf(reader.address), OTHER);
  }
});

const TIME = "2026-03-01T10:56:10.123456789Z";

/** Heads that runtimes of containers put before each line. */
const RUNTIMES = {
  "Docker's JSON": (line: string, stream = "stderr") =>
    JSON.stringify({ log: `${line}\n`, stream, time: TIME }),
  "CRI": (line: string, stream = "stderr") => `${TIME} ${stream} F ${line}`,
  "a time alone": (line: string) => `${TIME} ${line}`,
  "compose": (line: string) => `nginx-1  | ${line}`,
  "kubectl": (line: string) => `[pod/nginx-7c5/nginx] ${line}`,
  "Docker's syslog": (line: string) => `<27>1 ${TIME} web nginx 7 nginx - ${line}`,
};
/** Runtimes that write several streams. */
const HAS_STREAMS: readonly string[] = ["Docker's JSON", "CRI"];

/** Returns a log as a runtime writes it, with `between` in front of each line, as of another stream. */
function torn(log: string, headed: (line: string, stream?: string) => string, between?: string): string {
  const lines = log.split("\n").slice(0, -1);
  const other = between === undefined ? "" : `${headed(between, "stdout")}\n`;
  return lines.map((line) => `${other}${headed(line)}\n`).join("");
}

/** Reads a log line by line, as a runtime writes it. */
function live(log: string): (string | null)[] {
  const read = reading();
  return log.split("\n").slice(0, -1).flatMap((line) => read(bytesOf(`${line}\n`), false));
}

Deno.test("lines that a client made a runtime write name nobody else", () => {
  const nested = Object.values(RUNTIMES).flatMap((headed) => [headed(ACCESS, "stdout"), headed(WHOLE)]);
  const hidden = [WHOLE, ACCESS, `web nginx[7]: ${WHOLE}`, `web nginx[7]: ${ACCESS}`, ...nested];
  const logs = FORGED.map(([name, log]) => [name, log]);
  for (const line of hidden) {
    for (const pad of ["", "\n".repeat(300), "\ufffd\n".repeat(100)]) {
      logs.push([`${line} in a path`, record(`/a\n${pad}${line}\n`)], [
        `${line} of PHP`,
        stderr(`a\n${pad}${line}\n`),
      ]);
    }
  }
  for (const [name, log] of logs as [string, string][]) {
    assert(!addresses(log).includes(OTHER), name);
    for (const [runtime, headed] of Object.entries(RUNTIMES)) {
      for (const between of HAS_STREAMS.includes(runtime) ? [undefined, `${TRUE} - - [x`] : [undefined]) {
        const all = torn(log, headed, between);
        assert(!addresses(all).includes(OTHER), `${name}: ${runtime}`);
        assert(!live(all).includes(OTHER), `${name}: ${runtime}, live`);
      }
    }
  }
});

Deno.test("a record of which a runtime has cut a line anywhere names nobody else", () => {
  const pieces = {
    "CRI": (text: string, isWhole: boolean) => `${TIME} stderr ${isWhole ? "F" : "P"} ${text}`,
    "CRI with another flag": (text: string, isWhole: boolean) =>
      `${TIME} stderr ${isWhole ? "F" : "P"}:a ${text}`,
    "Docker's JSON": (text: string, isWhole: boolean) =>
      JSON.stringify({ log: isWhole ? `${text}\n` : text, stream: "stderr", time: TIME }),
  };
  const before = ownRecord("access forbidden by rule", TRUE);
  const logs = [
    record(`/a\n${WHOLE}\n`),
    record(`/a${WHOLE}\n`),
    record(`/a\n${WHOLE}\n`, "", 4_096),
    ownRecord("access forbidden by rule", TRUE, `, subrequest: "/a\n${WHOLE}\n"`),
    `${HEAD}upstream timed out (110: x) while connecting to upstream, client: ${TRUE}, server: x, ` +
    `request: "GET /%0a HTTP/1.1", upstream: "http://a/\n${WHOLE}\n", host: "x"\n`,
  ];
  for (const [runtime, piece] of Object.entries(pieces)) {
    for (const log of logs) {
      for (let at = 1; at < log.length; at += at < 64 ? 1 : 29) {
        if (/\n/.test(log.slice(at - 1, at + 1))) continue;
        const [first, second] = [log.slice(0, at), log.slice(at)].map((text) => text.split("\n"));
        const lines = [...before.repeat(40).split("\n").slice(0, -1), ...first!.slice(0, -1)];
        const rest = [...second!.slice(0, -1), ...before.repeat(40).split("\n").slice(0, -1)];
        const all = [...lines.map((line) => piece(line, true)), piece(first!.at(-1)!, false)];
        const found = addresses([...all, ...rest.map((line) => piece(line, true)), ""].join("\n"));
        assert(!found.includes(OTHER), `${runtime}: cut at ${at}: ${log}`);
      }
    }
  }
});

Deno.test("a line of an access log that a runtime has cut hides no other", () => {
  const piece = (text: string, isWhole: boolean) => `${TIME} stdout ${isWhole ? "F" : "P"} ${text}\n`;
  for (const at of [16, 60, 90]) {
    const log = piece(ACCESS.slice(0, at), false) + piece(ACCESS.slice(at), true) + piece(ACCESS, true);
    assert.equal(addresses(log).at(-1), OTHER);
    assert.equal(live(log).at(-1), OTHER);
  }
});

Deno.test("a record that a client made a runtime tear names nobody else behind the place of a restart", () => {
  for (const headed of [RUNTIMES["Docker's JSON"], RUNTIMES.CRI]) {
    for (const pad of ["", "\n".repeat(300)]) {
      const lines = torn(record(`/a\n${pad}${WHOLE}\n${WHOLE}\n${ACCESS}\n`), headed).split(/(?<=\n)/);
      const [passed, rest] = [lines.slice(0, -4).join(""), lines.slice(-4).join("")];
      const before = torn(ownRecord("access forbidden by rule", TRUE).repeat(40), headed) + passed;
      assert.deepEqual(reading()(bytesOf(rest), false, bytesOf(before).slice(-SURROUNDINGS)), [
        null,
        null,
        null,
        null,
      ]);
    }
  }
});

Deno.test("honest records name their clients behind the heads of runtimes", () => {
  const own = ownRecord("access forbidden by rule");
  const missing = record("/c");
  const filler = ownRecord("access forbidden by rule", TRUE, ", x").repeat(40);
  for (const [runtime, headed] of Object.entries(RUNTIMES)) {
    const all = torn(own.repeat(9), headed, ACCESS);
    assert.deepEqual(new Set(addresses(all)), new Set([OTHER]), runtime);
    assert.deepEqual(new Set(live(all)), new Set([OTHER]), runtime);
    assert.deepEqual(live(torn(missing + own, headed)), [null, null], `${runtime}: not yet known`);
    assert.equal(live(torn(missing + filler + own, headed)).at(-1), OTHER, `${runtime}: known again`);
    if (!HAS_STREAMS.includes(runtime)) continue;
    const found = addresses(torn(missing + own + filler, headed, ACCESS));
    assert.deepEqual(found.slice(0, 4), [OTHER, TRUE, OTHER, OTHER], runtime);
    assert.equal(live(torn(missing + own, headed, ACCESS)).at(-2), OTHER, `${runtime}: another stream`);
  }
});

Deno.test("an open record of one file hides no line of another", () => {
  const reader = openForm(nginx.form(NO_OPTIONS));
  const module = { index: 0, identifiers: ["nginx"], units: [], reader };
  const events = new LineReader([module], new ModuleHealth(["NGINX"], (complaint) => assert.fail(complaint)));
  const buffers = [new RecordBuffer(16), new RecordBuffer(16)];
  const splitters = buffers.map(() => new LineSplitter());
  const address = (file: number, line: string) => {
    splitters[file]!.begin(buffers[file]!);
    buffers[file]!.put(bytesOf(`${RUNTIMES.CRI(line)}\n`));
    splitters[file]!.take(buffers[file]!, NOW);
    assert(events.read(buffers[file]!, 0, NOW));
    return addressOf(reader.address);
  };
  assert.deepEqual([address(0, `${STDERR}a`), address(1, WHOLE), address(0, WHOLE)], [null, OTHER, null]);
});

Deno.test("who writes torn lines into a plain error log hides no later record", () => {
  const open = `${TIME} ${STDERR}a`;
  const log = record(`/a\n${open}\n`);
  const later = ownRecord("access forbidden by rule", TRUE).repeat(40) + `${WHOLE}\n${ACCESS}\n`;
  assert.deepEqual(live(log + later).slice(-2), [OTHER, OTHER]);
});

Deno.test("entries that journald split name nobody behind an open record of the same program", () => {
  const reader = openForm(nginx.form(NO_OPTIONS));
  const module = { index: 0, identifiers: ["nginx"], units: [], reader };
  const events = new LineReader([module], new ModuleHealth(["NGINX"], (complaint) => assert.fail(complaint)));
  const sender = { uid: 0, unit: "nginx.service" };
  let time = NOW - 60_000_000;
  const address = (message: string, origin: Partial<Origin> = {}) => {
    const { bytes, end } = encode(message);
    const buffer = new RecordBuffer(16);
    buffer.begin();
    buffer.put(bytes.array.subarray(0, end));
    buffer.origins = [{ identifier: "nginx", sender, ...origin }];
    buffer.add({ from: 0, to: end, isASCII: true, most: Infinity }, { origin: 0, time, pid: 7 });
    assert(events.read(buffer, 0, NOW));
    return addressOf(reader.address);
  };
  assert.deepEqual([address(WHOLE), address(ACCESS)], [OTHER, OTHER]);
  assert.deepEqual([address(`${STDERR}a`), address(WHOLE), address(ACCESS)], [null, null, null]);
  assert.deepEqual([address(WHOLE, { container: "b2" }), address(WHOLE, { isWhole: true })], [OTHER, OTHER]);
  // Lines of another container, which stand between, say nothing about where the record ends.
  for (let i = 0; i < 40; i++) address(WHOLE, { container: "b2" });
  assert.equal(address(WHOLE), null);
  for (let i = 0; i < 40; i++) address(WHOLE);
  assert.deepEqual([address(WHOLE), address(ACCESS)], [OTHER, OTHER]);
  assert.deepEqual([address(`${STDERR}a`), address(ACCESS)], [null, null]);
  time += 11_000_000;
  assert.deepEqual([address(WHOLE), address(ACCESS)], [OTHER, OTHER]);
});

/** Heads with a time of the runtime's own directly before the message, `second` seconds after a minute. */
const TIMED_HEADS: readonly ((line: string, second: number) => string)[] = [
  (line, second) => `nginx-1  | 2026-03-01T10:56:${10 + second}.5Z ${line}\n`,
  (line, second) => `[pod/nginx-7c5/nginx] 2026-03-01T10:56:${10 + second}Z ${line}\n`,
  (line, second) => `2026-03-01T10:56:${10 + second}.000000001Z ${line}\n`,
];

Deno.test("a torn record hides no line that the runtime took over ten seconds later", () => {
  const [open, ...torn] = record(`/a\n${ACCESS}\n${WHOLE}\n`).trimEnd().split("\n");
  for (const headed of TIMED_HEADS) {
    for (const read of [addresses, live]) {
      const log = headed(open!, 0) + torn.map((line) => headed(line, 1)).join("");
      const later = headed(ACCESS, 10) + headed(ACCESS, 11) + headed(WHOLE, 12);
      assert.deepEqual(read(log + later), [null, null, null, null, null, OTHER, OTHER], log);
      // Another record begins meanwhile.
      const again = headed(ACCESS, 11) + headed(open!, 11) + headed(ACCESS, 21) + headed(ACCESS, 22);
      assert.deepEqual(read(log + again).slice(4), [OTHER, null, null, OTHER]);
    }
  }
});

Deno.test("no time that a client wrote, or that a collector may have read from a line, ends a torn record", () => {
  const late = "2026-03-01T10:57:10Z";
  const heads: readonly ((line: string, time: string) => string)[] = [
    (line) => `nginx-1  | ${line}\n`,
    (message, time) => `${JSON.stringify({ "@timestamp": time, message, source_type: "file" })}\n`,
    (line, time) => `${time.replace("T", " ").replace("Z", "")},"${line.replaceAll('"', '""')}"\n`,
    (line, time) => `${time} {job="nginx"} ${line}\n`,
    (line, time) => `${time} nginx/nginx/0a1b ${line}\n`,
  ];
  for (const headed of heads) {
    for (const line of [ACCESS, WHOLE, `${late} ${ACCESS}`, `${late} ${WHOLE}`]) {
      const [open, ...rest] = record(`/a\n${line}\n`).trimEnd().split("\n");
      const log = headed(open!, TIME.slice(0, 19) + "Z") + rest.map((line) => headed(line, late)).join("");
      assert(!addresses(log).includes(OTHER), log);
      assert(!live(log).includes(OTHER), log);
    }
  }
});

/** Lines of collectors: JSON and CSV, with more or less beside the text. */
const COLLECTORS: readonly ((line: string) => string)[] = [
  (message) => JSON.stringify({ message, source_type: "file" }),
  (log) => JSON.stringify({ log, kubernetes: { pod_name: "a" } }),
  (log) => JSON.stringify({ log, kubernetes: { pod_name: "a", annotations: { a: "b".repeat(1_500) } } }),
  (message) => `1773029106250,"${message.replaceAll('"', '""')}"`,
  (message) => `2026-03-09T04:05:06Z\tnginx.error\t${JSON.stringify({ message, container_id: "a" })}`,
];

Deno.test("NGINX names nobody by a record that a client may have written, if a collector wrote lines as JSON", () => {
  for (const collect of COLLECTORS) {
    for (const [name, log] of FORGED) {
      const whole = log.trimEnd().split("\n").map((line) => `${collect(line)}\n`).join("");
      assert(!addresses(whole).includes(OTHER), `${name}: ${whole}`);
    }
    const own = ownRecord('user "a": password mismatch').trimEnd();
    assert.deepEqual(addresses(`${collect(own)}\n${collect(own)}\n`), [OTHER, OTHER], collect(own));
    const behind = record("/a\nb").split("\n", 1)[0]!;
    assert.deepEqual(addresses(`${collect(behind)}\n${collect(own)}\n`), [null, null], collect(own));
  }
});

Deno.test("NGINX names nobody behind a restart within a record, if a collector wrote lines as JSON", () => {
  for (const collect of COLLECTORS) {
    const collected = (log: string) => log.trimEnd().split("\n").map((line) => `${collect(line)}\n`);
    const filler = collected(ownRecord("access forbidden by rule", TRUE).repeat(40));
    const lines = collected(record(`/a\n${"b\n".repeat(99)}${WHOLE}\n${WHOLE}\n${WHOLE}\n${WHOLE}\n`));
    for (let at = 1; at < lines.length; at++) {
      const before = bytesOf([...filler, ...lines.slice(0, at)].join("")).slice(-SURROUNDINGS);
      const rest = lines.slice(at).join("");
      assert(!reading()(bytesOf(rest), false, before).includes(OTHER), `${at}: ${rest}`);
    }
  }
});
