import { memoryLog } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { arrayOf } from "../../lib/postgres/values.ts";
import { makePartitions } from "../../lib/postgres/partitions.ts";
import { migrate } from "../../lib/postgres/schema.ts";
import { MAKE_VIEWS, VIEW_NAMES } from "../../lib/postgres/views.ts";
import { MONDAY, type Scene, testOnPostgres } from "../support/postgres_fixtures.ts";

const [A, B] = ["00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"];

/** Hostile and plain lines of two servers, in the order of their minutes. */
const LINES: readonly [host: string, address: string, message: string][] = [
  [B, "192.0.2.1", "Failed password for root from 192.0.2.1 port 40000 ssh2"],
  [
    A,
    "192.0.2.1",
    "Failed password for invalid user from 9.9.9.9 port 1 ssh2 from 192.0.2.1 port 40000 ssh2",
  ],
  [A, "192.0.2.1", "Invalid user admin from 192.0.2.1 port 40001"],
  [A, "2001:db8::7", "Failed publickey for root from 2001:db8::7 port 5 ssh2: RSA SHA256:abc"],
  [A, "2001:db8::7", "Connection closed by authenticating user root 2001:db8::7 port 5 [preauth]"],
];

async function fill({ connect, query }: Scene): Promise<void> {
  const connection = await connect();
  await migrate(connection, memoryLog());
  await makePartitions(connection, [MONDAY]);
  await query(`INSERT INTO host (id, name) VALUES ('${A}', 'a'), ('${B}', 'b')`);
  for (const [seq, [host, address, message]] of LINES.entries()) {
    await connection.query(
      `INSERT INTO log SELECT $1::uuid, $2::bigint, 'SSHD', $3::inet,
         '2025-03-03 00:00Z'::timestamptz + $2::bigint * interval '1 minute', $4::text`,
      [host, String(seq), address, message],
    );
  }
  await query(`
    INSERT INTO ban (host, id, address, reason, count, start, until, ended, change, provenance, name) VALUES
      ('${A}', 1, '192.0.2.1', '', 5, now(), NULL, now(), 1, 'rule', 'password'),
      ('${A}', 2, '192.0.2.1', '', 5, now(), NULL, NULL, 2, 'rule', 'password'),
      ('${A}', 3, '192.0.2.1', '', 5, now(), now(), NULL, 3, 'rule', 'password'),
      ('${B}', 1, '192.0.2.1', '', 5, now(), NULL, NULL, 1, 'manual', NULL)`);
}

const ATTACKERS =
  `SELECT host(address) AS address, servers::int, lines::int, first_server, bans::int, in_force::int,
  to_char(first_seen AT TIME ZONE 'UTC', 'MI') AS first FROM strongmonitor_attackers ORDER BY address`;

