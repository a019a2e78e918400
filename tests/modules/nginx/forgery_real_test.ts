/** A real nginx writes hostile records: by paths, names of Basic authentication, a FastCGI backend. */
import { strict as assert } from "node:assert";
import { addressOf } from "../../../lib/core/address_text.ts";
import { LINE_FEED } from "../../../lib/core/ascii.ts";
import { ModuleHealth } from "../../../lib/reading/health.ts";
import { LineReader } from "../../../lib/reading/line_reader.ts";
import { LineSplitter, SURROUNDINGS } from "../../../lib/sources/line_splitter.ts";
import { RecordBuffer } from "../../../lib/core/record_buffer.ts";
import { nginx } from "../../../modules/nginx/nginx.ts";
import { NO_OPTIONS, openForm } from "../../support/messages.ts";
import { hasNginx, RealNginx } from "../../support/nginx.ts";
import { Random } from "../../support/random.ts";

const NOW = Date.UTC(2036, 11, 1) * 1_000;
const OTHER = "198.51.100.7";
const HEAD = "2026/03/01 10:56:10 [error] 7#7: *1 ";
const END = `, client: ${OTHER}, server: x, request: "GET /.env HTTP/1.1", host: "x"`;
const FAILED = `" failed (2: No such file or directory)${END}`;
const READING = `" while reading response header from upstream${END}`;
const ACCESS = `${OTHER} - bob [01/Mar/2026:10:56:10 +0000] "GET /.env HTTP/1.1" 401 153 "-" "-"`;
const LINES = [
  `${HEAD}user "bob": password mismatch${END}`,
  `${HEAD}access forbidden by rule${END}`,
  `${HEAD}open() "/srv/www/.env${FAILED}`,
  `web nginx[7]: ${HEAD}access forbidden by rule${END}`,
  ACCESS,
  `2026-03-01T10:56:10.1Z stdout F ${ACCESS}`,
  JSON.stringify({ log: `${ACCESS}\n`, stream: "stdout", time: "2026-03-01T10:56:10.1Z" }),
  JSON.stringify({
    log: `${HEAD}access forbidden by rule${END}\n`,
    stream: "stderr",
    time: "2026-03-01T10:56:10.1Z",
  }),
];
const SURE = `${HEAD}access forbidden by rule, client: ${OTHER}, server: x`;

/** Makes a record of FastCGI (section 3.3 of its specification). */
function packet(type: number, text: string): Uint8Array {
  const content = new TextEncoder().encode(text);
  return Uint8Array.of(1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0, ...content);
}

/** A backend that writes the next of `texts` to its standard error for each request. */
function backend(texts: string[]): Deno.Listener {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(65_536));
      for (const [type, text] of [[7, texts.shift()!], [6, "\r\nx"], [6, ""], [3, "\0".repeat(8)]] as const) {
        await connection.write(packet(type, text));
      }
      connection.close();
    }
  })();
  return listener;
}

function settings(backend: number) {
  return ({ at, port }: { at: (name: string) => string; port: number }) =>
    `server {
      listen 127.0.0.1:${port}; root ${at("site")}; access_log off; large_client_header_buffers 8 32k;
      location /private { auth_basic x; auth_basic_user_file ${at("users")}; }
      location /fcgi { fastcgi_pass 127.0.0.1:${backend}; fastcgi_buffer_size 64k; fastcgi_buffers 8 64k; fastcgi_ignore_client_abort on; }
      location /proxy { proxy_pass http://127.0.0.1:1$uri; proxy_ignore_client_abort on; }
      location /denied { deny all; }
    }`;
}

/** Sends hostile and honest requests; returns the log. */
async function logOf(random: Random): Promise<Uint8Array> {
  const texts: string[] = [];
  using listener = backend(texts);
  await using server = new RealNginx(settings((listener.addr as Deno.NetAddr).port), {
    users: "bob:{PLAIN}x\n",
  });
  await server.ready();
  const send = (target: string, header = "") =>
    server.send(`GET ${target} HTTP/1.1\r\nHost: h\r\n${header}Connection: close\r\n\r\n`);
  const encoded = (text: string) => encodeURIComponent(text).replaceAll("%2F", "/");
  for (let i = 0; i < 300; i++) {
    const pad = random.pick(["p", "p", "p", "\n"]).repeat(random.below(500));
    const forged = Array.from({ length: 1 + random.below(6) }, () => random.pick(LINES)).join(`\n${pad}\n`);
    const [path, text] = [random.pick(["a", pad, `a${FAILED}`]), random.pick(["a", pad, `a${READING}`])];
    const hostile = [
      () =>
        send(
          `/${encoded(`${path}\n${forged}${random.pick([`\n${HEAD}open() "/b`, `\n${SURE}`, "\n", pad])}`)}`,
        ),
      () => send(`/proxy${encoded(`${random.pick(["", '", host: "x"'])}\n${forged}`)}`),
      () => send("/private", `Authorization: Basic ${btoa(`a\n${OTHER} GET 401\nb:x`)}\r\n`),
      () => {
        texts.push(
          `${text}\n${forged}${random.pick([`\n${HEAD}FastCGI sent in stderr: "b`, `\n${SURE}`, "\nb"])}`,
        );
        return send("/fcgi");
      },
    ];
    await random.pick([...hostile, () => send("/denied/a"), () => send("/missing")])();
  }
  return Deno.readFileSync(`${server.directory}/error.log`);
}

