import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import { STOCK } from "../../lib/config/stock.ts";
import { UserError } from "../../lib/core/error.ts";
import { compile, hasSockets } from "../../tools/compile.ts";
import { type Base, npmBase } from "../../tools/npm_base.ts";
import { permissionOptions } from "../../tools/permissions.ts";
import { scene } from "./scene.ts";
import { CONFIG_PATH, type Server } from "./server.ts";

const PROBE = fileURLToPath(new URL("probe.ts", import.meta.url));
/** Path of the probe inside the world. */
const PLACE = "/usr/local/bin/probe";

/** Compiles the probe with the permissions of the stock program, like the program under test. */
async function compileProbe(output: string): Promise<void> {
  const upon = async (base: Base) =>
    compile(PROBE, {
      output,
      permissions: permissionOptions(STOCK, { hasSockets: await hasSockets(base) }),
      base,
    });
  try {
    await upon({ deno: Deno.execPath(), denort: null });
  } catch (error) {
    if (!(error instanceof UserError && error.code === 69)) throw error;
    await upon(await npmBase(() => {}));
  }
}

/** Returns the outcomes of the probe's attempts as root. */
async function probe(server: Server): Promise<Record<string, string>> {
  const directory = await Deno.makeTempDir({ prefix: "strongmonitor-" });
  try {
    await compileProbe(`${directory}/probe`);
    await Deno.copyFile(`${directory}/probe`, server.world.path(PLACE));
    await server.world.write("/var/log/probe.log", "a line\n");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return JSON.parse(await server.world.sh(PLACE));
}

/** Attempts that must succeed, as the program needs them. */
const ALLOWED = [
  "read the configuration",
  "write the state",
  "open a database in the state",
  "run journalctl",
  "run sudo",
  "run nft",
  "run ip",
  "run getent",
  "read a log",
  "reach the database",
  "know the host's name",
];
scene("the sandbox keeps even root to the needs of the configuration", async (server) => {
  const outcomes = Object.entries(await probe(server));
  const ended = (how: RegExp) =>
    outcomes.filter(([, outcome]) => how.test(outcome)).map(([attempt]) => attempt);
  assert.deepEqual(ended(/^done$/), ALLOWED);
  // In Deno 2.4 node:net has no error name for it; sshd would have answered.
  assert.deepEqual(ended(/^(?!done|NotCapable)/).filter((attempt) => !attempt.endsWith("by node:net")), []);
  assert.ok(outcomes.length > 25);
  assert.doesNotMatch(await server.world.sh("ls", "/tmp"), /deno-compile-probe/, "no code is kept in /tmp");
});

/** A configuration that needs only journalctl and the state. */
const MINIMAL = { modules: { SSHD: { rules: [{ name: "failed", str: "Failed password", limit: 5 }] } } };

const USER = { user: "strongmonitor", database: "strongmonitor" };
const FILE = { match: { file: "/srv/log/*.log" }, rules: MINIMAL.modules.SSHD.rules };

/** Keys that want more than the program may do, and its messages. Places are in the second line. */
const WANTS: readonly (readonly [Record<string, unknown>, string])[] = [
  [
    { ban_command: ["sh", "-c", "echo %s"] },
    "ban_command: this program may not run sh (2:15); put sudo before it",
  ],
  [
    { ban_command: "/opt/banIP.sh %s" },
    "ban_command: this program may not run /opt/banIP.sh (2:15); put sudo before it",
  ],
  [
    { firewall: "nftables", nft_command: "/opt/bin/nft" },
    "nft_command: this program may not run /opt/bin/nft (2:37); write nft without a path",
  ],
  [
    { DB: { host: "127.0.0.1:5433", ...USER } },
    "DB.host: this program may not reach 127.0.0.1:5433 (2:14); have PostgreSQL listen on port 5432, " +
    'call its host db in /etc/hosts, and write "host": "db"',
  ],
  [
    { DB: { host: "db.example.org", ...USER } },
    "DB.host: this program may not reach db.example.org:5432 (2:14); " +
    'call its host db in /etc/hosts, and write "host": "db"',
  ],
  [
    { DB: { host: "/srv/postgresql", ...USER } },
    "DB.host: this program may not read and write /srv/postgresql/.s.PGSQL.5432 (2:14); " +
    'write "host": "/run/postgresql", where PostgreSQL has its socket',
  ],
  [
    { DB: { host: "db", sslmode: "verify-full", sslrootcert: "/srv/ca.pem", ...USER } },
    "DB.sslrootcert: this program may not read /srv/ca.pem (2:57); move the file into /etc/strongmonitor",
  ],
  [
    { whitelist_files: ["/srv/friends.list"] },
    "whitelist_files: this program may not read /srv/friends.list (2:19); move the file into /etc/strongmonitor",
  ],
  [
    { modules: { SSHD: FILE } },
    "modules.SSHD.match.file: this program may not read /srv/log (2:36); have the service log below /var/log",
  ],
  [
    { metrics_file: "/var/lib/prometheus/node-exporter/strongmonitor.prom" },
    "metrics_file: this program may not read and write /var/lib/prometheus/node-exporter/strongmonitor.prom " +
    "(2:16); write it to /var/lib/strongmonitor, from where a link may lead on",
  ],
  [
    { notify: { program: "/opt/tell" } },
    "notify: this program may not run /opt/tell (2:10); put it at /etc/strongmonitor/notify",
  ],
  [
    { state: "/root" },
    "state: this program may not read and write /root (2:9); keep the state in /var/lib/strongmonitor",
  ],
];

scene(
  "the program names each line of a configuration that wants more than it may do, and the remedy",
  async (server) => {
    for (const [keys, complaint] of WANTS) {
      await server.configure(`{\n${JSON.stringify({ ...keys, modules: MINIMAL.modules, ...keys }).slice(1)}`);
      const expected = `Cannot load ${complaint.replace("(2:", `(${CONFIG_PATH}:2:`)}`;
      const build = `build one that may, where its source is, with: deno task build --config ${CONFIG_PATH} `;
      const run = await server.cli("run");
      const sentences = run.stderr.trimEnd().split("\n");
      assert.deepEqual([run.code, sentences[0]], [78, `<3>${expected}`]);
      assert.ok(sentences.at(-1)!.startsWith(`<3>Or ${build}`), run.stderr);
      const check = await server.cli("check");
      assert.equal(check.code, 78);
      assert.ok(check.stdout.includes(`\nProblem: ${expected.replace("; ", "\n  ")}\n`), check.stdout);
      assert.ok(check.stdout.includes(`\n  or ${build}`), check.stdout);
    }
  },
);

scene("no command reads a file that the build does not allow, not even as root", async (server) => {
  for (const words of [["match", "--module", "SSHD", "/etc/shadow"], ["replay", "/etc/shadow"]]) {
    const { code, stdout, stderr } = await server.cli(...words);
    assert.notEqual(code, 0);
    assert.equal(stdout, "");
    assert.ok(!stderr.includes("root:"), stderr);
    assert.match(stderr, /\/etc\/shadow/);
  }
  const { code, stdout } = await server.world.run([
    server.unit.program,
    "check",
    "--config",
    "/etc/shadow",
  ]);
  assert.equal(code, 77, stdout);
  assert.match(stdout, /this program may not read \/etc\/shadow/);
});
