import { strict as assert } from "node:assert";
import { attack, loginRightly, stay } from "./client.ts";
import {
  ask,
  assertRecordedOnce,
  banned,
  LIMIT,
  scene,
  startDatabase,
  untilDropped,
  untilRunning,
} from "./scene.ts";
import { CLIENTS, type Server } from "./server.ts";
import { type Daemon, until } from "./world.ts";

const ATTACKERS = [CLIENTS.one, CLIENTS.two, CLIENTS.six];
/** Stops a hang; measures no speed. */
const STOP_SECONDS = 60;

scene("attackers are cut off, friends never, and PostgreSQL has each line once", async (server) => {
  await using database = await startDatabase(server);
  let monitor = server.startMonitor();
  await untilRunning(server);
  await until("a journalctl that is kept awake", async () => {
    const [status] = await ask<{ sources: { delivery: string | null }[] }>(server, "status");
    return status!.sources.some(({ delivery }) => delivery?.startsWith("entries come within")) || undefined;
  });

  // Attackers go on until they are cut off, even if a killed monitor restarts slowly.
  const attacks = meanwhile(Promise.all(ATTACKERS.map((address) => attack(server, address, 20 * LIMIT))));
  const friendly = meanwhile(attack(server, CLIENTS.friend, 2 * LIMIT + 1));
  for (const count of [2, 4]) {
    await until(`attempt ${count}`, async () => await failures(server, CLIENTS.one) >= count || undefined);
    monitor = await crash(server, monitor);
  }

  for (const [i, { cutOff }] of (await attacks).entries()) {
    const address = ATTACKERS[i] ?? "";
    const count = await failures(server, address);
    assert.ok(cutOff && count > LIMIT, `${address}: ${count} attempts, cut off: ${cutOff}`);
  }
  assert.deepEqual(await friendly, { answered: 2 * LIMIT + 1, cutOff: false });
  assert.deepEqual(await banned(server), ATTACKERS.toSorted());

  await stop(monitor);
  monitor = server.startMonitor();
  await untilRunning(server);
  assert.equal(await loginRightly(server, CLIENTS.six), "cut off");
  assert.equal(await loginRightly(server, CLIENTS.friend), "let in");
  await assertRecordedOnce(server, database);

  await database.query(`UPDATE ips SET whitelisted = true WHERE address = '${CLIENTS.one}'`);
  await untilDropped(server, CLIENTS.one, false);
  assert.equal(await loginRightly(server, CLIENTS.one), "let in");
  assert.equal(await loginRightly(server, CLIENTS.two), "cut off");
  await assertRecordedOnce(server, database);
  await stop(monitor);
});

scene(
  "a logged-in address is not banned, not even by hand, until its session is over",
  async (server) => {
    const monitor = server.startMonitor();
    await untilRunning(server);
    meanwhile(stay(server, CLIENTS.two));
    await until("the session to be known", async () => {
      const entries = await ask<{ origin: string }>(server, "whitelist", "list");
      return entries.some(({ origin }) => origin === "open session") || undefined;
    });
    const { code, stderr } = await server.cli("ban", CLIENTS.two);
    assert.equal(code, 1);
    assert.match(stderr, /it is whitelisted \(open session\)/);
    await attack(server, CLIENTS.two, LIMIT + 1);
    assert.deepEqual(await banned(server), []);
    await server.world.sh("pkill", "--full", "^ssh .*resident");
    await until("the end of the session", async () => {
      return (await server.cli("ban", CLIENTS.two)).code === 0 || undefined;
    });
    await untilDropped(server, CLIENTS.two);
    await stop(monitor);
  },
);

/** Starts `work` in the background. If the scene fails first, the work's failure is ignored. */
function meanwhile<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}

/** Returns the number of wrong passwords from `address`, by sshd's lines. */
async function failures(server: Server, address: string): Promise<number> {
  const lines = await server.journal("sshd");
  return lines.filter((line) => line.startsWith("Failed password") && line.includes(` from ${address} port`))
    .length;
}

async function crash(server: Server, monitor: Daemon): Promise<Daemon> {
  monitor.kill("SIGKILL");
  await monitor.status;
  return server.startMonitor();
}

/** Stops the monitor as systemd does. */
async function stop(monitor: Daemon): Promise<void> {
  const deadline = AbortSignal.timeout(STOP_SECONDS * 1_000);
  monitor.kill("SIGTERM");
  const { code } = await monitor.status;
  assert.equal(code, 0);
  assert.ok(!deadline.aborted, `The monitor took more than ${STOP_SECONDS} s to stop`);
}
