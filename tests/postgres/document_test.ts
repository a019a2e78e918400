/** The SQL of docs/database.md and docs/fleet.md, run as the roles that these pages name. */
import { memoryLog } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { migrate } from "../../lib/postgres/schema.ts";
import { Connection } from "../../lib/postgres/connection.ts";
import { members } from "../../lib/postgres/members.ts";
import { TestMember } from "../support/postgres_fixtures.ts";
import { postgresMissing, startPostgres } from "../support/postgres_server.ts";

const missing = await postgresMissing();

/** Returns the blocks of SQL behind a sentence with this word. */
function blocks(page: string, word: string): string[] {
  const text = Deno.readTextFileSync(new URL(`../../docs/${page}`, import.meta.url));
  const found = text.matchAll(new RegExp(`${word}(?:(?!\`\`\`)[^])*?\`\`\`sql\\n(.*?)\`\`\``, "gs"));
  return [...found].map(([, sql]) => sql!);
}

/** Returns the block of SQL with this beginning, behind a sentence with this word. */
function statements(page: string, begin: string, word = "superuser"): string {
  const found = blocks(page, word).find((sql) => sql.startsWith(begin));
  assert.ok(found !== undefined, `${page} has ${begin} for a ${word}`);
  return found;
}

Deno.test({
  name: `the documented SQL makes an owner, a member and an analyst${missing ? ` (${missing})` : ""}`,
  ignore: missing !== null,
  async fn() {
    await using server = await startPostgres();
    const database = "strongmonitor";
    const [role, make] = statements("database.md", "CREATE ROLE strongmonitor").trim().split("\n");
    await server.query(`DROP DATABASE ${database}`, "postgres");
    await server.query(role!, "postgres");
    await server.query(make!, "postgres");
    const as = async (user: string, work: (connection: Connection) => Promise<unknown>) => {
      const login = { host: server.host, port: server.port, user, password: "a good one", database };
      const connection = new Connection(login, { timeout: 30_000_000 });
      await connection.open();
      await work(connection).finally(() => connection.close());
    };
    await as("strongmonitor", async (owner) => {
      await migrate(owner, memoryLog());
      await assert.rejects(owner.query("CREATE ROLE web0"), /permission denied to create role/);
    });
    await as("strongmonitor", async (owner) => {
      const plain = ["-- who tried", "-- who attacks", "INSERT INTO ips"].map((begin) =>
        statements("database.md", begin, "")
      );
      // Once for addresses that were never seen, and once for those that were.
      for (const sql of [...plain, statements("fleet.md", "INSERT INTO ips", ""), ...plain]) {
        await owner.query(sql);
      }
      const whitelist = await owner.query("SELECT host(address) AS address FROM ips WHERE whitelisted");
      assert.deepEqual([...whitelist], [{ address: "2001:db8:5::" }]);
    });
    await server.query(statements("fleet.md", "CREATE ROLE web1"), database);
    await server.query(statements("database.md", "CREATE ROLE analyst"), database);
    const login = {
      host: server.host,
      port: server.port,
      user: "strongmonitor",
      password: "a good one",
      database,
    };
    const a = new TestMember(login, { hostName: "a" }), b = new TestMember(login, { hostName: "b" });
    for (const member of [a, b]) await member.shipped();
    for (const member of [a, b]) await member[Symbol.asyncDispose]();
    await server.query("ALTER ROLE strongmonitor RENAME TO keeper; ALTER ROLE keeper PASSWORD 'a good one'");
    await server.query(statements("fleet.md", "DROP INDEX", "owner"), database);
    for (const { outbox } of [a, b, { outbox: undefined }]) {
      await using member = new TestMember({ ...login, user: "keeper" }, { hostName: "c", outbox });
      await member.shipped();
      assert.deepEqual(member.log.warnings, []);
    }
    await as("keeper", async (owner) => {
      assert.deepEqual((await members(owner)).map(({ server }) => server), ["c", "c", "c"]);
    });
    for (const user of ["web1", "analyst"]) {
      await as(user, (reader) => reader.query("SELECT FROM strongmonitor_attackers"));
    }
  },
});
