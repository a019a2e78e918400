import { memoryLog } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { HOUR, now } from "../../lib/core/time.ts";
import { VIEW_NAMES } from "../../lib/postgres/views.ts";
import { makePartitions } from "../../lib/postgres/partitions.ts";
import { migrate } from "../../lib/postgres/schema.ts";
import { TestMember, testOnPostgres } from "../support/postgres_fixtures.ts";

const PAGE = new URL("../../docs/scale.md", import.meta.url);

/** The commands of docs/scale.md that replace `log`, without those of TimescaleDB, which is not here. */
async function replacement(): Promise<string> {
  const [, commands] = /```sql\n(BEGIN;.*?)```/s.exec(await Deno.readTextFile(PAGE))!;
  const plain = commands!.replace(/^SELECT create_hypertable.*\n/m, "");
  assert.notEqual(plain, commands);
  return plain;
}

/** Columns of the key of `log` and of each partition, by name. */
const KEY = "host, seq, time";

await testOnPostgres("the table `log` for other engines", {
  "has time and host in its key, no foreign key and no trigger": async ({ connect, query }) => {
    const connection = await connect();
    await migrate(connection, memoryLog());
    await makePartitions(connection, [now()]);
    // TimescaleDB wants the time in each unique index of a hypertable and of its parts, Citus what it distributes by.
    const indexes = await query<{ columns: string }>(
      `SELECT string_agg(attname, ', ' ORDER BY attname) AS columns FROM pg_index
       JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
       WHERE indisunique AND (indrelid = 'log'::regclass OR indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'log'::regclass))
       GROUP BY indexrelid`,
    );
    assert.deepEqual(indexes.map(({ columns }) => columns), [KEY, KEY]);
    const constraints = await query<{ kind: string; definition: string }>(
      `SELECT contype AS kind, pg_get_constraintdef(oid) AS definition FROM pg_constraint
       WHERE contype IN ('p', 'f', 'u') AND ('log'::regclass IN (conrelid, confrelid))`,
    );
    assert.deepEqual([...constraints], [{ kind: "p", definition: 'PRIMARY KEY ("time", host, seq)' }]);
    assert.equal((await query("SELECT FROM pg_trigger WHERE tgrelid = 'log'::regclass")).length, 0);
  },

  "is replaced by the commands of docs/scale.md, and members go on": async ({ connect, login, query }) => {
    await migrate(await connect(), memoryLog());
    const user = `web_${login.database}`;
    await query(
      `CREATE ROLE ${user} LOGIN PASSWORD 'p' NOSUPERUSER; SELECT strongmonitor_admit('${user}')`,
    );
    await using member = new TestMember({ ...login, user, password: "p" });
    member.outbox.add({ time: now() - HOUR });
    await member.shipped();
    await query(await replacement());
    member.outbox.add({ time: now() });
    await member.shipped();
    const lines = await query("SELECT seq::int FROM log ORDER BY seq");
    assert.equal(lines.length, 2);
    const other = await connect({ ...login, user, password: "p" });
    await assert.rejects(
      other.query("INSERT INTO log SELECT gen_random_uuid(), 9, '', '192.0.2.9', now(), ''"),
      /row-level security/,
    );
    await migrate(await connect(), memoryLog());
    for (const view of VIEW_NAMES) await other.query(`SELECT FROM ${view}`);
    assert.deepEqual([member.log.warnings, member.log.errors], [[], []]);
  },
});
