import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { textOfWords } from "../../lib/core/address.ts";
import { readNotes } from "../../lib/rules/note_record.ts";
import { Engine } from "../../lib/rules/engine.ts";
import type { NoteRow } from "../../lib/rules/note_batch.ts";
import type { Rule, Trip } from "../../lib/rules/rule.ts";
import { add, engineOf, moduleOf, NOW, ROOM, rule, Store, takeHits } from "../support/engine.ts";
import { condition, rule as anyRule } from "../support/helpers.ts";
import { Random } from "../support/random.ts";
import type { Said } from "../support/events.ts";

Deno.test("`Engine.restore()` remembers how often an event was written", () => {
  const store = new Store();
  const before = engineOf([rule({ limit: 7 })]);
  before.restore(store);
  assert.deepEqual(add(before, { count: 7 }), []);
  store.add(before.takeNotes(NOW));
  const engine = engineOf([rule({ limit: 7 })]);
  engine.restore(store);
  assert.equal(add(engine)[0]?.count, 8);
});

Deno.test("`Engine.takeNotes()` gives one record for each line, and those together that stop mattering together", () => {
  const engine = engineOf([
    rule({ name: "short", window: 20 * SECOND, limit: 1 }),
    rule({ name: "long", window: 90 * SECOND }),
    rule({ name: "other", condition: condition({ texts: ["Hello"] }), window: 20 * SECOND }),
  ]);
  add(engine, { time: 100 * SECOND });
  add(engine, { time: 101 * SECOND, message: "Hello" });
  add(engine, { time: 102 * SECOND });
  const { groups, forgotten, rows } = engine.takeNotes(110 * SECOND);
  assert.deepEqual(groups.map(({ rules }) => JSON.parse(rules)), [
    [["SSHD", "short", null, false], ["SSHD", "long", null, false]],
    [["SSHD", "other", null, false]],
  ]);
  assert.equal(forgotten, null);
  const seen = rows.map(({ until, content }) => {
    const [all, records] = [readNotes(content), []] as [ReturnType<typeof readNotes>, unknown[]];
    while (all.next()) records.push([all.kind, textOfWords(all), all.rules, all.time / SECOND]);
    return [until! / SECOND, records];
  });
  // What was spent comes first, has taken the rule off the hits that it used up, and stays as long as these.
  assert.deepEqual(seen, [
    [200, [[1, "192.0.2.1", 1, 102]]],
    [121, [[0, "192.0.2.1", 1 << 12 | 1, 101]]],
    [192, [[0, "192.0.2.1", 2, 100], [0, "192.0.2.1", 2, 102]]],
  ]);
  assert.deepEqual(engine.takeNotes(110 * SECOND), { groups: [], forgotten: null, rows: [] });
});

Deno.test("`Engine.restore()` goes on counting where the stored notes end, and skips rules no longer there", () => {
  const store = new Store();
  const before = engineOf([rule({ name: "gone" }), rule()]);
  before.restore(store);
  add(before);
  add(before);
  store.add(before.takeNotes(NOW));
  const engine = engineOf([rule()]);
  engine.restore(store);
  assert.equal(add(engine)[0]?.count, 3);
  engine.restore(store);
  engine.forget("192.0.2.1");
  assert.deepEqual(add(engine), []);
});

Deno.test("`Engine.restore()` leaves out hits that were counted another way", () => {
  const store = new Store();
  const hits = (over: Partial<Rule>, fields: Record<string, string> = {}) => {
    const engine = engineOf([rule(over)]);
    engine.restore(store);
    const trips = add(engine, { fields });
    store.add(engine.takeNotes(NOW));
    return trips[0]?.count;
  };
  hits({});
  hits({});
  hits({ distinct: "path" }, { path: "a" });
  assert.equal(hits({ distinct: "user" }, { user: "a" }), undefined);
  assert.equal(hits({ distinct: "user" }, { user: "a" }), undefined, "known from before");
  assert.equal(hits({ distinct: "user" }, { user: "b" }), undefined);
  assert.equal(hits({ distinct: "user" }, { user: "c" }), 3);
  assert.equal(hits({}), 3);
});

