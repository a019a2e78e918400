import { strict as assert } from "node:assert";
import { resolveStamp } from "../../../lib/core/stamp.ts";
import { type ModuleOptions, OptionError } from "../../../lib/reading/module.ts";
import { NGINX_FORMATS } from "../../../modules/nginx/lines.ts";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { inZone } from "../../support/helpers.ts";
import { NGINX_NEAR_MISSES, NGINX_SAMPLES } from "../../samples/nginx.ts";
import { EACH, NEVER } from "../../../lib/reading/message_reader.ts";
import { messageParser, NO_OPTIONS, openForm } from "../../support/messages.ts";
import { encode } from "../../../lib/core/bytes.ts";

const parserOf = (over: Partial<ModuleOptions>) => messageParser(nginx.form({ ...NO_OPTIONS, ...over }));
const parse = parserOf({});
const withFormat = (format: string, trustedProxies: readonly string[] = []) =>
  parserOf({ logFormats: [format], trustedProxies });

const FORMS = [...Object.keys(NGINX_FORMATS), "json", "error", "forwarded"];
const NOW = Date.UTC(2026, 6, 1) * 1_000;

Deno.test("every form of nginx's lines has samples and near misses, and there are none of others", () => {
  assert.deepEqual([...new Set(NGINX_SAMPLES.map(({ form }) => form))].toSorted(), FORMS.toSorted());
  assert.deepEqual([...new Set(NGINX_NEAR_MISSES.map(({ form }) => form))].toSorted(), FORMS.toSorted());
});

Deno.test("nginx's lines may begin as the samples do, and but in a format of one's own not with a path, request, time or program", () => {
  const form = nginx.form(NO_OPTIONS);
  for (const { line } of NGINX_SAMPLES) {
    for (let end = 1; end <= line.length; end++) {
      assert.ok(form.mayBegin!(line.slice(0, end)), line.slice(0, end));
    }
  }
  const heads = ["Mar  1 00:", "May 31 23:", "web1 sshd", "www.example.org systemd"];
  for (const text of ["/.env", "/", "GET /", "POST ", ...heads]) assert.ok(!form.mayBegin!(text), text);
  const own = nginx.form({ ...NO_OPTIONS, logFormats: ["ACCESS $remote_addr"] });
  assert.ok(own.mayBegin!("ACCESS "));
});

for (const form of FORMS) {
  Deno.test(`nginx's parser reads "${form}" and nothing that only resembles it`, () => {
    for (const { line, address, fields = {} } of NGINX_SAMPLES.filter((sample) => sample.form === form)) {
      const parsed = parse(line);
      assert.ok(parsed !== null, line);
      assert.equal(parsed.address, address, line);
      for (const [name, value] of Object.entries(fields)) {
        assert.equal(parsed.fields[name], value, `${name}: ${line}`);
      }
      if (form in NGINX_FORMATS && Object.hasOwn(NGINX_FORMATS, form)) {
        assert.match(line, NGINX_FORMATS[form]!.pattern);
      }
    }
    for (const { line } of NGINX_NEAR_MISSES.filter((miss) => miss.form === form)) {
      assert.equal(parse(line), null, line);
    }
  });
}

Deno.test("nginx's parser tells the time that a line tells, in each of its forms", () =>
  inZone("Europe/Berlin", () => {
    const expected = Date.UTC(2026, 2, 1, 9, 56, 10) * 1_000;
    const timed = NGINX_SAMPLES.filter(({ form, line }) => form !== "json" || /time|msec|"ts"/.test(line));
    for (const { line } of timed) {
      const { time, stamp } = parse(line)!;
      assert.equal(time ?? resolveStamp(stamp!, { now: NOW, before: NaN }), expected, line);
    }
    assert.ok(timed.length > 20);
  }));

