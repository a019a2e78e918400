import { strict as assert } from "node:assert";
import {
  ask,
  banned,
  failedPassword,
  fakeAttack,
  LIMIT,
  scene,
  untilDropped,
  untilRunning,
} from "./scene.ts";
import { CONFIG_PATH, type Server } from "./server.ts";

const ONE = "192.0.2.66";
const NETWORK = "2001:db8:66::/64";
const HISTORY = Array.from({ length: LIMIT + 1 }, (_, n) => failedPassword(ONE, n)).join("");

scene("ban, unban and whitelist reach the firewall through the running monitor", async (server) => {
  server.startMonitor();
  await untilRunning(server);

  for (const target of [ONE, NETWORK]) {
    const { code, stdout } = await server.cli("ban", target, "--for", "2h", "--reason", "by hand");
    assert.equal(code, 0);
    assert.match(stdout, /banned until .*: by hand\nIt is in force\.\n$/);
    await untilDropped(server, target);
  }
  assert.deepEqual(await banned(server), [ONE, NETWORK]);
  assert.match((await server.cli("unban", NETWORK)).stdout, /unbanned\nThe firewall has lifted it\.\n$/);
  await untilDropped(server, NETWORK, false);
  assert.equal((await server.cli("unban", NETWORK)).code, 1);

  assert.equal((await server.cli("whitelist", "add", ONE)).code, 0);
  await untilDropped(server, ONE, false);
  assert.equal((await server.cli("ban", ONE)).code, 1);
  const listed = await ask<{ address: string }>(server, "whitelist", "list");
  assert.ok(listed.some(({ address }) => address === ONE));
  assert.equal((await server.cli("whitelist", "remove", ONE)).code, 0);
  assert.equal((await server.cli("ban", ONE)).code, 0);
  await untilDropped(server, ONE);
});

scene("a command before the monitor's first start says so and leaves nothing in its way", async (server) => {
  await assertRefused(server, ["status"], { code: 69, says: /monitor has not run yet/ });
  server.startMonitor();
  await untilRunning(server);
});

scene("the unit's user can use a state that root's commands have written", async (server) => {
  const monitor = server.startMonitor();
  await untilRunning(server);
  assert.equal((await server.cli("ban", ONE)).code, 0);
  monitor.kill("SIGTERM");
  assert.equal((await monitor.status).code, 0);
  assert.equal((await server.cli("status")).code, 69);
  assert.equal((await server.cli("unban", ONE)).code, 0);
  server.startMonitor();
  await untilRunning(server);
  await fakeAttack(server, ONE, LIMIT + 1);
  await untilDropped(server, ONE);
});

scene("match and replay judge lines from standard input and the journal, and ban nobody", async (server) => {
  const verdicts = await server.world.run(
    [server.unit.program, "match", "--module", "SSHD", "--json", "-"],
    HISTORY,
  );
  assert.deepEqual(
    verdicts.stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line)),
    [
      ...Array.from({ length: LIMIT + 1 }, (_, n) => ({
        n: n + 1,
        module: "SSHD",
        address: ONE,
        fields: { method: "password", user: "root", port: String(40_000 + n) },
        hits: ["failed_password"],
        counted: true,
        logged: true,
      })),
      {
        summary: {
          lines: LIMIT + 1,
          events: LIMIT + 1,
          uncounted: 0,
          rules: [{ module: "SSHD", name: "failed_password", hits: LIMIT + 1 }],
        },
      },
    ],
  );

  await fakeAttack(server, ONE, LIMIT + 1);
  const [ban, end] = await ask<{ address?: string; count?: number; summary?: { bans: number } }>(
    server,
    ...["replay", "--since", "-1h"],
  );
  assert.deepEqual([ban?.address, ban?.count, end?.summary?.bans], [ONE, LIMIT + 1, 1]);
  const { stdout } = await server.world.run(["nft", "list", "set", "inet", "world", "banned4"]);
  assert.doesNotMatch(stdout, /elements/);
});

scene("wrong usage and wrong configurations give an exit code and one sentence", async (server) => {
  const right = await Deno.readTextFile(server.world.path(CONFIG_PATH));
  assert.equal((await server.cli("check")).code, 0);
  assert.equal((await server.cli("--version")).code, 0);
  await assertRefused(server, ["ban", "nobody"], { code: 64, says: /address/ });
  await assertRefused(server, ["frobnicate"], { code: 64, says: /frobnicate/ });
  await server.configure(right.replace('"rules"', '"rulez"'));
  await assertRefused(server, ["check"], { code: 78, says: /"?rules"?.*config\.jsonc:\d+:\d+/ });
});

/** Asserts that a command is refused with a code and a text. `check` prints it as its result. */
async function assertRefused(
  server: Server,
  words: readonly string[],
  { code, says }: { code: number; says: RegExp },
): Promise<void> {
  const { code: actual, stdout, stderr } = await server.cli(...words);
  const said = stdout + stderr;
  assert.equal(actual, code, said);
  assert.match(said, says);
  assert.doesNotMatch(said, /\n\s+at /);
}