Deno.test("`Engine.restore()` trips nobody; more hits than a lower limit allows ban with the next", () => {
  const store = new Store();
  const before = engineOf([rule({ limit: 9 })]);
  before.restore(store);
  for (let i = 0; i < 5; i++) add(before);
  store.add(before.takeNotes(NOW));
  const engine = engineOf([rule()]);
  engine.restore(store);
  assert.deepEqual(engine.takeTrips(), []);
  assert.equal(add(engine)[0]?.count, 6);
});

const WORDS = ["Invalid user", "Hello", "Failed"];
const RULES: readonly Rule[] = [
  anyRule({ name: "all", limit: 6, window: 30 * SECOND }),
  rule({ name: "short", window: 8 * SECOND }),
  rule({ name: "lasting", limit: 5, window: null }),
  anyRule({ name: "values", distinct: "user", limit: 3, window: 50 * SECOND }),
  anyRule({ name: "paths", distinct: "path", limit: 4, window: null }),
  anyRule({ name: "hello", condition: condition({ texts: ["Hello"] }), limit: 3, window: 20 * SECOND }),
];

function randomSaid(random: Random, second: number): Said {
  const late = random.below(10) === 0 ? random.below(random.below(3) === 0 ? 60 : 5) : 0;
  return {
    address: random.below(8) === 0 ? `2001:db8::${random.below(3)}` : `192.0.2.${random.below(4)}`,
    time: (second - late) * SECOND,
    message: random.pick(WORDS),
    fields: random.below(6) === 0 ? {} : { user: `u${random.below(6)}`, path: `p${random.below(7)}` },
  };
}

Deno.test("`Engine.takeNotes()`, restored, count as the engine did that they come from", () => {
  const random = new Random(11);
  const engine = engineOf(RULES);
  const store = new Store();
  engine.restore(store);
  let trips = 0;
  for (let batch = 0, second = 1_000; batch < 400; batch++) {
    const restored = engineOf(RULES);
    restored.restore(store);
    if (random.below(10) === 0) {
      const address = `192.0.2.${random.below(4)}`;
      for (const one of [engine, restored]) one.forget(address);
    }
    for (let i = random.below(12); i >= 0; i--) {
      second += random.below(4);
      const count = random.below(10) === 0 ? 1 + random.below(9) : 1;
      const said = { ...randomSaid(random, second), count };
      const [first, second_] = [add(engine, said), add(restored, said)];
      assert.deepEqual(second_, first, `batch ${batch}`);
      trips += first.length;
    }
    assert.equal(takeHits(restored), takeHits(engine));
    const notes = engine.takeNotes(second * SECOND);
    assert.ok(notes.rows.every(({ until }) => until === null || until > (second - 60) * SECOND));
    store.add(notes);
    if (random.below(20) === 0) rewrite(engine, store);
  }
  assert.ok(trips > 100);
});

/** Puts what the engine has of lasting notes in place of all rows without an end. */
function rewrite(engine: Engine, store: Store): void {
  const rows: NoteRow[] = [];
  for (let number: number | null = 0; number !== null;) {
    const part: ReturnType<Engine["lasting"]> = engine.lasting(number);
    rows.push({ until: null, content: part!.content });
    number = part!.next;
  }
  // Who was forgotten still matters to notes that have an end.
  const isForgetting = ({ content }: NoteRow) => {
    const all = readNotes(content);
    while (all.next()) if (all.kind !== 2) return false;
    return true;
  };
  store.rows = [...store.rows.filter((row) => row.until !== null || isForgetting(row)), ...rows];
}

