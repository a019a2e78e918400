import { strict as assert } from "node:assert";
import type { DatabaseConfig } from "../../lib/postgres/database_config.ts";
import type { Connection, Parameter } from "../../lib/postgres/connection.ts";
import { type FleetNews, Follower } from "../../lib/postgres/follower.ts";
import { members } from "../../lib/postgres/members.ts";
import { ban, MemoryOutbox, TestMember, testOnPostgres, until } from "../support/postgres_fixtures.ts";
import type { Scene } from "../support/postgres_fixtures.ts";
import { HOUR, now } from "../../lib/core/time.ts";

/** A follower without a member around it, and the news that it tells. */
function newFollower(): { news: FleetNews[]; follower: Follower } {
  const news: FleetNews[] = [];
  const follower = new Follower({
    hostId: crypto.randomUUID(),
    positions: new Map(),
    window: HOUR,
    onNews: (more) => void news.push(more),
    takeRoom: () => false,
    failed: (error) => assert.fail(String(error)),
  });
  return { news, follower };
}

/** A member that keeps what it hears of the others' bans. */
class Listener extends TestMember {
  readonly news: FleetNews[];

  constructor(
    login: DatabaseConfig,
    hostName: string,
    options: { positions?: Map<string, number>; news?: FleetNews[] } = {},
  ) {
    const news = options.news ?? [];
    super(login, {
      hostName,
      sharing: {
        positions: options.positions ?? new Map(),
        window: 24 * HOUR,
        onNews: (more) => void news.push(more),
        takeRoom: () => false,
      },
      facts: () => ({ version: "1.2.3", addresses: [`198.51.100.${hostName.length}`], followed: 7 }),
    });
    this.news = news;
  }

  /** The servers that ban an address, by the latest news of it. */
  banning(address: string): string[] {
    const latest = this.news.findLast(({ addresses }) => addresses.includes(address));
    const reports = latest?.reports.filter((report) => report.address === address && report.isInForce) ?? [];
    return reports.map(({ server }) => server).sort();
  }

  get positions(): Map<string, number> {
    const all = new Map<string, number>();
    for (const { positions } of this.news) {
      for (const [host, change] of positions) if (change !== null) all.set(host, change);
    }
    return all;
  }

  /** Bans an address, or changes the ban with this id, and ships it. */
  async report(parts: Parameters<typeof ban>[0]): Promise<void> {
    const change = this.outbox.bans.length + 1;
    this.outbox.bans.push(ban({ id: change, start: now(), ...parts, change }));
    await this.shipped();
  }
}

/** A role with the rights of a member, and no others. */
async function member({ query, login }: Scene, name: string): Promise<DatabaseConfig> {
  const user = `${name}_${login.database}`;
  await query(
    `CREATE ROLE ${user} LOGIN PASSWORD 'member' NOSUPERUSER; SELECT strongmonitor_admit('${user}')`,
  );
  return { ...login, user, password: "member" };
}

/** A member as whom an intruder connects, and the owner of the tables, who hears of its bans. */
class Intrusion implements AsyncDisposable {
  constructor(readonly owner: Listener, readonly web: Listener, readonly connection: Connection) {}

  static async begin(scene: Scene): Promise<Intrusion> {
    // The owner makes the tables.
    const owner = new Listener(scene.login, "owner");
    await owner.shipped();
    const login = await member(scene, "web");
    const web = new Listener(login, "web");
    await web.shipped();
    return new Intrusion(owner, web, await scene.connect(login));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.owner[Symbol.asyncDispose](), this.web[Symbol.asyncDispose]()]);
  }
}

