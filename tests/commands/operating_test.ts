/** The answers of docs/operating.md, typed on a server on which what they tell of has happened. */
import { strict as assert } from "node:assert";
import { type OperatedServer, operatedServer } from "../support/operated_server.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/operating.md", import.meta.url));
/** Milliseconds until a monitor that has been told to reload says so. */
const PATIENCE = 30_000;

/** What comes to pass before a question is asked. */
const BEFORE: Readonly<Record<string, (server: OperatedServer) => Promise<unknown>>> = {
  "Is it running, and is it well?": (server) =>
    server.shell(
      `echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) web sshd[7]: Invalid user guest from 192.0.2.99 port 4711" \\
      >> /var/log/auth.log`,
    ),
  "The database is away. Is anything lost?": async (server) => {
    const database = '{ "DB": { "host": "localhost", "port": 1, "user": "a", "database": "b" },';
    await server.shell(`sed -i 's|^{|${database}|' /etc/strongmonitor/config.jsonc
      (umask 027; echo secret > /etc/strongmonitor/db_password.secret); systemctl reload strongmonitor`);
  },
};

interface Question {
  readonly title: string;
  /** Files to write, commands to type, and what the page shows of their output. */
  readonly blocks: readonly { readonly kind: string; readonly text: string }[];
}

function questions(): Question[] {
  return PAGE.split(/^## /m).slice(1).map((section) => ({
    title: section.slice(0, section.indexOf("\n")),
    blocks: [...section.matchAll(/^```(?<kind>jsonc|sh|text)\n(?<text>[^]*?)^```$/gm)]
      .map(({ groups }) => ({ kind: groups!.kind!, text: groups!.text! })),
  }));
}

/** A text without line breaks, and without the times, spans and processes of one run. */
function lasting(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim()
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?/g, "TIME")
    .replaceAll(/\b(?:\d+[dhms])+ (?=ago|left)/g, "SPAN ")
    .replaceAll(/\b\d+(?:\.\d+)? s\b/g, "SECONDS")
    .replaceAll(/\bpid \d+/g, "pid PID")
    .replaceAll(/(?<![.\d])\d+\.\d+\.\d+(?![.\d])/g, "VERSION");
}

function lacking(shown: string, output: string): string | undefined {
  const told = lasting(output);
  return shown.split("…\n").find((part) => !told.includes(lasting(part)));
}

/** Types commands. Types `status` again until it is right: a monitor follows a reload in a moment. */
async function answer(server: OperatedServer, commands: string, shown: string): Promise<string> {
  let output = await server.shell(commands);
  const last = commands.trim().split("\n").at(-1)!;
  const deadline = Date.now() + PATIENCE;
  while (/^strongmonitor status/.test(last) && lacking(shown, output) && Date.now() < deadline) {
    output = await server.shell(last);
  }
  return output;
}

async function ask(server: OperatedServer, { title, blocks }: Question): Promise<void> {
  assert.ok(blocks.some(({ kind }) => kind === "text"), "has an answer");
  await BEFORE[title]?.(server);
  let commands = "";
  for (const { kind, text } of blocks) {
    if (kind === "jsonc") server.write("new.jsonc", text);
    else if (kind === "sh") commands = text;
    else {
      for (const line of text.split("\n")) assert.ok(line.length <= 110, `too wide: ${line}`);
      const output = await answer(server, commands, text);
      const part = lacking(text, output);
      assert.equal(part, undefined, `${commands}${lasting(part ?? "")}\nis not in\n${lasting(output)}`);
    }
  }
}

Deno.test("docs/operating.md: each answer, run in order, prints what the page shows", async (t) => {
  await using server = await operatedServer();
  const all = questions();
  assert.ok(all.length >= 20, `${all.length} questions`);
  for (const question of all) await t.step(question.title, () => ask(server, question));
});
