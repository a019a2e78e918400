import { strict as assert } from "node:assert";
import { addressOf } from "../../../lib/core/address_text.ts";
import { encode } from "../../../lib/core/bytes.ts";
import { makeFindings, TextForm } from "../../../lib/reading/text_reader.ts";
import { resolveStamp } from "../../../lib/core/stamp.ts";
import { CombinedReader } from "../../../modules/nginx/combined.ts";
import { NAMES } from "../../../modules/nginx/fields.ts";
import { lineParser } from "../../../modules/nginx/lines.ts";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { FUZZ_LINES, Random } from "../../support/random.ts";
import { messageParser, NO_OPTIONS } from "../../support/messages.ts";

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
    [LINE.replace("bob", "a b"), false],
    [LINE.replace("bob", '"bob"'), false],
    [LINE.replace("bob", "[x]"), false],
    [LINE.replace("bob", "0.005"), false],
    [LINE.replace("bob", "2001:db8::9"), false],
    [LINE.replace("bob", "b.7"), true],
    [LINE.replace("bob", "_"), false],
    [LINE.replace("bob", "_b"), true],
    [LINE.replace("GET /a", "GET http://example.org/a"), false],
    [LINE.replace("GET /a", "GET HTTPS://a"), false],
    [LINE.replace("GET /a", "GET http:/a"), true],
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
  const read = messageParser(nginx.form(NO_OPTIONS));
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
    () =>
      random.pick([
        ...["-", "bob", "a b", 'a [b] "c', '[01/Mar/2026:10:56:10 +0000] "', ""],
        ...["- -", '""', "[x] - bob", `${"0".repeat(32)} bob`],
      ]),
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
        '"GET https://example.org HTTP/1.1"',
        '"GET h"',
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
  const byPositions = messageParser(nginx.form(NO_OPTIONS));
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
      assert.equal(time ?? resolveStamp(stamp!, NOW), resolveStamp(expectedStamp!, NOW), line);
    }
  }
  assert.ok(read > FUZZ_LINES / 50, `${read} lines`);
});

const NOW = { now: 0, before: NaN };
