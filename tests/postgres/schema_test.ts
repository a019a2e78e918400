import { memoryLog } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { explain } from "../../lib/postgres/failures.ts";
import { Shipper } from "../../lib/postgres/outbox.ts";
import { dropPartitions, makePartitions } from "../../lib/postgres/partitions.ts";
import { migrate } from "../../lib/postgres/schema.ts";
import { UserError } from "../../lib/core/error.ts";
import { ban, DAY, MemoryOutbox, MONDAY, type Scene, testOnPostgres } from "../support/postgres_fixtures.ts";

const PARTITIONS =
  "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'log'::regclass ORDER BY 1";

/** A role that owns nothing but what the scene gives it. */
async function limitedUser({ query, login }: Scene, grants: (user: string) => string) {
  const user = `limited_${login.database}`;
  await query(`CREATE ROLE ${user} LOGIN PASSWORD 'limited' NOSUPERUSER; ${grants(user)}`);
  return { ...login, user, password: "limited" };
}

await testOnPostgres("migrate()", {
  "makes the tables of an empty database, and changes nothing when run again": async ({ connect, query }) => {
    const connection = await connect();
    await migrate(connection, memoryLog());
    const before = await query("SELECT * FROM strongmonitor_migration ORDER BY number");
    await migrate(connection, memoryLog());
    assert.deepEqual([...await query("SELECT * FROM strongmonitor_migration ORDER BY number")], [...before]);
    const tables = await query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1",
    );
    assert.deepEqual(tables.map(({ name }) => name), [
      "ban",
      "host",
      "ips",
      "log",
      "strongmonitor_migration",
    ]);
  },

  "lets many hosts start at once": async ({ connect, query }) => {
    const connections = await Promise.all(Array.from({ length: 6 }, () => connect()));
    await Promise.all(connections.map((connection) => migrate(connection, memoryLog())));
    const [row] = await query<{ number: number; rows: string }>(
      "SELECT max(number) AS number, count(*) AS rows FROM strongmonitor_migration",
    );
    assert.equal(Number(row!.rows), row!.number);
  },

  "works as the owner of the database, without any other right": async (scene) => {
    const { database } = scene.login;
    const login = await limitedUser(scene, (user) => `ALTER DATABASE ${database} OWNER TO ${user}`);
    // Before PostgreSQL 15 everybody may create in public; since then its owner is the database's.
    await migrate(await scene.connect(login), memoryLog());
    const [row] = await scene.query<{ owner: string }>(
      "SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'log'",
    );
    assert.equal(row!.owner, login.user);
  },

  "says what to grant to a user that may not create tables": async (scene) => {
    const login = await limitedUser(scene, () => "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    const connection = await scene.connect(login);
    const error = await migrate(connection, memoryLog()).catch((error) => error);
    const sentence = explain(error, login);
    assert.match(sentence, /permission denied for schema public/);
    const grant = /GRANT .* TO "\w+"/.exec(sentence)![0];
    await scene.query(grant);
    await migrate(connection, memoryLog());
  },

  "refuses a database that a newer program has made": async ({ connect, query }) => {
    const connection = await connect();
    await migrate(connection, memoryLog());
    await query("INSERT INTO strongmonitor_migration (number, name) VALUES (99, 'of the future')");
    await assert.rejects(migrate(connection, memoryLog()), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /number 99 .* update this host/);
      return true;
    });
  },

  "goes on with a database to which a newer program has only added": async ({ connect, query }) => {
    const connection = await connect();
    await migrate(connection, memoryLog());
    await query(
      "INSERT INTO strongmonitor_migration (number, name, additive) VALUES (99, 'of the future', true)",
    );
    await migrate(connection, memoryLog());
  },

  "lets a member go on that is newer than the owner's server, where the owner alone needs the news": async (
    scene,
  ) => {
    const { connect, query } = scene;
    await migrate(await connect(), memoryLog());
    const login = await limitedUser(scene, (user) => `SELECT strongmonitor_admit('${user}')`);
    const connection = await connect(login);
    const forget = (number: number) => query(`DELETE FROM strongmonitor_migration WHERE number >= ${number}`);
    await forget(8);
    await migrate(connection, memoryLog());
    await forget(6);
    const error = await migrate(connection, memoryLog()).catch((error) => error);
    assert.match(explain(error, login), /does not own them; upgrade the owner's server first$/);
  },

  "adds what is new while an older program ships, which goes on": async ({ connect, query }) => {
    // Something in the way of the sharing of bans leaves the schema of before that.
    await query("CREATE FUNCTION strongmonitor_ban_changed() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    const [newer, older] = [await connect(), await connect()];
    await assert.rejects(migrate(newer, memoryLog()), /cannot change return type/);
    await query("DROP FUNCTION strongmonitor_ban_changed()");
    const [outbox, log] = [new MemoryOutbox(), memoryLog()];
    const shipper = new Shipper(outbox, log);
    await older.query("INSERT INTO host (id, name, last_seen) VALUES ($1::uuid, 'older', now())", [
      outbox.hostId,
    ]);
    const ship = async () => {
      outbox.add({});
      outbox.bans = [...outbox.bans, ban({ id: outbox.rows.length, change: outbox.rows.length })];
      await shipper.ship(older);
    };
    for (let i = 0; i < 20; i++) await ship();
    const migrating = migrate(newer, memoryLog());
    let isMigrated = false;
    migrating.finally(() => isMigrated = true).catch(() => {});
    while (!isMigrated) await ship();
    await migrating;
    for (let i = 0; i < 20; i++) await ship();
    const [counts] = await query(
      "SELECT (SELECT count(*)::int FROM log) AS lines, (SELECT count(*)::int FROM ban) AS bans",
    );
    assert.deepEqual(counts, { lines: outbox.rows.length, bans: outbox.bans.length });
    assert.deepEqual([outbox.backlog(), shipper.setAside, log.warnings], [0, 0, []]);
  },

  "leaves tables alone that are somebody else's": async ({ connect, query }) => {
    await query("CREATE TABLE log (id int); INSERT INTO log VALUES (7)");
    await assert.rejects(migrate(await connect(), memoryLog()), /a database of its own/);
    assert.deepEqual([...await query("SELECT * FROM log")], [{ id: 7 }]);
  },

  "keeps each migration whole: one that fails leaves no trace": async ({ connect, query }) => {
    await query("CREATE FUNCTION strongmonitor_whitelist_changed() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    await assert.rejects(migrate(await connect(), memoryLog()), /already exists/);
    const [row] = await query<{ number: number }>(
      "SELECT max(number) AS number FROM strongmonitor_migration",
    );
    assert.equal(row!.number, 2);
    await query("DROP FUNCTION strongmonitor_whitelist_changed()");
    await migrate(await connect(), memoryLog());
  },
});

await testOnPostgres("the partitions of the log", {
  "are weeks that begin on Monday, and take rows of any time": async ({ connect, query }) => {
    const connection = await connect();
    await migrate(connection, memoryLog());
    const times = [
      0,
      -DAY,
      MONDAY - 1,
      MONDAY,
      MONDAY + 7 * DAY - 1,
      MONDAY + 7 * DAY,
      Date.UTC(2200, 1, 1) * 1000,
    ];
    await makePartitions(connection, times);
    await makePartitions(connection, times);
    const names = (await query<{ name: string }>(PARTITIONS)).map(({ name }) => name);
    assert.deepEqual(names, ["log_2025_02_24", "log_2025_03_03", "log_2025_03_10", "log_early", "log_late"]);
    for (const [seq, time] of times.entries()) {
      await query(
        `INSERT INTO log VALUES (gen_random_uuid(), ${seq}, '', '::1',
          timestamptz 'epoch' + ${time} * interval '1 microsecond', '')`,
      );
    }
    const rows = await query<{ name: string; count: string }>(
      "SELECT tableoid::regclass::text AS name, count(*) FROM log GROUP BY 1 ORDER BY 1",
    );
    assert.deepEqual(rows.map(({ count }) => Number(count)), [1, 2, 1, 2, 1]);
  },

  "are made once when many hosts need them": async ({ connect, query }) => {
    const connections = await Promise.all(Array.from({ length: 6 }, () => connect()));
    await migrate(connections[0]!, memoryLog());
    await Promise.all(
      connections.map((connection, i) => makePartitions(connection, [MONDAY, MONDAY + i * 7 * DAY])),
    );
    assert.equal((await query(PARTITIONS)).length, 6);
  },

  "are dropped whole once their last row is too old, and never before": async ({ connect, query }) => {
    const connection = await connect();
    await migrate(connection, memoryLog());
    await makePartitions(connection, [0, MONDAY, MONDAY + 7 * DAY]);
    await query("CREATE TABLE log_by_hand PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2024-01-08')");
    assert.deepEqual(await dropPartitions(connection, MONDAY + 7 * DAY - 1), ["log_early"]);
    assert.deepEqual(await dropPartitions(connection, MONDAY + 7 * DAY), ["log_2025_03_03"]);
    assert.deepEqual(await dropPartitions(connection, MONDAY + 7 * DAY), []);
    const names = (await query<{ name: string }>(PARTITIONS)).map(({ name }) => name);
    assert.deepEqual(names, ["log_2025_03_10", "log_by_hand"]);
  },

  "are left to another engine where it has put a table of its own in the place of `log`": async (
    { connect, query },
  ) => {
    const connection = await connect();
    await migrate(connection, memoryLog());
    await query(
      "CREATE TABLE other (LIKE log INCLUDING ALL); DROP TABLE log CASCADE; ALTER TABLE other RENAME TO log",
    );
    await makePartitions(connection, [MONDAY]);
    assert.deepEqual(await dropPartitions(connection, MONDAY + 100 * DAY), []);
    assert.deepEqual([...await query(PARTITIONS)], []);
  },
});