await testOnPostgres("servers that share bans", {
  "hear of bans and of their ends, and never of those that others follow": async ({ login }) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    await Promise.all([a.shipped(), bb.shipped()]);
    await a.report({ address: "192.0.2.1" });
    await until(() => bb.banning("192.0.2.1").length > 0);
    assert.deepEqual(bb.banning("192.0.2.1"), ["a"]);
    const [report] = bb.news.at(-1)!.reports;
    assert.deepEqual([report!.provenance, report!.reason, report!.until, report!.start], [
      { kind: "rule", name: "SSHD invalid_user" },
      "[SSHD] invalid_user",
      null,
      a.outbox.bans[0]!.start,
    ]);
    assert.deepEqual(bb.news.at(-1)!.members, ["198.51.100.1"]);
    await bb.report({ address: "192.0.2.2", provenance: { kind: "fleet", name: "a" } });
    await a.report({ id: 1, address: "192.0.2.1", ended: now(), endReason: "unban" });
    await until(() => bb.banning("192.0.2.1").length === 0);
    assert.deepEqual(a.news.flatMap(({ addresses }) => addresses), []);
  },

  "read each change once, and those of the time without a connection": async ({ login }) => {
    await using a = new Listener(login, "a");
    await a.report({ address: "192.0.2.1" });
    const before = new Listener(login, "bb");
    await until(() => before.banning("192.0.2.1").length > 0);
    await before[Symbol.asyncDispose]();
    await a.report({ address: "192.0.2.2" });
    await a.report({ address: "192.0.2.3" });
    await using after = new Listener(login, "bb", { positions: before.positions });
    await until(() => after.banning("192.0.2.3").length > 0);
    assert.deepEqual(after.news.flatMap(({ addresses }) => addresses), ["192.0.2.2", "192.0.2.3"]);
  },

  "read changes and all reports about their addresses by one query": async ({ login, connect }) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    await bb.report({ address: "192.0.2.1" });
    const connection = await connect();
    let queries = 0;
    const counting = {
      query: (text: string, parameters?: Parameter[]) => {
        queries++;
        return connection.query(text, parameters);
      },
    } as Connection;
    const { news, follower } = newFollower();
    await follower.step(counting);
    await a.report({ address: "192.0.2.1" });
    follower.noteChanges(a.outbox.hostId);
    await until(async () => {
      queries = 0;
      await follower.step(counting);
      return queries > 0;
    });
    assert.equal(queries, 1);
    const { reports, positions } = news.at(-1)!;
    assert.deepEqual(reports.map(({ address, server }) => [address, server]).sort(), [
      ["192.0.2.1", "a"],
      ["192.0.2.1", "bb"],
    ]);
    assert.deepEqual([...positions], [[a.outbox.hostId, 1]]);
  },

  "remember few of the addresses to ask about while the database is away": async ({ login, connect }) => {
    await using a = new Listener(login, "a");
    await a.report({ address: "192.0.2.1" });
    const connection = await connect();
    let asked = 0;
    const counting = {
      query: (text: string, parameters: Parameter[] = []) => {
        asked += parameters.join().split(/10\.\d+\.\d+\.\d+/).length - 1;
        return connection.query(text, parameters);
      },
    } as Connection;
    const { news, follower } = newFollower();
    const heard = (times: number) =>
      until(async () => {
        await follower.step(counting);
        return news.filter(({ addresses }) => addresses.includes("192.0.2.1")).length === times;
      });
    await heard(1);
    for (let i = 0; i < 20_000; i++) follower.askAbout([`10.0.${i >> 8}.${i & 255}`]);
    await heard(2);
    assert.ok(asked <= 10_000, `${asked} addresses were asked about`);
    follower.askAbout(["192.0.2.1"]);
    await heard(3);
  },

  "catch up on thousands of bans of several servers, all of them once": async ({ login }) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    for (const [member, net] of [[a, 1], [bb, 2]] as const) {
      member.outbox.bans = Array.from(
        { length: 2_500 },
        (_, i) => ban({ id: i + 1, change: i + 1, start: now(), address: `10.${net}.${i >> 8}.${i & 255}` }),
      );
    }
    await Promise.all([a.shipped(), bb.shipped()]);
    await using ccc = new Listener(login, "ccc");
    await until(() => ccc.news.reduce((sum, { addresses }) => sum + addresses.length, 0) >= 5_000);
    await ccc.shipped();
    const heard = ccc.news.flatMap(({ addresses }) => addresses);
    assert.deepEqual([heard.length, new Set(heard).size], [5_000, 5_000]);
  },

  "hear of bans while many lines wait for their own shipment": async ({ login }) => {
    await using bb = new Listener(login, "bb");
    await bb.report({ address: "192.0.2.1" });
    const outbox = new MemoryOutbox();
    for (let n = 0; n < 30_000; n++) outbox.add({ time: now() });
    const waiting: number[] = [];
    const onNews = () => void waiting.push(outbox.backlog());
    await using a = new TestMember(login, {
      outbox,
      sharing: { positions: new Map(), window: HOUR, onNews, takeRoom: () => false },
    });
    await a.shipped();
    await until(() => waiting.length > 0);
    assert.ok(waiting[0]! > 0, `${waiting}`);
  },

  "hear the same news again where they could not be kept, by the same connection": async ({ login }) => {
    await using a = new Listener(login, "a");
    await a.report({ address: "192.0.2.1" });
    let tries = 0;
    await using bb = new TestMember(login, {
      sharing: {
        positions: new Map(),
        window: HOUR,
        onNews: () => {
          if (++tries === 1) throw new Error("the disk is full");
        },
        takeRoom: () => false,
      },
    });
    await until(() => tries === 2);
    assert.deepEqual(bb.log.errors, ["Cannot follow the fleet's bans: the disk is full"]);
    assert.deepEqual(bb.log.warnings, []);
  },

  "say who they are, and hear no more of one that was removed": async ({ login, query }) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    await a.report({ address: "192.0.2.1" });
    await until(() => bb.banning("192.0.2.1").length > 0);
    const rows = await query(
      "SELECT name, version, followed, waiting, addresses::text FROM host ORDER BY name",
    );
    assert.deepEqual(
      rows.map(({ name, version, followed, addresses }) => [name, version, followed, addresses]),
      [
        ["a", "1.2.3", "7", "{198.51.100.1}"],
        ["bb", "1.2.3", "7", "{198.51.100.2}"],
      ],
    );
    await query(
      `UPDATE host SET removed = now() WHERE name = 'a'; NOTIFY strongmonitor_ban, 'somebody else'`,
    );
    await until(() => bb.banning("192.0.2.1").length === 0);
    assert.equal(bb.news.at(-1)!.positions.get(a.outbox.hostId), null);
  },

  "whitelist for all, or for one of them": async ({ login, query }) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    await Promise.all([a.shipped(), bb.shipped()]);
    await query(
      `INSERT INTO ips (address, whitelisted, hosts) VALUES ('192.0.2.1', true, '{a}'), ('192.0.2.2', true, NULL)`,
    );
    await until(() => a.whitelists.at(-1)?.length === 2 && bb.whitelists.at(-1)?.length === 1);
    assert.equal(bb.whitelists.at(-1)![0]!.address, "192.0.2.2");
    await query("UPDATE ips SET hosts = '{bb}' WHERE address = '192.0.2.1'");
    await until(() => a.whitelists.at(-1)?.length === 1 && bb.whitelists.at(-1)?.length === 2);
  },
});

