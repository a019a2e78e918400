import { eventually } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { TestMember, testOnPostgres } from "../support/postgres_fixtures.ts";

const COUNT = "SELECT count(*)::int AS count, count(DISTINCT seq)::int AS seqs FROM log";
const SHORT = { timeout: 300_000 };

await testOnPostgres("the whitelist", {
  "takes effect at once when it is changed in SQL": async ({ login, query }) => {
    await using member = new TestMember(login);
    member.outbox.add({ address: "192.0.2.1" });
    await member.shipped();
    const told = async (sql: string, entries: [string, string][]) => {
      await query(sql);
      const expected = JSON.stringify(entries.map(([address, note]) => ({ address, note, until: null })));
      await eventually(() => JSON.stringify(member.whitelists.at(-1)) === expected);
    };
    await told("SELECT", []);
    await told("UPDATE ips SET whitelisted = true WHERE address = '192.0.2.1'", [["192.0.2.1", ""]]);
    await told("INSERT INTO ips (address, whitelisted, note) VALUES ('10.1.2.3/8', true, 'office')", [
      ["10.0.0.0/8", "office"],
      ["192.0.2.1", ""],
    ]);
    await told("UPDATE ips SET note = 'home' WHERE address = '192.0.2.1'", [
      ["10.0.0.0/8", "office"],
      ["192.0.2.1", "home"],
    ]);
    await told("DELETE FROM ips WHERE note = 'office'", [["192.0.2.1", "home"]]);
    await told("UPDATE ips SET address = '::ffff:192.0.2.2'", [["192.0.2.2", "home"]]);
    await told("TRUNCATE ips", []);
    assert.equal(member.whitelists.length, 7);
  },

  "is kept when its addresses are seen again, without waking anybody": async ({ login, query, connect }) => {
    await using member = new TestMember(login);
    await member.shipped();
    await query("INSERT INTO ips (address, whitelisted, note) VALUES ('192.0.2.1', true, 'home')");
    let notified = 0;
    const listener = await connect(login, () => notified++);
    await listener.query("LISTEN strongmonitor_whitelist");
    member.outbox.add({ address: "192.0.2.1" });
    member.outbox.add({ address: "192.0.2.2" });
    await member.shipped();
    await query("NOTIFY strongmonitor_whitelist");
    await eventually(() => notified > 0);
    assert.equal(notified, 1);
    const [row] = await query(
      "SELECT whitelisted, note, last_seen IS NULL AS unseen FROM ips WHERE note <> ''",
    );
    assert.deepEqual(row, { whitelisted: true, note: "home", unseen: false });
  },

  "is kept when somebody drops its table, until there is another": async ({ login, query }) => {
    await using member = new TestMember(login);
    await member.shipped();
    await query("INSERT INTO ips (address, whitelisted) VALUES ('192.0.2.7', true)");
    await eventually(() => member.whitelists.at(-1)?.length === 1);
    await query("DROP TABLE ips");
    member.outbox.add({});
    await member.shipped();
    assert.equal(member.whitelists.at(-1)?.length, 1);
    await query("INSERT INTO ips (address, whitelisted) VALUES ('192.0.2.8', true)");
    await eventually(() => member.whitelists.at(-1)?.[0]?.address === "192.0.2.8");
  },

  "is offered again when it could not be applied": async ({ login, query }) => {
    let refusals = 0;
    const taken: string[] = [];
    await using member = new TestMember(login, {
      onWhitelist: (entries) => {
        if (refusals++ === 0) throw new Error("not now");
        taken.push(...entries.map(({ address }) => address));
      },
    });
    await eventually(() => refusals === 1);
    await query("INSERT INTO ips (address, whitelisted) VALUES ('192.0.2.1', true)");
    await eventually(() => taken.length > 0);
    assert.match(member.log.errors.join(), /whitelist: not now$/);
  },
});

