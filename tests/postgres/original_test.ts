import { memoryLog } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { fleetBans, members } from "../../lib/postgres/members.ts";
import { migrate } from "../../lib/postgres/schema.ts";
import { type Scene, testOnPostgres } from "../support/postgres_fixtures.ts";

const SECONDS = 1_741_000_000;
const INSTANT = new Date(SECONDS * 1000);

async function upgrade({ connect }: Scene): Promise<ReturnType<typeof memoryLog>> {
  const log = memoryLog();
  await migrate(await connect(), log);
  return log;
}

const LOG = "SELECT seq, service, address, time, message FROM log ORDER BY seq";
const BANS = "SELECT id, address, reason, count, start, until, ended FROM ban ORDER BY id";
const WHITELIST = "SELECT address FROM ips WHERE whitelisted ORDER BY address";

await testOnPostgres("migrate() on the original's database", {
  "takes over log, bans and whitelist": async (scene) => {
    const { query } = scene;
    await query(`
      CREATE TABLE ips ("IP" text PRIMARY KEY, whitelisted boolean);
      CREATE TABLE log (id serial PRIMARY KEY, "IP" text, service text, "timestamp" bigint, line text);
      CREATE TABLE ban ("IP" text, reason text, "timestamp" bigint);
      INSERT INTO ips VALUES ('192.0.2.1', false), ('2001:DB8::1', true), ('192.0.2.9', NULL);
      INSERT INTO log ("IP", service, "timestamp", line) VALUES
        ('192.0.2.1', 'SSHD', ${SECONDS}, 'first'), ('2001:DB8::1', 'SSHD', ${SECONDS + 60}, 'second');
      INSERT INTO ban VALUES ('192.0.2.1', '[SSHD] invalid_user', ${SECONDS})`);
    const log = await upgrade(scene);
    assert.deepEqual([...await query(LOG)], [
      { seq: "1", service: "SSHD", address: "192.0.2.1", time: INSTANT, message: "first" },
      {
        seq: "2",
        service: "SSHD",
        address: "2001:db8::1",
        time: new Date(+INSTANT + 60_000),
        message: "second",
      },
    ]);
    assert.deepEqual([...await query(BANS)], [{
      id: "1",
      address: "192.0.2.1",
      reason: "[SSHD] invalid_user",
      count: "0",
      start: INSTANT,
      until: null,
      ended: null,
    }]);
    assert.deepEqual([...await query(WHITELIST)], [{ address: "2001:db8::1" }]);
    assert.equal((await query("SELECT FROM ips")).length, 3);
    assert.match(
      log.infos.join(),
      /2 log rows, 1 ban and 3 addresses.*original_ban, original_ips, original_log/,
    );
    assert.deepEqual(log.warnings, []);
  },

  "has no server follow its bans, which nobody would end": async (scene) => {
    await scene.query(`CREATE TABLE ban ("IP" text); INSERT INTO ban VALUES ('192.0.2.1')`);
    await upgrade(scene);
    const connection = await scene.connect();
    assert.deepEqual(await fleetBans(connection, 10), []);
    assert.deepEqual((await members(connection)).map(({ removed }) => removed !== null), [true]);
  },

  "reads a time by its size: seconds, milli-, micro- or nanoseconds": async (scene) => {
    const { query } = scene;
    await query(`CREATE TABLE log ("IP" text, "timestamp" bigint, message text);
      INSERT INTO log VALUES ('192.0.2.1', ${SECONDS}, ''), ('192.0.2.1', ${SECONDS}000, ''),
        ('192.0.2.1', ${SECONDS}000000, ''), ('192.0.2.1', ${SECONDS}000000000, ''), ('192.0.2.1', 0, '')`);
    // PostgreSQL writes large floating numbers with an exponent.
    await query(`CREATE TABLE ban ("IP" text, "timestamp" float8);
      INSERT INTO ban VALUES ('192.0.2.1', ${SECONDS}000000), ('192.0.2.1', 1e300), ('192.0.2.1', 'NaN')`);
    await upgrade(scene);
    const rows = await query<{ time: Date }>("SELECT time FROM log ORDER BY time");
    assert.deepEqual(rows.map(({ time }) => +time), [0, +INSTANT, +INSTANT, +INSTANT, +INSTANT]);
    const bans = await query<{ start: Date }>("SELECT start FROM ban ORDER BY start");
    assert.deepEqual([bans.length, +bans[0]!.start], [3, +INSTANT]);
  },

  "loses no row: what is unreadable stays in the renamed tables": async (scene) => {
    const { query } = scene;
    await query(`
      CREATE TABLE ips ("IP" text, whitelisted boolean, colour text);
      CREATE TABLE log ("IP" text, service text, "timestamp" bigint, entry text, weight float8);
      INSERT INTO ips VALUES ('office.example', true, 'red'), ('10.0.0.0/8', true, 'blue'),
        ('::ffff:192.0.2.7', true, NULL), ('192.0.2.7', false, NULL), (NULL, true, NULL);
      INSERT INTO log VALUES ('fe80::1%eth0', 'SSHD', ${SECONDS}, 'zone', 1), ('::ffff:c000:0207', NULL, ${SECONDS}, NULL, 2),
        (' 192.0.2.8 ', 'SSHD', ${SECONDS}, 'blanks', 3), ('garbage', 'SSHD', ${SECONDS}, 'no address', 4),
        ('', 'SSHD', ${SECONDS}, 'empty', 5), ('192.0.2.8', 'SSHD', NULL, 'no time', 6),
        ('192.0.2.8', 'SSHD', 9223372036854775807, 'far ahead', 7), ('192.0.2.8', 'SSHD', -1, 'long ago', 8)`);
    const log = await upgrade(scene);
    const rows = await query<{ address: string; message: string }>(
      "SELECT address, message FROM log ORDER BY message",
    );
    assert.deepEqual(rows.map(({ address, message }) => [address, message]), [
      ["192.0.2.7", ""],
      ["192.0.2.8", "blanks"],
      ["192.0.2.8", "far ahead"],
      ["192.0.2.8", "long ago"],
      ["fe80::1", "zone"],
    ]);
    assert.equal((await query("SELECT weight FROM original_log")).length, 8);
    assert.equal((await query("SELECT colour FROM original_ips")).length, 5);
    assert.deepEqual((await query(WHITELIST)).map(({ address }) => address), ["10.0.0.0/8", "192.0.2.7"]);
    assert.deepEqual(log.warnings, ['Not on the whitelist any more, being no addresses: "office.example"']);
  },

  "makes do with any subset of tables and columns": async (scene) => {
    const { query } = scene;
    await query(`CREATE TABLE ban ("IP" varchar(40)); CREATE TABLE log (service text, line text);
      CREATE TABLE ips (ip inet, whitelisted int);
      INSERT INTO ban VALUES ('192.0.2.1'); INSERT INTO log VALUES ('SSHD', 'kept'); INSERT INTO ips VALUES ('192.0.2.2', 1)`);
    await upgrade(scene);
    const bans = await query<{ address: string; start: Date }>(BANS);
    assert.deepEqual(bans.map(({ address }) => address), ["192.0.2.1"]);
    assert.deepEqual((await query(WHITELIST)).map(({ address }) => address), ["192.0.2.2"]);
    assert.deepEqual([...await query("SELECT * FROM log")], []);
    assert.deepEqual([...await query("SELECT * FROM original_log")], [{ service: "SSHD", line: "kept" }]);
  },

  "takes over a history of 200,000 rows over years": async (scene) => {
    const { query } = scene;
    await query(`CREATE TABLE log ("IP" text, service text, "timestamp" bigint, message text);
      INSERT INTO log SELECT '10.0.' || n % 250 || '.' || n % 7, 'SSHD', ${SECONDS} - n * 500, 'line ' || n
      FROM generate_series(1, 200000) AS n`);
    await upgrade(scene);
    const [row] = await query<{ rows: string; addresses: string }>(
      "SELECT count(*) AS rows, (SELECT count(*) FROM ips) AS addresses FROM log",
    );
    assert.deepEqual(row, { rows: "200000", addresses: "1750" });
  },
});
