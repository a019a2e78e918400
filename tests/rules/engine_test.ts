import { strict as assert } from "node:assert";
import { MINUTE, SECOND } from "../../lib/core/time.ts";
import { readNotes, textOfWords } from "../../lib/core/note_record.ts";
import { Engine, type EngineOptions, type RuledModule } from "../../lib/rules/engine.ts";
import type { StoredNotes } from "../../lib/rules/note_batch.ts";
import { NEVER, ONCE } from "../../lib/reading/message_reader.ts";
import type { BatchNotes, NoteRow } from "../../lib/rules/note_batch.ts";
import type { StoredGroup } from "../../lib/rules/rule_groups.ts";
import type { Rule, Trip } from "../../lib/rules/rule.ts";
import { Users } from "../../lib/rules/users.ts";
import { condition, rule as anyRule, STEADY } from "../support/helpers.ts";
import { Random } from "../support/random.ts";
import { eventOf, type Said } from "../support/events.ts";

const FIELDS = ["message", "user", "path"];
/** Memory for a few addresses is made sooner than for a million. */
const ROOM = { addresses: 100, bytes: 96 };
const NOW = 2_000 * SECOND;

const rule = (over: Partial<Rule> = {}) =>
  anyRule({ name: "invalid", condition: condition({ texts: ["Invalid user"] }), limit: 2, ...over });

const moduleOf = (rules: readonly Rule[], name = "SSHD"): RuledModule => ({
  name,
  rules,
  form: { fields: FIELDS, literals: [] },
});

const engineOf = (rules: readonly Rule[], options: EngineOptions = {}) =>
  new Engine([moduleOf(rules)], { room: ROOM, ...options });

function add(engine: Engine, said: Said = {}): Trip[] {
  engine.add(eventOf({ message: "Invalid user x", time: 1_000 * SECOND, ...said }, FIELDS));
  return engine.takeTrips();
}

/** A state in memory. */
class Store implements StoredNotes {
  readonly seed = 7;
  readonly #groups = new Map<number, string>();
  rows: NoteRow[] = [];

  add({ groups, forgotten, rows }: BatchNotes): void {
    for (const { number, rules } of groups) this.#groups.set(number, rules);
    if (forgotten) this.rows.push({ until: null, content: forgotten });
    this.rows.push(...rows);
  }

  groups(): StoredGroup[] {
    return [...this.#groups].map(([number, rules]) => ({ number, rules }));
  }

  loseGroups(): void {
    this.#groups.clear();
  }

  contents(): Uint8Array[] {
    return this.rows.map(({ content }) => content);
  }
}

Deno.test("`Engine.add()` counts each rule and address by itself and reports the trip with its reason", () => {
  const engine = engineOf([rule({ banTime: 5 * SECOND })]);
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
    assert.deepEqual(add(engine, { address }), []);
  }
  const trips = add(engine);
  assert.equal(engine.takeHits(), 4);
  assert.equal(engine.takeHits(), 0);
  assert.deepEqual(trips, [{
    address: "192.0.2.1",
    source: "192.0.2.1",
    time: 1_000 * SECOND,
    count: 3,
    module: "SSHD",
    rule: "invalid",
    reason: "[SSHD] invalid",
    banTime: 5 * SECOND,
    growth: STEADY,
    scope: "all",
  }]);
});

Deno.test("`Engine.add()` says whether an event hits a rule, be it that it does not count", () => {
  const engine = engineOf([rule({ distinct: "user" })]);
  const said = { message: "Invalid user x", fields: { user: "x" } };
  assert.equal(engine.add(eventOf(said, FIELDS)), true);
  assert.equal(engine.add(eventOf(said, FIELDS)), true, "a value that is known");
  assert.equal(engine.add(eventOf({ message: "Invalid user x" }, FIELDS)), true, "no value");
  assert.equal(engine.add(eventOf({ message: "Hello" }, FIELDS)), false);
  assert.equal(engine.takeHits(), 1);
});

Deno.test("`Engine.add()` counts nothing of a hit that may be a proxy's", () => {
  const engine = engineOf([rule()]);
  const said = { message: "Invalid user x", counting: NEVER };
  for (let i = 0; i < 9; i++) assert.equal(engine.add(eventOf(said, FIELDS)), true);
  assert.deepEqual([engine.takeTrips(), engine.takeHits(), engine.tracked], [[], 0, 0]);
});