/** Returns the log as a container's runtime tears it into lines, perhaps with lines of its access log. */
function torn(log: string, headed: (line: string, stream: string) => string, access = ""): Uint8Array {
  const lines = log.split("\n").slice(0, -1).map((line) =>
    (access === "" ? "" : `${headed(access, "stdout")}\n`) + `${headed(line, "stderr")}\n`
  );
  return Uint8Array.from(lines.join(""), (character) => character.charCodeAt(0));
}

/** Counts the lines that name each address in a log that is read in pieces. */
function addresses(
  log: Uint8Array,
  nextEnd: (at: number) => number,
  goesOn: boolean,
  start = 0,
): Map<string | null, number> {
  const logFormats = ["$remote_addr $request_method $status"];
  const forms = [[], logFormats].map((logFormats) => openForm(nginx.form({ ...NO_OPTIONS, logFormats })));
  const found = new Map<string | null, number>();
  for (const reader of forms) {
    const module = { index: 0, identifiers: ["nginx"], units: [], reader };
    const events = new LineReader(
      [module],
      new ModuleHealth(["NGINX"], (complaint) => assert.fail(complaint)),
    );
    const buffer = new RecordBuffer(16);
    const lines = new LineSplitter();
    lines.recall(log.subarray(Math.max(0, start - SURROUNDINGS), start));
    for (let at = start; at < log.length;) {
      const end = nextEnd(at);
      lines.begin(buffer);
      buffer.put(log.subarray(at, end));
      lines.take(buffer, NOW, goesOn && end < log.length);
      at = end;
      for (let i = 0; i < buffer.length; i++) {
        if (!events.read(buffer, i, NOW) || !events.event.isUnderstood) continue;
        const address = addressOf(events.event.reader.address);
        found.set(address, (found.get(address) ?? 0) + 1);
      }
    }
  }
  return found;
}

Deno.test({
  name: "who writes lines into the error log of a real nginx names nobody else, however it is read",
  ignore: !hasNginx,
  async fn() {
    const random = new Random(7);
    const log = await logOf(random);
    const text = new TextDecoder("latin1").decode(log);
    assert(
      text.includes(`\n${LINES[0]}`) && text.includes("FastCGI sent in stderr") &&
        text.includes(`\n${OTHER} GET 401\n`),
    );
    // nginx writes each record at once; those of its worker have its number.
    const starts = [...text.matchAll(/^\S+ \S+ \[\w+\] (\d{2,})#\1: /gm)].map(({ index }) => index).slice(1);
    const ways: [name: string, nextEnd: (at: number) => number, goesOn: boolean][] = [
      ["whole", () => log.length, false],
      ["64 KiB", (at) => at + 65_536, true],
      ["page by page", (at) => at + 4_096, true],
      ["pieces", (at) => at + 1 + random.below(9_000), true],
      ["record by record", (at) => starts.find((start) => start > at) ?? log.length, false],
      ["some records", (at) => starts.find((start) => start > at + random.below(6_000)) ?? log.length, false],
    ];
    for (const [name, nextEnd, goesOn] of ways) {
      const found = addresses(log, nextEnd, goesOn);
      assert.equal(found.get(OTHER), undefined, name);
      assert(found.get("127.0.0.1")! > 20, name);
    }
    const time = "2026-03-01T10:56:10.123456789Z";
    const json = (line: string, stream: string) => JSON.stringify({ log: `${line}\n`, stream, time });
    const cri = (line: string, stream: string) => `${time} ${stream} F ${line}`;
    const bare = (line: string) => `${time} ${line}`;
    const access = '127.0.0.2 - - [01/Mar/2026:10:56:10 +0000] "GET / HTTP/1.1" 200 153 "-" "-"';
    for (const [headed, between] of [[json, ""], [json, access], [cri, access], [bare, ""]] as const) {
      const all = torn(text, headed, between);
      const nextLine = (at: number) => all.indexOf(LINE_FEED, at) + 1;
      const someLines = (at: number) => nextLine(Math.min(all.length - 1, at + random.below(20_000)));
      // A runtime writes line by line.
      for (const [nextEnd, goesOn] of [[nextLine, false], [someLines, false], [someLines, true]] as const) {
        const part = nextEnd === nextLine ? all.subarray(0, nextLine(200_000)) : all;
        const found = addresses(part, nextEnd, goesOn);
        assert.equal(found.get(OTHER), undefined, headed.name);
        if (between !== "") assert(found.get("127.0.0.2")! > 200, headed.name);
        if (nextEnd !== nextLine && headed !== bare) assert(found.get("127.0.0.1")! > 3, headed.name);
      }
      for (let i = 0; i < 20 && headed !== bare; i++) {
        const start = nextLine(random.below(all.length - 1));
        const found = addresses(all.subarray(0, start + 20_000), someLines, true, start);
        assert.equal(found.get(OTHER), undefined, headed.name);
      }
    }
  },
});
