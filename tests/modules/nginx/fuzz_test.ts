import { strict as assert } from "node:assert";
import { isIP } from "node:net";
import { canonicalAddress } from "../../../lib/core/address.ts";
import { NGINX_FORMATS } from "../../../modules/nginx/lines.ts";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { FUZZ_LINES, notLinear, Random } from "../../support/random.ts";
import { NGINX_SAMPLES } from "../../samples/nginx.ts";
import { messageParser, NO_OPTIONS } from "../../support/messages.ts";

const parse = messageParser(
  nginx.form(NO_OPTIONS),
);
const random = new Random(20_260_301);
const DECOYS = ["198.51.100.7", "2001:db8:bad::7", "::ffff:198.51.100.7"];
const T = "[01/Mar/2026:10:56:10 +0000]";

const peer = () =>
  random.pick([
    () => `203.0.113.${random.below(256)}`,
    () => `2001:db8:5::${(random.below(0xfffe) + 1).toString(16)}`,
    () => `::ffff:203.0.113.${random.below(256)}`,
  ])();

/** What clients make paths, names and headers of. */
const PIECES: readonly (() => string)[] = [
  () => `, client: ${random.pick(DECOYS)}, server: x`,
  () => `, client: ${random.pick(DECOYS)}`,
  () => `, request: "GET / HTTP/1.1", host: "`,
  () => `, referrer: "`,
  () => ` ${random.pick(DECOYS)} - - ${T} "GET / HTTP/1.1" 200 1`,
  () => ` ${random.pick(DECOYS)} 0.1 "GET / HTTP/1.1" 200`,
  () => `[Client ${random.pick(DECOYS)}]`,
  () => `","remote_addr":"${random.pick(DECOYS)}","`,
  () => `" failed (2: No such file or directory)`,
  () => `": password mismatch`,
  () =>
    random.pick(NGINX_SAMPLES).line.slice(0, 400).replaceAll(
      /203\.0\.113\.5|2001:db8:5::a1/g,
      () => random.pick(DECOYS),
    ),
  () =>
    random.pick([
      " - ",
      " [",
      "] ",
      '"',
      "'",
      "\\",
      ", ",
      ": ",
      " ",
      "\t",
      "%22",
      "\\x22",
      "{",
      "}",
      "x".repeat(900),
    ]),
  () => random.pick(["\n", "\r", "\0", "\x1b[31m", "\u2028", "\ufffd", "\u{1f600}", "é", "\ud800"]),
  () => random.pick(DECOYS),
  () => random.pick(["root", "/index.php", "x", "", "123"]),
];
const hostile = () => random.times(random.below(6), () => random.pick(PIECES)()).join("");
const escaped = (text: string) =>
  // deno-lint-ignore no-control-regex
  text.replace(/["\\\x00-\x1f\x7f-\uffff]/g, (c) =>
    `\\x${(c.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, "0")}`);
const quoted = () => escaped(hostile());
const name = () => hostile().split(":")[0]!;
const cut = (line: string) => new TextDecoder().decode(new TextEncoder().encode(line).subarray(0, 2_047));
const tail = (a: string) =>
  `client: ${a}, server: ${
    random.pick(["", "example.org", "_"])
  }, request: "GET /${hostile()} HTTP/1.1", host: "h"` +
  random.pick(["", `, referrer: "${hostile()}"`]);
const E = "2026/03/01 10:56:10 [error] 7#7: *1 ";

/** nginx's lines about `a`; all else that a client chooses is hostile. */
const LINES: readonly ((a: string) => string)[] = [
  (a) =>
    `${a} - - ${T} "GET /${quoted()} HTTP/1.1" 404 1 "${quoted()}" "${quoted()}"${
      random.pick(["", ` "${quoted()}"`])
    }`,
  (a) => `${a} - ${escaped(name())} ${T} "${quoted()}" 401 1 "-" "-"`,
  (a) => `example.org:80 ${a} - - ${T} "${quoted()}" 404 1 "${quoted()}" "${quoted()}"`,
  (a) => `${quoted().replaceAll(" ", "")} ${a} - - ${T} "GET / HTTP/1.1" 400 1 "${quoted()}" "-"`,
  (a) => `${T} 404 - GET http ${quoted()} "/${quoted()}" [Client ${a}] [Length 1] [Gzip -] "${quoted()}" "-"`,
  (a) =>
    `${T} - 404 404 - GET http h "/${quoted()}" [Client ${a}] [Length 1] [Gzip -] [Sent-to x] "${quoted()}" "-"`,
  (a) => `${T} ${quoted()} ${a} 0.002 "${quoted()}" 401 77 935 ${quoted()} ${quoted()}`,
  (a) => JSON.stringify({ remote_addr: a, request: hostile(), http_user_agent: hostile(), status: 404 }),
  (a) => `{"remote_addr":"${a}","request":"${quoted()}","http_referer":"${quoted()}"}`,
  (a) => cut(`${E}open() "/srv/${hostile()}" failed (2: No such file or directory), ${tail(a)}`),
  (a) => cut(`${E}"/srv/${hostile()}/index.html" is not found (2: No such file or directory), ${tail(a)}`),
  (a) => cut(`${E}user "${name()}": password mismatch, ${tail(a)}`),
  (a) => cut(`${E}user "${name()}" was not found in "/etc/nginx/users", ${tail(a)}`),
  (a) => cut(`${E}access forbidden by rule, ${tail(a)}`),
  (a) => cut(`${E}limiting requests, excess: 5.428 by zone "one", ${tail(a)}`),
  (a) =>
    cut(
      `${E}upstream timed out (110: Connection timed out) while reading response header from upstream, ${
        tail(a)
      }`,
    ),
  (a) =>
    cut(`${E}FastCGI sent in stderr: "${hostile()}" while reading response header from upstream, ${tail(a)}`),
];

Deno.test(`nginx's parser finds the true address or none in ${FUZZ_LINES} lines full of hostile text`, () => {
  let found = 0;
  for (let i = 0; i < FUZZ_LINES; i++) {
    const address = peer();
    const line = random.pick(LINES)(address);
    const parsed = parse(line);
    if (parsed === null || parsed.address === null) continue;
    assert.equal(parsed.address, canonicalAddress(address), `line ${i}: ${JSON.stringify(line)}`);
    found++;
  }
  // Most of it is understood all the same: refusing everything would be no defence.
  assert.ok(found > FUZZ_LINES * 0.6, `only ${found} of ${FUZZ_LINES} lines were understood`);
});

Deno.test(`nginx's parser survives ${FUZZ_LINES} damaged lines and gives nothing but addresses`, () => {
  let found = 0;
  for (let i = 0; i < FUZZ_LINES; i++) {
    const line = random.damage(
      random.pick(NGINX_SAMPLES).line.slice(0, 500),
      random.pick(NGINX_SAMPLES).line.slice(0, 500),
    );
    const parsed = parse(line);
    if (parsed === null || parsed.address === null) continue;
    assert.notEqual(isIP(parsed.address), 0, JSON.stringify(line));
    assert.equal(parsed.address, canonicalAddress(parsed.address), JSON.stringify(line));
    for (const value of Object.values(parsed.fields)) assert.equal(typeof value, "string");
    found++;
  }
  assert.ok(found > 0 && found < FUZZ_LINES, `${found} were understood`);
});

Deno.test("every format of nginx is matched in linear time", async () => {
  assert.deepEqual(await notLinear(Object.values(NGINX_FORMATS).map(({ pattern }) => pattern)), []);
  assert.deepEqual(await notLinear([/(a)\1/]), ["(a)\\1"], "the check itself must refuse back-references");
});