Deno.test("`Engine.add()` counts one of the messages that an address sends at once", () => {
  const engine = engineOf([rule()]);
  const at = (second: number, address = "192.0.2.1") => {
    engine.add(
      eventOf({ message: "Invalid user x", counting: ONCE, time: second * SECOND, address }, FIELDS),
    );
    return engine.takeHits();
  };
  // The try goes on for ten seconds from its first message, late ones included.
  assert.deepEqual([1_000, 1_000, 1_009, 995, 1_010, 1_019, 1_020].map((second) => at(second)), [
    1,
    0,
    0,
    0,
    1,
    0,
    1,
  ]);
  assert.equal(engine.takeTrips().length, 1);
  assert.equal(at(1_020, "192.0.2.2"), 1, "another address");
});

Deno.test("`Engine.add()` counts each connection once by a rule with different ports", () => {
  const fields = ["message", "port"];
  const rules = [rule({ condition: condition({ texts: ["Invalid ", "Failed "] }), distinct: "port" })];
  const engine = new Engine([{ name: "SSHD", rules, form: { fields, literals: [] } }], { room: ROOM });
  for (const port of ["40001", "40002"]) {
    for (const message of ["Invalid user x", "Failed password for x", "Failed password for x"]) {
      engine.add(eventOf({ message, fields: { port } }, fields));
    }
  }
  assert.deepEqual([engine.takeHits(), engine.takeTrips()], [2, []]);
});

/** Counts answers of a web server by rules with `status` alone, which allow two hits unless told. */
function answersOf(over: Partial<Rule> = {}) {
  const fields = ["message", "status", "user"];
  const rules = [rule({ condition: null, status: new Set([401, 403, 404]), window: 10 * MINUTE, ...over })];
  const engine = new Engine([{ name: "WEB", rules, form: { fields, literals: [] } }], { room: ROOM });
  const seen = (
    status: string,
    minute: number,
    { user, address = "192.0.2.1" }: { user?: string; address?: string } = {},
  ) => {
    const said = { status, ...user ? { user } : {} };
    engine.add(eventOf({ address, time: minute * MINUTE, fields: said }, fields));
    assert.equal(engine.takeHits(), /^2/.test(status) ? 0 : 1);
    return engine.takeTrips()[0]?.count ?? 0;
  };
  const all = (count: number, ...[status, minute, over]: Parameters<typeof seen>) =>
    Array.from({ length: count }, () => seen(status, minute, over)).filter((trip) => trip > 0);
  return { seen, all, engine };
}

Deno.test("`Engine.add()` gives a user ten times the limit of rules with a status alone", () => {
  const answers = answersOf();
  assert.deepEqual(answers.all(3, "401", 0), [3], "nobody is known yet");
  answers.seen("207", 1);
  assert.deepEqual(answers.all(3, "404", 1), [3], "served without a name");
  answers.seen("207", 2, { user: "nina" });
  assert.deepEqual(answers.all(21, "404", 2), [21]);
  assert.deepEqual(answers.all(21, "401", 3), [21]);
  assert.deepEqual(answers.all(3, "401", 3, { user: "nina" }), [3], "a wrong password");
  assert.deepEqual(answers.all(3, "404", 3, { address: "192.0.2.2" }), [3], "somebody else");
  assert.deepEqual(answers.all(3, "404", 12), [3], "ten minutes later");
});

Deno.test("`Engine.add()` bans who gives a name with each request after ten times the limit", () => {
  assert.deepEqual(answersOf().all(21, "404", 0, { user: "x" }), [21]);
  assert.deepEqual(answersOf().all(3, "403", 0, { user: "x" }), [3]);
  const texts = answersOf({ condition: condition({ fields: ["status"], texts: ["404"] }) });
  assert.deepEqual(texts.all(3, "404", 0, { user: "x" }), [3], "a rule that looks at more");
});

Deno.test("`Engine.add()` goes on to be lenient with the hits of a user who is no longer known", () => {
  const answers = answersOf();
  answers.seen("207", 0, { user: "nina" });
  assert.deepEqual(answers.all(10, "401", 9), []);
  assert.deepEqual(answers.all(1, "401", 9, { user: "nina" }), [], "a wrong password among them");
  assert.deepEqual(answers.all(10, "401", 11), [21]);
});

