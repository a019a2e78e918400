import { strict as assert } from "node:assert";
import { Runner, whyFailed } from "../../lib/core/child_process.ts";
import { now, SECOND } from "../../lib/core/time.ts";
import { noticeJson } from "../../lib/monitor/notice_json.ts";
import { runHook } from "../../lib/monitor/notifier.ts";
import { script } from "../support/helpers.ts";
import { findProgram } from "../support/probes.ts";

const SCRIPTS = new URL("../../docs/notify/", import.meta.url).pathname;

/** Text that a shell, curl, mail, Slack or HTML would take for something else. */
const HOSTILE =
  "$(touch pwned) `touch pwned` ; touch pwned #'\"\\ %0a <!channel> <b>&amp; @file ü \r\n.\r\nQUIT\r\nTo: x";
const NOTICE = noticeJson({
  time: now(),
  problems: [{ kind: "source_unreadable", subject: HOSTILE, text: HOSTILE, since: now() }],
  over: [],
  bans: [],
  banCount: 0,
  lastBan: 0,
}, { host: "web1", firewall: "nftables" });
const { title: TITLE, text: TEXT }: { title: string; text: string } = JSON.parse(NOTICE);

/** A request that a stand-in server got. */
interface Got {
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Runs a script of docs/notify on the notice as the monitor would, in a directory of its own with these settings. */
async function run(name: string, settings: Readonly<Record<string, string>>): Promise<string | null> {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    Deno.copyFileSync(SCRIPTS + name, `${directory}/notify`);
    const lines = Object.entries(settings).map(([key, value]) =>
      `${key}='${value.replace("DIRECTORY", directory)}'\n`
    );
    Deno.writeTextFileSync(`${directory}/notify.conf`, lines.join(""));
    if (settings.SENDMAIL) {
      script(directory, { name: "sendmail", body: `{ echo "$@"; cat; } > '${directory}/sent'` });
    }
    const signal = new AbortController().signal;
    const options = { program: `${directory}/notify`, timeout: 60 * SECOND, signal };
    const failure = whyFailed(await runHook(new Runner(), NOTICE, options));
    if (settings.SENDMAIL && failure === null) return Deno.readTextFileSync(`${directory}/sent`);
    assert.ok(![...Deno.readDirSync(directory)].some(({ name }) => name === "pwned"));
    return failure;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Runs a script against a server over HTTP that answers with `status`; returns what it got and why the script failed. */
async function post(
  name: string,
  settings: (url: string) => Record<string, string>,
  status = 200,
): Promise<{ got: Got[]; failure: string | null }> {
  const got: Got[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const { headers, url } = request;
    got.push({ path: new URL(url).pathname, headers, body: await request.text() });
    return new Response("no", { status });
  });
  try {
    const failure = await run(name, settings(`http://127.0.0.1:${server.addr.port}`));
    return { got, failure };
  } finally {
    await server.shutdown();
  }
}

/** Runs a script against a server of mail; returns the recipient and the mail that it got. */
async function mailed(settings: Record<string, string>): Promise<{ to: string; mail: string }> {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = serveMail(listener);
  assert.equal(await run("mail", { ...settings, SERVER: `smtp://127.0.0.1:${port}` }), null);
  return await serving;
}

/** Takes one mail as a server does (RFC 5321). */
async function serveMail(listener: Deno.Listener): Promise<{ to: string; mail: string }> {
  using connection = await listener.accept() as Deno.TcpConn;
  const say = (line: string) => connection.write(new TextEncoder().encode(`${line}\r\n`));
  const lines = connection.readable.pipeThrough(new TextDecoderStream());
  let [to, mail, waiting, isData] = ["", "", "", false];
  await say("220 stand-in");
  for await (const text of lines) {
    waiting += text;
    for (let end = waiting.indexOf("\r\n"); end >= 0; end = waiting.indexOf("\r\n")) {
      const line = waiting.slice(0, end);
      waiting = waiting.slice(end + 2);
      if (isData && line !== ".") mail += `${line.replace(/^\./, "")}\n`;
      else {
        if (line.startsWith("RCPT")) to = line;
        isData = line === "DATA";
        await say(isData ? "354 go on" : "250 fine");
        if (line === "QUIT") return { to, mail };
      }
    }
  }
  return { to, mail };
}

/** A test that needs curl and jq. */
function test(name: string, fn: () => Promise<void>): void {
  const missing = ["curl", "jq"].filter((program) => findProgram(program) === null);
  const needs = missing.length === 0 ? "" : ` (needs ${missing.join(" and ")})`;
  Deno.test({ name: name + needs, ignore: missing.length > 0, fn });
}

test("docs/notify/webhook posts the notice as it is, with a header of one's own", async () => {
  const { got: [got, ...others], failure } = await post("webhook", (url) => ({
    URL: `${url}/hook`,
    HEADER: "Authorization: Bearer secret",
  }));
  assert.deepEqual([failure, others], [null, []]);
  assert.deepEqual([got!.path, got!.body], ["/hook", `${NOTICE}\n`]);
  assert.equal(got!.headers.get("content-type"), "application/json");
  assert.equal(got!.headers.get("authorization"), "Bearer secret");
});

test("docs/notify/ntfy publishes title and text at the topic", async () => {
  const { got: [got], failure } = await post("ntfy", (url) => ({ URL: url, TOPIC: "attacks", TOKEN: "tk" }));
  assert.equal(failure, null);
  assert.deepEqual(JSON.parse(got!.body), {
    topic: "attacks",
    title: TITLE,
    message: TEXT,
    priority: 4,
    tags: ["warning"],
  });
  assert.equal(got!.headers.get("authorization"), "Bearer tk");
});

test("docs/notify/slack posts plain text, in which nothing calls anybody", async () => {
  const { got: [got], failure } = await post("slack", (url) => ({ URL: `${url}/services/x` }));
  assert.equal(failure, null);
  const { blocks, text } = JSON.parse(got!.body);
  assert.equal(blocks[1].text.type, "plain_text");
  assert.equal(blocks[1].text.text, TEXT);
  assert.equal(text, TITLE);
  assert.equal(got!.path, "/services/x");
});

test("docs/notify/telegram sends plain text to the chat", async () => {
  const { got: [got], failure } = await post(
    "telegram",
    (url) => ({ SERVER: url, TOKEN: "1:a", CHAT: "-100" }),
  );
  assert.equal(failure, null);
  assert.equal(got!.path, "/bot1:a/sendMessage");
  const { chat_id, text, parse_mode } = JSON.parse(got!.body);
  assert.deepEqual([chat_id, text, parse_mode], ["-100", `${TITLE}\n\n${TEXT}`, undefined]);
});

const ADDRESSES = { TO: "admin@example.org", FROM: "monitor@example.org" };
const HEAD =
  /^From: monitor@example\.org\nTo: admin@example\.org\nDate: .*\nSubject: web1: 1 problem\nAuto-Submitted: /;

test("docs/notify/mail speaks SMTP, and no text becomes a command or a header", async () => {
  const { to, mail } = await mailed(ADDRESSES);
  assert.match(to, /^RCPT TO:<admin@example\.org>/);
  assert.match(mail, HEAD);
  assert.equal(mail.slice(mail.indexOf("\n\n") + 2), `${TEXT}\n`);
});

test("docs/notify/mail hands the mail to sendmail where told", async () => {
  const sent = await run("mail", { ...ADDRESSES, SENDMAIL: "DIRECTORY/sendmail" });
  const [words, ...mail] = sent!.split("\n");
  assert.equal(words, "-i -f monitor@example.org -- admin@example.org");
  assert.match(mail.join("\n"), HEAD);
  assert.ok(sent!.endsWith(`\n\n${TEXT}\n`));
});

for (const name of ["webhook", "ntfy", "slack", "telegram"]) {
  test(`docs/notify/${name} fails where the server refuses`, async () => {
    const { failure } = await post(
      name,
      (url) => ({ URL: url, SERVER: url, TOPIC: "t", TOKEN: "t", CHAT: "c" }),
      403,
    );
    assert.match(failure!, /^exit status 22: .*403/);
  });
}

test("docs/notify.md lists every script, and every script may be run", () => {
  const page = Deno.readTextFileSync(`${SCRIPTS}../notify.md`);
  const scripts = [...Deno.readDirSync(SCRIPTS)].map(({ name }) => name).sort();
  assert.deepEqual(scripts, ["mail", "ntfy", "slack", "telegram", "webhook"]);
  for (const name of scripts) {
    assert.ok(page.includes(`](notify/${name})`), name);
    assert.equal(Deno.statSync(SCRIPTS + name).mode! & 0o111, 0o111);
  }
  return Promise.resolve();
});