await testOnPostgres("a member of the fleet", {
  "outlives a frozen PostgreSQL, and every row arrives once": async ({ server, login, query }) => {
    await using member = new TestMember(login, SHORT);
    for (let i = 0; i < 3000; i++) member.outbox.add({});
    await member.shipped();
    server.freeze();
    try {
      for (let i = 0; i < 3000; i++) member.outbox.add({});
      member.fleet.wake();
      await eventually(() => member.fleet.status().error !== null);
      const { connected, error } = member.fleet.status();
      assert.equal(connected, false);
      assert.match(error!, /^PostgreSQL at 127\.0\.0\.1:\d+ fails: no answer within 300 ms$/);
    } finally {
      server.thaw();
    }
    await member.shipped();
    assert.deepEqual([...await query(COUNT)], [{ count: 6000, seqs: 6000 }]);
    assert.equal(member.log.warnings.length, 1);
    assert.equal(member.log.infos.at(-1), "PostgreSQL answers again");
  },

  "outlives restarts in the middle of shipping": async ({ server, login, query }) => {
    await using member = new TestMember(login, { timeout: 5_000_000 });
    for (let i = 0; i < 60_000; i++) member.outbox.add({});
    member.fleet.wake();
    for (const left of [50_000, 25_000]) {
      await eventually(() => member.outbox.backlog() <= left);
      await server.restart();
    }
    await member.shipped();
    assert.deepEqual([...await query(COUNT)], [{ count: 60_000, seqs: 60_000 }]);
  },

  "waits for a PostgreSQL that is not there yet, warning once": async ({ server, login, query }) => {
    await server.stop();
    await using member = new TestMember(login);
    member.outbox.add({});
    await eventually(() => member.fleet.status().error !== null);
    assert.match(member.fleet.status().error!, /refuses connections: is it running there\?$/);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(member.log.warnings.length, 1);
    await server.start();
    await member.shipped();
    assert.deepEqual([...await query(COUNT)], [{ count: 1, seqs: 1 }]);
    assert.equal(member.fleet.status().error, null);
  },

  "says which password is wrong, and which database is missing": async ({ login }) => {
    await using stranger = new TestMember({ ...login, password: "wrong" });
    await using lost = new TestMember({ ...login, database: "nowhere" });
    await eventually(() => stranger.fleet.status().error !== null && lost.fleet.status().error !== null);
    assert.match(
      stranger.fleet.status().error!,
      /refuses the password of user "postgres": write .* to db_password\.secret and reload/,
    );
    assert.match(lost.fleet.status().error!, /has no database "nowhere": create it/);
  },

  "says that a standby takes no rows, and ships when it does": async ({ server, login }) => {
    await server.query(`ALTER DATABASE ${login.database} SET default_transaction_read_only = on`, "postgres");
    await using before = new TestMember(login);
    await eventually(() => before.fleet.status().error !== null);
    assert.match(before.fleet.status().error!, /takes no rows \(.*\): it is a standby or read-only/);
    await server.query(`ALTER DATABASE ${login.database} RESET default_transaction_read_only`, "postgres");
    await before.shipped();
  },

  "warns once of a clock that is hours off": async ({ login, query }) => {
    const { now } = Date;
    try {
      Date.now = () => now() - 3 * 3_600_000;
      await using member = new TestMember(login);
      await member.shipped();
      // The whitelist's first change makes it look again.
      await query("INSERT INTO ips (address, whitelisted) VALUES ('192.0.2.1', true)");
      await eventually(() => member.whitelists.length === 2);
      const warning =
        /^PostgreSQL's clock is (?:3h|2h59m) ahead of this machine's: synchronise both\. Bans end in time anyway/;
      assert.match(member.log.warnings.join(), warning);
    } finally {
      Date.now = now;
    }
    await using member = new TestMember(login);
    await member.shipped();
    assert.deepEqual(member.log.warnings, []);
  },

  "warns once of another server with a copy of its state": async ({ login, query }) => {
    await using member = new TestMember(login);
    await member.shipped();
    let n = 0;
    const look = async () => {
      // Each change of the whitelist makes all members look.
      await query(`INSERT INTO ips (address, whitelisted) VALUES ('192.0.2.${++n}', true)`);
      await eventually(() => member.whitelists.at(-1)?.length === n);
    };
    await look();
    assert.deepEqual(member.log.warnings, []);
    await using copy = new TestMember(login, { outbox: member.outbox });
    await copy.shipped();
    await look();
    await look();
    assert.equal(member.log.warnings.length, 1);
    assert.match(member.log.warnings[0]!, /^Another server uses a copy of this server's state: /);
  },

  "finds out that its connection was ended while nothing was to be done": async ({ login, query }) => {
    await using member = new TestMember(login);
    await member.shipped();
    await query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'strongmonitor' AND pid <> pg_backend_pid()",
    );
    await eventually(() => member.log.infos.includes("PostgreSQL answers again"));
    await query("INSERT INTO ips (address, whitelisted) VALUES ('192.0.2.1', true)");
    await eventually(() => member.whitelists.at(-1)?.length === 1);
  },

  "closes in time whatever PostgreSQL does": async ({ server, login }) => {
    const member = new TestMember(login);
    await member.shipped();
    server.freeze();
    try {
      member.outbox.add({});
      member.fleet.wake();
      await member.fleet.close(200_000);
      assert.equal(member.outbox.backlog(), 1);
    } finally {
      server.thaw();
    }
  },

  "closes at once when PostgreSQL is away": async ({ server, login }) => {
    await server.stop();
    try {
      const member = new TestMember(login);
      await eventually(() => member.fleet.status().error !== null);
      await member.fleet.close(3600_000_000);
    } finally {
      await server.start();
    }
  },

  "connects through the Unix socket": async ({ server, login, query }) => {
    await using member = new TestMember({ ...login, host: server.directory });
    member.outbox.add({});
    await member.shipped();
    assert.deepEqual([...await query(COUNT)], [{ count: 1, seqs: 1 }]);
  },
});
