import { strict as assert } from "node:assert";
import { encryptServer, opensslMissing } from "../support/certificates.ts";
import { postgresMissing, type TestPostgres } from "../support/postgres_server.ts";
import { inKernel } from "./kernel.ts";
import { anotherServer, fakeAttack, LIMIT, scene, startDatabase, untilRunning } from "./scene.ts";
import type { Server } from "./server.ts";
import { type Daemon, until } from "./world.ts";

const SOCAT = "/usr/bin/socat";
/** The oldest and the newest PostgreSQL. */
const VERSIONS = [13, 18];
/** Attacks by several addresses at once whose way to the other kernels is timed. */
const [ROUNDS, AT_ONCE] = [10, 10];

/** A server of the fleet with its monitor and, unless the database is its own, its cable to that. */
class Member implements AsyncDisposable {
  #monitor: Daemon | null = null;
  #cable: Deno.ChildProcess | null = null;

  /** @param authority file with the certificate by which it trusts the database; null: it does not encrypt */
  constructor(
    readonly name: string,
    readonly server: Server,
    readonly database: TestPostgres,
    readonly authority: string | null = null,
  ) {}

  async start(): Promise<void> {
    const rule = {
      name: "failed_password",
      str: "Failed password for",
      limit: LIMIT,
      window: "10m",
      ban_time: "1h",
    };
    await this.server.world.sh("hostname", this.name);
    if (this.authority !== null) {
      await this.server.world.write("/etc/strongmonitor/db-ca.pem", await Deno.readTextFile(this.authority));
    }
    const encryption = this.authority === null ? {} : { sslmode: "verify-full", sslrootcert: "db-ca.pem" };
    await this.server.configure(JSON.stringify({
      DB: { host: "127.0.0.1", user: "strongmonitor", database: "strongmonitor", ...encryption },
      fleet: { share_bans: true },
      firewall: "nftables",
      nft_command: "sudo -n /opt/nft.sh",
      modules: { SSHD: { rules: [rule] } },
    }));
    this.#monitor = this.server.startMonitor();
    await untilRunning(this.server);
  }

  /** Lets the server reach the database of another at its own 127.0.0.1:5432. */
  connect(): void {
    const socket = `UNIX-CONNECT:${this.database.directory}/.s.PGSQL.5432`;
    const [program, ...args] = [
      ...this.server.world.network,
      SOCAT,
      "TCP-LISTEN:5432,bind=127.0.0.1,fork,reuseaddr",
      socket,
    ];
    this.#cable = new Deno.Command(program!, { args, stdout: "null", stderr: "null", detached: true })
      .spawn();
  }

  /** Cuts the cable with all connections that go through it. */
  async cut(): Promise<void> {
    const cable = this.#cable;
    this.#cable = null;
    if (cable === null) return;
    Deno.kill(-cable.pid, "SIGKILL");
    await cable.status;
  }

  /** Kills the monitor without a warning. */
  async kill(): Promise<void> {
    this.#monitor!.kill("SIGKILL");
    await this.#monitor!.status;
  }

  /** Starts the monitor again. */
  restart(): void {
    this.#monitor = this.server.startMonitor();
  }

  attack(address: string): Promise<void> {
    return fakeAttack(this.server, address, LIMIT + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }
}

/** Waits until the kernels of all members drop exactly these addresses. */
async function untilDropped(members: readonly Member[], addresses: readonly string[]): Promise<void> {
  const wanted = addresses.toSorted().join();
  for (const { name, server } of members) {
    await until(`${addresses.length} bans in the kernel of ${name}`, async () => {
      return [...(await inKernel(server)).keys()].sort().join() === wanted || undefined;
    });
  }
}

/** Waits until all members drop these addresses. Returns the milliseconds from the first kernel to each of the others. */
async function spread(members: readonly Member[], addresses: readonly string[]): Promise<number[]> {
  const since = new Map(addresses.map((address) => [address, new Map<Member, number>()]));
  await until(`all to drop ${addresses}`, async () => {
    for (const member of members) {
      const kernel = await inKernel(member.server);
      for (const [address, times] of since) {
        if (kernel.has(address) && !times.has(member)) times.set(member, performance.now());
      }
    }
    return since.values().every((times) => times.size === members.length) || undefined;
  });
  return [...since.values()].flatMap((times) => {
    const [first, ...others] = [...times.values()].toSorted((a, b) => a - b);
    return others.map((time) => time - first!);
  });
}

async function play(server: Server, version: number): Promise<void> {
  await using database = await startDatabase(server, version);
  await using second = await anotherServer();
  await using third = await anotherServer();
  // The cables of the others lead to the Unix socket, over which PostgreSQL does not encrypt.
  const { own } = await encryptServer(database, "IP:127.0.0.1");
  await using a = new Member("a", server, database, own);
  await using b = new Member("b", second, database);
  await using c = new Member("c", third, database);
  const all = [a, b, c];
  b.connect();
  c.connect();
  for (const member of all) await member.start();

  const dropped: string[] = [];
  const attack = async (member: Member, address: string) => {
    dropped.push(address);
    await member.attack(address);
  };
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const addresses = Array.from({ length: AT_ONCE }, (_, n) => `203.0.113.${round * AT_ONCE + n + 1}`);
    for (const address of addresses) await attack(all[round % 3]!, address);
    times.push(...await spread(all, addresses));
  }
  times.sort((x, y) => x - y);
  const at = (part: number) => Math.round(times[Math.ceil(times.length * part) - 1]!);
  console.log(
    `PostgreSQL ${version}: from one kernel to another: p50 ${at(0.5)} ms, p99 ${
      at(0.99)
    } ms of ${times.length}, ` +
      "looked at every 100 ms",
  );
  await untilDropped(all, dropped);

  // Without the database each is an island.
  await database.stop();
  await attack(a, "192.0.2.1");
  await attack(b, "192.0.2.2");
  await untilDropped([a], [...dropped.filter((address) => address !== "192.0.2.2")]);
  await untilDropped([b], [...dropped.filter((address) => address !== "192.0.2.1")]);
  await database.start();
  await untilDropped(all, dropped);

  // One is killed, one is cut off; the third goes on.
  await c.cut();
  await b.kill();
  await attack(a, "192.0.2.3");
  await attack(c, "192.0.2.4");
  await until("c to drop it alone", async () => (await inKernel(c.server)).has("192.0.2.4") || undefined);
  assert.ok(!(await inKernel(a.server)).has("192.0.2.4"));
  b.restart();
  c.connect();
  await untilDropped(all, dropped);

  // An end travels too.
  await a.server.cli("unban", "192.0.2.3");
  dropped.splice(dropped.indexOf("192.0.2.3"), 1);
  await untilDropped(all, dropped);

  const encrypted = await database.query(
    "SELECT FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'strongmonitor'",
  );
  assert.equal(encrypted.length, 1, "a is encrypted");
  const rows = await database.query<{ address: string; n: number }>(
    "SELECT host(address) AS address, count(*)::int AS n FROM ban WHERE ended IS NULL GROUP BY address",
  );
  assert.deepEqual(rows.map(({ address }) => address).sort(), dropped.toSorted());
  assert.deepEqual(rows.filter(({ n }) => n !== 1), [], "no ban is shipped by whoever follows it");
}

for (const version of VERSIONS) {
  scene(
    `servers of a fleet drop whom one of them bans, and agree after every trouble, on PostgreSQL ${version}`,
    (server) => play(server, version),
    [SOCAT],
    await postgresMissing(version) ?? await opensslMissing() ?? "",
  );
}
