import { strict as assert } from "node:assert";
import { encryptServer, opensslMissing } from "../support/certificates.ts";
import { postgresMissing, type TestPostgres } from "../support/postgres_server.ts";
import { inKernel } from "./kernel.ts";
import { Member, MOST_FOLLOWED, SOCAT, untilAllDrop, untilDropped } from "./member.ts";
import { anotherServer, scene, startDatabase } from "./scene.ts";
import type { Server } from "./server.ts";
import { until } from "./world.ts";

const PSQL = "/usr/bin/psql";
/** The oldest and the newest PostgreSQL. */
const VERSIONS = [13, 18];
/** Rounds, and attacks in a row in each, whose way to the other kernels is timed. */
const [ROUNDS, IN_A_ROW] = [10, 10];
/** Milliseconds without news after which the kernel itself is asked. */
const SILENCE = 10_000;
/** Milliseconds without PostgreSQL. */
const ABSENCE = 60_000;
/** An address that only the member b bans. */
const ADDRESS_OF_B = "198.51.100.77";

/** Three servers of a fleet, and the addresses that all of them drop. */
interface Fleet {
  readonly a: Member;
  readonly b: Member;
  readonly c: Member;
  readonly all: readonly Member[];
  readonly database: TestPostgres;
  readonly dropped: string[];
}

/** Attacks a member, which must drop the sender. */
async function attack({ dropped }: Fleet, member: Member, address: string): Promise<void> {
  dropped.push(address);
  await member.attack(address);
}

/** Prints a distribution of milliseconds. */
function tell(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((x, y) => x - y);
  const at = (part: number) => Math.round(sorted[Math.ceil(sorted.length * part) - 1]!);
  console.log(`${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${times.length}`);
}

/** Notes drops of which nft did not tell, as it may lose some on a busy machine. Their times are unknown. */
async function askKernel({ server, drops }: Member): Promise<void> {
  for (const address of (await inKernel(server)).keys()) if (!drops.has(address)) drops.set(address, NaN);
}

/**
 * Returns by address when its newest line was written, in milliseconds of the wall clock. The
 * kernel stamps a line as it is written, so that waits of journald count too.
 */
async function written({ server }: Member): Promise<Map<string, number>> {
  const lines = await server.world.sh("journalctl", "--quiet", "--output=json", "--identifier=sshd");
  return new Map(
    lines.split("\n").slice(0, -1).flatMap((line) => {
      const { MESSAGE, _SOURCE_REALTIME_TIMESTAMP: time } = JSON.parse(line) as Record<string, string>;
      const address = / from (\S+) port /.exec(MESSAGE!)?.[1];
      return address === undefined ? [] : [[address, Number(time) / 1_000]];
    }),
  );
}

/**
 * Attacks one member, in bursts: all must drop the senders. Prints the delays from the write of the
 * line that passes the limit, the last of an attack, until this test hears of the kernel's change.
 */
async function spread(fleet: Fleet): Promise<void> {
  const { all, dropped, database } = fleet;
  for (let round = 0; round < ROUNDS; round++) {
    const addresses = Array.from({ length: IN_A_ROW }, (_, n) => `203.0.113.${round * IN_A_ROW + n + 1}`);
    for (const address of addresses) await attack(fleet, all[round % all.length]!, address);
    const silence = performance.now() + SILENCE;
    await until(`all to drop ${addresses}`, async () => {
      const late = all.filter(({ drops }) => addresses.some((address) => !drops.has(address)));
      if (late.length > 0 && performance.now() > silence) await Promise.all(late.map(askKernel));
      return late.length === 0 || undefined;
    });
  }
  const began = new Map((await Promise.all(all.map(written))).flatMap((times) => [...times]));
  const isTimed = (address: string) => all.every(({ drops }) => !Number.isNaN(drops.get(address)));
  const times = dropped.filter(isTimed).map((address) =>
    all.map(({ drops }) => drops.get(address)! - began.get(address)!).toSorted((x, y) => x - y)
  );
  tell(
    `PostgreSQL ${database.version}, from the line past the limit to the first kernel`,
    times.map(([first]) => first!),
  );
  tell("from there to each other kernel", times.flatMap(([first, ...rest]) => rest.map((t) => t - first!)));
  tell("from the line past the limit to the last kernel", times.map((all) => all.at(-1)!));
  await untilDropped(all, dropped);
}

