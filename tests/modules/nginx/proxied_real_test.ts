/** A real nginx behind a proxy that it trusts by `set_real_ip_from`: whose address do its lines bear? */
import { strict as assert } from "node:assert";
import { addressOf } from "../../../lib/core/address_text.ts";
import { encode } from "../../../lib/core/bytes.ts";
import { EACH, NEVER } from "../../../lib/reading/message_reader.ts";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { eventually } from "../../support/helpers.ts";
import { NO_OPTIONS, openForm } from "../../support/messages.ts";
import { hasNginx, type Place, RealNginx } from "../../support/nginx.ts";

const [PROXY, CLIENT] = ["127.0.0.1", "203.0.113.5"];

function settings({ at, port, other }: Place): string {
  return `
    access_log ${at("access.log")} combined;
    set_real_ip_from ${PROXY}; real_ip_header X-Forwarded-For; client_header_timeout 1s; client_body_timeout 1s;
    server { listen ${PROXY}:${port}; root ${at("site")}; location /closed { deny all; } }
    server { listen ${PROXY}:${other} ssl; ssl_reject_handshake on; root ${at("site")}; }`;
}

const HEAD = `Host: h\r\nX-Forwarded-For: ${CLIENT}\r\nUser-Agent: x\r\nConnection: close\r\n`;
const request = (line: string, more = "") => `${line}\r\n${HEAD}${more}\r\n`;

/** What nginx refuses before it has read all of the head, or right behind that. */
const EARLY: readonly string[] = [
  ...["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "HELP\r\n\r\n", "get / HTTP/1.1\r\n\r\n", "GET"],
  ...[`GET / HTTP/1.1\r\nX-Forwarded-For: ${CLIENT}\r\n\r\n`, `${request("GET / HTTP/1.1").slice(0, -2)}Bad`],
  ...[request("GET / HTTP/3.7"), request("CONNECT h:25 HTTP/1.1"), request("TRACE / HTTP/1.1")],
  ...[request("GET / HTTP/1.1", "Transfer-Encoding: none\r\n"), request("GET / HTTP/1.1", "Host: i\r\n")],
  ...[request("GET / HTTP/1.1", "Content-Length: x\r\n"), request("GET / HTTP/1.1", "A\0: x\r\n")],
  ...[request("GET /%2e%2e/%2e%2e/x HTTP/1.1"), request(`GET /${"x".repeat(9_000)} HTTP/1.1`)],
  ...[
    request("GET / HTTP/1.1", `A: ${"x".repeat(9_000)}\r\n`),
    request("GET / HTTP/1.1").replace("Host: h", "Host: h/x"),
  ],
];
/** What it answers once it knows who asks. */
const LATER = [request("GET /none HTTP/1.1"), request("GET /closed HTTP/1.1"), request("POST / HTTP/1.1")];

Deno.test({
  name: `a line of a real nginx that bears the address of a trusted proxy never counts${
    hasNginx ? "" : " (needs nginx)"
  }`,
  ignore: !hasNginx,
  async fn() {
    await using server = new RealNginx(settings);
    await server.ready();
    for (const text of [...EARLY, ...LATER]) await server.send(text);
    await server.send(request("GET / HTTP/1.1"), { port: server.other });
    await server.send("\x16\x03\x01\x00\x05hello", { port: server.other });
    // Its head does not come to an end in time.
    await server.send(`GET / HTTP/1.1\r\nX-Forwarded-For: ${CLIENT}\r\n`, { isOpen: true });
    const count = EARLY.length + LATER.length + 2;
    await eventually(() => server.lines("access").length >= count);
    const reader = openForm(
      nginx.form({ ...NO_OPTIONS, trustedProxies: null }),
    );
    const named = new Map<string | null, number>();
    for (const line of [...server.lines("access"), ...server.lines("error")]) {
      const { bytes, end } = encode(line);
      assert.ok(reader.read(bytes, 0, end), line);
      const address = addressOf(reader.address);
      named.set(address, (named.get(address) ?? 0) + 1);
      if (address === PROXY) assert.equal(reader.counting, NEVER, line);
      if (address === CLIENT) assert.equal(reader.counting, EACH, line);
    }
    assert.ok(
      named.get(PROXY)! > EARLY.length && named.get(CLIENT)! >= LATER.length,
      JSON.stringify([...named]),
    );
  },
});