await testOnPostgres("a member with rights of its own", {
  "records, bans, and is known by its role": async (scene) => {
    await using owner = new Listener(scene.login, "owner");
    await owner.shipped();
    const login = await member(scene, "web");
    await using web = new Listener(login, "whoever I like");
    web.outbox.add({ time: now() });
    await web.report({ address: "192.0.2.1" });
    await until(() => owner.banning("192.0.2.1").length > 0);
    assert.deepEqual(owner.banning("192.0.2.1"), [login.user]);
    await web.report({ id: 1, address: "192.0.2.1", ended: now(), endReason: "unban" });
    await until(() => owner.banning("192.0.2.1").length === 0);
    assert.deepEqual([...await scene.query("SELECT count(*)::int AS n FROM log")], [{ n: 1 }]);
    assert.deepEqual(web.log.warnings, []);
  },

  "cannot speak for others, nor alter or delete the past": async (scene) => {
    await using owner = new Listener(scene.login, "owner");
    await owner.report({ address: "192.0.2.1" });
    const login = await member(scene, "web");
    await using web = new Listener(login, "web");
    web.outbox.add({ time: now() });
    await web.report({ address: "192.0.2.2" });
    const connection = await scene.connect(login);
    const [victim, own] = [owner.outbox.hostId, web.outbox.hostId];
    const attempts = [
      `INSERT INTO ban (host, id, address, reason, count, start, change) VALUES ('${victim}', 9, '192.0.2.9', '', 1, now(), 9)`,
      `INSERT INTO log (host, seq, service, address, time, message) VALUES ('${victim}', 9, '', '192.0.2.9', now(), '')`,
      `UPDATE ban SET address = '192.0.2.9' WHERE host = '${own}'`,
      "DELETE FROM ban",
      "DELETE FROM log",
      "UPDATE log SET message = ''",
      "DELETE FROM host",
      "TRUNCATE ban",
      "UPDATE ips SET whitelisted = true",
      "INSERT INTO ips (address, whitelisted) VALUES ('192.0.2.9', true)",
      "INSERT INTO host (id, name) VALUES (gen_random_uuid(), 'another')",
      `INSERT INTO host (id, name, role) VALUES (gen_random_uuid(), 'another', 'postgres')`,
      `UPDATE host SET role = 'postgres' WHERE id = '${own}'`,
      "SELECT strongmonitor_admit('public')",
      "SELECT strongmonitor_add_partition('log_2001_01_01', '2001-01-01', '2001-01-08')",
      "SELECT strongmonitor_add_partition('ban', NULL, NULL)",
      `DROP TABLE log_2001_01_01`,
    ];
    for (const attempt of attempts) {
      await assert.rejects(
        connection.query(attempt),
        /permission denied|row-level security|duplicate key|may not make|does not exist/,
        attempt,
      );
    }
    // Row level security leaves rows of others out instead of complaining.
    await connection.query(`UPDATE ban SET ended = now(), change = 99 WHERE host = '${victim}'`);
    await connection.query(`UPDATE host SET name = 'gone' WHERE id = '${victim}'`);
    // A table of its own does not take the place of the schema's.
    await connection.query(
      `CREATE TEMP TABLE host (id uuid, role name DEFAULT current_user, removed timestamptz); INSERT INTO host VALUES ('${victim}')`,
    );
    await assert.rejects(connection.query(attempts[0]!));
    const [row] = await scene.query(
      `SELECT (SELECT count(*)::int FROM ban) AS bans, (SELECT count(*)::int FROM log) AS lines,
        (SELECT ended FROM ban WHERE host = '${victim}') AS ended, (SELECT name FROM host WHERE id = '${victim}') AS name`,
    );
    assert.deepEqual(row, { bans: 2, lines: 1, ended: null, name: "owner" });
  },

  "cannot hold up others by notifications, and its nonsense is left out": async (scene) => {
    await using intrusion = await Intrusion.begin(scene);
    const { owner, web, connection } = intrusion;
    for (let i = 0; i < 50; i++) {
      await connection.query(
        `SELECT pg_notify('strongmonitor_ban', gen_random_uuid()::text || repeat('x', 1000)) FROM generate_series(1, 100)`,
      );
    }
    const own = web.outbox.hostId;
    await connection.query(
      `INSERT INTO ban (host, id, address, scope, reason, count, start, change)
       SELECT '${own}', n, '192.0.2.1', 'scope ' || n, repeat('x', 8000), 1, now(), n FROM generate_series(1, 3000) AS n`,
    );
    await connection.query(
      `INSERT INTO ban (host, id, address, reason, count, start, change, provenance) VALUES ('${own}', 4000, '0.0.0.0/0', '', 1, now(), 4000, 'nonsense')`,
    );
    await web.report({ id: 5_000, address: "192.0.2.7" });
    await until(() => owner.banning("0.0.0.0/0").length === 1);
    assert.deepEqual(owner.banning("192.0.2.1"), []);
    owner.outbox.add({ time: now() });
    await owner.shipped();
    assert.deepEqual(owner.log.warnings, []);
  },

  "cannot stop others by times and numbers beyond their own": async (scene) => {
    await using intrusion = await Intrusion.begin(scene);
    const { owner, web, connection } = intrusion;
    const values = [
      `1, '192.0.2.1', 'infinity', NULL, 1`,
      `2, '192.0.2.2', '-infinity', 'infinity', 2`,
      `3, '192.0.2.3', now(), '294276-12-31', 3`,
      `4, '192.0.2.4', now(), NULL, 9223372036854775807`,
      `5, '192.0.2.5', now(), NULL, 5`,
    ];
    for (const row of values) {
      await connection.query(
        `INSERT INTO ban (host, reason, count, id, address, start, until, change) VALUES ('${web.outbox.hostId}', '', 1, ${row})`,
      );
    }
    await connection.query(`UPDATE host SET last_seen = 'infinity' WHERE id = '${web.outbox.hostId}'`);
    await connection.query(`SELECT pg_notify('strongmonitor_ban', '${web.outbox.hostId}')`);
    await until(() => ["1", "2", "3", "5"].every((n) => owner.banning(`192.0.2.${n}`).length === 1));
    await using other = new Listener(scene.login, "other");
    await other.report({ address: "192.0.2.6" });
    await until(() => owner.banning("192.0.2.6").length === 1);
    assert.deepEqual([...owner.log.warnings, ...owner.log.errors], []);
    const far = owner.news.flatMap(({ reports }) => reports).map(({ start, until }) => [start, until ?? 0]);
    assert.ok(far.flat().every((time) => time >= 0 && Number.isSafeInteger(time)));
    const listing = await scene.connect();
    assert.equal((await members(listing)).length, 3);
  },

  "cannot hide the reports of others behind many of its own": async (scene) => {
    await using intrusion = await Intrusion.begin(scene);
    const { owner, web, connection } = intrusion;
    await using other = new Listener(scene.login, "other");
    await other.shipped();
    await connection.query(
      `INSERT INTO ban (host, id, address, scope, reason, count, start, change)
       SELECT '${web.outbox.hostId}', n, '192.0.2.1', 'tcp ' || n, '', 1, now(), n FROM generate_series(1, 30000) AS n`,
    );
    other.outbox.bans = Array.from(
      { length: 20 },
      (_, n) => ban({ id: n + 1, change: n + 1, start: now(), address: `198.51.100.${n}` }),
    );
    await connection.query(`SELECT pg_notify('strongmonitor_ban', '${web.outbox.hostId}')`);
    await other.shipped();
    const isTold = () => owner.news.some(({ addresses }) => addresses.includes("192.0.2.1"));
    await until(() => owner.banning("198.51.100.19").length === 1 && isTold());
    for (let n = 0; n < 20; n++) assert.deepEqual(owner.banning(`198.51.100.${n}`), ["other"]);
    const reports = owner.news.flatMap(({ reports }) => reports).filter(({ address }) =>
      address === "192.0.2.1"
    );
    assert.ok(reports.length > 0);
  },

  "is cut off when it is removed, and registers no other server in its place": async (scene) => {
    await using owner = new Listener(scene.login, "owner");
    await owner.shipped();
    const login = await member(scene, "web");
    await using web = new Listener(login, "web");
    await web.report({ address: "192.0.2.1" });
    await scene.query(`UPDATE host SET removed = now() WHERE id = '${web.outbox.hostId}'`);
    const connection = await scene.connect(login);
    await assert.rejects(
      connection.query(
        `INSERT INTO ban (host, id, address, reason, count, start, change) VALUES ('${web.outbox.hostId}', 9, '192.0.2.9', '', 1, now(), 9)`,
      ),
    );
    await using again = new Listener(login, "web");
    await until(() => again.fleet.status().error !== null);
    assert.match(again.fleet.status().error!, /registers one server/);
  },
});
