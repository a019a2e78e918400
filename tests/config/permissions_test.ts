import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import type { Config } from "../../lib/config/types.ts";
import type { WhitelistFile } from "../../lib/config/whitelist_file.ts";
import { NO_CONTENT } from "../../lib/config/whitelist_content.ts";
import type { ModuleRules } from "../../lib/rules/rule.ts";
import { permissionsFor } from "../../lib/config/permissions.ts";
import { sshd } from "../../modules/sshd.ts";
import { plainConfig } from "../support/configs.ts";
import { script } from "../support/helpers.ts";
import { NO_OPTIONS } from "../support/messages.ts";

const plainly = (address: string) => ({ address, isName: false, note: "", until: null });
const CONFIG = plainConfig({
  modules: [{
    module: { name: "SSHD", ...sshd.match, form: sshd.form(NO_OPTIONS) },
    noLog: [],
    trustedProxies: [],
    record: "all",
    rules: [],
  }],
  whitelist: { members: [plainly("192.0.2.0/24")], files: [], refresh: 300_000_000 },
});
const DATABASE = { host: "db.example.org", port: 5433, user: "monitor", database: "monitor", password: "" };
const FULL: Config = {
  ...CONFIG,
  ban: { ...CONFIG.ban, command: ["sudo", "/opt/ban", "%s"], unban: ["/opt/unban", "%s"] },
  database: DATABASE,
  whitelist: {
    ...CONFIG.whitelist,
    members: [{ ...plainly("office.example.org"), isName: true }],
    files: [{
      path: "/etc/friends.list",
      read: () => ({
        stamp: "",
        content: { ...NO_CONTENT, names: [{ ...plainly("friend.example.org"), isName: true }] },
        error: null,
      }),
    } as Partial<WhitelistFile> as WhitelistFile],
  },
};

Deno.test("`permissionsFor()` gives a monitor that observes journalctl, routes, name servers, its state and facts, and nothing else", () => {
  assert.deepEqual(permissionsFor(CONFIG), {
    run: ["journalctl", "ip", "getent"],
    net: [],
    read: [
      "/etc/strongmonitor/config.jsonc",
      "/var/lib/strongmonitor",
      "/etc/resolv.conf",
      "/run/systemd/resolve/resolv.conf",
    ],
    write: ["/var/lib/strongmonitor"],
    env: ["SUDO_USER"],
    sys: ["hostname", "networkInterfaces", "osUptime", "uid", "gid", "userInfo"],
  });
});

Deno.test("`permissionsFor()` follows the commands and the database, and takes no name for a place to reach", () => {
  const { run, net, read, write, env } = permissionsFor(FULL);
  assert.deepEqual(run, ["journalctl", "ip", "getent", "sudo", "/opt/unban", "kill"]);
  assert.deepEqual(net, ["db.example.org:5433"]);
  assert.ok(read.includes("/etc/strongmonitor/db_password.secret"));
  assert.ok(read.includes("/etc/friends.list"));
  assert.deepEqual(write, ["/var/lib/strongmonitor"]);
  assert.deepEqual(env, ["PG*", "SUDO_USER"]);
});

Deno.test("`permissionsFor()` gives kill where a command may leave children that are ours to end", () => {
  const run = (command: string[] | null) =>
    permissionsFor({ ...CONFIG, ban: { ...FULL.ban, command, unban: null } }).run;
  assert.deepEqual(run(["/usr/bin/sudo", "-n", "ban", "%s"]), [
    "journalctl",
    "ip",
    "getent",
    "/usr/bin/sudo",
  ]);
  assert.deepEqual(run(["/opt/ban", "%s"]), ["journalctl", "ip", "getent", "/opt/ban", "kill"]);
});

Deno.test("`permissionsFor()` names a program once, and an IPv6 host in brackets", () => {
  const ban = { ...CONFIG.ban, command: ["sudo", "ban", "%s"], unban: ["sudo", "unban", "%s"] };
  assert.deepEqual(permissionsFor({ ...CONFIG, ban }).run, ["journalctl", "ip", "getent", "sudo"]);
  const database = { ...DATABASE, host: "2001:db8::5" };
  assert.deepEqual(permissionsFor({ ...CONFIG, database }).net, ["[2001:db8::5]:5433"]);
});

Deno.test("`permissionsFor()` lets log files be read with all that stands beside them, and no journal for these alone", () => {
  const [{ module }] = CONFIG.modules as [ModuleRules];
  const of = (...files: string[]) =>
    permissionsFor({
      ...CONFIG,
      modules: [{
        module: { ...module, identifiers: [], files },
        noLog: [],
        trustedProxies: [],
        record: "all",
        rules: [],
      }],
    });
  assert.deepEqual(of("/a/b.log").run, ["ip", "getent"]);
  assert.deepEqual(of("/a/b.log", "/srv/*/log/x*.log", "/c/d?/e").read.slice(4), ["/a", "/srv", "/c"]);
});

