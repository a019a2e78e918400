/** A line of nginx that must be read. */
export interface NginxSample {
  /** Name of the format, or `json`, `error`, `forwarded`. */
  readonly form: string;
  readonly line: string;
  /** Canonical; null where the line names nobody. */
  readonly address: string | null;
  /** Some of the fields. */
  readonly fields?: Readonly<Record<string, string>>;
}

const V4 = "203.0.113.5";
const V6 = "2001:db8:5::a1";
const T = "[01/Mar/2026:10:56:10 +0100]";
const E = "2026/03/01 10:56:10";
const TAIL = `client: ${V4}, server: example.org, request: "GET /a?b=c HTTP/1.1", host: "example.org"`;

export const NGINX_SAMPLES: readonly NginxSample[] = [
  {
    form: "combined",
    line: `${V4} - - ${T} "GET /a%20b?c=%3Cd HTTP/1.1" 404 153 "https://example.org/" "Mozilla/5.0"`,
    address: V4,
    fields: {
      method: "GET",
      target: "/a%20b?c=%3Cd",
      path: "/a b",
      raw_path: "/a%20b",
      query: "c=<d",
      raw_query: "c=%3Cd",
      protocol: "HTTP/1.1",
      status: "404",
      bytes: "153",
      referer: "https://example.org/",
      user_agent: "Mozilla/5.0",
    },
  },
  {
    form: "combined",
    line: `${V6} - bob smith ${T} "HEAD / HTTP/2.0" 401 0`,
    address: V6,
    fields: { user: "bob smith" },
  },
  {
    form: "combined",
    line: `::ffff:${V4} - - ${T} "GET / HTTP/1.1" 200 5 "-" "-" "198.51.100.7"`,
    address: V4,
    fields: { forwarded_for: "198.51.100.7" },
  },
  {
    form: "combined",
    line: `www.example.org:80 ${V4} - - ${T} "GET / HTTP/1.1" 301 0 "-" "-"`,
    address: V4,
    fields: { host: "www.example.org:80" },
  },
  {
    form: "combined",
    line: `${V4}:40022 - ann ${T} "GET / HTTP/1.1" 401 5 "-" "-"`,
    address: V4,
    fields: { user: "ann" },
  },
  {
    form: "combined",
    line: `[2001:db8::80]:443 ${V4} - - ${T} "GET / HTTP/1.1" 301 0 "-" "-"`,
    address: V4,
    fields: { host: "[2001:db8::80]:443" },
  },
  {
    form: "combined",
    line: `[2001:db8::80] ${V6} - - ${T} "GET / HTTP/1.1" 301 0 "-" "-"`,
    address: V6,
    fields: { host: "[2001:db8::80]" },
  },
  {
    form: "combined",
    line: `www.example.org:80 ${V4}:40022 - - ${T} "GET / HTTP/1.1" 301 0 "-" "-"`,
    address: V4,
    fields: { host: "www.example.org:80" },
  },
  {
    form: "combined",
    line: `${V6}:40022 - - ${T} "GET / HTTP/1.1" 401 5 "-" "-"`,
    address: null,
  },
  {
    form: "combined",
    line: `${V6} - ann [2026-03-01T10:56:10+01:00] "GET / HTTP/1.1" 401 5 "-" "-"`,
    address: V6,
    fields: { user: "ann", status: "401" },
  },
  {
    form: "combined",
    line: `${V4} - - ${T} "\\x16\\x03\\x01" 400 157 "-" "-"`,
    address: V4,
    fields: { status: "400", request: "\u0016\u0003\u0001" },
  },
  { form: "combined", line: `${V4} - - ${T} "" 400 0 "-" "-"`, address: V4, fields: { request: "" } },
  { form: "combined", line: `${V4} - - ${T} "GET /${"x".repeat(9_000)}`, address: V4 },
  { form: "combined", line: `unix: - - ${T} "GET / HTTP/1.1" 200 5 "-" "-"`, address: null },
  {
    form: "combined",
    line: `${V4} - - ${T} "GET /%25%32e%zz HTTP/1.1" 400 5 "-" "a\\x22b"`,
    address: V4,
    fields: { path: "/%2e%zz", user_agent: 'a"b' },
  },
  {
    form: "combined",
    line: `${V4} - - ${T} "GET http://example.org/x?y HTTP/1.0" 400 5 "-" "-"`,
    address: V4,
    fields: { path: "/x", query: "y", request: "GET http://example.org/x?y HTTP/1.0" },
  },
  {
    form: "combined",
    line: `${V4} - - ${T} "GET /a%23b.sql#c.png?d#e HTTP/1.1" 404 5 "-" "-"`,
    address: V4,
    fields: { path: "/a#b.sql", raw_path: "/a%23b.sql", query: "d#e" },
  },
  {
    form: "combined",
    line: `${V4} - - ${T} "GET /.//./a./.b/../%2e/./c/.?/./ HTTP/1.1" 404 5 "-" "-"`,
    address: V4,
    fields: { path: "/a./.b/../c/.", query: "/./" },
  },
  {
    form: "combined",
    line: `${V4} - - ${T} "GET /x/./.env HTTP/1.1" 404 5 "-" "-"`,
    address: V4,
    fields: { path: "/x/.env" },
  },
  {
    form: "combined",
    line: `${V4} - CORP\\x5Cnina ${T} "GET /..\\x5Cnotes?a=\\x5C\\x22 HTTP/1.1" 200 5`,
    address: V4,
    fields: { user: "CORP\\nina", path: "/..\\notes", query: 'a=\\"' },
  },
  {
    form: "proxy manager",
    line:
      `${T} - 304 304 - GET https example.org "/a" [Client ${V4}] [Length 0] [Gzip -] [Sent-to 10.0.0.5] "Mozilla/5.0" "-"`,
    address: V4,
    fields: {
      ...{ method: "GET", path: "/a", status: "304", user_agent: "Mozilla/5.0", host: "example.org" },
      upstream: "10.0.0.5",
    },
  },
  {
    form: "proxy manager, not passed on",
    line: `${T} 404 - GET http example.org "/.env" [Client ${V6}] [Length 150] [Gzip -] "curl/8.5.0" "-"`,
    address: V6,
    fields: { status: "404", path: "/.env" },
  },
  {
    form: "proxy manager plus",
    line: `${T} example.org ${V4} 0.002 "GET / HTTP/1.1" 401 77 935 - Uptime/1.2`,
    address: V4,
    fields: { status: "401", user_agent: "Uptime/1.2" },
  },
  {
    form: "json",
    line:
      `{"time":"2026-03-01T10:56:10+01:00","remote_addr":"${V4}","request":"GET /a HTTP/1.1","status":404,"http_user_agent":"a \\"b\\""}`,
    address: V4,
    fields: { path: "/a", status: "404", user_agent: 'a "b"' },
  },
  {
    form: "json",
    line: `{"time": "01/Mar/2026:10:56:10 +0100", "client_ip": "${V6}", "method": "GET", "uri": "/b"}`,
    address: V6,
    fields: { method: "GET", path: "/b" },
  },
  {
    form: "json",
    line: `{"msec":"1772358970.000","remote_addr":"${V4}","user_agent":"\\x22x\\x0A"}`,
    address: V4,
    fields: { user_agent: '"x\n' },
  },
  { form: "json", line: `{"ts":"2026-03-01T10:56:10+01:00","remote_addr":"${V4}"}`, address: V4 },
  { form: "json", line: `{"remote_addr":"${V4}","status":404,"datetime":1772358970}`, address: V4 },
  { form: "json", line: `{"remote_addr":"${V4}","remote_\\u0061ddr":"198.51.100.7"}`, address: null },
  {
    form: "error",
    line: `${E} [error] 7#7: *1 open() "/srv/x" failed (2: No such file or directory), ${TAIL}`,
    address: V4,
    fields: { level: "error", path: "/a", query: "b=c", host: "example.org", server: "example.org" },
  },
  {
    form: "error",
    // nginx escapes nothing here.
    line:
      `${E} [error] 7#7: *1 open() "/srv/x" failed (2: No such file or directory), client: ${V4}, server: h, request: "GET /\\x41?\\u0042 HTTP/1.1", host: "h"`,
    address: V4,
    fields: { path: "/\\x41", query: "\\u0042" },
  },
  {
    form: "error",
    line: `${E} [error] 7#7: *1 user "bob": password mismatch, ${TAIL}`,
    address: V4,
    fields: { user: "bob", text: 'user "bob": password mismatch' },
  },
  {
    form: "error",
    line:
      `${E} [error] 7#7: *1 limiting requests, excess: 5.4 by zone "one", client: ${V6}, server: , request: "GET / HTTP/1.1", host: "h", referrer: "r"`,
    address: V6,
  },
  {
    form: "error",
    line:
      `${E} [crit] 7#7: *1 SSL_do_handshake() failed (SSL: error:0A00006C:SSL routines::bad key share) while SSL handshaking, client: ${V4}, server: 0.0.0.0:443`,
    address: V4,
  },
  {
    form: "error",
    line:
      `${E} [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: ${V4}, server: h, request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:8080/", host: "h"`,
    address: V4,
  },
  {
    form: "error",
    line:
      `${E} [info] 7#7: *1 client login failed: "Invalid login" while in http auth state, client: ${V4}, server: 0.0.0.0:25, login: "bob"`,
    address: V4,
  },
  {
    form: "error",
    line:
      `${E} [info] 7#7: *1 client disconnected, bytes from/to client:0/0, bytes from/to upstream:0/0, client: ${V4}, server: 0.0.0.0:443`,
    address: V4,
  },
  {
    form: "error",
    line: `${E} [error] 7#7: *1 [client ${V4}] ModSecurity: Access denied [id "949110"], ${TAIL}`,
    address: V4,
  },
  {
    form: "error",
    line: `${E} [notice] 7#7: signal process started`,
    address: null,
    fields: { level: "notice", text: "signal process started" },
  },
  {
    form: "forwarded",
    line: `web nginx: ${E} [error] 7#7: *1 access forbidden by rule, ${TAIL}`,
    address: V4,
  },
];

