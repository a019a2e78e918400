import { eventually, memoryLog } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { now, SECOND } from "../../lib/core/time.ts";
import { probeDatabase } from "../../lib/postgres/probe.ts";
import { migrate } from "../../lib/postgres/schema.ts";
import { TestMember, testOnPostgres } from "../support/postgres_fixtures.ts";

await testOnPostgres("probeDatabase()", {
  "tells version and time, and changes nothing": async ({ login, query }) => {
    const { version, time, obstacle, risk } = await probeDatabase(login);
    assert.match(version, /^\d+/);
    assert.ok(Math.abs(time - now()) < 60 * SECOND);
    assert.deepEqual([obstacle, risk], [null, null]);
    assert.equal((await query("SELECT FROM pg_tables WHERE schemaname = 'public'")).length, 0);
  },

  "tells a user who may not write": async ({ login, query }) => {
    await query("CREATE ROLE stranger LOGIN PASSWORD 'x'");
    const stranger = { ...login, user: "stranger", password: "x" };
    await query("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    const sentence =
      `user "stranger" may not write; make it the owner of database "${login.database}" and of the tables in it`;
    assert.equal((await probeDatabase(stranger)).obstacle, sentence);
    await query("CREATE TABLE log (n int)");
    assert.equal((await probeDatabase(stranger)).obstacle, sentence);
    await query("GRANT INSERT ON log TO stranger");
    assert.equal((await probeDatabase(stranger)).obstacle, null);
    await query("DROP OWNED BY stranger; DROP ROLE stranger");
  },

  "tells a user whose search path leads nowhere": async ({ login, query }) => {
    const name = `lost_${login.database}`;
    await query(`CREATE ROLE ${name} LOGIN PASSWORD 'x'; ALTER ROLE ${name} SET search_path = ''`);
    const lost = { ...login, user: name, password: "x" };
    const sentence =
      `the search_path of user "${name}" names no schema that it may use: ALTER ROLE "${name}" SET search_path = public`;
    assert.equal((await probeDatabase(lost)).obstacle, sentence);
    await using member = new TestMember(lost);
    await eventually(() => member.fleet.status().error !== null);
    assert.ok(member.fleet.status().error!.endsWith(` fails: ${sentence}`), member.fleet.status().error!);
  },

  "tells a user whose sessions only read": async ({ login, query }) => {
    const name = `reader_${login.database}`;
    await query(
      `CREATE ROLE ${name} SUPERUSER LOGIN PASSWORD 'x'; ALTER ROLE ${name} SET default_transaction_read_only = on`,
    );
    const { obstacle } = await probeDatabase({ ...login, user: name, password: "x" });
    assert.equal(obstacle, "it is a standby or read-only, and takes no rows; name its primary");
  },

  "tells of members that may make something in the schema of the tables": async (
    { login, query, connect },
  ) => {
    await migrate(await connect(), memoryLog());
    const role = `o'web_${login.database}`;
    const admit = `SELECT strongmonitor_admit('${role.replace("'", "''")}')`;
    await query(`CREATE ROLE "${role}"; ${admit}`);
    assert.equal((await probeDatabase(login)).risk, null);
    // As PostgreSQL before 15 has it.
    await query("GRANT CREATE ON SCHEMA public TO PUBLIC");
    const { risk } = await probeDatabase(login);
    assert.ok(risk?.endsWith(`; as a superuser in this database: ${admit}`), risk ?? "none");
    await query(admit);
    assert.equal((await probeDatabase(login)).risk, null);
  },

  "explains why nobody can connect": async ({ login }) => {
    await assert.rejects(
      probeDatabase({ ...login, database: "nowhere" }),
      /has no database "nowhere": create it/,
    );
  },
});
