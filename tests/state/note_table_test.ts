import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { canonicalNetwork, textOfWords, wordsOf } from "../../lib/core/address.ts";
import { NetworkSet } from "../../lib/core/network_set.ts";
import { HIT, NoteWriter, readNotes, SPENT } from "../../lib/rules/note_record.ts";
import { SECOND } from "../../lib/core/time.ts";
import { Engine } from "../../lib/rules/engine.ts";
import type { Database } from "../../lib/state/database.ts";
import type { Value } from "../../lib/state/sqlite.ts";
import { migrateTallies } from "../../lib/state/note_migration.ts";
import { NoteTable } from "../../lib/state/note_table.ts";
import type { Rule } from "../../lib/rules/rule.ts";
import { condition, rule as anyRule } from "../support/helpers.ts";
import { Random } from "../support/random.ts";
import { eventOf, type Said } from "../support/events.ts";
import tallies from "../samples/state/tallies.json" with { type: "json" };

const FIELDS = ["message", "user", "path"];
const INVALID = condition({ texts: ["Invalid user"] });
/** The rules that the sample of tallies was made with. */
const RULES: readonly Rule[] = [
  anyRule({ name: "all", limit: 6, window: 30 * SECOND }),
  anyRule({ name: "short", condition: INVALID, limit: 2, window: 8 * SECOND }),
  anyRule({ name: "lasting", condition: INVALID, limit: 5, window: null }),
  anyRule({ name: "values", distinct: "user", limit: 3, window: 50 * SECOND }),
  anyRule({ name: "paths", distinct: "path", limit: 4, window: null }),
];

/** Bounds of a search that finds all notes. */
const ALL = { time: 0, patience: 60_000 };

/** Returns the times of records. */
function timesOf(content: Uint8Array): number[] {
  const times: number[] = [];
  for (const all = readNotes(content); all.next();) times.push(all.time);
  return times;
}

/** A database in memory as an earlier program left it. */
class OldState {
  readonly db = new DatabaseSync(":memory:");

  constructor(tallies: readonly (readonly [until: number | null, content: unknown])[] = []) {
    this.db.exec(`
      CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
      CREATE TABLE tally (id INTEGER PRIMARY KEY, until INTEGER, content TEXT NOT NULL)`);
    const insert = this.db.prepare("INSERT INTO tally (until, content) VALUES (?, ?)");
    for (const [until, content] of tallies) insert.run(until, JSON.stringify(content));
  }

  migrated(): NoteTable {
    migrateTallies(this.db);
    return new NoteTable(databaseOf(this.db));
  }

  untils(): (number | null)[] {
    const rows = this.db.prepare("SELECT until FROM note ORDER BY id").all() as { until: number | null }[];
    return rows.map(({ until }) => until);
  }
}

function databaseOf(db: DatabaseSync): Database {
  const methods = {
    all: (sql: string, values: Value[] = []) => db.prepare(sql).all(...values),
    each: (sql: string, values: Value[] = []) => db.prepare(sql).iterate(...values),
    get: (sql: string, values: Value[] = []) => db.prepare(sql).get(...values) ?? null,
    meta: (key: string) => db.prepare("SELECT value FROM meta WHERE key = ?").get(key)?.value,
    run: (sql: string, values: Value[] = []) => Number(db.prepare(sql).run(...values).changes),
    transaction: <T>(work: () => T) => work(),
  };
  return methods as unknown as Database;
}

const engineOf = (rules = RULES) =>
  new Engine([{ name: "SSHD", rules, form: { fields: FIELDS, literals: [] } }], {
    room: { addresses: 10_000, bytes: 96 },
  });

function add(engine: Engine, said: Said): [string, string, number, number][] {
  engine.add(eventOf(said, FIELDS));
  return engine.takeTrips().map((
    { reason, address, time, count },
  ) => [reason, address, time / SECOND, count]);
}

Deno.test("`migrateTallies()` makes notes that count as the tallies of an earlier program did", () => {
  const old = new OldState(tallies.tallies as unknown as [number | null, unknown][]);
  const table = old.migrated();
  const engine = engineOf();
  engine.restore(table);
  const trips = tallies.events.flatMap(([address, second, message, user, path]) =>
    add(engine, {
      address: address as string,
      time: (second as number) * SECOND,
      message: message as string,
      fields: { user: user as string, path: path as string },
    })
  );
  assert.ok(trips.length > 5);
  assert.deepEqual(trips, tallies.trips);
  const untils = tallies.tallies.map(([until]) => until as unknown);
  assert.deepEqual(old.untils(), untils, "each row stands as long as its tally did");
});

