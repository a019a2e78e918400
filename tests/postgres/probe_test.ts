import { strict as assert } from "node:assert";
import { now, SECOND } from "../../lib/core/time.ts";
import { probeDatabase } from "../../lib/postgres/probe.ts";
import { testOnPostgres } from "../support/postgres_fixtures.ts";

await testOnPostgres("probeDatabase()", {
  "tells version and time, and changes nothing": async ({ login, query }) => {
    const { version, time, obstacle } = await probeDatabase(login);
    assert.match(version, /^\d+/);
    assert.ok(Math.abs(time - now()) < 60 * SECOND);
    assert.equal(obstacle, null);
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

  "explains why nobody can connect": async ({ login }) => {
    await assert.rejects(
      probeDatabase({ ...login, database: "nowhere" }),
      /has no database "nowhere": create it/,
    );
  },
});