Deno.test("`Users` remembers the newest of more addresses than there is room for", () => {
  const users = new Users();
  const address = (n: number) => ({ w0: 0, w1: 0, w2: 0xffff, w3: n, prefix: 128 });
  assert.equal(users.has(address(1), SECOND), false);
  for (let n = 0; n < 50_000; n++) users.note(address(n), n);
  assert.ok(users.has(address(49_999), 50_000));
  const kept = Array.from({ length: 50_000 }, (_, n) => users.has(address(n), 50_000)).lastIndexOf(false);
  assert.ok(kept > 0 && kept < 49_000, `${kept}`);
});

Deno.test("`Engine.add()` counts nothing that a local user could have forged, or that names nobody", () => {
  const engine = engineOf([rule()]);
  for (let i = 0; i < 9; i++) {
    assert.deepEqual(add(engine, { isTrusted: false }), []);
    assert.deepEqual(add(engine, { address: "nobody" }), []);
  }
  assert.equal(engine.takeHits(), 0);
  assert.equal(engine.tracked, 0);
});

Deno.test("`Engine.add()` counts IPv6 addresses by their networks, and names the last one of them", () => {
  const engine = engineOf([rule()], { ipv6Prefix: 56 });
  const addresses = ["2001:db8:0:12::1", "2001:db8:0:ff::2", "2001:db8:0:100::3", "2001:db8::4"];
  const trips = addresses.flatMap((address) => add(engine, { address }));
  assert.deepEqual(trips.map(({ address, source, count }) => [address, source, count]), [
    ["2001:db8::/56", "2001:db8::4", 3],
  ]);
});

Deno.test("`Engine.add()` counts clients behind gateways from IPv4 one by one, and a 6to4 site as one", () => {
  const engine = engineOf([rule()], { ipv6Prefix: 64 });
  const last = ["c633:6401", "c633:6402", "c633:6403", "c633:6404"];
  const kinds = ["64:ff9b::", "64:ff9b:1::", "::ffff:0:", "2001:0:c000:201:0:ffff:"];
  for (const kind of kinds) {
    assert.deepEqual(last.flatMap((n) => add(engine, { address: kind + n })), [], kind);
    const trips = [1, 2].flatMap(() => add(engine, { address: kind + last[0] }));
    assert.deepEqual(trips.map(({ address }) => address), [kind + last[0]]);
  }
  assert.deepEqual(last.flatMap((n) => add(engine, { address: `2002:${n}::1` })), []);
  const site = ["2002:c633:6409::1", "2002:c633:6409:1::1", "2002:c633:6409:2::1"];
  const trips = site.flatMap((address) => add(engine, { address }));
  assert.deepEqual(trips.map(({ address }) => address), ["2002:c633:6409::/48"]);
});

Deno.test("`Engine.add()` counts ISATAP addresses by their network, as their sender chooses the address inside", () => {
  for (const kind of ["2001:db8::5efe:", "2001:db8::200:5efe:"]) {
    const engine = engineOf([rule()], { ipv6Prefix: 64 });
    const trips = [1, 2, 3].flatMap((n) => add(engine, { address: `${kind}c633:640${n}` }));
    assert.deepEqual(trips.map(({ address }) => address), ["2001:db8::/64"]);
  }
});

Deno.test("`Engine.add()` asks how lenient it is to be where a limit was passed", () => {
  const asked: [string, number][] = [];
  const lenience = (address: string, time: number) => {
    asked.push([address, time]);
    return 2;
  };
  const engine = engineOf([rule()], { lenience });
  const counts = Array.from({ length: 6 }, () => add(engine)[0]?.count);
  assert.deepEqual(counts, [undefined, undefined, undefined, undefined, 5, undefined]);
  assert.deepEqual(asked, Array.from({ length: 3 }, () => ["192.0.2.1", 1_000 * SECOND]));
});

Deno.test("`Engine.add()` counts an event that was written many times as so many events, as far as limits need", () => {
  const rules = [
    rule(),
    rule({ name: "many", limit: 7 }),
    rule({ name: "names", distinct: "user", limit: 1 }),
  ];
  const said = { message: "Invalid user x", fields: { user: "x" } };
  for (const count of [2, 3, 7, 8, 1_000_000_000]) {
    const [engine, plain] = [engineOf(rules), engineOf(rules)];
    const trips = add(engine, { ...said, count });
    const expected = Array.from({ length: Math.min(count, 8) }, () => add(plain, said)).flat();
    assert.deepEqual(trips, expected, `${count} times`);
    assert.equal(engine.takeHits(), plain.takeHits());
  }
  const lenient = engineOf(rules, { lenience: () => 3 });
  assert.deepEqual(add(lenient, { ...said, count: 1_000 }).map(({ rule, count }) => [rule, count]), [
    ["invalid", 7],
    ["invalid", 7],
    ["invalid", 7],
    ["many", 22],
  ]);
});

