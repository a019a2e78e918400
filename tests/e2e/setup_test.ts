import { strict as assert } from "node:assert";
import { type Finding, of } from "../support/machine.ts";
import { stay } from "./client.ts";
import { ask, fakeAttack, scene, startDatabase, untilRunning } from "./scene.ts";
import { CLIENTS, type Server } from "./server.ts";
import { until } from "./world.ts";

/** Returns the results of `doctor`. */
function doctor(server: Server): Promise<Finding[]> {
  return ask<Finding>(server, "doctor");
}

scene(
  "init finds the port of a real sshd, and logged-in users until they log out",
  async (server) => {
    const session = stay(server, CLIENTS.one);
    const origins = async (): Promise<string[]> =>
      (await ask<{ origins: string[] }>(server, "init"))[0]!.origins;
    await until("somebody to be logged in", async () => (await origins()).length > 0 || undefined);
    const [found] = await ask<Record<string, unknown>>(server, "init");
    const { journal_error, ssh_ports, origin } = found!;
    assert.deepEqual([journal_error, ssh_ports, origin], [null, [22], CLIENTS.one]);
    await server.world.sh("pkill", "--full", "^ssh .*resident");
    await session;
    await until("nobody to be logged in", async () => (await origins()).length === 0 || undefined);
  },
);

scene(
  "doctor finds working journal, sshd, ban command, database and monitor, and names broken ones",
  async (server) => {
    server.startMonitor();
    await untilRunning(server);
    await fakeAttack(server, CLIENTS.two, 2);
    const unwell = await doctor(server);
    assert.deepEqual(of(unwell, "journal"), ["ok: can be read"]);
    assert.match(of(unwell, "service")[0]!, /^ok: SSHD understands \d+ of its newest \d+ lines$/);
    assert.deepEqual(of(unwell, "database"), [
      "failure: PostgreSQL at 127.0.0.1:5432 refuses connections: is it running there?",
    ]);
    const trials = unwell.filter(({ subject }) => subject === "firewall");
    assert.ok(
      trials.length > 0 && trials.every(({ result }) => result !== "failure"),
      JSON.stringify(trials),
    );
    const { stdout } = await server.world.run(["nft", "list", "ruleset"]);
    assert.doesNotMatch(stdout, /192\.0\.2\.254|2001:db8:ffff/);

    await using _database = await startDatabase(server);
    await until("the database to be well", async () => {
      const [found] = of(await doctor(server), "database");
      return /^ok: PostgreSQL .* takes rows of user "strongmonitor"$/.test(found ?? "") || undefined;
    });
    await server.configure("{ broken");
    assert.equal((await server.cli("doctor")).code, 1);
  },
);
