import { strict as assert } from "node:assert";
import {
  ask,
  assertRecordedOnce,
  banned,
  failedPassword,
  fakeAttack,
  LIMIT,
  scene,
  startDatabase,
  untilDropped,
  untilRunning,
  untilSaid,
} from "./scene.ts";
import { CONFIG_PATH, type Server } from "./server.ts";
import { until } from "./world.ts";

const ONE = "192.0.2.66";
const TWO = "192.0.2.67";
const THREE = "2001:db8:66::3";

scene("lines that a local user forges ban nobody", async (server) => {
  server.startMonitor();
  await untilRunning(server);
  const lines = Array.from({ length: 2 * LIMIT }, (_, n) => failedPassword(ONE, n)).join("");
  await server.world.run(["setpriv", "--reuid=nobody", "--clear-groups", "logger", "--tag=sshd"], lines);
  await fakeAttack(server, TWO, LIMIT + 1);
  await untilDropped(server, TWO);
  assert.deepEqual(await banned(server), [TWO]);
  await until("status to tell of the forged lines", async () => {
    const [status] = await ask<{ counts: { untrusted: number } }>(server, "status");
    return status?.counts.untrusted === 2 * LIMIT || undefined;
  });
});

scene(
  "bans go on while PostgreSQL is absent, frozen or stopped, and each line arrives once",
  async (server) => {
    server.startMonitor();
    await untilRunning(server);
    await fakeAttack(server, ONE, LIMIT + 1);
    await untilDropped(server, ONE);

    await using database = await startDatabase(server);
    await assertRecordedOnce(server, database, [ONE]);

    database.freeze();
    await fakeAttack(server, TWO, LIMIT + 1);
    await untilDropped(server, TWO);
    database.thaw();
    await assertRecordedOnce(server, database, [ONE, TWO]);

    await database.stop();
    await fakeAttack(server, THREE, LIMIT + 1);
    await untilDropped(server, THREE);
    await database.restart();
    await assertRecordedOnce(server, database, [ONE, TWO, THREE]);
    const rows = await database.query<{ address: string }>(
      "SELECT host(address) AS address FROM ban ORDER BY address",
    );
    assert.deepEqual(rows.map(({ address }) => address), [ONE, TWO, "2001:db8:66::"]);
  },
);

scene("no rotation of the journal loses a line or repeats one", async (server) => {
  await using database = await startDatabase(server);
  server.startMonitor();
  await untilRunning(server);
  for (let n = 0; n <= LIMIT; n++) {
    await fakeAttack(server, ONE, 1);
    await server.world.sh("journalctl", "--rotate");
  }
  await untilDropped(server, ONE);
  await assertRecordedOnce(server, database, [ONE]);
});

scene(
  "status shows a ban that the firewall refuses, and it is in force once the firewall is mended",
  async (server) => {
    server.startMonitor();
    await untilRunning(server);
    await server.world.write("/run/firewall_broken", "");
    await fakeAttack(server, ONE, LIMIT + 1);
    const failing = await until("a second try", async () => {
      const found = await failures(server);
      return found.some(({ attempts }) => attempts >= 2) ? found : undefined;
    });
    assert.deepEqual(failing.map(({ address }) => address), [ONE]);
    assert.match(failing[0]?.error ?? "", /the firewall is broken/);

    await Deno.remove(server.world.path("/run/firewall_broken"));
    await untilDropped(server, ONE);
    await until("status to be clear", async () => (await failures(server)).length === 0 || undefined);
  },
);

scene(
  "a wrong new configuration leaves the old one in use, and a right one replaces it",
  async (server) => {
    const monitor = server.startMonitor();
    await untilRunning(server);
    const right = await Deno.readTextFile(server.world.path(CONFIG_PATH));

    await server.configure(right.replace('"limit": 5', '"limit": 0'));
    monitor.kill("SIGHUP");
    await untilSaid(server, /limit.*config\.jsonc:\d+:\d+/);
    await fakeAttack(server, ONE, LIMIT + 1);
    await untilDropped(server, ONE);

    await server.configure(right.replace('"limit": 5', '"limit": 2'));
    monitor.kill("SIGHUP");
    await untilSaid(server, /reloaded/);
    await fakeAttack(server, TWO, 3);
    await untilDropped(server, TWO);
  },
);

scene("a monitor whose state is deleted writes another one, and goes on", async (server) => {
  const { stateDirectory } = server.unit;
  server.startMonitor();
  await untilRunning(server);
  await server.world.sh("find", stateDirectory, "-mindepth", "1", "-delete");
  await untilSaid(server, /state\.db is damaged \(somebody removed it\)/);
  await fakeAttack(server, ONE, LIMIT + 1);
  await untilDropped(server, ONE);
});

scene("a monitor without the group that may read the journal says so and exits with 69", async (server) => {
  const { user, group, program } = server.unit;
  const stranger = ["setpriv", `--reuid=${user}`, `--regid=${group}`, "--clear-groups"];
  const { code, stderr } = await server.world.run([...stranger, program, "run"]);
  assert.equal(code, 69);
  assert.match(stderr, /systemd-journal/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

interface Failure {
  readonly address: string;
  readonly attempts: number;
  readonly error: string;
}

/** Returns the bans that the firewall refuses. */
async function failures(server: Server): Promise<Failure[]> {
  const [status] = await ask<{ failing: Failure[] }>(server, "status");
  return status?.failing ?? [];
}