Deno.test("`Engine.restore()` bans no user for hits that were let past a limit before", () => {
  const [before, after, store] = [answersOf(), answersOf(), new Store()];
  before.engine.restore(store);
  before.seen("207", 0, { user: "nina" });
  assert.deepEqual(before.all(10, "401", 1), []);
  store.add(before.engine.takeNotes(MINUTE));
  after.engine.restore(store);
  assert.deepEqual(after.all(11, "401", 2), [21]);
});

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

Deno.test("`Engine.add()` counts each value of a rule with `distinct` once, long ones too", () => {
  const engine = engineOf([rule({ condition: null, distinct: "path" })]);
  const get = (path?: string) => {
    const trips = add(engine, { fields: path === undefined ? {} : { path } });
    return [engine.takeHits(), trips[0]?.count];
  };
  const long = "/".padEnd(5_000, "x");
  assert.deepEqual(get("/a"), [1, undefined]);
  assert.deepEqual(get("/a"), [0, undefined]);
  assert.deepEqual(get(), [0, undefined], "no value, no hit");
  assert.deepEqual(get(`${long}1`), [1, undefined]);
  assert.deepEqual(get(`${long}1`), [0, undefined]);
  assert.deepEqual(get(`${long}2`), [1, 3]);
});

Deno.test("`Engine.takeTrips()` tells trips of one event in configured order, whatever their rules count", () => {
  const distinct = ["path", null, "user", null, "path"];
  const rules = distinct.map((distinct, i) => rule({ name: `${i}`, limit: 1, distinct }));
  const engine = engineOf(rules);
  add(engine, { fields: { user: "a", path: "/a" } });
  const trips = add(engine, { fields: { user: "b", path: "/b" } });
  assert.deepEqual(trips.map(({ reason }) => reason), distinct.map((_, i) => `[SSHD] ${i}`));
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
  // What was spent comes first, and has taken the rule off the hits that it used up.
  assert.deepEqual(seen, [
    [130, [[1, "192.0.2.1", 1, 102]]],
    [121, [[0, "192.0.2.1", 1 << 12 | 1, 101]]],
    [192, [[0, "192.0.2.1", 2, 100], [0, "192.0.2.1", 2, 102]]],
  ]);
  assert.deepEqual(engine.takeNotes(110 * SECOND), { groups: [], forgotten: null, rows: [] });
});

Deno.test("`Engine.takeRuleHits()` says when each rule counted a hit last and how often, once", () => {
  const rules = [rule(), rule({ name: "users", distinct: "user" })];
  const engine = engineOf(rules);
  add(engine, { time: 5, fields: { user: "a" } });
  add(engine, { time: 7, fields: { user: "a" } });
  add(engine, { time: 6, fields: { user: "b" } });
  assert.deepEqual(engine.takeRuleHits(), [
    { service: "SSHD", rule: "invalid", time: 7, count: 3 },
    { service: "SSHD", rule: "users", time: 6, count: 2 },
  ]);
  assert.deepEqual(engine.takeRuleHits(), []);
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

Deno.test("`Engine` counts lines that hit any number of rules and values of any number of fields", () => {
  const rules = Array.from(
    { length: 50 },
    (_, i) =>
      anyRule({ name: `r${i}`, distinct: [null, "user", "path", "message"][i % 4]!, limit: i % 3 + 1 }),
  );
  const engine = engineOf(rules);
  const trips = Array.from(
    { length: 6 },
    (_, i) =>
      add(engine, { message: `m${i}`, fields: { user: `u${i}`, path: i === 1 ? "p0" : `p${i}` } })
        .map(({ reason }) => reason).sort(),
  );
  assert.equal(engine.takeHits(), 6 * 50 - 12);
  const expected = (line: number) =>
    rules.filter(({ limit, distinct }) => {
      const counted = distinct === "path" && line > 0 ? line : line + 1;
      const isNew = !(distinct === "path" && line === 1);
      return isNew && counted % (limit + 1) === 0;
    }).map(({ name }) => `[SSHD] ${name}`).sort();
  trips.forEach((found, line) => assert.deepEqual(found, expected(line), `line ${line}`));
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
    assert.equal(restored.takeHits(), engine.takeHits());
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
  assert.ok(engine.evicted >= 900);
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