const TRUE = "203.0.113.5";
const T = "[01/Mar/2026:10:56:10 +0000]";
const E = "2026/03/01 10:56:10 [error] 7#7: *1 ";
/** As nginx escapes text in access logs. */
const escaped = (text: string) =>
  // deno-lint-ignore no-control-regex
  text.replace(/["\\\x00-\x1f\x7f-\uffff]/g, (c) =>
    `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0").slice(-2)}`);
/** nginx ends a line of its error log there. */
const cut = (line: string) => line.slice(0, 2_047);
const noColon = (text: string) => text.split(":")[0]!;

/** Text of a client's choice in every place that nginx has for it. */
const PLACES: Record<string, (text: string) => string> = {
  "path": (x) => `${TRUE} - - ${T} "GET /${escaped(x)} HTTP/1.1" 404 1 "-" "-"`,
  "request that is none": (x) => `${TRUE} - - ${T} "${escaped(x)}" 400 1 "-" "-"`,
  "referer": (x) => `${TRUE} - - ${T} "GET / HTTP/1.1" 404 1 "${escaped(x)}" "-"`,
  "user agent": (x) => `${TRUE} - - ${T} "GET / HTTP/1.1" 404 1 "-" "${escaped(x)}"`,
  "forwarded for": (x) => `${TRUE} - - ${T} "GET / HTTP/1.1" 404 1 "-" "-" "${escaped(x)}"`,
  "user": (x) => `${TRUE} - ${escaped(noColon(x))} ${T} "GET / HTTP/1.1" 401 1 "-" "-"`,
  // nginx takes no host with blanks in it (1.21.1 and newer).
  "host": (x) => `${escaped(x).replaceAll(" ", "")} ${TRUE} - - ${T} "GET / HTTP/1.1" 400 1 "-" "-"`,
  "path of a proxy manager": (x) =>
    `${T} 404 - GET http example.org "/${escaped(x)}" [Client ${TRUE}] [Length 1] [Gzip -] "-" "-"`,
  "host of a proxy manager": (x) =>
    `${T} 404 - GET http ${escaped(x)} "/" [Client ${TRUE}] [Length 1] [Gzip -] "-" "-"`,
  "host of a proxy manager plus": (x) => `${T} ${escaped(x)} ${TRUE} 0.002 "GET / HTTP/1.1" 401 77 935 - -`,
  "JSON": (x) =>
    JSON.stringify({
      remote_addr: TRUE,
      request: x,
      http_user_agent: x,
      http_x_forwarded_for: x,
      status: 404,
    }),
  "JSON of default escaping": (x) =>
    `{"remote_addr":"${TRUE}","request":"${escaped(x)}","http_user_agent":"${escaped(x)}"}`,
  "file name": (x) =>
    cut(
      `${E}open() "/srv/${x}" failed (2: No such file or directory), client: ${TRUE}, server: h, request: "GET /x HTTP/1.1", host: "h"`,
    ),
  "file name and referrer": (x) =>
    cut(
      `${E}open() "/srv/${x}" failed (2: No such file or directory), client: ${TRUE}, server: h, request: "GET /${x} HTTP/1.1", host: "h", referrer: "${x}"`,
    ),
  "user in the error log": (x) =>
    cut(
      `${E}user "${
        noColon(x)
      }": password mismatch, client: ${TRUE}, server: h, request: "GET / HTTP/1.1", host: "h"`,
    ),
  "request of a forbidden one": (x) =>
    cut(`${E}access forbidden by rule, client: ${TRUE}, server: h, request: "GET /${x} HTTP/1.1", host: "h"`),
  "referrer of a wrong password": (x) =>
    cut(
      `${E}user "bob": password mismatch, client: ${TRUE}, server: h, request: "GET / HTTP/1.1", host: "h", referrer: "${x}"`,
    ),
  "login of mail": (x) =>
    cut(
      `${E}client login failed: "no" while in http auth state, client: ${TRUE}, server: 0.0.0.0:25, login: "${x}"`,
    ),
  "application's text": (x) =>
    cut(
      `${E}FastCGI sent in stderr: "${x}" while reading response header from upstream, client: ${TRUE}, server: h, request: "GET / HTTP/1.1", host: "h"`,
    ),
};

const FAR = "198.51.100.7";
const LONG = "a".repeat(2_600);
const HOSTILE = [
  `, client: ${FAR}, server: x`,
  `, client: ${FAR}, server: x, request: "GET / HTTP/1.1", host: "h`,
  `x" failed (2: No such file or directory), client: ${FAR}, server: ${LONG}`,
  `x, client: ${FAR}, server: ${LONG}`,
  `x": password mismatch, client: ${FAR}, server: x`,
  `a, client: ${FAR}, server: x, referrer: "b`,
  LONG,
  `x ${FAR} - a`,
  `x ${FAR} 0.1 "GET / HTTP/1.1" 200 1 1 - -`,
  `x "/" [Client ${FAR}] [Length 1] [Gzip -] "-" "-"`,
  `${FAR} - - ${T} "GET / HTTP/1.1" 200 1 "-" "-"`,
  `"} , {"remote_addr":"${FAR}"`,
  `","remote_addr":"${FAR}","x":"`,
  `\\",\\"remote_addr\\":\\"${FAR}`,
  `\n${FAR} - - ${T} "GET / HTTP/1.1" 200 1`,
  `#012${FAR} - - ${T}`,
  `\x1b[2K\r${FAR}`,
  `${FAR}`,
  `[${FAR}]`,
  `\\x22 ${FAR}`,
  `\0`,
  `"`,
  `'`,
  ` `,
  ``,
];

for (const [place, write] of Object.entries(PLACES)) {
  Deno.test(`nginx's parser finds the address that nginx wrote, or none, whatever is the ${place}`, () => {
    assert.equal(parse(write("harmless"))?.address, TRUE);
    for (const text of HOSTILE) {
      const address = parse(write(text))?.address ?? null;
      assert.ok(address === null || address === TRUE, `${address}: ${JSON.stringify(write(text))}`);
    }
  });
}

Deno.test("nginx's parser is not evaded by what pushes the rest out of a line of the error log", () => {
  for (
    const place of [
      "user in the error log",
      "request of a forbidden one",
      "referrer of a wrong password",
      "login of mail",
    ]
  ) {
    assert.equal(parse(PLACES[place]!(LONG.replaceAll("a", "b")))?.address ?? TRUE, TRUE, place);
  }
  assert.equal(parse(PLACES["request of a forbidden one"]!(LONG))?.address, TRUE);
  assert.equal(parse(PLACES["referrer of a wrong password"]!(LONG))?.address, TRUE);
});

const GIVEN: readonly (readonly [format: string, line: string, fields: Record<string, string>])[] = [
  [
    `log_format main '$remote_addr - $remote_user [$time_local] "$request" '\n                '$status $body_bytes_sent "$http_referer" '\n  '"$http_user_agent" rt=$request_time';`,
    `${TRUE} - - ${T} "GET /a HTTP/1.1" 404 5 "-" "x" rt=0.003`,
    { path: "/a", status: "404", user_agent: "x", request_time: "0.003" },
  ],
  [
    `log_format j escape=json '{"a":"$remote_addr","s":$status,"q":"$request"}';`,
    `{"a":"${TRUE}","s":404,"q":"GET /\\"b HTTP/1.1"}`,
    { status: "404", path: '/"b' },
  ],
  ['$remote_addr|$msec|${request_method}|"$request_uri"|$status', `${TRUE}|1772358970.123|GET|"/c?d"|200`, {
    method: "GET",
    path: "/c",
    status: "200",
  }],
  ['"$http_user_agent" $remote_addr $status', `"a b" ${TRUE} 500`, { user_agent: "a b", status: "500" }],
  [
    "$time_iso8601 $remote_addr $ssl_protocol $http_cookie",
    `2026-03-01T10:56:10+00:00 ${TRUE} TLSv1.3 a=b; c=d`,
    { ssl_protocol: "TLSv1.3", http_cookie: "a=b; c=d" },
  ],
  [
    "$remote_addr $upstream_status $upstream_response_time $status",
    `${TRUE} 502, 200 : - 0.001, 0.020 : - 404`,
    { upstream_status: "502, 200 : -", status: "404" },
  ],
  [
    `escape=json {"a":"$remote_addr","u":"$upstream_status","p":"$ssl_protocol","s":"$status"}`,
    `{"a":"${TRUE}","u":"","p":"","s":"404"}`,
    { upstream_status: "", status: "404" },
  ],
  [
    `escape=none '$remote_addr "$http_user_agent" "$request" $status'`,
    `${TRUE} "D\\nick" "GET /..\\boot?a\\" 404`,
    { user_agent: "D\\nick", path: "/..\\boot", query: "a\\", status: "404" },
  ],
  ["$realip_remote_addr $remote_addr $status", `192.0.2.1 ${TRUE} 404`, { status: "404" }],
  ["'$proxy_protocol_addr\\t$remote_addr\\t$status'", `-\t${TRUE}\t404`, { status: "404" }],
];

Deno.test("formats that are copied from nginx.conf are read, with the directive around them or without", () => {
  for (const [format, line, fields] of GIVEN) {
    const parsed = withFormat(format)(line);
    assert.equal(parsed?.address, TRUE, format);
    for (const [name, value] of Object.entries(fields)) {
      assert.equal(parsed.fields[name], value, `${name} of ${format}`);
    }
    assert.equal(withFormat(format)(line.replace(TRUE, "nowhere")), null, "a near miss");
  }
});

const REFUSED: readonly (readonly [format: string, complaint: RegExp, trusted?: boolean])[] = [
  ["$status $request", /must hold \$remote_addr/],
  ["$http_x_real_ip $remote_addr", /holds \$http_x_real_ip before \$remote_addr/],
  ["$remote_user $remote_addr", /holds \$remote_user before/],
  ["$host $remote_addr - $remote_user [$time_local]", /holds \$host before/],
  [`escape=none '"$http_x" $remote_addr'`, /holds \$http_x before/],
  [`escape=none '$remote_addr "$request_method $uri" $status'`, /holds \$uri with escape=none/],
  [`escape=none '$remote_addr - $remote_user "$request" $status'`, /holds \$remote_user with escape=none/],
  ["$remote_addr $http_x_forwarded_for $status", /must have \$http_x_forwarded_for in quotes/, true],
];

Deno.test("a format in which a client could write an address is refused", () => {
  for (const [format, complaint, trusted] of REFUSED) {
    assert.throws(() => withFormat(format, trusted ? ["192.0.2.1"] : []), (error) => {
      assert.ok(error instanceof OptionError);
      assert.match(error.message, complaint);
      return error.option === "logFormats" && error.index === 0;
    });
  }
  withFormat('$host $remote_addr [$time_local] "$request"');
  withFormat('"$http_x" $remote_addr');
});

const PROXY = "192.0.2.1";
const FORWARDED: readonly (readonly [peer: string, forwarded: string, address: string | null])[] = [
  [PROXY, TRUE, TRUE],
  [PROXY, `${FAR}, ${TRUE}`, TRUE],
  [PROXY, `${TRUE}, ${PROXY}`, TRUE],
  [PROXY, `${TRUE}, 192.0.2.9, ${PROXY}`, TRUE],
  [PROXY, `[2001:db8:5::a1]:443`, "2001:db8:5::a1"],
  [PROXY, `${TRUE}:8080`, TRUE],
  [PROXY, `${TRUE}, unknown`, null],
  [PROXY, "garbage", null],
  [PROXY, "", null],
  [PROXY, `${TRUE},`, null],
  [PROXY, `[${TRUE}]`, TRUE],
  [PROXY, `[2001:db8:5::a1`, null],
  [PROXY, `2001:db8:5::a1`, "2001:db8:5::a1"],
  [PROXY, `\t${TRUE}  , ${PROXY}:1`, TRUE],
  [PROXY, "-", PROXY],
  [PROXY, PROXY, PROXY],
  [TRUE, FAR, TRUE],
  ["2001:db8:7::1", TRUE, TRUE],
  ["2001:db8:8::1", TRUE, "2001:db8:8::1"],
];

Deno.test("behind trusted proxies it is the client that the last of them names, and nobody believes others", () => {
  const trusting = parserOf({ trustedProxies: ["192.0.2.0/24", "2001:db8:7::/48"] });
  for (const [peer, forwarded, address] of FORWARDED) {
    const line = `${peer} - - ${T} "GET / HTTP/1.1" 404 1 "-" "-" "${forwarded}"`;
    assert.equal(trusting(line)?.address ?? null, address, line);
    assert.equal(parse(line)?.address, peer, "without trust it is who was connected");
  }
});

Deno.test("the status of a request is a number where nginx writes one that HTTP has", () => {
  const status = (text: string) => parse(`${TRUE} - - ${T} "GET / HTTP/1.1" ${text} 1 "-" "-"`)?.status;
  assert.equal(status("404"), 404);
  assert.equal(status("004"), 0);
  assert.equal(parse(`${TRUE} - - ${T} "\\x16" 400 1 "-" "-"`)?.status, 400);
  assert.equal(parse(`{"remote_addr":"${TRUE}","status":"503"}`)?.status, 503);
  assert.equal(parse(`{"remote_addr":"${TRUE}"}`)?.status, 0);
});

const line = ({ before = "", user = "-", request = "GET / HTTP/1.1", referer = "-" }) =>
  `${before}${TRUE} - ${user} ${T} "${request}" 401 1 "${referer}" "x"`;

Deno.test("what stands before the time is the user's name, as far as it is one", () => {
  const id = "5f0c".repeat(8);
  const users: Record<string, string | undefined> = {
    ...{
      "-": undefined,
      "nina": "nina",
      "nina k": "nina k",
      "n.k@example.org": "n.k@example.org",
      "n.k": "n.k",
    },
    ...{ [`${id} -`]: undefined, [`${id} nina`]: "nina", [`nina ${id}`]: "nina", [id]: undefined },
    ...{ "www.example.org -": undefined, "www.example.org nina": "nina", "nina www.example.org": "nina" },
    ...{
      "- www.example.org": undefined,
      ...{
        "192.0.2.80": undefined,
        "192.0.2.80:443": undefined,
        "2001:db8::80 nina": "nina",
        "nina 0.005": "nina",
      },
      ...{ "7": "7", "nina.7": "nina.7", "7.nina": "7.nina" },
      "_ nina": "nina",
      "_": undefined,
      "www.example.org": undefined,
      "a.b.1": "a.b.1",
      "- -": undefined,
      "": undefined,
    },
    ...{ '""': undefined, '"-"': undefined, '"nina"': "nina", [`[${TRUE}]`]: undefined },
    ...{ [`[${TRUE}] - -`]: undefined, [`[192.0.2.1, ${TRUE}] - nina`]: "nina" },
  };
  for (const [text, user] of Object.entries(users)) {
    assert.equal(parse(line({ user: text }))!.fields.user, user, text);
  }
  // A format that is given says itself where the user stands.
  const read = withFormat('$remote_addr - $remote_user [$time_local] "$request" $status');
  assert.equal(read(line({ user: "- nina" }))!.fields.user, "- nina");
});

Deno.test("a line without the request has one by its parts", () => {
  const manager = (method: string, target: string) =>
    `${T} - 200 200 - ${method} https example.org "${target}" [Client ${TRUE}] [Length 1] [Gzip -] [Sent-to a] "x" "-"`;
  const json = (parts: Record<string, string>) =>
    JSON.stringify({ remote_addr: TRUE, status: 200, ...parts });
  const format = withFormat('$remote_addr "$request_method" "$uri" "$args" $status');
  const requests: readonly (readonly [
    parsed: ReturnType<typeof parse>,
    request?: string,
    path?: string,
    query?: string,
  ])[] = [
    [parse(manager("POST", "/wp-login.php")), "POST /wp-login.php", "/wp-login.php"],
    [parse(manager("GET", "/a%2541?b=%3Cc")), "GET /a%2541?b=%3Cc", "/a%41", "b=<c"],
    [parse(manager("-", "/a")), undefined, "/a"],
    [parse(manager("-", "-"))],
    [parse(json({ method: "GET", url: "https://example.org/a?b" })), "GET /a?b", "/a", "b"],
    [
      parse(json({ request_method: "GET", uri: "/a", args: "b=%3Cc", server_protocol: "HTTP/2.0" })),
      "GET /a?b=%3Cc HTTP/2.0",
      "/a",
      "b=<c",
    ],
    [parse(json({ method: "GET", path: "/a", request_query: "b", vhost: "h" })), "GET /a?b", "/a", "b"],
    [parse(json({ method: "GET", uri: "/a?b", query_string: "b" })), "GET /a?b", "/a", "b"],
    [parse(json({ method: "GET", uri: "/a", args: "" })), "GET /a", "/a"],
    [parse(json({ request: "GET /c HTTP/1.1", uri: "/a", args: "b" })), "GET /c HTTP/1.1", "/c"],
    [format(`${TRUE} "GET" "/a%41?" "b=%3Cc" 404`), "GET /a%2541%3F?b=%3Cc", "/a%41?", "b=<c"],
    [format(`${TRUE} "GET" "/\\x22%" "-" 404`), 'GET /"%25', '/"%'],
    [format(`${TRUE} "GET" "/a#b" "-" 404`), "GET /a%23b", "/a#b"],
    [format(`${TRUE} "-" "-" "-" 400`)],
  ];
  for (const [parsed, request, path, query] of requests) {
    const { fields } = parsed!;
    assert.deepEqual([fields.request, fields.path, fields.query], [request, path, query]);
  }
});

Deno.test("a line in JSON full of quotes by a client takes no longer than others", () => {
  const quotes = '"'.repeat(16_000);
  const line = (text: string) =>
    JSON.stringify({ remote_addr: TRUE, status: 404, request: text, http_user_agent: text });
  const took = (text: string) => {
    const start = performance.now();
    assert.equal(parse(line(text))!.address, TRUE);
    return performance.now() - start;
  };
  took("a");
  // Linear reading takes a millisecond; it took a second when each quote began a search to the end.
  assert.ok(took(quotes) < 200);
  // A key in a value is none.
  assert.equal(parse(line('","remote_addr":"192.0.2.9'))!.address, TRUE);
  assert.equal(parse(`{"remote_addr":"${TRUE}","status":404,"status" : 500}`)!.address, null);
});

Deno.test("the format combined is read as Apache and Traefik write it", () => {
  const apache = parse(`www.example.org:443 ${TRUE} - "" ${T} "GET /a\\"b HTTP/1.1" 401 17 "-" "x\\\\y"`);
  assert.deepEqual([apache?.address, apache?.fields.path], [TRUE, '/a"b']);
  assert.deepEqual([apache?.fields.user, apache?.fields.user_agent], [undefined, "x\\y"]);
  const traefik = parse(`${TRUE} - - ${T} "GET /a HTTP/2.0" 404 19 "-" "curl/8" 434 "web@docker" "-" 0ms`);
  assert.deepEqual([traefik?.address, traefik?.fields.status], [TRUE, "404"]);
});

Deno.test("several addresses before the user are no host and a client", () => {
  assert.equal(parse(line({ before: "192.0.2.1, " }))!.address, null);
  assert.equal(parse(line({ before: "2001:db8::1, " }))!.address, null);
  assert.equal(parse(line({ before: "unknown, " }))!.address, null);
  assert.equal(parse(line({ before: "192.0.2.1, 192.0.2.2, " })), null);
  const withPorts = line({ before: "192.0.2.1:40022, " }).replace(`${TRUE} -`, `${TRUE}:40023 -`);
  assert.equal(parse(withPorts)!.address, null);
  assert.equal(parse(line({ before: "a,b.example.org " }))!.address, TRUE);
  assert.equal(parse(line({ before: "192.0.2.1 " }))!.address, TRUE);
});

Deno.test("a user's name is no second address behind a host unless it has one", () => {
  const named = (host: string, user: string) =>
    parse(`${host} ${TRUE} - ${user} ${T} "GET / HTTP/1.1" 401 1`)?.address;
  const TIME = "2026-11-30T10:00:00Z";
  for (const user of ["B - x", "B - ", "cafe - -", "x203.0.113.9 - -"]) {
    assert.equal(named("www.example.org", user), TRUE, user);
    assert.equal(named(TIME, user), undefined, "a collector's time is no host");
  }
  // The host may be `2026-11-30T10:00:00Z 192.0.2.1 - x`, as the client chooses.
  for (const user of ["203.0.113.9 - -", "x 203.0.113.9:40022 - y", "x 2001:db8::9 - -"]) {
    for (const host of ["www.example.org", TIME]) assert.equal(named(host, user), null, user);
  }
});

Deno.test("a request in absolute form for the own host is the one that it stands for", () => {
  const requestIn = (text: string) => parse(text)!.fields.request;
  const error = (server: string, host = "shop.example.com") =>
    `${E}open() "/a" failed (2: No such file or directory), client: ${TRUE}, server: ${server}, request: "GET http://shop.example.com:80/a?b HTTP/1.1", host: "${host}"`;
  const [absolute, origin] = ["GET http://shop.example.com:80/a?b HTTP/1.1", "GET /a?b HTTP/1.1"];
  for (
    const server of [
      "shop.example.com",
      "example.com",
      "*.example.com",
      ".example.com",
      "www.shop.example.com",
    ]
  ) {
    assert.equal(requestIn(error(server)), origin, server);
  }
  // Whoever asks a proxy sends the host of the other site, too.
  for (const server of ["other.example", "xample.com", "a.shop.example.com"]) {
    assert.equal(requestIn(error(server)), absolute, server);
  }
  assert.equal(requestIn(error("_")), origin);
  assert.equal(requestIn(error("_", "example.org")), absolute);
  assert.equal(requestIn(line({ request: absolute })), absolute);
  assert.equal(requestIn(line({ request: absolute, before: "shop.example.com " })), origin);
  assert.equal(requestIn(line({ request: absolute, before: "example.com " })), absolute);
  assert.equal(requestIn(line({ request: absolute, referer: "https://SHOP.example.com/cart" })), origin);
  assert.equal(
    requestIn(line({ request: absolute, referer: "https://example.net/?shop.example.com" })),
    absolute,
  );
  const { fields } = parse(line({ request: "GET HTTPS://a.example?q", before: "a.example " }))!;
  assert.deepEqual([fields.request, fields.target, fields.path, fields.query], ["GET /?q", "/?q", "/", "q"]);
});

Deno.test("what nginx refuses before it has read a request counts only where it is known which proxies there are", () => {
  const access = (request: string, status: number) => `${TRUE} - - ${T} "${request}" ${status} 157 "-" "-"`;
  const error = (text: string) => `${E}${text}, client: ${TRUE}, server: 0.0.0.0:443`;
  const early = [
    ...[
      access("\\x16\\x03\\x01", 400),
      access("", 408),
      access("GET / HTTP/1.1", 400),
      access("CONNECT a:1 HTTP/1.1", 405),
    ],
    ...[access("TRACE / HTTP/1.1", 405), access("GET / HTTP/3.7", 505), access("GET /a", 414)],
    ...[error("SSL_do_handshake() failed (SSL: error:1) while SSL handshaking")],
    ...[error("client sent invalid method while reading client request line")],
    ...[error("client timed out (110: Connection timed out) while waiting for request")],
    ...[`{"remote_addr":"${TRUE}","status":400}`],
  ];
  const later = [
    ...[access("GET / HTTP/1.1", 404), access("POST / HTTP/1.1", 405), access("GET / HTTP/1.1", 403)],
    ...[error('open() "/srv/a while keepalive" failed (2: No such file or directory)')],
    ...[error("access forbidden by rule")],
    ...[error("upstream timed out (110: Connection timed out) while reading response header from upstream")],
  ];
  const countingOf = (trustedProxies: readonly string[] | null, logFormats: readonly string[] = []) => {
    const reader = openForm(nginx.form({ ...NO_OPTIONS, trustedProxies, logFormats }));
    return (line: string) => {
      const { bytes, end } = encode(line);
      bytes.logged = end;
      assert.ok(reader.read(bytes, 0, end) && reader.address.isAddress, line);
      return reader.counting;
    };
  };
  for (const line of early) {
    assert.equal(countingOf(null)(line), NEVER, line);
    for (const known of [[], ["192.0.2.0/24"]]) assert.equal(countingOf(known)(line), EACH, line);
  }
  for (const line of later) assert.equal(countingOf(null)(line), EACH, line);
  const format = '$remote_addr - $remote_user [$time_local] "$request" $status';
  assert.equal(countingOf(null, [format])(early[0]!), NEVER);
  assert.equal(countingOf([], [format])(early[0]!), EACH);
});
