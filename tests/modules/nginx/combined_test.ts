import { strict as assert } from "node:assert";
import { addressOf } from "../../../lib/core/address_reader.ts";
import { encode } from "../../../lib/core/bytes.ts";
import { makeFindings, TextForm } from "../../../lib/reading/text_reader.ts";
import { timeOfStamp } from "../../../lib/reading/timestamp.ts";
import { CombinedReader } from "../../../modules/nginx/combined.ts";
import { NAMES } from "../../../modules/nginx/fields.ts";
import { lineParser } from "../../../modules/nginx/lines.ts";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { nginx as before } from "../../../modules/nginx.ts";
import type { ParserOptions } from "../../../lib/reading/module.ts";
import { FUZZ_LINES, Random } from "../../support/random.ts";
import { NGINX_NEAR_MISSES, NGINX_SAMPLES } from "../../samples/nginx.ts";
import { NGINX_RULE_SAMPLES } from "../../samples/nginx_rules.ts";
import { messageParser } from "../../support/messages.ts";

const NOTHING: ParserOptions = { logFormats: [], trustedProxies: [], patterns: [], unsafe: false };
const LINE = '192.0.2.7 - bob [01/Mar/2026:10:56:10 +0000] "GET /a//b%20c?x=1 HTTP/1.1" 200 612 ' +
  '"https://example.org/" "Mozilla/5.0" "203.0.113.9"';

Deno.test("`CombinedReader.read()` leaves to the pattern what is cut, escaped, or of another form", () => {
  const findings = makeFindings(NAMES.length);
  const reader = new CombinedReader(findings);
  const cases: readonly [string, boolean][] = [
    [LINE, true],
    [LINE.replace("192.0.2.7", "2001:db8::7"), true],
    [LINE.slice(0, LINE.indexOf(' "https')), true],
    [`${LINE} rt=0.001`, true],
    [LINE.slice(0, -1), false],
    [LINE.slice(0, 60), false],
    [LINE.replace("/a", "/\\x22"), false],
    [`www.example.org ${LINE}`, false],
    [LINE.replace("192.0.2.7", "unix:"), false],
    [LINE.replace("192.0.2.7", "fe80::1%eth0"), false],
    [LINE.replace("200", "2000"), false],
    [LINE.replace("Mar", "Mrz"), false],
    ["", false],
  ];
  for (const [line, isRead] of cases) {
    const { bytes, end } = encode(line);
    assert.equal(reader.read(bytes, 0, end), isRead, line);
    if (isRead) assert.equal(addressOf(findings.address), line.split(" ")[0], line);
  }
});

Deno.test("`CombinedReader` sees nothing behind its range", () => {
  const { bytes, end } = encode(LINE + LINE.slice(-40));
  const reader = new CombinedReader(makeFindings(NAMES.length));
  const read = Array.from({ length: end }, (_, to) => reader.read(bytes, 0, to) ? to : -1).filter((to) =>
    to >= 0
  );
  const ends = Array.from({ length: end }, (_, to) => to).filter((to) => {
    const cut = encode(new TextDecoder().decode(bytes.array.subarray(0, to)));
    return reader.read(cut.bytes, 0, cut.end);
  });
  assert.deepEqual(read, ends);
  assert.ok(read.length > 3);
});

Deno.test("nginx's reader decodes paths and queries that are longer than any before", () => {
  const read = messageParser(nginx.form(NOTHING));
  for (const length of [10, 5_000, 40_000, 20]) {
    const request = `GET /${"a%20//".repeat(length)}?${"%3Dé".repeat(length)} HTTP/1.1`;
    const { fields } = read(LINE.replace("GET /a//b%20c?x=1 HTTP/1.1", request))!;
    assert.equal(fields.path, `/${"a /".repeat(length)}`);
    assert.equal(fields.query, "=é".repeat(length));
    assert.equal(fields.raw_query, "%3Dé".repeat(length));
  }
});

Deno.test("nginx's fields of a line are the same by positions and by the pattern, whatever the line holds", () => {
  const random = new Random(29);
  const parts = [
    () =>
      random.pick([
        "192.0.2.7",
        "192.0.2.7",
        "2001:DB8::7",
        "::ffff:192.0.2.7",
        "999.0.2.7",
        "fe80::1%eth0",
        "host",
        "host 192.0.2.7",
      ]),
    () => random.pick([" - ", " - ", " - ", " -", "  - "]),
    () => random.pick(["-", "bob", "a b", 'a [b] "c', '[01/Mar/2026:10:56:10 +0000] "', ""]),
    () =>
      random.pick([
        " [01/Mar/2026:10:56:10 +0000] ",
        " [01/Mar/2026:10:56:10 +0000] ",
        " [31/Feb/2026:10:56:10 -0930] ",
        " [x] ",
      ]),
    () =>
      random.pick([
        '"GET / HTTP/1.1"',
        '"POST //a//b?c=%22d%20 HTTP/2.0"',
        '"GET HTTP/1.0"',
        '"GET  HTTP/1.1"',
        '""',
        '"-"',
        '"HTTP/1.1"',
        '"get http://x/y HTTP/1.1"',
        '"GET http://x/y?z HTTP/1.1"',
        '"GET / HTTP/1.1',
        '"\\x16\\x03"',
        '"OPTIONS * HTTP/1.1"',
        '"GET /a b HTTP/1.12"',
      ]),
    () => random.pick([" 200 612", " 200 612", " 404 -", " 200", " 20 1", " 200 6x", ""]),
    () => random.pick([' "-"', ' "https://example.org/ "', ' "', "", " x"]),
    () => random.pick([' "-"', ' "curl/8.0"', '"x"', ' "', ""]),
    () => random.pick([' "203.0.113.9"', ' "-"', "", ' "', " 0.001"]),
  ];
  const byPositions = messageParser(nginx.form(NOTHING));
  const byPattern = messageParser(new TextForm({ fields: NAMES, parse: lineParser([]) }));
  let read = 0;
  for (let i = 0; i < FUZZ_LINES; i++) {
    const line = parts.map((part) => part()).join("");
    const found = byPositions(line);
    const expected = byPattern(line);
    if (found === null || expected === null) assert.equal(found, expected, line);
    else {
      read++;
      const { time, stamp, ...rest } = found;
      const { stamp: expectedStamp, time: _, ...expectedRest } = expected;
      assert.deepEqual(rest, expectedRest, line);
      assert.equal(time ?? timeOfStamp(stamp!, NOW), timeOfStamp(expectedStamp!, NOW), line);
    }
  }
  assert.ok(read > FUZZ_LINES / 50, `${read} lines`);
});

