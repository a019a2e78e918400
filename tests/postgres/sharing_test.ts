import { strict as assert } from "node:assert";
import type { DatabaseConfig } from "../../lib/postgres/database_config.ts";
import { Connection, type Parameter } from "../../lib/postgres/connection.ts";
import { type FleetNews, Follower } from "../../lib/postgres/follower.ts";
import { memberReports } from "../../lib/postgres/member_reports.ts";
import { fleetBans, members } from "../../lib/postgres/members.ts";
import { readNews } from "../../lib/postgres/news.ts";
import { eventually, scopeOf } from "../support/helpers.ts";
import { postgresMissing, startPostgres } from "../support/postgres_server.ts";
import { ban, MemoryOutbox, TestMember, testOnPostgres } from "../support/postgres_fixtures.ts";
import type { Scene } from "../support/postgres_fixtures.ts";
import { HOUR, type Micros, MINUTE, now, SECOND } from "../../lib/core/time.ts";

/** A follower without a member around it, and the news that it tells. */
function newFollower(): { news: FleetNews[]; follower: Follower } {
  const news: FleetNews[] = [];
  const follower = new Follower({
    hostId: crypto.randomUUID(),
    positions: new Map(),
    window: HOUR,
    onNews: (more) => void news.push(more),
    takeRoom: () => false,
    released: () => [],
    followed: () => [],
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
    options: {
      positions?: Map<string, number>;
      news?: FleetNews[];
      timeout?: number;
      outbox?: MemoryOutbox;
    } = {},
  ) {
    const news = options.news ?? [];
    super(login, {
      hostName,
      timeout: options.timeout,
      outbox: options.outbox,
      sharing: {
        positions: options.positions ?? new Map(),
        window: 24 * HOUR,
        onNews: (more) => void news.push(more),
        takeRoom: () => false,
        released: () => [],
        followed: () => news.flatMap(({ addresses }) => addresses),
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

/** Sets the clock of all members of this process until the end of the scope. */
function clockOffBy(span: Micros): Disposable {
  const { now } = Date;
  Date.now = () => now() + span / 1_000;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}

await testOnPostgres("servers that share bans", {
  "whose clocks differ, or are set meanwhile, agree on when a ban ends": async ({ login }) => {
    await using a = new Listener(login, "a");
    await a.shipped();
    const end = now() + HOUR;
    await a.report({ address: "192.0.2.1", until: end });
    for (const [n, off] of [[2, -3 * HOUR], [3, 5 * HOUR]] as const) {
      using _ = clockOffBy(off);
      await a.report({ address: `192.0.2.${n}`, start: now(), until: now() + HOUR });
    }
    await a.report({ address: "192.0.2.4", until: now() + HOUR });
    for (const off of [0, -2 * HOUR, 30 * SECOND]) {
      using _ = clockOffBy(off);
      await using reader = new Listener(login, "reader");
      await eventually(() => reader.banning("192.0.2.4").length > 0);
      const reports = reader.news.flatMap(({ reports }) => reports);
      assert.deepEqual(reports.map(({ isInForce }) => isInForce), Array(4).fill(true));
      for (const report of reports) {
        const late = report.until! - off - end;
        assert.ok(Math.abs(late) < MINUTE, `${report.address} ends ${late / SECOND} s late`);
        assert.equal(report.until! - report.start < HOUR + SECOND, true);
      }
    }
  },

  "hear of bans and of their ends, and never of those that others follow": async ({ login }) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    await Promise.all([a.shipped(), bb.shipped()]);
    await a.report({ address: "192.0.2.1" });
    await eventually(() => bb.banning("192.0.2.1").length > 0);
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
    await eventually(() => bb.banning("192.0.2.1").length === 0);
    assert.deepEqual(a.news.flatMap(({ addresses }) => addresses), []);
  },

  "read each change once, and those of the time without a connection": async ({ login }) => {
    await using a = new Listener(login, "a");
    await a.report({ address: "192.0.2.1" });
    const before = new Listener(login, "bb");
    await eventually(() => before.banning("192.0.2.1").length > 0);
    await before[Symbol.asyncDispose]();
    await a.report({ address: "192.0.2.2" });
    await a.report({ address: "192.0.2.3" });
    await using after = new Listener(login, "bb", { positions: before.positions });
    await eventually(() => after.banning("192.0.2.3").length > 0);
    assert.deepEqual(after.news.flatMap(({ addresses }) => addresses), ["192.0.2.2", "192.0.2.3"]);
  },

  "hear of changes whose numbers they know from before both the database and a server went back": async (
    { login, query },
  ) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    for (const n of [1, 2, 3]) await a.report({ id: n, address: `192.0.2.${n}` });
    await eventually(() => bb.banning("192.0.2.3").length === 1);
    await a[Symbol.asyncDispose]();
    await query("DELETE FROM ban WHERE change > 1");
    a.outbox.bans = a.outbox.bans.slice(0, 1);
    a.outbox.goBack(1);
    await using again = new Listener(login, "a", { outbox: a.outbox });
    await again.report({ id: 2, address: "192.0.2.9" });
    // Whoever connects anew looks at all servers, as after a restore.
    await query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    await eventually(() => bb.banning("192.0.2.9").length === 1);
    assert.equal(bb.positions.get(a.outbox.hostId), 2);
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
    await eventually(async () => {
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

  "look reports up by address alone, without statistics of the table too": async (
    { login, connect, query },
  ) => {
    await using a = new Listener(login, "a");
    await a.shipped();
    await query("ALTER TABLE ban SET (autovacuum_enabled = off)");
    const { hostId } = a.outbox;
    await query(
      `INSERT INTO ban (host, id, address, reason, count, start, change)
       SELECT '${hostId}', n, inet '10.0.0.0' + n, 'x', 1, now(), n FROM generate_series(1, 5000) AS n`,
    );
    const connection = await connect();
    let plan: string[] = [];
    const explaining = {
      query: async (text: string, parameters?: Parameter[]) => {
        const lines = await connection.query<Record<string, string>>(`EXPLAIN ${text}`, parameters);
        plan = lines.map((line) => line["QUERY PLAN"]!);
        return await connection.query(text, parameters);
      },
    } as Connection;
    const known = new Map([[hostId, 0]]);
    const question = { hostId: crypto.randomUUID(), known, asked: [], window: HOUR, limit: 100 };
    assert.equal((await readNews(explaining, question)).reports.length, 100);
    const conditions = plan.filter((line) => line.includes("Index Cond: "));
    assert.ok(conditions.some((line) => line.includes("(address = ")), plan.join("\n"));
    // All bans of a server would be read for each address.
    assert.ok(!conditions.some((line) => line.includes("(host = host.id)")), plan.join("\n"));
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
      eventually(async () => {
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
    await eventually(() => ccc.news.reduce((sum, { addresses }) => sum + addresses.length, 0) >= 5_000);
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
      sharing: {
        positions: new Map(),
        window: HOUR,
        onNews,
        takeRoom: () => false,
        released: () => [],
        followed: () => [],
      },
    });
    await a.shipped();
    await eventually(() => waiting.length > 0);
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
        released: () => [],
        followed: () => [],
      },
    });
    await eventually(() => tries === 2);
    assert.deepEqual(bb.log.errors, ["Cannot follow the fleet's bans: the disk is full"]);
    assert.deepEqual(bb.log.warnings, []);
  },

  "say who they are, and hear no more of one that was removed": async ({ login, query }) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    await a.report({ address: "192.0.2.1" });
    await eventually(() => bb.banning("192.0.2.1").length > 0);
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
    await eventually(() => bb.banning("192.0.2.1").length === 0);
    assert.equal(bb.news.at(-1)!.positions.get(a.outbox.hostId), null);
  },

  "whitelist for all, or for one of them": async ({ login, query }) => {
    await using a = new Listener(login, "a");
    await using bb = new Listener(login, "bb");
    await Promise.all([a.shipped(), bb.shipped()]);
    await query(
      `INSERT INTO ips (address, whitelisted, hosts) VALUES ('192.0.2.1', true, '{a}'), ('192.0.2.2', true, NULL)`,
    );
    await eventually(() => a.whitelists.at(-1)?.length === 2 && bb.whitelists.at(-1)?.length === 1);
    assert.equal(bb.whitelists.at(-1)![0]!.address, "192.0.2.2");
    await query("UPDATE ips SET hosts = '{bb}' WHERE address = '192.0.2.1'");
    await eventually(() => a.whitelists.at(-1)?.length === 1 && bb.whitelists.at(-1)?.length === 2);
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
    await eventually(() => owner.banning("192.0.2.1").length > 0);
    assert.deepEqual(owner.banning("192.0.2.1"), [login.user]);
    const listing = await scene.connect();
    assert.deepEqual((await members(listing)).map(({ server }) => server), ["owner", login.user]);
    assert.deepEqual((await fleetBans(listing, 9)).flatMap(({ servers }) => servers), [login.user]);
    const [named] = await scene.query("SELECT server FROM strongmonitor_bans_by_server");
    assert.deepEqual(named, { server: login.user });
    await web.report({ id: 1, address: "192.0.2.1", ended: now(), endReason: "unban" });
    await eventually(() => owner.banning("192.0.2.1").length === 0);
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
    await eventually(() => owner.banning("0.0.0.0/0").length === 1);
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
    await eventually(() => ["1", "2", "3", "5"].every((n) => owner.banning(`192.0.2.${n}`).length === 1));
    await using other = new Listener(scene.login, "other");
    await other.report({ address: "192.0.2.6" });
    await eventually(() => owner.banning("192.0.2.6").length === 1);
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
    await eventually(() => owner.banning("198.51.100.19").length === 1 && isTold());
    for (let n = 0; n < 20; n++) assert.deepEqual(owner.banning(`198.51.100.${n}`), ["other"]);
    const reports = owner.news.flatMap(({ reports }) => reports).filter(({ address }) =>
      address === "192.0.2.1"
    );
    assert.ok(reports.length > 0);
  },

  "cannot fill others' memory by long texts and arrays": async (scene) => {
    await using intrusion = await Intrusion.begin(scene);
    const { owner, web, connection } = intrusion;
    const own = web.outbox.hostId;
    await connection.query(
      `INSERT INTO ban (host, id, address, scope, reason, count, start, change, provenance, name, end_reason)
       SELECT '${own}', n, '192.0.2.1', 'tcp ' || n, text, 1, now(), n, text, text, text
       FROM generate_series(1, 3) AS n, repeat('x', 1000000) AS text`,
    );
    await connection.query(
      `INSERT INTO ban (host, id, address, scope, reason, count, start, change) VALUES ('${own}', 4, '192.0.2.1', 'tcp ' || repeat('1,', 500000) || '1', '', 1, now(), 4)`,
    );
    await connection.query(
      `UPDATE host SET name = repeat('x', 1000000), version = repeat('x', 1000000),
         addresses = ARRAY[(SELECT array_agg('198.51.100.1'::inet) FROM generate_series(1, 100000))]`,
    );
    await using other = new Listener(scene.login, "other");
    await eventually(() => other.news.length > 0 && owner.banning("192.0.2.1").length === 3);
    const size = (value: unknown) => JSON.stringify(value).length;
    assert.ok(size(owner.news.concat(other.news)) < 20_000, `${size(other.news)}`);
    const listing = await scene.connect();
    const question = { host: owner.outbox.hostId, address: "192.0.2.1", networks: [] };
    const sizes = [
      await members(listing),
      await fleetBans(listing, 100),
      await memberReports(scene.login, question, HOUR / 60),
    ].map(size);
    assert.ok(Math.max(...sizes) < 20_000, `${sizes}`);
  },

  "cannot lift others' bans by other spellings of their addresses": async (scene) => {
    await using intrusion = await Intrusion.begin(scene);
    const { owner, web, connection } = intrusion;
    const spellings = ["::ffff:192.0.2.1", "::192.0.2.1", "192.0.2.77/24", "2001:db8::1/64"];
    for (const [i, address] of spellings.entries()) {
      await connection.query(
        `INSERT INTO ban (host, id, address, reason, count, start, ended, end_reason, change)
         VALUES ('${web.outbox.hostId}', ${i + 1}, '${address}', '', 1, now(), now(), 'unban', ${i + 1})`,
      );
    }
    await connection.query(
      `INSERT INTO ban (host, id, address, reason, count, start, change) VALUES ('${web.outbox.hostId}', 9, '192.0.2.9', '', 1, now(), 9)`,
    );
    await eventually(() => owner.banning("192.0.2.9").length === 1);
    assert.deepEqual(owner.news.flatMap(({ addresses }) => addresses), ["192.0.2.9"]);
  },

  "makes no partition but whole weeks of UTC, whatever its session's style of dates": async (scene) => {
    await using intrusion = await Intrusion.begin(scene);
    const { connection } = intrusion;
    const [monday] = await scene.query<{ day: string }>(
      "SELECT to_char(date_trunc('week', now() AT TIME ZONE 'UTC' - interval '70 days'), 'YYYY-MM-DD') AS day",
    );
    const week = `timestamptz '${monday!.day} 00:00Z'`;
    const make = (since: string, until: string) =>
      connection.query(
        `SELECT strongmonitor_add_partition('log_${monday!.day.replaceAll("-", "_")}', ${since}, ${until})`,
      );
    for (const until of ["NULL", `${week} + interval '400 hours'`, "'infinity'"]) {
      await assert.rejects(make(week, until), /may not make/, until);
    }
    await assert.rejects(make("NULL", "NULL"), /may not make/);
    const late = `${week} + interval '13 hours'`;
    await assert.rejects(make(late, `${late} + interval '168 hours'`), /may not make/);
    // In this zone, 00:00 of UTC is written as "05:00 UTC", which is read as another instant.
    await connection.query("SET datestyle = 'SQL'; SET timezone = 'UTC-5'");
    const early = `${week} - interval '5 hours'`;
    await assert.rejects(make(early, `${early} + interval '168 hours'`), /may not make/);
    await make(week, `${week} + interval '168 hours'`);
    const bounds = await scene.query<{ bound: string }>(
      "SELECT pg_get_expr(relpartbound, oid) AS bound FROM pg_class WHERE relispartition AND relkind = 'r'",
    );
    for (const { bound } of bounds) {
      assert.match(bound, /FROM \('.* 00:00:00\+00'\) TO \('.* 00:00:00\+00'\)/);
    }
    assert.equal(bounds.length, 3);
  },

  "cannot hold up others by locks on shared rows, on the schema, or by advisory ones": async (scene) => {
    await using owner = new Listener(scene.login, "owner", { timeout: 2_000_000 });
    owner.outbox.add({ time: now() });
    await owner.report({ address: "192.0.2.1" });
    const login = await member(scene, "web");
    const connection = await scene.connect(login);
    await connection.query("SELECT pg_advisory_lock(7106407), pg_advisory_lock(1835624306)");
    await connection.query("BEGIN");
    await connection.query("SELECT FROM ips FOR UPDATE");
    await using other = new Listener(scene.login, "other", { timeout: 2_000_000 });
    owner.outbox.add({ time: now() });
    await owner.report({ id: 2, address: "192.0.2.1", scope: scopeOf("tcp 22") });
    await eventually(() => other.banning("192.0.2.1").length === 2);
    assert.match(owner.log.warnings.join(), /locks rows of PostgreSQL's table ips/);
    // Without its partition a line waits, but no ban does.
    owner.outbox.add({ time: now() - 700 * 24 * HOUR });
    owner.fleet.wake();
    await eventually(() => /makes us wait/.test(owner.log.warnings.join()));
    await other.report({ address: "192.0.2.3" });
    await eventually(() => owner.banning("192.0.2.3").length === 1);
    await connection.query("COMMIT");
    await connection.query("SELECT pg_advisory_unlock_all()");
    await owner.shipped();
    assert.deepEqual([...await scene.query("SELECT count(*)::int AS n FROM log")], [{ n: 3 }]);
  },

  "cannot hold up others by a deadlock on shared rows": async (scene) => {
    await using owner = new Listener(scene.login, "owner");
    const addresses = ["192.0.2.1", "192.0.2.2"];
    for (const address of addresses) owner.outbox.add({ address });
    await owner.shipped();
    const connection = await scene.connect(await member(scene, "web"));
    await connection.query("BEGIN");
    await connection.query("SELECT FROM ips WHERE address = '192.0.2.2' FOR UPDATE");
    for (const address of addresses) owner.outbox.add({ address, time: now() });
    owner.fleet.wake();
    await eventually(async () => (await scene.query("SELECT FROM pg_locks WHERE NOT granted")).length > 0);
    await connection.query("SELECT FROM ips WHERE address = '192.0.2.1' FOR UPDATE");
    await eventually(() => owner.outbox.backlog() === 0);
    assert.deepEqual(owner.log.warnings, [
      "Another session locks rows of PostgreSQL's table ips: no address is noted there for 1m",
    ]);
    await connection.query("COMMIT");
  },

  "makes nothing in the schema of the tables, so that the owner's server runs nothing of it": async (
    scene,
  ) => {
    await scene.query("GRANT CREATE ON SCHEMA public TO PUBLIC");
    await using intrusion = await Intrusion.begin(scene);
    const { connection } = intrusion;
    for (
      const attempt of [
        `CREATE FUNCTION format(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1'`,
        "CREATE TABLE log_2099_01_05 ()",
        "CREATE OPERATOR * (LEFTARG = float8, RIGHTARG = int4, FUNCTION = float84mul)",
      ]
    ) await assert.rejects(connection.query(attempt), /permission denied for schema public/);
  },

  "has its rights on tables that the owner's server makes anew": async (scene) => {
    await using intrusion = await Intrusion.begin(scene);
    const { owner, web } = intrusion;
    await scene.query("DROP TABLE log, ban, host, ips CASCADE");
    web.outbox.add({ time: now() });
    const waiting = web.report({ address: "192.0.2.1" });
    await owner.report({ address: "192.0.2.2" });
    await waiting;
    await eventually(() => owner.banning("192.0.2.1").length === 1);
  },

  "lifts what it alone banned when it is removed or deleted, however it ended that in the database": async (
    scene,
  ) => {
    await using intrusion = await Intrusion.begin(scene);
    const { owner, web, connection } = intrusion;
    await web.report({ address: "192.0.2.1" });
    await web.report({ address: "192.0.2.2" });
    await eventually(() => owner.banning("192.0.2.2").length === 1);
    await connection.query(
      "UPDATE ban SET ended = now(), end_reason = 'expired', change = 9 WHERE address = '192.0.2.1'",
    );
    await scene.query(`DELETE FROM host WHERE id = '${web.outbox.hostId}'; NOTIFY strongmonitor_ban`);
    const isLifted = (address: string) =>
      owner.news.findLast(({ addresses }) => addresses.includes(address))!.reports.length === 0;
    await eventually(() => ["192.0.2.1", "192.0.2.2"].every(isLifted));
  },

  "says how to take over what another role has registered, and goes on then": async (scene) => {
    await using owner = new Listener(scene.login, "owner");
    await owner.report({ address: "192.0.2.1" });
    await owner[Symbol.asyncDispose]();
    const web = new TestMember(await member(scene, "web"), { outbox: owner.outbox });
    await using _ = web;
    await eventually(() => web.fleet.status().error !== null);
    const statement = /^Another role registered this server: as the owner of the tables, (UPDATE .*)$/
      .exec(web.fleet.status().error!);
    await scene.query(statement![1]!);
    web.outbox.add({ time: now() });
    await web.shipped();
    assert.equal((await scene.query("SELECT FROM log")).length, 1);
  },

  "says that a role which may only read lacks rights": async ({ login, query }) => {
    await using owner = new TestMember(login);
    await owner.shipped();
    const user = `reader_${login.database}`;
    await query(
      `CREATE ROLE ${user} LOGIN PASSWORD 'x'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${user}`,
    );
    await using reader = new TestMember({ ...login, user, password: "x" });
    await eventually(() => reader.fleet.status().error !== null);
    assert.match(reader.fleet.status().error!, /lacks rights for user .*permission denied for table host/);
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
    await eventually(() => again.fleet.status().error !== null);
    assert.match(again.fleet.status().error!, /registers one server/);
  },
});

/** The first version whose queue of notifications can be made small. */
const SMALL_QUEUE = 17;
const missing = await postgresMissing(SMALL_QUEUE);
Deno.test({
  name: `bans and the whitelist are written although a member has filled the queue of notifications${
    missing === null ? "" : `: ${missing}`
  }`,
  ignore: missing !== null,
  async fn() {
    await using server = await startPostgres({ version: SMALL_QUEUE });
    await server.query("ALTER SYSTEM SET max_notify_queue_pages = 64");
    await server.restart();
    const { host, port, user, password, database } = server;
    const login = { host, port, user, password, database };
    await using owner = new Listener(login, "owner");
    await owner.shipped();
    const hostile = new Connection(login, { timeout: 60_000_000 });
    await hostile.open();
    await hostile.query("LISTEN anything");
    await hostile.query("BEGIN; SELECT");
    const flood =
      "SELECT count(pg_notify('anything', n || repeat('x', 7000))) FROM generate_series(1, 10) AS n";
    await assert.rejects(async () => {
      for (let i = 0; i < 100; i++) await server.query(flood);
    }, /too many notifications/);
    await owner.report({ address: "192.0.2.1" });
    await server.query("INSERT INTO ips (address, whitelisted) VALUES ('192.0.2.2', true)");
    hostile.destroy();
    assert.deepEqual([...await server.query("SELECT FROM ban")].length, 1);
    assert.deepEqual([owner.fleet.status().setAside, owner.log.warnings], [0, []]);
  },
});