Deno.test("`NoteTable` deletes what does not matter any more, and keeps who was forgotten as long as anything before", () => {
  const old = new OldState();
  const table = old.migrated();
  table.forget(["192.0.2.1"]);
  assert.deepEqual(old.untils(), [], "there was nothing to forget");
  const row = (until: number | null) => ({ until, content: new Uint8Array(24) });
  table.add({ groups: [], forgotten: null, rows: [row(1_500), row(1_501)] });
  table.forget(["192.0.2.1"]);
  table.add({ groups: [], forgotten: null, rows: [row(null)] });
  table.forget(["2001:db8::/64"]);
  assert.deepEqual(old.untils(), [1_500, 1_501, 1_501, null, null]);
  table.deleteOld(1_500);
  assert.deepEqual(old.untils(), [1_501, 1_501, null, null]);
  const records = [...table.contents()].map((content) => readNotes(content));
  assert.deepEqual(records.map((all) => all.next() && [all.kind, all.prefix]).at(-1), [2, 64]);
});

Deno.test("`NoteTable.deleteOld()` deletes many notes in steps, those that ended first", () => {
  const old = new OldState();
  const table = old.migrated();
  const rows = Array.from({ length: 450 }, (_, n) => ({ until: 1_000 - n, content: new Uint8Array(24) }));
  table.add({ groups: [], forgotten: null, rows });
  assert.equal(table.deleteOld(1_000), 200);
  assert.equal(Math.min(...old.untils().map(Number)), 751);
  assert.deepEqual([table.deleteOld(1_000), table.deleteOld(1_000), table.deleteOld(1_000)], [200, 50, 0]);
});