/** Lines that resemble those of a form and are none. */
export const NGINX_NEAR_MISSES: readonly Pick<NginxSample, "form" | "line">[] = [
  { form: "combined", line: `${V4} - - 01/Mar/2026:10:56:10 "GET / HTTP/1.1" 200 5` },
  { form: "combined", line: `x${V4} - - ${T} "GET / HTTP/1.1" 200 5` },
  { form: "combined", line: `${V4} - - ${T} GET / HTTP/1.1 200 5` },
  { form: "combined", line: `[192.0.2.80] ${V4} - - ${T} "GET / HTTP/1.1" 200 5` },
  { form: "combined", line: `${V4} - - ${T} "GET / HTTP/1.1" abc 5` },
  { form: "proxy manager", line: `${T} - 304 304 - GET https example.org "/a" [Client example] [Length 0]` },
  { form: "proxy manager, not passed on", line: `${T} 40 - GET http example.org "/a" [Client ${V4}]` },
  { form: "proxy manager plus", line: `${T} example.org ${V4} "GET / HTTP/1.1" 401 77` },
  { form: "json", line: `{"remote_addr":"${V4}"` },
  { form: "json", line: `{"request":"GET / HTTP/1.1"}` },
  { form: "json", line: `["${V4}"]` },
  { form: "error", line: `2026/03/01 [error] 7#7: *1 access forbidden by rule, ${TAIL}` },
  { form: "error", line: `${E} error 7#7: *1 access forbidden by rule, ${TAIL}` },
  { form: "forwarded", line: `web web nginx: ${E} [error] 7#7: *1 access forbidden by rule, ${TAIL}` },
];
