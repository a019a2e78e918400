import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import { STOCK } from "../../lib/config/stock.ts";
import { UserError } from "../../lib/core/error.ts";
import { compile, hasSockets } from "../../tools/build.ts";
import { type Base, npmBase } from "../../tools/npm_base.ts";
import { permissionOptions } from "../../tools/permissions.ts";
import { scene } from "./scene.ts";
import type { Server } from "./server.ts";

const PROBE = fileURLToPath(new URL("probe.ts", import.meta.url));
/** Where the probe stands inside the world. */
const PLACE = "/usr/local/bin/probe";

/** Compiles the probe as the program under test was: with the permissions of the program for everybody. */
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

/** How each of the probe's attempts ended, made as root. */
async function probe(server: Server): Promise<Record<string, string>> {
  const directory = await Deno.makeTempDir({ prefix: "strongmonitor-" });
  try {
    await compileProbe(`${directory}/probe`);
    await Deno.copyFile(`${directory}/probe`, server.world.path(PLACE));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return JSON.parse(await server.world.sh(PLACE));
}

/** What the program is for. */
const ALLOWED = [
  "read the configuration",
  "write the state",
  "open a database in the state",
  "run journalctl",
  "run sudo",
  "reach the database",
  "know the host's name",
];
scene("even root is kept in the sandbox: nothing but what the configuration asks for", async (server) => {
  const outcomes = Object.entries(await probe(server));
  const ended = (how: RegExp) =>
    outcomes.filter(([, outcome]) => how.test(outcome)).map(([attempt]) => attempt);
  assert.deepEqual(ended(/^done$/), ALLOWED);
  // node:net has no word for it in Deno 2.4; sshd would have answered.
  assert.deepEqual(ended(/^(?!done|NotCapable)/).filter((attempt) => !attempt.endsWith("by node:net")), []);
  assert.ok(outcomes.length > 25);
  assert.doesNotMatch(await server.world.sh("ls", "/tmp"), /deno-compile-probe/, "no code is kept in /tmp");
});

/** A configuration that needs no more than journalctl and the state. */
const MINIMAL = { modules: { SSHD: { rules: [{ name: "failed", str: "Failed password", limit: 5 }] } } };

/** Rights that the program was built without, and what its configuration wants them for. */
const WANTS: readonly (readonly [string, Record<string, unknown>])[] = [
  ["to run sh", { ban_command: ["sh", "-c", "echo %s"] }],
  ["to run /opt/banIP.sh", { ban_command: "/opt/banIP.sh %s" }],
  ["to reach 127.0.0.1:5433", {
    DB: { host: "127.0.0.1:5433", user: "strongmonitor", database: "strongmonitor" },
  }],
  ["to reach 198.51.100.1:5432", {
    DB: { host: "198.51.100.1", user: "strongmonitor", database: "strongmonitor" },
  }],
  ["to reach office.example.org", { whitelist: "office.example.org" }],
  ["to write /root", { state: "/root" }],
];

scene(
  "a configuration that wants more than the program was built for is refused in one sentence",
  async (server) => {
    for (const [want, change] of WANTS) {
      await server.configure(JSON.stringify({ ...MINIMAL, ...change }));
      const sentences: string[] = [];
      for (const command of ["run", "check"]) {
        const { code, stderr } = await server.cli(command);
        assert.equal(code, 78, `${command}, ${want}: ${stderr}`);
        sentences.push(stderr.replace(/^(?:<3>|strongmonitor: )/, ""));
      }
      const [sentence] = sentences;
      assert.deepEqual(sentences, [sentence, sentence], "`check` foretells what `run` will say");
      assert.ok(sentence!.includes(want), sentence);
      assert.match(sentence!, /deno task build --config \/etc\/strongmonitor\/config\.jsonc /);
      assert.equal(sentence!.trim().split("\n").length, 1, sentence);
    }
  },
);

scene("no command reads a file that the program was not built for, not even as root", async (server) => {
  for (const words of [["match", "--module", "SSHD", "/etc/shadow"], ["replay", "/etc/shadow"]]) {
    const { code, stdout, stderr } = await server.cli(...words);
    assert.notEqual(code, 0);
    assert.equal(stdout, "");
    assert.ok(!stderr.includes("root:"), stderr);
    assert.match(stderr, /\/etc\/shadow/);
  }
  const { code, stderr } = await server.world.run([
    server.unit.program,
    "check",
    "--config",
    "/etc/shadow",
  ]);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /without the right to read \/etc\/shadow/);
});