const NOW = { now: 0, before: NaN };
const TIME = "[01/Mar/2026:10:56:10 +0100]";
const REQUESTS = NGINX_RULE_SAMPLES.flatMap(({ match, miss }) => [...match, ...miss]);
const SAMPLES = [...NGINX_SAMPLES, ...NGINX_NEAR_MISSES].map(({ line }) => line.slice(0, 1_000));
/** As nginx escapes text in access logs. */
const escaped = (text: string) =>
  // deno-lint-ignore no-control-regex
  text.replace(/["\\\x00-\x1f\x7f]/g, (c) =>
    `\\x${c.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`);

/** A line of an access log about a request that a rule may look for. */
function accessLine(random: Random): string {
  const text = random.pick(REQUESTS);
  const address = random.pick([
    "203.0.113.5",
    "198.51.100.7",
    "2001:db8:5::a1",
    "::ffff:203.0.113.9",
    "192.0.2.1",
    "h 203.0.113.5",
    "fe80::1%eth0",
    "unix:",
  ]);
  const request = random.pick([
    text,
    `GET ${encodeURI(text)} HTTP/1.1`,
    `GET /${text} HTTP/2.0`,
    `GET /a//b///${encodeURI(text)}?${encodeURI(text)} HTTP/1.${random.below(3)}`,
    "GET /%c3%a9%C3/é?%ff%41 HTTP/1.1",
    "POST //x%2f%2F%2fy%3f?a?b HTTP/3",
    "M_-S /%EF%BB%BFx%41 HTTP/1",
    "GET HTTPS://é?y=%zz%4 HTTP/1.1",
    `GET http://x/${text}`,
    "get / HTTP/1.1",
    "-",
    "",
  ]);
  const behind = random.pick([
    "",
    ' "-" "-"',
    ' "r" "Mozilla/5.0"',
    ' "-" "x" "203.0.113.1, 198.51.100.7"',
    ' "-" "x" "198.51.100.9:443, [2001:db8::5]:1, 203.0.113.1"',
    ' "-" "x" "198.51.100.9 , 2001:db8::5,192.0.2.1"',
    ' "-" "x" "é, 192.0.2.1"',
    ' "-" "x" ""',
    ' "-" "x" rt=0.003',
  ]);
  const time = random.pick([
    TIME,
    TIME,
    TIME,
    "[31/Feb/2026:10:56:10 +0100]",
    "[01/Mar/2026:10:56:61 +0100]",
  ]);
  return `${address} - ${random.pick(["-", "-", "bob", "a b", ""])} ${time} ` +
    `"${random.below(3) > 0 ? escaped(request) : request}" ` +
    `${random.pick(["200", "404", "004"])} ${random.pick(["1", "0", "-"])}${behind}`;
}

const CONFIGURED: readonly Partial<ParserOptions>[] = [
  {},
  { trustedProxies: ["203.0.113.0/24", "2001:db8::/32", "192.0.2.1"] },
  {
    logFormats: [
      '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time',
    ],
  },
];

Deno.test(`nginx's reader of bytes reads ${FUZZ_LINES} damaged lines as the parser of text before it did`, () => {
  const random = new Random(20_260_303);
  const readers = CONFIGURED.map((over) => {
    const options = { ...NOTHING, ...over };
    const form = nginx.form(options);
    for (const name of before.fields(options)) assert.ok(form.fields.includes(name), name);
    return { read: messageParser(form), parse: before.parser(options) };
  });
  let understood = 0;
  for (let i = 0; i < FUZZ_LINES; i++) {
    const whole = random.pick([accessLine, accessLine, () => random.pick(SAMPLES)])(random);
    const other = random.pick([accessLine(random), random.pick(SAMPLES)]);
    const line = (random.below(3) === 0 ? whole : random.damage(whole, other)).toWellFormed();
    const { read, parse } = random.pick(readers);
    const [found, expected] = [read(line), parse(line)];
    assert.equal(found === null, expected === null, line);
    if (found === null || expected === null) continue;
    understood++;
    assert.equal(found.address, expected.address, line);
    for (const name of Object.keys(expected.fields)) {
      // JSON may hold any key, which is then no field.
      if (NAMES.includes(name)) assert.equal(found.fields[name], expected.fields[name]?.toWellFormed(), line);
    }
    for (const name of Object.keys(found.fields)) assert.ok(Object.hasOwn(expected.fields, name), line);
    const { stamp } = expected;
    const time = found.time ?? (found.stamp === null ? NaN : timeOfStamp(found.stamp, NOW));
    assert.equal(time, stamp === undefined ? NaN : timeOfStamp(stamp, NOW), line);
  }
  assert.ok(understood > FUZZ_LINES / 5, `${understood} lines`);
});
