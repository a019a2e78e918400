import { strict as assert } from "node:assert";
import { addressOf } from "../../../lib/core/address_text.ts";
import { encode } from "../../../lib/core/bytes.ts";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { NO_OPTIONS, openForm } from "../../support/messages.ts";

const TRUE = "203.0.113.5";
const OTHER = "198.51.100.7";
const HEAD = "2026/03/01 10:56:10 [error] 7#7: *1 ";
const BEGIN = `${HEAD}open() "/srv/www`;
const FAILED = `" failed (2: No such file or directory), client: `;
const WHOLE =
  `${HEAD}user "bob": password mismatch, client: ${OTHER}, server: x, request: "GET / HTTP/1.1", host: "x"`;
/** Bytes of the longest record. */
const LONGEST = 2_048;

/** Returns a record as nginx writes it for a missing page, of all lines that `path` makes. */
function record(path: string, query = ""): string {
  const target = encodeURI(path).replaceAll("?", "%3F") + query;
  const text = `${BEGIN}${path}${FAILED}${TRUE}, server: _, request: "GET ${target} HTTP/1.1", host: "h"`;
  return `${text.slice(0, LONGEST - 1)}\n`;
}

/** Reads a log and returns the address of each line; null: it names nobody. */
function addresses(log: string, logFormats: string[] = []): (string | null)[] {
  const { bytes, end } = encode(log);
  const reader = openForm(nginx.form({ ...NO_OPTIONS, logFormats }));
  const found: (string | null)[] = [];
  for (let from = 0; from < end;) {
    const to = bytes.array.indexOf(10, from);
    found.push(reader.read(bytes, from, to) ? addressOf(reader.address) : null);
    from = to + 1;
  }
  return found;
}

const RECORDS: readonly (readonly [name: string, log: string, expected: (string | null)[]])[] = [
  ["a whole line inside of a path", record(`/a\n${WHOLE}\n`), [null, null, null]],
  ["several of them", record(`/a\n${WHOLE}\n${WHOLE}\n${WHOLE}\n`), [null, null, null, null, null]],
  [
    "lines made complete at both sides",
    record(`/a${FAILED}${OTHER}, server: x, request: "GET /?q HTTP/1.1", host: "x"\n${WHOLE}\n${BEGIN}/b`),
    [null, null, TRUE],
  ],
  ["a line of invalid UTF-8, which is copied", `${WHOLE.replace("bob", "b\ufffdb")}\n`, [null]],
  ["a record that was cut", record(`/a\n${WHOLE}\n${"b".repeat(LONGEST)}`), [null, null, null]],
  ["the line before such a record", `${record("/c")}${record(`/a\n${WHOLE}\n`)}`, [TRUE, null, null, null]],
  ["the line behind it", `${record(`/a\n${WHOLE}\n`)}${record("/c")}`, [null, null, null, TRUE]],
  ["a line break in a query", `${record("/a")}${record("/b", "?q=%0a")}`, [TRUE, TRUE]],
  ["a long record of one line", `${record("/a")}${record(`/${"b".repeat(LONGEST)}`)}`, [TRUE, null]],
];

for (const logFormats of [[], ["$remote_addr [$time_local] $status"]]) {
  const kind = logFormats.length === 0 ? "known formats" : "a format of one's own";
  Deno.test(`who writes lines into nginx's error log by line breaks names nobody else, with ${kind}`, () => {
    for (const [name, log, expected] of RECORDS) assert.deepEqual(addresses(log, logFormats), expected, name);
  });
}
