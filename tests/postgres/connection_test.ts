import { eventually } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { spellServer } from "../../lib/postgres/database_config.ts";
import { Connection, sqlState } from "../../lib/postgres/connection.ts";
import { explain } from "../../lib/postgres/failures.ts";
import { arrayOf } from "../../lib/postgres/values.ts";
import { testOnPostgres } from "../support/postgres_fixtures.ts";

await testOnPostgres("Connection", {
  "ends a call that gets no answer in time, and itself with it": async ({ server, login }) => {
    let lost = 0;
    const connection = new Connection(login, { timeout: 400_000, onLost: () => lost++ });
    await connection.open();
    server.freeze();
    try {
      await assert.rejects(connection.query("SELECT 1"), /no answer within 400 ms/);
    } finally {
      server.thaw();
    }
    await assert.rejects(connection.query("SELECT 1"), /no answer within 400 ms/);
    await eventually(() => lost === 1);
  },

  "has the server stop a statement that nobody waits for any more": async ({ login, query }) => {
    const connection = new Connection(login, { timeout: 400_000 });
    await connection.open();
    await assert.rejects(connection.query("SELECT pg_sleep(50)"), /statement timeout|no answer within/);
    await eventually(async () =>
      (await query("SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sleep(50)'"))
        .length === 0
    );
    connection.destroy();
  },

  "has the server end the session of a machine that is gone, also where it cannot be": async (
    { server, login, connect },
  ) => {
    const names = ["idle", "interval", "count"].map((name) => `current_setting('tcp_keepalives_${name}')`);
    const query = `SELECT ${names.join(" || ' ' || ")} AS keep`;
    assert.deepEqual([...await (await connect()).query(query)], [{ keep: "60 15 4" }]);
    const local = await connect({ ...login, host: server.directory });
    assert.deepEqual([...await local.query(query)], [{ keep: "0 0 0" }], "a Unix socket");
  },

  "throws at once for a call under way when it is destroyed": async ({ login }) => {
    const connection = new Connection(login, { timeout: 60_000_000 });
    await connection.open();
    const call = connection.query("SELECT pg_sleep(50)");
    connection.destroy(new Error("enough"));
    await assert.rejects(call, /^Error: enough$/);
  },

  "rolls a transaction back that throws, and serves on": async ({ connect }) => {
    const connection = await connect();
    await connection.query("CREATE TABLE t (n int)");
    const failing = connection.transaction(async () => {
      await connection.query("INSERT INTO t VALUES (1)");
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    assert.deepEqual([...await connection.query("SELECT * FROM t")], []);
    const error = await connection.query("SELECT 1/0").catch((error) => error);
    assert.equal(sqlState(error), "22012");
  },

  "carries any text through arrays": async ({ connect }) => {
    const connection = await connect();
    const texts = ["", "NULL", '"', "\\", "{,}", "a\nb", "é🦊", "'; DROP TABLE t; --", " "];
    const rows = await connection.query<{ text: string }>("SELECT text FROM unnest($1::text[]) AS text", [
      arrayOf(texts),
    ]);
    assert.deepEqual(rows.map(({ text }) => text), texts);
  },
});

Deno.test("`arrayOf()` keeps null apart from text, and replaces what PostgreSQL cannot store", () => {
  assert.equal(arrayOf([null, 1, "NULL", "a\0b\ud800"]), '{NULL,"1","NULL","a\ufffdb\ufffd"}');
  assert.equal(arrayOf([]), "{}");
});

Deno.test("`explain()` words each loss of a connection alike", () => {
  const config = { host: "db", port: 5432, user: "web1", database: "d", password: "" };
  const ofCode = (code: string) => Object.assign(new Error(`write ${code} db:5432`), { code });
  const losses = ["CONNECTION_CLOSED", "CONNECTION_ENDED", "EPIPE", "ECONNRESET"].map(ofCode);
  for (const error of [...losses, new Deno.errors.ConnectionReset("x"), new Deno.errors.BrokenPipe("x")]) {
    assert.equal(explain(error, config), "PostgreSQL at db:5432 fails: the connection was lost");
  }
  assert.equal(
    explain(ofCode("EHOSTUNREACH"), config),
    "PostgreSQL at db:5432 fails: write EHOSTUNREACH db:5432",
  );
});

Deno.test("`Connection.open()` fails in words where nothing listens, on TCP and on a Unix socket", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  for (const host of ["127.0.0.1", "/nonexistent"]) {
    const config = { host, port, user: "u", database: "d", password: "p" };
    const connection = new Connection(config, { timeout: 10_000_000 });
    const error = await connection.open().catch((error) => error);
    assert.ok(explain(error, config).startsWith(`PostgreSQL at ${spellServer(config)} `));
    connection.destroy();
  }
});

// The driver's last timers, of 0 ms, may end after the test. It comes last, as they would count as another's.
Deno.test("`Connection` tells whom it has reached by name, whether or not that answers", {
  sanitizeOps: false,
  sanitizeResources: false,
}, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [peers, accepted] = [[] as string[], listener.accept()];
  const config = { host: "localhost", port: listener.addr.port, user: "u", database: "d", password: "p" };
  const connection = new Connection(config, { timeout: 500_000, onPeer: (peer) => peers.push(peer) });
  await assert.rejects(connection.open());
  assert.deepEqual(peers, ["127.0.0.1"]);
  (await accepted).close();
});