Deno.test("`NoteTable.contentsOf()` gives the records that say something of an address or network, and no others", () => {
  const random = new Random(11);
  const table = new OldState().migrated();
  const writer = new NoteWriter();
  const addresses = [
    ...[
      "192.0.2.7",
      "192.0.2.8",
      "192.0.3.7",
      "192.1.2.7",
      "10.0.0.1",
      "1.192.0.2",
      "2001:db8::/64",
      "2001:db8:7::/48",
    ],
    ...["2001:db9::/64", "fd00::/16", "2001:db8::1", "64:ff9b::192.0.2.7"].map((address) =>
      canonicalNetwork(address)!
    ),
  ];
  for (let row = 0; row < 60; row++) {
    for (let i = 0; i < 5; i++) {
      const words = wordsOf(random.pick(addresses));
      writer.put({
        kind: random.below(2) === 0 ? HIT : SPENT,
        ...words,
        rules: 4_097,
        time: row * SECOND,
        value: 0,
      });
    }
    table.add({ groups: [], forgotten: null, rows: [{ until: null, content: writer.take() }] });
    if (row % 9 === 0) {
      table.forget([random.pick(["192.0.2.7", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32"])]);
    }
  }
  const textsOf = (contents: Iterable<Uint8Array>) =>
    [...contents].flatMap((content) => {
      const texts: string[] = [];
      for (const all = readNotes(content); all.next();) {
        texts.push(`${all.kind} ${all.time} ${textOfWords(all)}`);
      }
      return texts;
    });
  const targets = [
    ...[
      "192.0.2.7",
      "198.51.100.1",
      "192.0.2.0/24",
      "192.0.0.0/22",
      "192.0.0.0/16",
      "128.0.0.0/2",
      "0.0.0.0/0",
    ],
    ...[
      "2001:db8::5",
      "2001:db8::/64",
      "2001:db8::/46",
      "2000::/4",
      "::/0",
      "fd00:1::1",
      "64:ff9b::c000:207",
    ],
  ];
  for (const target of targets) {
    const expected = textsOf(table.contents()).filter((text) => {
      const about = text.split(" ")[2]!;
      return new NetworkSet([target]).covers(about) || new NetworkSet([about]).covers(target);
    });
    assert.deepEqual(textsOf([table.contentsOf(target, ALL).content]), expected, target);
  }
});

Deno.test("`NoteTable.contentsOf()` returns the newest 43,000 records at most, in order, and tells if there are more", () => {
  const table = new OldState().migrated();
  const writer = new NoteWriter();
  for (let row = 0; row < 10; row++) {
    for (let n = 0; n < 10_000; n++) {
      writer.put({ kind: HIT, ...wordsOf("192.0.2.7"), rules: 4_097, time: row, value: 0 });
    }
    table.add({ groups: [], forgotten: null, rows: [{ until: 1_500, content: writer.take() }] });
  }
  const { content, isComplete } = table.contentsOf("192.0.0.0/16", ALL);
  assert.deepEqual([...new Set(timesOf(content))], Array.from({ length: 5 }, (_, n) => n + 5));
  assert.equal(isComplete, false);
  assert.equal(table.contentsOf("198.51.100.7", ALL).isComplete, true, "nothing is left out of others");
});

Deno.test("`NoteTable.contentsOf()` returns the newest records where its patience ends, and says so", () => {
  const table = new OldState().migrated();
  const writer = new NoteWriter();
  for (let row = 0; row < 2_000; row++) {
    writer.put({ kind: HIT, ...wordsOf("192.0.2.7"), rules: 4_097, time: row, value: 0 });
    table.add({ groups: [], forgotten: null, rows: [{ until: null, content: writer.take() }] });
  }
  const { content, isComplete } = table.contentsOf("192.0.2.7", { time: 0, patience: -1 });
  const times = timesOf(content);
  assert.equal(times.at(-1), 1_999);
  assert.equal(times[0], 2_000 - times.length);
  assert.deepEqual([times.length < 2_000, isComplete], [true, false]);
  const all = table.contentsOf("192.0.2.7", ALL);
  assert.deepEqual([timesOf(all.content).length, all.isComplete], [2_000, true]);
});

Deno.test("`NoteTable.contentsOf()` leaves out rows whose end has come, and no row that has none", () => {
  const table = new OldState().migrated();
  const writer = new NoteWriter();
  for (const until of [1_500, 1_501, null]) {
    writer.put({ kind: HIT, ...wordsOf("192.0.2.7"), rules: 4_097, time: until ?? 0, value: 0 });
    table.add({ groups: [], forgotten: null, rows: [{ until, content: writer.take() }] });
  }
  const timesAt = (time: number) => timesOf(table.contentsOf("192.0.2.7", { ...ALL, time }).content);
  assert.deepEqual(timesAt(1_499), [1_500, 1_501, 0]);
  assert.deepEqual(timesAt(1_500), [1_501, 0]);
  assert.deepEqual(timesAt(1_501), [0]);
});

Deno.test("`NoteTable` keeps one seed, and the groups that notes name", () => {
  const old = new OldState();
  const table = old.migrated();
  assert.equal(new NoteTable(databaseOf(old.db)).seed, table.seed);
  table.add({ groups: [{ number: 3, rules: "[]" }, { number: 1, rules: "[]" }], forgotten: null, rows: [] });
  table.add({ groups: [{ number: 3, rules: "[1]" }], forgotten: null, rows: [] });
  assert.deepEqual(table.groups().map((group) => ({ ...group })), [
    { number: 1, rules: "[]" },
    { number: 3, rules: "[1]" },
  ]);
});

Deno.test("`NoteTable.rewrite()` replaces notes without an end by those that memory has, and counters stay as they are", () => {
  const random = new Random(4);
  const old = new OldState();
  const table = old.migrated();
  let engine = engineOf();
  engine.restore(table);
  let rewritten = 0;
  for (let batch = 0, second = 1_000; batch < 90; batch++) {
    if (batch % 7 === 6) {
      engine = engineOf();
      engine.restore(table);
    }
    const restored = engineOf();
    restored.restore(table);
    for (let i = 0; i < 1_000; i++) {
      second += random.below(2);
      const said = {
        address: `192.0.2.${random.below(60)}`,
        time: second * SECOND,
        message: random.pick(["Invalid user", "Hello"]),
        fields: { user: `u${random.below(6)}`, path: `p${random.below(9)}` },
      };
      const trips = add(engine, said);
      if (i < 100) assert.deepEqual(add(restored, said), trips, `batch ${batch}`);
      if (i === 500) engine.forget("192.0.2.1");
    }
    table.add(engine.takeNotes(second * SECOND));
    table.deleteOld((second - 60) * SECOND);
    const before = sizeOf(old.db);
    while (table.rewrite(engine));
    if (sizeOf(old.db) < before) rewritten++;
  }
  assert.ok(rewritten > 0);
  assert.ok(sizeOf(old.db) < 2 << 20);
});

function sizeOf(db: DatabaseSync): number {
  return (db.prepare("SELECT ifnull(sum(length(content)), 0) AS size FROM note").get() as { size: number })
    .size;
}
