import { strict as assert } from "node:assert";
import { NGINX_FORMATS } from "../../modules/nginx.ts";
import { readCombined } from "../../modules/nginx_combined.ts";
import { readVariables } from "../../modules/nginx_variables.ts";
import { Random } from "../support/random.ts";

const LINE = '192.0.2.7 - bob [01/Mar/2026:10:56:10 +0000] "GET /a//b%20c?x=1 HTTP/1.1" 200 612 ' +
  '"https://example.org/" "Mozilla/5.0" "203.0.113.9"';

/** What the pattern makes of a line. */
function byPattern(line: string) {
  const groups = NGINX_FORMATS.combined!.pattern.exec(line)?.groups;
  return groups ? readVariables(groups) : null;
}

Deno.test("`readCombined()` leaves to the pattern what is cut, escaped, or of another form", () => {
  const cases: readonly [string, boolean][] = [
    [LINE, true],
    [LINE.replace("192.0.2.7", "2001:db8::7"), true],
    [LINE.slice(0, LINE.indexOf(' "https')), true],
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
  for (const [line, isRead] of cases) assert.equal(readCombined(line) !== null, isRead, line);
});

Deno.test("`readCombined()` reads what it reads as the pattern does, whatever the line holds", () => {
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
  let read = 0;
  for (let i = 0; i < 50_000; i++) {
    const line = parts.map((part) => part()).join("");
    const parsed = readCombined(line);
    if (parsed === null) continue;
    read++;
    assert.deepEqual(parsed, byPattern(line), line);
  }
  assert.ok(read > 1_500, `${read} lines`);
});