Deno.test("`permissionsFor()` lets a metrics file outside of the state be written, and nothing beside it", () => {
  const of = (metricsFile: string) => permissionsFor({ ...CONFIG, metricsFile });
  const path = "/var/lib/prometheus/node-exporter/strongmonitor.prom";
  assert.deepEqual(of(path).write, ["/var/lib/strongmonitor", path, `${path}.new`]);
  assert.deepEqual(of(path).read.slice(2, 4), [path, `${path}.new`]);
  assert.deepEqual(of("/var/lib/strongmonitor/metrics/a.prom"), permissionsFor(CONFIG));
});

Deno.test("`permissionsFor()` lets the program of `notify` be run, and ended with its children", () => {
  const notify = { program: "/etc/strongmonitor/notify", bans: null, timeout: 1 };
  assert.deepEqual(permissionsFor({ ...CONFIG, notify }).run, [
    "journalctl",
    "ip",
    "getent",
    notify.program,
    "kill",
  ]);
});

/** What `missingNeeds(config)` finds in a process that was given `options`. */
async function missing(config: Config, options: readonly string[]): Promise<string[]> {
  const program = fileURLToPath(new URL("../support/permissions_program.ts", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...options, program, JSON.stringify(config)],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** `FULL` with programs that every machine has, as options. */
const PRESENT: Config = { ...FULL, ban: { ...FULL.ban, command: ["cat", "%s"], unban: ["/bin/ls", "%s"] } };
const RESOLVERS = "/etc/resolv.conf,/run/systemd/resolve/resolv.conf";
const OPTIONS = {
  run: "journalctl,ip,getent,cat,/bin/ls",
  net: "db.example.org:5433",
  read: `/etc/strongmonitor,/etc/friends.list,/var/lib/strongmonitor,${RESOLVERS}`,
  write: "/var/lib/strongmonitor",
  env: "PG*",
  sys: "hostname,networkInterfaces,osUptime,uid,gid,userInfo",
};

function optionsWith(changes: Partial<typeof OPTIONS>): string[] {
  return Object.entries({ ...OPTIONS, ...changes }).map(([kind, list]) => `--allow-${kind}=${list}`);
}

Deno.test("`missingNeeds()` is content with what is needed and with more", async () => {
  assert.deepEqual(await missing(PRESENT, optionsWith({})), []);
  assert.deepEqual(await missing(PRESENT, ["--allow-all"]), []);
});

const LACKS: readonly (readonly [Partial<typeof OPTIONS>, string])[] = [
  [{ run: "journalctl,ip,getent,/bin/ls" }, "run cat"],
  [{ run: "journalctl,ip,getent,cat" }, "run /bin/ls"],
  [{ run: "journalctl,getent,cat,/bin/ls" }, "run ip"],
  [{ run: "journalctl,ip,cat,/bin/ls" }, "run getent"],
  [{ net: "db.example.org:5432" }, "net db.example.org:5433"],
  [
    { read: `/etc/strongmonitor/config.jsonc,/etc/friends.list,/var/lib/strongmonitor,${RESOLVERS}` },
    "read /etc/strongmonitor/db_password.secret",
  ],
  [{ read: `/etc/strongmonitor,/var/lib/strongmonitor,${RESOLVERS}` }, "read /etc/friends.list"],
  [{ write: "/var/lib/strongmonitor/state.db" }, "write /var/lib/strongmonitor"],
  [{ env: "PGHOST" }, "env PG*"],
  [{ sys: "hostname,networkInterfaces,uid,gid,userInfo" }, "sys osUptime"],
];
for (const [changes, expected] of LACKS) {
  Deno.test(`\`missingNeeds()\` misses the right ${expected}`, async () => {
    assert.deepEqual(await missing(PRESENT, optionsWith(changes)), [expected]);
  });
}

Deno.test("`missingNeeds()` leaves a program that is not installed to whoever runs it", async () => {
  const ban = { ...FULL.ban, command: ["no-such-program", "%s"], unban: null };
  assert.deepEqual(
    await missing({ ...PRESENT, ban }, optionsWith({ run: "journalctl,ip,getent,no-such-program" })),
    [],
  );
});

Deno.test("`missingNeeds()` runs no program, allowed or not", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const program = script(directory, { name: "ban", body: `touch ${directory}/ran` });
    const config = { ...PRESENT, ban: { ...FULL.ban, command: [program, "%s"], unban: null } };
    assert.deepEqual(await missing(config, optionsWith({ run: `journalctl,ip,getent,${program}` })), []);
    assert.deepEqual(await missing(config, ["--allow-all"]), []);
    assert.deepEqual(await missing(config, optionsWith({ run: "journalctl,ip,getent" })), [`run ${program}`]);
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["ban"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
