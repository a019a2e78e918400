/** The scripts of docs/firewalls.md, as they stand there but for the places of files. */
import { strict as assert } from "node:assert";
import { hasNginx, type Place, RealNginx } from "../support/nginx.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/firewalls.md", import.meta.url));
const CLIENTS = ["203.0.113.5", "2001:db8:1:2::7"] as const;

async function isThere(...programs: readonly string[]): Promise<boolean> {
  const command = new Deno.Command("sh", {
    args: ["-c", 'for p; do command -v "$p" || exit; done', "-", ...programs],
  });
  return (await command.output()).success;
}

/** Writes the script of a comment's words into a directory, with other texts in place of some. */
function recipe(directory: string, comment: string, places: Readonly<Record<string, string>>): string {
  const blocks = [...PAGE.matchAll(/```sh\n(#!.*?)```/gs)].map(([, text]) => text!);
  let text = blocks.find((block) => block.includes(comment))!;
  for (const [from, to] of Object.entries(places)) {
    assert.ok(text.includes(from), from);
    text = text.replaceAll(from, to);
  }
  const file = `${directory}/recipe`;
  Deno.writeTextFileSync(file, text, { mode: 0o755 });
  return file;
}

async function run(file: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(file, { args: [...args] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

Deno.test("docs/firewalls.md says for each command with sudo what the unit and sudoers must let it do", () => {
  const rows = [...PAGE.matchAll(/^\| [^|]* \| `(\/\S+)` +\| ([^|]*) \|$/gm)];
  const paths = new Map(rows.map(([, program, paths]) => [program!.split("/").at(-1)!, paths!]));
  const commands = [...PAGE.matchAll(/^ *"ban_command": "sudo -n (\S+)/gm)].map(([, program]) => program!);
  const names = new Set(commands.map((program) => program.split("/").at(-1)!));
  assert.deepEqual([...paths.keys()].toSorted(), [...names].filter((name) => name !== "timeout").toSorted());
  assert.match(paths.get("strongmonitor-deny")!, /`\/etc\/nginx`/);
  assert.match(paths.get("ufw")!, /`\/etc\/ufw /);
});

const hasTools = await isThere("flock", "cmp");
Deno.test({
  name: `the list that nginx denies cuts off clients behind a proxy, and lets them in again${
    hasNginx && hasTools ? "" : " (needs nginx, flock and cmp)"
  }`,
  ignore: !hasNginx || !hasTools,
  async fn() {
    const settings = ({ at, port }: Place) =>
      `access_log off; set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; include ${at("list")};
       server { listen 127.0.0.1:${port}; location / { return 204; } location /all { root ${at("site")}; } }`;
    await using server = new RealNginx(settings, { "list": "", "site.txt": "" });
    await server.ready();
    const [path] = [`${server.directory}/list`];
    const script = recipe(server.directory, "that nginx denies", {
      "/etc/nginx/strongmonitor.deny": path,
      "nginx -s reload": `${server.command.join(" ")} -s reload`,
    });
    const statuses = async () =>
      await Promise.all(CLIENTS.map(async (client) => {
        const request =
          `GET /all HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: ${client}\r\nConnection: close\r\n\r\n`;
        return /^HTTP\/1\.1 (\d+)/.exec(await server.send(request, { isOpen: true }))?.[1];
      }));
    /** A reload takes effect a moment later. */
    const become = async (expected: readonly string[]) => {
      for (let tries = 0; tries < 500; tries++) {
        if (String(await statuses()) === String(expected)) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.deepEqual(await statuses(), expected);
    };
    await become(["404", "404"]);
    await run(script, "ban", CLIENTS[0]);
    await become(["403", "404"]);
    await Promise.all([run(script, "ban", "2001:db8:1:2::/64"), run(script, "ban", CLIENTS[0])]);
    await become(["403", "403"]);
    assert.deepEqual(Deno.readTextFileSync(path).split("\n").toSorted(), [
      ...["", "deny 2001:db8:1:2::/64;", "deny 203.0.113.5;"],
    ]);
    await run(script, "unban", CLIENTS[0]);
    await run(script, "unban", CLIENTS[0]);
    await become(["404", "403"]);
  },
});

/** A rule of the CDN, as its interface has it. */
interface AccessRule {
  readonly id: string;
  readonly mode: string;
  readonly notes: string;
  readonly configuration: { readonly target: string; readonly value: string };
}

const hasClient = await isThere("curl", "jq");
Deno.test({
  name: `the script for a CDN blocks an address once and lifts that again${
    hasClient ? "" : " (needs curl and jq)"
  }`,
  ignore: !hasClient,
  async fn() {
    const rules = new Map<string, AccessRule>();
    const calls: string[] = [];
    const answer = async (request: Request): Promise<Response> => {
      const { pathname, searchParams } = new URL(request.url);
      assert.equal(request.headers.get("authorization"), "Bearer t0ken");
      assert.ok(pathname.startsWith("/zone/rules"), pathname);
      calls.push(request.method);
      if (request.method === "DELETE") rules.delete(pathname.split("/").at(-1)!);
      if (request.method === "POST") {
        const id = `r${calls.length}`;
        rules.set(id, { ...await request.json(), id });
      }
      const found = [...rules.values()].filter(({ mode, notes, configuration }) =>
        mode === searchParams.get("mode") && notes === searchParams.get("notes") &&
        configuration.value === searchParams.get("configuration.value")
      );
      return Response.json({ success: true, result: request.method === "GET" ? found : {} });
    };
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
    const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-cdn-" });
    try {
      Deno.writeTextFileSync(`${directory}/header`, "Authorization: Bearer t0ken\n");
      const script = recipe(directory, "at the CDN", {
        "/etc/strongmonitor-cdn": `${directory}/header`,
        "https://api.cloudflare.com/client/v4/zones/ZONE/firewall/access_rules":
          `http://127.0.0.1:${server.addr.port}/zone`,
      });
      for (const address of ["203.0.113.5", "203.0.113.5", "2001:db8:1:2::/64", "2001:db8::7"]) {
        await run(script, "ban", address);
      }
      assert.deepEqual([...rules.values()].map(({ mode, configuration }) => ({ mode, ...configuration })), [
        { mode: "block", target: "ip", value: "203.0.113.5" },
        { mode: "block", target: "ip_range", value: "2001:db8:1:2::/64" },
        { mode: "block", target: "ip6", value: "2001:db8::7" },
      ]);
      for (const address of ["2001:db8:1:2::/64", "203.0.113.5", "203.0.113.5"]) {
        await run(script, "unban", address);
      }
      assert.deepEqual([...rules.values()].map(({ configuration }) => configuration.value), ["2001:db8::7"]);
      assert.deepEqual(calls.filter((method) => method === "DELETE").length, 2);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