await testOnPostgres("the views across servers", {
  "show attackers with the server that saw them first, and their bans": async (scene) => {
    await fill(scene);
    assert.deepEqual([...await scene.query(ATTACKERS)], [
      { address: "192.0.2.1", servers: 2, lines: 3, first_server: "b", bans: 4, in_force: 2, first: "00" },
      { address: "2001:db8::7", servers: 1, lines: 2, first_server: "a", bans: 0, in_force: 0, first: "03" },
    ]);
  },

  "show names that were tried, whatever stands in them": async (scene) => {
    await fill(scene);
    const names = await scene.query(
      `SELECT name, lines::int, addresses::int, servers::int, first_server FROM strongmonitor_names ORDER BY name`,
    );
    assert.deepEqual([...names], [
      { name: "admin", lines: 1, addresses: 1, servers: 1, first_server: "a" },
      { name: "from 9.9.9.9 port 1 ssh2", lines: 1, addresses: 1, servers: 1, first_server: "a" },
      { name: "root", lines: 2, addresses: 2, servers: 2, first_server: "b" },
    ]);
  },

  "count bans by server and by who banned": async (scene) => {
    await fill(scene);
    const bans = await scene.query(
      `SELECT server, provenance, name, bans::int, in_force::int, addresses::int
       FROM strongmonitor_bans_by_server ORDER BY server`,
    );
    assert.deepEqual([...bans], [
      { server: "a", provenance: "rule", name: "password", bans: 3, in_force: 1, addresses: 1 },
      { server: "b", provenance: "manual", name: null, bans: 1, in_force: 1, addresses: 1 },
    ]);
  },

  "have the types of earlier programs' views, which they replace": async (scene) => {
    await fill(scene);
    const columns = await scene.query<{ type: string; collation: string | null }>(
      `SELECT data_type AS type, collation_name AS collation FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name IN ('server', 'first_server')`,
    );
    assert.deepEqual([...columns], Array(3).fill({ type: "text", collation: null }));
  },

  "are open to members, to those admitted before, and to an analyst, and to nobody else": async (scene) => {
    await fill(scene);
    const { query, login } = scene;
    const role = async (name: string, grants: (user: string) => string) => {
      const user = `${name}_${login.database}`;
      await query(`CREATE ROLE ${user} LOGIN PASSWORD 'p' NOSUPERUSER; ${grants(user)}`);
      return await scene.connect({ ...login, user, password: "p" });
    };
    const views = VIEW_NAMES.join(", ");
    const member = await role("member", (user) => `SELECT strongmonitor_admit('${user}')`);
    const analyst = await role("analyst", (user) => `GRANT SELECT ON ${views} TO ${user}`);
    const stranger = await role("stranger", () => "");
    // A member that was admitted before there were views, and a migration that is run again.
    await query(`REVOKE ALL ON ${views} FROM member_${login.database}`);
    await query(MAKE_VIEWS);
    for (const view of VIEW_NAMES) {
      for (const reader of [member, analyst]) {
        assert.ok((await reader.query(`SELECT FROM ${view}`)).length > 0, view);
      }
      await assert.rejects(stranger.query(`SELECT FROM ${view}`), /permission denied/);
      await assert.rejects(member.query(`DROP VIEW ${view}`), /must be owner/);
    }
    await assert.rejects(analyst.query("SELECT FROM log"), /permission denied/);
  },

  "are made while others write, and anew by the owner when a dropped table took them along": async (
    scene,
  ) => {
    await fill(scene);
    const { query, connect, login } = scene;
    const writer = await connect();
    await writer.transaction(async () => {
      await writer.query("UPDATE ban SET ended = now(); DELETE FROM log");
      // A lock that the writer holds would stop this until the statement's time-out.
      await (await connect()).query(`SET lock_timeout = '5s'; ${MAKE_VIEWS}`);
    });
    const user = `member_again_${login.database}`;
    await query(`CREATE ROLE ${user} LOGIN PASSWORD 'p' NOSUPERUSER; SELECT strongmonitor_admit('${user}')`);
    const columns = "host uuid, seq bigint, service text, address inet, time timestamptz, message text";
    await query(`DROP TABLE log CASCADE; CREATE TABLE log (${columns}) PARTITION BY RANGE (time)`);
    await query(`GRANT SELECT ON log TO ${user}`);
    const present = async () =>
      (await query<{ name: string }>(
        `SELECT viewname AS name FROM pg_views WHERE viewname = ANY('${arrayOf(VIEW_NAMES)}') ORDER BY 1`,
      )).length;
    assert.equal(await present(), 1);
    const member = await connect({ ...login, user, password: "p" });
    await migrate(member, memoryLog());
    assert.equal(await present(), 1);
    await migrate(await connect(), memoryLog());
    assert.equal(await present(), VIEW_NAMES.length);
    await member.query("SELECT FROM strongmonitor_names");
    await query("DROP TABLE log CASCADE; CREATE TABLE log (somebody text)");
    const log = memoryLog();
    await migrate(await connect(), log);
    assert.match(log.warnings.join(), /^Cannot make the views across servers: column "\w+" does not exist/);
  },
});
