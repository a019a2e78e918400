import { strict as assert } from "node:assert";
import { Fleet } from "../../lib/postgres/fleet.ts";
import { eventually, memoryLog, scopeOf } from "../support/helpers.ts";
import { ban, DAY, MemoryOutbox, MONDAY, TestMember, testOnPostgres } from "../support/postgres_fixtures.ts";

const COUNT = "SELECT count(*)::int AS count, count(DISTINCT seq)::int AS seqs FROM log";

await testOnPostgres("the shipment", {
  "brings rows and bans over exactly as they are, to the microsecond": async ({ login, query }) => {
    await using member = new TestMember(login);
    const message = "quotes \" ' \\ {braces}, NULL, tab\t, newline\n, é 🦊, %s $1";
    member.outbox.add({ address: "2001:db8::1", time: MONDAY + 123_457, message });
    member.outbox.bans = [
      ban({
        address: "198.51.100.0/24",
        scope: scopeOf("tcp 22,80"),
        until: MONDAY + 1,
        ended: MONDAY + 2,
        endReason: "unban",
      }),
    ];
    await member.shipped();
    const { hostId } = member.outbox;
    assert.deepEqual([...await query("SELECT host, seq, service, address, time::text, message FROM log")], [
      {
        host: hostId,
        seq: "1",
        service: "SSHD",
        address: "2001:db8::1",
        time: "2025-03-03 00:00:00.123457+00",
        message,
      },
    ]);
    const bans = await query(
      "SELECT host, id, address, scope, provenance, name, reason, count, until::text, end_reason FROM ban",
    );
    assert.deepEqual([...bans], [{
      host: hostId,
      id: "1",
      address: "198.51.100.0/24",
      scope: "tcp 22,80",
      provenance: "rule",
      name: "SSHD invalid_user",
      reason: "[SSHD] invalid_user",
      count: "6",
      until: "2025-03-03 00:00:00.000001+00",
      end_reason: "unban",
    }]);
    assert.deepEqual([...await query("SELECT id, name FROM host")], [{ id: hostId, name: "tester" }]);
  },

  "when repeated, changes nothing": async ({ login, query }) => {
    await using member = new TestMember(login);
    for (let i = 0; i < 12_000; i++) member.outbox.add({ address: `10.0.${i % 3}.${i % 250}` });
    member.outbox.bans = [ban({})];
    await member.shipped();
    const all = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM";
    const before = [
      ...await query(`${all} log t`),
      ...await query(`${all} ips t`),
      ...await query(`${all} ban t`),
    ];
    member.outbox.forget();
    await member.shipped();
    assert.deepEqual(before, [
      ...await query(`${all} log t`),
      ...await query(`${all} ips t`),
      ...await query(`${all} ban t`),
    ]);
    assert.deepEqual([...await query(COUNT)], [{ count: 12_000, seqs: 12_000 }]);
  },

  "of an older copy of the state loses no line whose number another one has": async ({ login, query }) => {
    const [before, after] = [new MemoryOutbox(), new MemoryOutbox()];
    Object.assign(after, { hostId: before.hostId });
    const messages = async () => {
      const rows = await query<{ message: string }>("SELECT message FROM log ORDER BY message");
      return rows.map(({ message }) => message);
    };
    // Two logs with times in seconds, read in another order again, and one line that was not shipped.
    for (const message of ["a1", "a2"]) before.add({ time: MONDAY, message });
    for (const message of ["b1", "a2", "a1"]) after.add({ time: MONDAY, message });
    {
      await using member = new TestMember(login, { outbox: before });
      await member.shipped();
    }
    await using member = new TestMember(login, { outbox: after });
    await member.shipped();
    assert.deepEqual(await messages(), ["a1", "a1", "a2", "b1"]);
    after.forget();
    await member.shipped();
    assert.deepEqual(await messages(), ["a1", "a1", "a2", "b1"]);
  },

  "of an older copy of the state stores lines once that it reads again in another order": async (
    { login, query },
  ) => {
    const [before, after] = [new MemoryOutbox(), new MemoryOutbox()];
    Object.assign(after, { hostId: before.hostId });
    const lines = [1, 2, 3].map((n) => ({ key: String(n * 2 ** 40), time: MONDAY + n, message: `${n}` }));
    for (const line of lines) before.add(line);
    for (const line of lines.toReversed()) after.add(line);
    for (const outbox of [before, after]) {
      await using member = new TestMember(login, { outbox });
      await member.shipped();
    }
    assert.deepEqual(
      [...await query("SELECT message FROM log ORDER BY time")],
      [1, 2, 3].map((n) => ({
        message: `${n}`,
      })),
    );
  },

  "sends lines once the state is on the disk, or does not get there, and bans before": async (
    { login, query },
  ) => {
    const outbox = new MemoryOutbox();
    const said: string[] = [];
    const settling = Promise.withResolvers<void>();
    outbox.settle = () => {
      said.push("settling");
      return settling.promise;
    };
    const count = async (table: string) => (await query(`SELECT FROM ${table}`)).length;
    await using member = new TestMember(login, { outbox });
    await member.shipped();
    outbox.add({});
    outbox.bans = [ban({})];
    member.fleet.wake();
    await eventually(() => said.length > 0);
    assert.deepEqual([await count("ban"), await count("log")], [1, 0]);
    // A slow disk delays the lines only a little.
    await eventually(async () => await count("log") === 1);
  },

  "lets a ban's newest change win, in whatever order they come": async ({ login, query }) => {
    await using member = new TestMember(login);
    member.outbox.bans = [ban({ change: 5, ended: MONDAY + 9, endReason: "expired" })];
    await member.shipped();
    member.outbox.forget();
    member.outbox.bans = [ban({ change: 3 }), ban({ id: 2, change: 5 })];
    await member.shipped();
    const sql = "SELECT change, end_reason FROM ban WHERE id = 1";
    assert.deepEqual([...await query(sql)], [{ change: "5", end_reason: "expired" }]);
    member.outbox.forget();
    member.outbox.bans = [
      ban({ change: 6, reason: "again" }),
      ban({ change: 7, ended: MONDAY, endReason: "unban" }),
    ];
    await member.shipped();
    assert.deepEqual([...await query(sql)], [{ change: "7", end_reason: "unban" }]);
  },

  "ends the bans that the state has lost, and ships those that it has under new numbers": async (
    { login, query },
  ) => {
    const outbox = new MemoryOutbox();
    outbox.bans = [1, 2, 3].map((n) => ban({ id: n, change: n, address: `192.0.2.${n}` }));
    const before = new TestMember(login, { outbox });
    await before.shipped();
    await before[Symbol.asyncDispose]();
    // The state of before its second ban, whose number another address has now.
    outbox.bans = [outbox.bans[0]!, ban({ id: 2, change: 2, address: "192.0.2.9" })];
    outbox.goBack(1);
    await using member = new TestMember(login, { outbox });
    await member.shipped();
    const bans = () =>
      query<{ address: string; why: string | null }>(
        "SELECT host(address) AS address, end_reason AS why FROM ban ORDER BY change",
      );
    const told = (await bans()).map(({ address, why }) => `${address} ${why}`);
    assert.deepEqual(told, ["1 lost", "2 lost", "3 lost", "1 null", "9 null"].map((ban) => `192.0.2.${ban}`));
    assert.match(member.log.warnings.join(), /^The state is older than this server's bans in PostgreSQL/);
    // A state lost while the member is connected.
    outbox.bans = [ban({ id: 1, change: 1, address: "192.0.2.7" })];
    outbox.renumberBans(0);
    await member.shipped();
    assert.deepEqual((await bans()).filter(({ why }) => why === null).map(({ address }) => address), [
      "192.0.2.7",
    ]);
  },

  "notices an older state that has changed more than the database, but no crash before a confirmation":
    async (
      { login, query },
    ) => {
      const outbox = new MemoryOutbox();
      const make = (n: number, last: number) => ban({ id: n, change: n, address: `192.0.2.${last}` });
      outbox.bans = [1, 2, 3].map((n) => make(n, n));
      const before = new TestMember(login, { outbox });
      await before.shipped();
      await before[Symbol.asyncDispose]();
      outbox.forget();
      const crashed = new TestMember(login, { outbox });
      await crashed.shipped();
      await crashed[Symbol.asyncDispose]();
      const bans = async () =>
        (await query<{ ban: string }>(
          "SELECT host(address) || coalesce(' ' || end_reason, '') AS ban FROM ban ORDER BY id",
        ))
          .map(({ ban }) => ban.slice("192.0.2.".length));
      assert.deepEqual([await bans(), crashed.log.warnings], [["1", "2", "3"], []]);
      // A copy of after the first ban, which has since made four others.
      outbox.bans = [make(1, 1), ...[2, 3, 4, 5].map((n) => make(n, 10 + n))];
      outbox.goBack(1);
      await using member = new TestMember(login, { outbox });
      await member.shipped();
      assert.deepEqual(await bans(), ["1 lost", "2 lost", "3 lost", "1", "12", "13", "14", "15"]);
      assert.equal(member.log.warnings.length, 1);
    },

  "ships lines and bans again that the database has lost, but no lines that somebody deleted": async (
    { login, query },
  ) => {
    const outbox = new MemoryOutbox();
    outbox.bans = [1, 2, 3].map((n) => ban({ id: n, change: n, address: `192.0.2.${n}` }));
    for (let i = 0; i < 100; i++) outbox.add({});
    const before = new TestMember(login, { outbox });
    await before.shipped();
    await before[Symbol.asyncDispose]();
    await query("DELETE FROM ban WHERE change > 1; DELETE FROM log WHERE seq > 70");
    await using member = new TestMember(login, { outbox });
    const count = async (table: string) => (await query(`SELECT FROM ${table}`)).length;
    const connectAgain = async () => {
      const times = () => member.log.infos.filter((info) => info === "PostgreSQL answers again").length;
      const before = times();
      await query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
      await eventually(() => times() > before);
      await member.shipped();
    };
    await member.shipped();
    assert.deepEqual([await count("ban"), await count("log")], [3, 100]);
    assert.deepEqual(member.log.warnings, []);
    // Only the oldest lines are there.
    await query("DELETE FROM log WHERE seq > 10");
    await connectAgain();
    assert.equal(await count("log"), 100);
    await query("DELETE FROM log");
    await connectAgain();
    assert.equal(await count("log"), 0);
    // The database is a copy of before the first line.
    await query("UPDATE host SET last_seen = last_seen - interval '1 hour'");
    await connectAgain();
    assert.equal(await count("log"), 100);
  },

  "puts ? for characters that the database's encoding lacks, in their rows alone": async (
    { login, query, connect },
  ) => {
    const latin = { ...login, database: `${login.database}_latin` };
    await query(
      `CREATE DATABASE ${latin.database} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    await using member = new TestMember(latin);
    member.outbox.add({ message: "café" });
    member.outbox.add({ message: "café 🦊" });
    member.outbox.bans = [ban({ reason: "żółw", provenance: { kind: "import", name: "żaba.txt" } })];
    await member.shipped();
    const connection = await connect(latin);
    const texts = await connection.query<{ text: string }>(
      "SELECT message AS text FROM log UNION ALL SELECT reason || name FROM ban ORDER BY 1",
    );
    assert.deepEqual(texts.map(({ text }) => text).sort(), ["???w?aba.txt", "caf? ?", "café"]);
    assert.equal(member.fleet.status().setAside, 0);
  },

  "goes on whatever settings the role has": async ({ login, query }) => {
    const settings = [
      "datestyle = 'SQL, DMY'",
      "timezone = 'Asia/Kolkata'",
      "standard_conforming_strings = off",
      "default_transaction_isolation = 'serializable'",
      "lock_timeout = 1",
      "statement_timeout = 1",
      "idle_in_transaction_session_timeout = 1",
      "client_encoding = 'LATIN1'",
      "intervalstyle = 'sql_standard'",
      "extra_float_digits = -15",
    ];
    const user = `odd_${login.database}`;
    await query(`CREATE ROLE ${user} LOGIN SUPERUSER PASSWORD 'odd'`);
    for (const setting of settings) await query(`ALTER ROLE ${user} SET ${setting}`);
    const [version] = await query<{ v: number }>("SELECT current_setting('server_version_num')::int AS v");
    if (version!.v >= 140_000) await query(`ALTER ROLE ${user} SET idle_session_timeout = 100`);
    await using member = new TestMember({ ...login, user, password: "odd" });
    member.outbox.add({ message: "Failed password for 🦊 from 192.0.2.1 [preauth]" });
    member.outbox.bans = [ban({})];
    await member.shipped();
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual(
      [...await query("SELECT message, time::text FROM log")],
      [{
        message: "Failed password for 🦊 from 192.0.2.1 [preauth]",
        time: "2025-03-03 00:00:00.000001+00",
      }],
    );
    assert.deepEqual([...await query("SELECT name FROM strongmonitor_names")], [{ name: "🦊" }]);
    assert.deepEqual(member.log.warnings, []);
  },

  "stores NUL characters and lone surrogates as U+FFFD": async ({ login, query }) => {
    await using member = new TestMember(login);
    member.outbox.add({ message: "a\0b\ud800c\udfffd" });
    await member.shipped();
    assert.deepEqual([...await query("SELECT message FROM log")], [{ message: "a\ufffdb\ufffdc\ufffdd" }]);
    assert.equal(member.fleet.status().setAside, 0);
  },

  "sets a row aside that cannot be stored, and stores all others": async ({ login, query }) => {
    await using member = new TestMember(login);
    for (let i = 0; i < 300; i++) {
      member.outbox.add(i === 123 ? { address: "not an address" } : i === 200 ? { time: NaN } : {});
    }
    member.outbox.bans = [
      ban({}),
      ban({ id: 2, change: 2, address: "999.0.2.1" }),
      ban({ id: 3, change: 3 }),
    ];
    await member.shipped();
    assert.deepEqual([...await query(COUNT)], [{ count: 298, seqs: 298 }]);
    assert.deepEqual([...await query("SELECT id FROM ban ORDER BY id")], [{ id: "1" }, { id: "3" }]);
    assert.equal(member.fleet.status().setAside, 3);
    assert.equal(member.log.warnings.length, 2);
    assert.match(member.log.warnings[0]!, /refuses ban 2, .*"999\.0\.2\.1"/);
    assert.match(member.log.warnings[1]!, /refuses log row 124 and 1 more, .*"not an address"/);
  },

  "waits while a column of somebody else's takes no row": async ({ login, query }) => {
    await using member = new TestMember(login);
    await member.shipped();
    await query(
      "ALTER TABLE ban ADD COLUMN ticket text NOT NULL; ALTER TABLE log ADD COLUMN site text NOT NULL",
    );
    member.outbox.add({});
    member.outbox.bans = [ban({})];
    member.fleet.wake();
    await eventually(() => member.fleet.status().error !== null);
    assert.match(member.fleet.status().error!, /"ticket" .* Give that column a DEFAULT/);
    await query("ALTER TABLE ban ALTER COLUMN ticket SET DEFAULT ''; ALTER TABLE log DROP COLUMN site");
    await member.shipped();
    assert.equal((await query("SELECT FROM ban")).length + (await query("SELECT FROM log")).length, 2);
    assert.equal(member.fleet.status().setAside, 0);
  },

  "tries smaller batches on a server too slow for a large one": async ({ login, query }) => {
    await using member = new TestMember(login, { timeout: 400_000 });
    await member.shipped();
    await query(`
      CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.001); RETURN new; END';
      CREATE TRIGGER dawdle BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION dawdle()`);
    for (let i = 0; i < 1000; i++) member.outbox.add({});
    await member.shipped();
    assert.deepEqual([...await query(COUNT)], [{ count: 1000, seqs: 1000 }]);
  },

  "finds a place for rows of every time": async ({ login, query }) => {
    await using member = new TestMember(login);
    for (let i = -400; i < 400; i++) member.outbox.add({ time: MONDAY + i * 11 * DAY });
    await member.shipped();
    assert.deepEqual([...await query(COUNT)], [{ count: 800, seqs: 800 }]);
  },

  "of many hosts with the same addresses never stands in its own way": async ({ login, query }) => {
    await using stack = new AsyncDisposableStack();
    const members = Array.from({ length: 4 }, () => stack.use(new TestMember(login)));
    for (let i = 0; i < 20_000; i++) {
      for (const [n, { outbox }] of members.entries()) {
        outbox.add({ address: `10.0.0.${(i * (n + 1)) % 251}` });
      }
    }
    await Promise.all(members.map((member) => member.shipped()));
    assert.deepEqual([...await query("SELECT count(*)::int AS count FROM log")], [{ count: 80_000 }]);
    assert.deepEqual(members.flatMap((member) => member.log.warnings), []);
  },

  "keeps first and last time seen of each address": async ({ login, query }) => {
    await using member = new TestMember(login);
    for (const time of [MONDAY + 5, MONDAY + 2, MONDAY + 9]) {
      member.outbox.add({ time });
      await member.shipped();
    }
    assert.deepEqual([...await query("SELECT first_seen::text, last_seen::text, whitelisted FROM ips")], [{
      first_seen: "2025-03-03 00:00:00.000002+00",
      last_seen: "2025-03-03 00:00:00.000009+00",
      whitelisted: false,
    }]);
  },

  "goes on when somebody drops a table, and makes it anew": async ({ login, query }) => {
    await using member = new TestMember(login);
    member.outbox.add({});
    await member.shipped();
    for (const table of ["log", "ban", "host", "ips", "log, ban, host, ips"]) {
      await query(`DROP TABLE ${table} CASCADE`);
      member.outbox.add({});
      member.outbox.bans = [
        ...member.outbox.bans,
        ban({ id: member.outbox.rows.length, change: member.outbox.rows.length }),
      ];
      await member.shipped();
      const seq = member.outbox.rows.length;
      assert.equal((await query(`SELECT FROM log WHERE seq = ${seq}`)).length, 1, table);
      assert.equal((await query(`SELECT FROM ban WHERE id = ${seq}`)).length, 1, table);
      assert.match(member.log.errors.at(-1)!, /^The database lacked the tables/);
    }
  },

  "says what to do about a detached partition whose weeks have more lines, and ships bans": async (
    { login, query },
  ) => {
    await using member = new TestMember(login);
    member.outbox.add({});
    await member.shipped();
    await query("ALTER TABLE log DETACH PARTITION log_2025_03_03");
    member.outbox.add({});
    member.outbox.bans = [ban({})];
    member.fleet.wake();
    await eventually(() => member.fleet.status().error !== null);
    assert.match(
      member.fleet.status().error!,
      /"log_2025_03_03" already exists\. Rename that table, or attach it to log again: its lines have no place$/,
    );
    await eventually(async () => (await query("SELECT FROM ban")).length === 1);
    await query("ALTER TABLE log_2025_03_03 RENAME TO archived");
    await member.shipped();
    assert.deepEqual([...await query(COUNT)], [{ count: 1, seqs: 1 }]);
  },

  "ships bans although the server refuses lines": async ({ login, query }) => {
    await using member = new TestMember(login);
    member.outbox.add({});
    await member.shipped();
    await query("ALTER TABLE log RENAME COLUMN service TO other");
    member.outbox.add({});
    member.outbox.bans = [ban({ id: 1, change: 1 })];
    member.fleet.wake();
    await eventually(async () => (await query("SELECT FROM ban")).length === 1);
    assert.equal(member.outbox.backlog(), 1);
  },

  "ships lines although the server refuses bans": async ({ login, query }) => {
    await using member = new TestMember(login);
    await member.shipped();
    await query("ALTER TABLE ban RENAME COLUMN count TO other");
    member.outbox.add({});
    member.outbox.bans = [ban({ id: 1, change: 1 })];
    member.fleet.wake();
    await eventually(async () => (await query("SELECT FROM log")).length === 1);
    assert.equal(member.outbox.unshippedBans(Infinity).length, 1);
  },

  "ships bans while another session locks the lines, also by a new connection": async (
    { login, query, connect },
  ) => {
    await using first = new TestMember(login);
    first.outbox.add({});
    await first.shipped();
    const other = await connect();
    await other.query("BEGIN; LOCK TABLE log");
    await first[Symbol.asyncDispose]();
    await using member = new TestMember(login, { outbox: first.outbox, timeout: 1_000_000 });
    member.outbox.add({});
    await eventually(() => member.fleet.status().error !== null);
    for (const n of [1, 2]) {
      member.outbox.bans = [...member.outbox.bans, ban({ id: n, change: n })];
      member.fleet.wake();
      await eventually(async () => (await query("SELECT FROM ban")).length === n);
    }
    assert.equal(member.outbox.unshippedLog(Infinity).length, 1);
    await other.query("COMMIT");
    await member.shipped();
  },

  "ships bans before lines": async ({ login, query, connect }) => {
    await using member = new TestMember(login);
    await member.shipped();
    const other = await connect();
    await other.query("BEGIN; LOCK TABLE log");
    member.outbox.add({});
    member.outbox.bans = [ban({ id: 1, change: 1 })];
    member.fleet.wake();
    await eventually(async () => (await query("SELECT FROM ban")).length === 1);
    assert.equal(member.outbox.unshippedLog(Infinity).length, 1);
    await other.query("COMMIT");
    await member.shipped();
  },

  "is finished on closing": async ({ login, query }) => {
    const outbox = new MemoryOutbox();
    const options = { outbox, log: memoryLog(), hostName: "", onWhitelist: () => {}, keepLog: null };
    const fleet = new Fleet(login, options);
    for (let i = 0; i < 12_000; i++) outbox.add({});
    await fleet.close(30_000_000);
    assert.equal(outbox.backlog(), 0);
    assert.deepEqual([...await query(COUNT)], [{ count: 12_000, seqs: 12_000 }]);
  },

  "drops no log rows that are old by a wrong clock of this server alone": async ({ login, query }) => {
    await using first = new TestMember(login);
    first.outbox.add({ time: Date.now() * 1000 - 5 * DAY });
    await first.shipped();
    const right = Date.now;
    Date.now = () => right() + 400 * 86_400_000;
    try {
      await using second = new TestMember(login, { keepLog: 30 * DAY });
      await second.shipped();
      assert.equal((await query("SELECT FROM log")).length, 1);
    } finally {
      Date.now = right;
    }
  },

  "drops log rows older than keep_log by whole partitions": async ({ login, query }) => {
    const now = Date.now() * 1000;
    await using stack = new AsyncDisposableStack();
    const first = stack.use(new TestMember(login));
    for (const age of [0, 5, 40, 400, 10_000]) first.outbox.add({ time: now - age * DAY });
    await first.shipped();
    const second = stack.use(new TestMember(login, { keepLog: 30 * DAY }));
    await second.shipped();
    const rows = await query<{ seq: string }>("SELECT seq FROM log ORDER BY seq");
    assert.deepEqual(rows.map(({ seq }) => seq), ["1", "2"]);
    assert.match(second.log.infos.join(), /Dropped .*log_early/);
    first.outbox.add({ time: now - 400 * DAY });
    await first.shipped();
    assert.equal((await query("SELECT FROM log")).length, 3);
  },
});