/** Stops the database: each member bans alone. Starts it: all agree again. */
async function missTheDatabase(fleet: Fleet): Promise<void> {
  const { a, b, all, database, dropped } = fleet;
  await database.stop();
  const end = performance.now() + ABSENCE;
  await attack(fleet, a, "192.0.2.1");
  await attack(fleet, b, "192.0.2.2");
  await untilDropped([a], dropped.filter((address) => address !== "192.0.2.2"));
  await untilDropped([b], dropped.filter((address) => address !== "192.0.2.1"));
  await new Promise((resolve) => setTimeout(resolve, end - performance.now()));
  await attack(fleet, b, "192.0.2.3");
  await untilAllDrop([b], "192.0.2.3");
  await database.start();
  await untilDropped(all, dropped);
}

/** Kills one member and cuts another off: the third goes on. Then all agree again. */
async function missEachOther(fleet: Fleet): Promise<void> {
  const { a, b, c, all, dropped } = fleet;
  await c.cut();
  await b.kill();
  await attack(fleet, a, "192.0.2.4");
  await attack(fleet, c, "192.0.2.5");
  await untilAllDrop([c], "192.0.2.5");
  assert.ok(!(await inKernel(a.server)).has("192.0.2.5"));
  b.restart();
  c.connect();
  await untilDropped(all, dropped);
}

/** Returns statements of an intruder in a member, some in the name of the server `victim`. */
function hostileStatements(victim: string, own: string): string {
  const columns = "host, id, address, reason, count, start, change";
  const ban = (host: string, id: number, address: string) =>
    `INSERT INTO ban (${columns}) VALUES ('${host}', ${id}, '${address}', 'x', 1, now(), ${id});`;
  return [
    `INSERT INTO host (id, name, last_seen) VALUES ('${own}', 'a', now());`,
    // Rows of other members.
    ban(victim, 900_001, "192.0.2.201"),
    `INSERT INTO log (host, seq, service, address, time, message) VALUES ('${victim}', 900001, '', '192.0.2.201', now(), 'x');`,
    "INSERT INTO host (id, name, last_seen) VALUES (gen_random_uuid(), 'b', now());",
    // Earlier rows.
    "UPDATE ban SET ended = now(), end_reason = 'unban', change = change + 1000000;",
    "DELETE FROM ban;",
    "DELETE FROM log;",
    "UPDATE log SET message = '';",
    "DELETE FROM host;",
    "UPDATE host SET removed = now();",
    "DROP TABLE ban CASCADE;",
    // The whitelist.
    "INSERT INTO ips (address, whitelisted) VALUES ('0.0.0.0/0', true);",
    "UPDATE ips SET whitelisted = true;",
    // Bans of addresses that nobody may ban.
    ban(own, 1, "0.0.0.0/0"),
    ban(own, 2, "::/0"),
    ban(own, 3, "198.0.0.0/8"),
    ban(own, 4, ADDRESS_OF_B),
    ban(own, 5, "127.0.0.1"),
    // A member may ban, and others follow it.
    ban(own, 6, "192.0.2.66"),
  ].join("\n");
}

/** Returns a flood of notifications. */
const FLOOD = ["ban", "whitelist"].map((channel) =>
  `SELECT count(pg_notify('strongmonitor_${channel}', gen_random_uuid()::text)) FROM generate_series(1, 5000);`
).join("\n").concat("\n").repeat(20);

/** Returns bans of more addresses than others follow. */
function manyBans(own: string): string {
  return `INSERT INTO ban (host, id, address, reason, count, start, change)
    SELECT '${own}', n, inet '10.9.0.0' + n, 'x', 1, now(), n FROM generate_series(1000, ${
    1000 + 2 * MOST_FOLLOWED
  }) AS n;`;
}

