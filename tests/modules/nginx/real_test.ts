import { strict as assert } from "node:assert";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { eventually } from "../../support/helpers.ts";
import { messageParser, NO_OPTIONS } from "../../support/messages.ts";
import { hasNginx, type Place, RealNginx } from "../../support/nginx.ts";

const CLIENT = "127.0.0.1";
const FAR = "198.51.100.7";

/** Formats of access logs, and which of them must be given to the parser. */
const FORMATS: Readonly<Record<string, { format: string; isGiven?: boolean }>> = {
  main: {
    format:
      `'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"'`,
  },
  vhost: {
    format:
      `'$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'`,
  },
  json: {
    format:
      `escape=json '{"time":"$time_iso8601","remote_addr":"$remote_addr","request":"$request","status":$status,"http_user_agent":"$http_user_agent","http_referer":"$http_referer","remote_user":"$remote_user"}'`,
  },
  jsondefault: {
    format:
      `'{"time":"$time_local","remote_addr":"$remote_addr","request":"$request","status":"$status","http_user_agent":"$http_user_agent"}'`,
  },
  own: { format: `'$msec|$status|$remote_addr|"$request"|"$http_host"|$http_cookie'`, isGiven: true },
};

/** What clients send, and from where. */
const REQUESTS: readonly string[] = [
  "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
  `GET /x,%20client:%20${FAR},%20server:%20y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
  `GET /a%22%20failed%20(2:%20x),%20client:%20${FAR},%20server:%20y,%20request:%20%22 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
  `GET /private HTTP/1.1\r\nHost: h\r\nAuthorization: Basic ${
    btoa(`x" was not found, client ${FAR}:y`)
  }\r\nConnection: close\r\n\r\n`,
  `GET /private HTTP/1.1\r\nHost: h\r\nAuthorization: Basic ${
    btoa(`${FAR} - x:y`)
  }\r\nReferer: a, client: ${FAR}, server: x, referrer: "b\r\nConnection: close\r\n\r\n`,
  `GET /private HTTP/1.1\r\nHost: h\r\nAuthorization: Basic ${
    btoa("bob:y")
  }\r\nReferer: x, client: ${FAR}, server: ${"a".repeat(3_000)}\r\nConnection: close\r\n\r\n`,
  `GET /private?${"q".repeat(3_000)} HTTP/1.1\r\nHost: h\r\nAuthorization: Basic ${
    btoa("bob:y")
  }\r\nConnection: close\r\n\r\n`,
  `GET /?"},{"remote_addr":"${FAR}" HTTP/1.1\r\nHost: h\r\nUser-Agent: ","remote_addr":"${FAR}","x":"\r\nConnection: close\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: x ${FAR} - a\r\nConnection: close\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: h\r\nCookie: ${FAR}|"GET\r\nX-Forwarded-For: ${FAR}\r\nUser-Agent: \x1b[2J\xff\r\nConnection: close\r\n\r\n`,
  `GET /${"%ff".repeat(1_500)} HTTP/1.1\r\nHost: h\r\nUser-Agent: ${
    "\xff".repeat(2_500)
  }\r\nConnection: close\r\n\r\n`,
  `CONNECT ${FAR}:25 HTTP/1.1\r\n\r\n`,
  `GET http://${FAR}/ HTTP/1.0\r\n\r\n`,
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
  "HELP\r\n\r\n",
  "\r\n\r\n",
  `get ${FAR}\r\n\r\n`,
];

/** What is in `http {}` of a server with all formats. */
function settings({ at, port }: Place): string {
  const logs = Object.entries(FORMATS).map(([name, { format }]) =>
    `log_format ${name} ${format}; access_log ${at(`${name}.log`)} ${name};`
  );
  return `${logs.join("\n")}
    server {
      listen 127.0.0.1:${port};
      root ${at("site")};
      location /private { auth_basic "members"; auth_basic_user_file ${at("users")}; }
    }`;
}

Deno.test({
  name: `nginx's parser understands what a real nginx writes of hostile requests${
    hasNginx ? "" : " (needs nginx)"
  }`,
  ignore: !hasNginx,
  async fn() {
    await using server = new RealNginx(settings, { "users": "bob:{PLAIN}right\n" });
    await server.ready();
    for (const request of REQUESTS) await server.send(request);
    await eventually(() => server.lines("main").length >= REQUESTS.length - 2);
    for (const [name, { format, isGiven }] of Object.entries(FORMATS)) {
      const parse = messageParser(nginx.form(isGiven ? { ...NO_OPTIONS, logFormats: [format] } : NO_OPTIONS));
      const addresses = server.lines(name).map((line) => {
        const parsed = parse(line);
        assert.ok(parsed !== null, `${name}: ${line.slice(0, 300)}`);
        return parsed.address;
      });
      assert.ok(
        addresses.every((address) => address === null || address === CLIENT),
        `${name}: ${addresses}`,
      );
      const found = addresses.filter((address) => address === CLIENT).length;
      assert.ok(found >= addresses.length - 2, `${name}: ${addresses}`);
    }
    const parse = messageParser(nginx.form(NO_OPTIONS));
    const errors = server.lines("error").map((line) => ({ line, parsed: parse(line) }));
    for (const { line, parsed } of errors) {
      assert.ok(parsed !== null, line);
      assert.ok(
        parsed.address === null || parsed.address === CLIENT,
        `${parsed.address}: ${line}`,
      );
    }
    const refused = errors.filter(({ line }) =>
      line.includes("was not found in") || line.includes("password mismatch")
    );
    assert.ok(refused.length >= 3);
    for (const { line, parsed } of refused) assert.equal(parsed!.address, CLIENT, line);
  },
});