Deno.test("`Engine.restore()` understands notes of configurations that had other rules in another order", () => {
  const random = new Random(12);
  const store = new Store();
  // Each rule by itself tells how it counts: a rule that is away misses nothing but what came meanwhile.
  for (let round = 0, second = 1_000; round < 120; round++) {
    const rules = RULES.filter(() => random.below(4) > 0).toSorted(() => random.below(3) - 1);
    const [engine, ...singles] = [rules, ...rules.map((one) => [one])].map((some) => {
      const engine = engineOf(some);
      engine.restore(store);
      return engine;
    });
    for (let i = 0; i < 15; i++) {
      second += random.below(3);
      const said = randomSaid(random, second);
      const expected = singles.flatMap((single) => add(single, said));
      const byReason = (a: Trip, b: Trip) => a.reason < b.reason ? -1 : 1;
      assert.deepEqual(add(engine!, said).sort(byReason), expected.sort(byReason), `round ${round}`);
    }
    store.add(engine!.takeNotes(second * SECOND));
  }
});

Deno.test("`Engine.nameGroups()` gives a state back the groups that it has lost, and counters go on", () => {
  const [engine, store] = [engineOf([rule()]), new Store()];
  engine.restore(store);
  add(engine);
  store.add(engine.takeNotes(NOW));
  store.loseGroups();
  engine.nameGroups();
  add(engine);
  store.add(engine.takeNotes(NOW));
  const restored = engineOf([rule()]);
  restored.restore(store);
  assert.equal(add(restored).length, 1);
  // Those that come from the state are known as well.
  store.loseGroups();
  restored.nameGroups();
  store.add(restored.takeNotes(NOW));
  assert.equal(store.groups().length, 1);
});

Deno.test("`Engine.restore()` counts notes whose groups are lost for no other rule", () => {
  const store = new Store();
  const before = engineOf([rule()]);
  for (let i = 0; i < 2; i++) add(before);
  store.add(before.takeNotes(NOW));
  store.loseGroups();
  const other = rule({ name: "failed", condition: condition({ texts: ["Failed"] }) });
  const second = engineOf([other]);
  second.restore(store);
  assert.deepEqual(add(second, { message: "Failed", address: "192.0.2.9" }), []);
  store.add(second.takeNotes(NOW));
  const third = engineOf([other]);
  third.restore(store);
  assert.deepEqual(add(third, { message: "Failed" }), []);
});

Deno.test("`Engine` forgets no address of a module for a flood of another's, and neither's lasting notes for the other's", () => {
  const slow = rule({ name: "slow", window: null });
  const make = () => new Engine([moduleOf([slow]), moduleOf([slow], "WEB")], { room: ROOM });
  const store = new Store();
  const engine = make();
  const [attacker, both] = ["192.0.2.1", "192.0.2.2"];
  add(engine, { address: attacker });
  for (const module of [0, 1]) add(engine, { address: both, module });
  for (let i = 0; i < 1_000; i++) add(engine, { module: 1, address: `10.0.${i >> 8}.${i & 255}` });
  // The one of before the flood is among the evicted.
  add(engine, { address: both, module: 1 });
  assert.ok(engine.takeEvicted() >= 900);
  add(engine, { address: attacker });
  assert.equal(add(engine, { address: attacker }).length, 1, "two hits before the flood and in it, and this");
  store.add(engine.takeNotes(NOW));
  const again = make();
  for (const round of [1, 2]) {
    again.restore(store);
    // Written once more, as where a crash kept the first ones from being deleted.
    for (let next: number | null = 0; next !== null;) {
      const part: ReturnType<Engine["lasting"]> = again.lasting(next);
      store.rows.push({ until: null, content: part!.content });
      next = part!.next;
    }
    again.restore(store);
    const trips = [0, 1].map((module) => {
      const counted = make();
      counted.restore(store);
      return [1, 2].map(() => add(counted, { address: both, module }).length);
    });
    assert.deepEqual(trips, [[0, 1], [0, 1]], `round ${round}`);
  }
});

Deno.test("`Engine.lasting()` waits until all notes are stored", () => {
  const engine = engineOf([rule({ window: null })]);
  add(engine);
  assert.equal(engine.lasting(0), null);
  engine.takeNotes(NOW);
  const { content, next } = engine.lasting(0)!;
  assert.equal(next, null);
  const all = readNotes(content);
  const kinds = [];
  while (all.next()) kinds.push(all.kind);
  assert.deepEqual(kinds, [2, 0], "the address begins anew, and then its note");
});