/** Runs statements with the rights of a member. Goes on after refused ones. */
async function psql({ database }: Fleet, statements: string): Promise<void> {
  const to = [`--host=${database.directory}`, "--username=hostile", "strongmonitor"];
  const child = new Deno.Command(PSQL, {
    args: ["--quiet", "--no-psqlrc", ...to],
    env: { PGPASSWORD: "h" },
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await new Blob([statements]).stream().pipeTo(child.stdin);
  await child.status;
}

/** Returns numbers that only grow, and only by members' allowed writes. */
async function past({ database }: Fleet): Promise<Record<string, number>> {
  const [sums] = await database.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM log) AS lines, (SELECT count(*)::int FROM ban) AS bans,
       (SELECT count(*)::int FROM host) AS hosts, (SELECT count(*)::int FROM ban WHERE ended IS NOT NULL) AS ended,
       (SELECT count(*)::int FROM ips WHERE whitelisted) AS whitelisted`,
  );
  return sums!;
}

/** Runs an intruder's statements with a member's rights: they change nothing. */
async function resist(fleet: Fleet): Promise<void> {
  const { a, b, c, all, database, dropped } = fleet;
  await database.query("CREATE ROLE hostile LOGIN PASSWORD 'h'; SELECT strongmonitor_admit('hostile')");
  const [victim] = await database.query<{ id: string }>("SELECT id FROM host WHERE name = 'a'");
  const [before, own] = [await past(fleet), crypto.randomUUID()];
  await psql(fleet, hostileStatements(victim!.id, own));
  assert.deepEqual(await past(fleet), { ...before, bans: before.bans! + 6, hosts: before.hosts! + 1 });
  dropped.push("192.0.2.66");
  await untilDropped(all, dropped);
  for (const { server } of [a, c]) {
    const said = (await server.journal("strongmonitor")).join("\n");
    assert.match(said, /not following the ban of 0\.0\.0\.0\/0 .*: it is wider than \/16/);
    assert.match(said, /not following the ban of 198\.51\.100\.77 .*: it is a server of the fleet/);
  }
  // Floods of notifications and bans delay no member's own bans.
  const flood = psql(fleet, FLOOD);
  await attack(fleet, b, "192.0.2.6");
  await untilAllDrop(all, "192.0.2.6");
  await flood;
  await psql(fleet, manyBans(own));
  // The intruder's bans leave room for others'.
  await attack(fleet, b, "192.0.2.7");
  await untilAllDrop(all, "192.0.2.7");
  await until("the others to follow as many of one server as they may", async () => {
    const bans = await Promise.all([a, c].map(({ server }) => inKernel(server)));
    return bans.every(({ size }) => size >= MOST_FOLLOWED / 2) || undefined;
  });
  // Bans that only the removed member made end with it.
  await a.server.cli("fleet", "remove", own);
  dropped.splice(dropped.indexOf("192.0.2.66"), 1);
  await untilDropped(all, dropped);
}

async function play(server: Server, version: number): Promise<void> {
  await using database = await startDatabase(server, version);
  await using second = await anotherServer();
  await using third = await anotherServer();
  await second.world.sh("ip", "address", "add", `${ADDRESS_OF_B}/24`, "dev", "cable");
  // Other members' cables lead to the Unix socket, over which PostgreSQL does not encrypt.
  const { own } = await encryptServer(database, "IP:127.0.0.1");
  await using a = new Member("a", server, database, own);
  await using b = new Member("b", second, database);
  await using c = new Member("c", third, database);
  const fleet: Fleet = { a, b, c, all: [a, b, c], database, dropped: [] };
  b.connect();
  c.connect();
  for (const member of fleet.all) await member.start();

  await spread(fleet);
  await missTheDatabase(fleet);
  await missEachOther(fleet);
  await resist(fleet);

  // The end of a ban reaches all members too.
  const { all, dropped } = fleet;
  await a.server.cli("unban", "192.0.2.4");
  await a.server.cli("whitelist", "add", "192.0.2.1");
  for (const address of ["192.0.2.4", "192.0.2.1"]) dropped.splice(dropped.indexOf(address), 1);
  await untilDropped(all, dropped);

  const encrypted = await database.query(
    "SELECT FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'strongmonitor'",
  );
  assert.equal(encrypted.length, 1, "a is encrypted");
  const rows = await database.query<{ address: string; n: number }>(
    `SELECT host(address) AS address, count(*)::int AS n FROM ban JOIN host ON host.id = ban.host
     WHERE ended IS NULL AND removed IS NULL GROUP BY address`,
  );
  assert.deepEqual(rows.map(({ address }) => address).sort(), dropped.toSorted());
  assert.deepEqual(rows.filter(({ n }) => n !== 1), [], "no ban is shipped by whoever follows it");
}

for (const version of VERSIONS) {
  scene(
    `servers of a fleet drop each other's banned addresses, agree after every trouble, and resist an intruder, on PostgreSQL ${version}`,
    (server) => play(server, version),
    [SOCAT, PSQL],
    await postgresMissing(version) ?? await opensslMissing() ?? "",
  );
}
