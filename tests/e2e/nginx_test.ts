import { strict as assert } from "node:assert";
import { parse } from "jsonc-parser";
import type { TestPostgres } from "../support/postgres_server.ts";
import { ask, banned, scene, startDatabase, untilDropped, untilRunning } from "./scene.ts";
import { CLIENTS, type Server } from "./server.ts";
import { browse, SCAN, startNginx } from "./web.ts";
import { until } from "./world.ts";

const SHIPPED = new URL("../../config.jsonc", import.meta.url);
const CONFIG = new URL("config.jsonc", import.meta.url);
/** Number of visits of the normal client, each with another request. */
const VISITS = 60;
const ROUNDS = 8;

/** Returns the scenes' configuration with the shipped rules of NGINX. */
function configuration(over: Record<string, unknown> = {}): string {
  const { modules } = parse(Deno.readTextFileSync(SHIPPED));
  return JSON.stringify({
    ...parse(Deno.readTextFileSync(CONFIG)),
    modules: { NGINX: { ...modules.NGINX, trusted_proxies: [], record: "all", ...over } },
  });
}

scene(
  "scanners of a site are cut off, visitors are not, and each request is recorded once through all rotations",
  async (server) => {
    await using database = await startDatabase(server);
    await startNginx(server);
    await server.configure(configuration());
    let monitor = server.startMonitor();
    await untilRunning(server);

    for (let round = 0; round < ROUNDS; round++) {
      const visits = browse(server, CLIENTS.two, visitsOf(round));
      visits.catch(() => {});
      await rotate(server, round % 2 === 0 ? "rename" : "copytruncate");
      if (round === 2 || round === 5) {
        monitor.kill("SIGKILL");
        await monitor.status;
      }
      assert.equal(await visits, VISITS);
      if (round === 2) await rotate(server, "rename");
      if (round === 2 || round === 5) monitor = server.startMonitor();
    }
    await untilRunning(server);

    const scans = await Promise.all(
      [CLIENTS.one, CLIENTS.six].map((from) =>
        browse(server, from, [...SCAN, ...SCAN, ...SCAN, ...SCAN].map((target) => ({ target })))
      ),
    );
    for (const answered of scans) assert.ok(answered < SCAN.length * 4, `${answered} requests were answered`);
    await untilDropped(server, CLIENTS.one);
    await untilDropped(server, CLIENTS.six);

    const mistypes = Array.from({ length: 5 }, () => ({ target: "/private", login: "member:wrong" }));
    const broken = Array.from({ length: 80 }, () => ({ target: "/lost.png" }));
    assert.equal(await browse(server, CLIENTS.two, [...mistypes, ...broken]), 85);
    await assertEachLineOnce(server, database);
    assert.deepEqual(await banned(server), [CLIENTS.one, CLIENTS.six].toSorted());
    assert.equal(await browse(server, CLIENTS.two, [{ target: "/" }]), 1);
    monitor.kill("SIGTERM");
    assert.equal((await monitor.status).code, 0);
  },
);

scene(
  "nginx's own lines in the journal count, and a user's in its name do not",
  async (server) => {
    // Without systemd nginx runs in no unit: root proves its lines.
    await startNginx(server, "root");
    await server.configure(configuration({ match: { identifier: "nginx" } }));
    const monitor = server.startMonitor();
    await untilRunning(server);
    const line = `192.0.2.99 - - [01/Mar/2026:10:56:10 +0000] "GET /.env HTTP/1.1" 404 162 "-" "sqlmap"`;
    const forged = Array.from({ length: 30 }, () => `${line}\n`).join("");
    await server.world.run(
      ["setpriv", "--reuid=resident", "--clear-groups", "logger", "--tag=nginx"],
      forged,
    );
    const probes = SCAN.map((target) => ({
      target: `${target}${target.includes("?") ? "&" : "?"}journal=1`,
    }));
    await browse(server, CLIENTS.one, [...probes, ...probes, ...probes]);
    await untilDropped(server, CLIENTS.one);
    await until("the forged lines to be seen", async () => {
      const [status] = await ask<{ counts: { untrusted: number } }>(server, "status");
      return status!.counts.untrusted === 30 || undefined;
    });
    assert.deepEqual(await banned(server), [CLIENTS.one]);
    monitor.kill("SIGTERM");
    await monitor.status;
  },
);

function visitsOf(round: number) {
  return Array.from({ length: VISITS }, (_, i) => ({ target: `/?visit=${round}-${i}` }));
}

function rotate(server: Server, way: "rename" | "copytruncate"): Promise<string> {
  return server.world.sh("logrotate", "--force", "--state=/tmp/logrotate", `/etc/logrotate.${way}.conf`);
}

/** Asserts that PostgreSQL has every line of the present logs, and no single request twice. */
async function assertEachLineOnce(server: Server, database: TestPostgres): Promise<void> {
  const logs = "zcat --force /var/log/nginx/access.log*";
  const written = (await server.world.sh("bash", "-c", logs)).split("\n").filter((line) => line !== "");
  const kept = async () =>
    (await database.query<{ message: string }>("SELECT message FROM log WHERE service = 'NGINX'"))
      .map(({ message }) => message);
  const missing = await until("every line to arrive", async () => {
    const there = new Set(await kept());
    return written.every((line) => there.has(line)) ? [] : undefined;
  }).catch(async () => {
    const there = new Set(await kept());
    return written.filter((line) => !there.has(line));
  });
  assert.deepEqual(missing, []);
  const visits = (await kept()).flatMap((line) => /visit=(\d+-\d+)/.exec(line)?.[1] ?? []);
  assert.deepEqual(visits.toSorted(), [...new Set(visits)].toSorted());
  assert.ok(visits.length >= VISITS * ROUNDS / 2);
}
