import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { Engine } from "../../lib/rules/engine.ts";
import { EACH, NEVER, ONCE } from "../../lib/reading/message_reader.ts";
import { add, engineOf, FIELDS, ROOM, rule, Store, takeHits } from "../support/engine.ts";
import { condition, rule as anyRule, STEADY } from "../support/helpers.ts";
import type { Rule } from "../../lib/rules/rule.ts";
import { eventOf, type Said } from "../support/events.ts";
import { Random } from "../support/random.ts";

Deno.test("`Engine.add()` counts each rule and address by itself and reports the trip with its reason", () => {
  const engine = engineOf([rule({ banTime: 5 * SECOND })]);
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
    assert.deepEqual(add(engine, { address }), []);
  }
  const trips = add(engine);
  assert.equal(takeHits(engine), 4);
  assert.equal(takeHits(engine), 0);
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

Deno.test("`Engine` prepares the rules of a module for its first event", () => {
  const prepared: string[] = [];
  const modules = ["SSHD", "NGINX"].map((name) => ({
    name,
    rules: [rule()],
    form: {
      fields: FIELDS,
      get literals() {
        prepared.push(name);
        return [];
      },
    },
  }));
  const engine = new Engine(modules, { room: ROOM });
  engine.restore(new Store());
  assert.deepEqual(engine.countsAt("192.0.2.1", 1_000 * SECOND), []);
  assert.deepEqual(prepared, []);
  assert.equal(engine.add(eventOf({ message: "Invalid user x" }, FIELDS)), true);
  assert.deepEqual(prepared, ["SSHD"]);
});

Deno.test("`Engine.add()` says whether an event hits a rule, be it that it does not count", () => {
  const engine = engineOf([rule({ distinct: "user" })]);
  const said = { message: "Invalid user x", fields: { user: "x" } };
  assert.equal(engine.add(eventOf(said, FIELDS)), true);
  assert.equal(engine.add(eventOf(said, FIELDS)), true, "a value that is known");
  assert.equal(engine.add(eventOf({ message: "Invalid user x" }, FIELDS)), true, "no value");
  assert.equal(engine.add(eventOf({ message: "Hello" }, FIELDS)), false);
  assert.equal(takeHits(engine), 1);
});

Deno.test("`Engine.add()` counts nothing of a hit that may be a proxy's", () => {
  const engine = engineOf([rule()]);
  const said = { message: "Invalid user x", counting: NEVER };
  for (let i = 0; i < 9; i++) assert.equal(engine.add(eventOf(said, FIELDS)), true);
  assert.deepEqual([engine.takeTrips(), takeHits(engine), engine.tracked], [[], 0, 0]);
});

Deno.test("`Engine.add()` counts one of the messages that an address sends at once", () => {
  const engine = engineOf([rule()]);
  const at = (second: number, address = "192.0.2.1") => {
    engine.add(
      eventOf({ message: "Invalid user x", counting: ONCE, time: second * SECOND, address }, FIELDS),
    );
    return takeHits(engine);
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
  assert.deepEqual([takeHits(engine), engine.takeTrips()], [2, []]);
});

/** Counts answers of a web server by rules with `status` alone, which allow two hits unless told. */

Deno.test("`Engine.add()` counts nothing that a local user could have forged, or that names nobody", () => {
  const engine = engineOf([rule()]);
  for (let i = 0; i < 9; i++) {
    assert.deepEqual(add(engine, { isTrusted: false }), []);
    assert.deepEqual(add(engine, { address: "nobody" }), []);
  }
  assert.equal(takeHits(engine), 0);
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

Deno.test("`Engine.add()` counts an event that was written many times as so many events, as far as each limit needs", () => {
  const rules = [
    rule(),
    rule({ name: "many", limit: 7 }),
    rule({ name: "names", distinct: "user", limit: 1 }),
  ];
  const said = { message: "Invalid user x", fields: { user: "x" } };
  const trips = (engine: Engine, count: number) =>
    add(engine, { ...said, count }).map(({ rule, count }) => [rule, count]);
  for (
    const [count, expected, hits] of [
      [2, [], 5],
      [3, [["invalid", 3]], 7],
      [7, [["invalid", 3]], 11],
      [8, [["invalid", 3], ["many", 8]], 12],
      [1_000_000_000, [["invalid", 3], ["many", 8]], 12],
    ] as const
  ) {
    const engine = engineOf(rules);
    assert.deepEqual(trips(engine, count), expected, `${count} times`);
    assert.equal(takeHits(engine), hits, `${count} times`);
  }
  assert.deepEqual(trips(engineOf(rules, { lenience: () => 3 }), 1_000), [["invalid", 7], ["many", 22]]);
});

Deno.test("`Engine.add()` counts for each rule as if it stood alone, be events repeated or sent at once", () => {
  const about = (text: string) => condition({ mode: "anywhere", texts: [text] });
  const rules = [
    rule({ name: "all", limit: 3 }),
    rule({ name: "ab", condition: about("b"), limit: 1 }),
    rule({ name: "users", distinct: "user", limit: 1 }),
    rule({ name: "many", limit: 20 }),
  ];
  const random = new Random(1);
  const said: Said[] = Array.from({ length: 500 }, (_, i) => ({
    message: `Invalid user ${random.pick(["a", "b"])}`,
    fields: { user: random.pick(["x", "y"]) },
    time: (1_000 + 3 * i) * SECOND,
    address: random.pick(["192.0.2.1", "192.0.2.2"]),
    counting: random.pick([EACH, EACH, ONCE, NEVER]),
    count: random.pick([1, 1, 1, 2, 9]),
  }));
  const tripsOf = (rules: readonly Rule[]) => {
    const engine = engineOf(rules);
    return said.flatMap((one) => add(engine, one)).toSorted((a, b) => a.rule < b.rule ? -1 : 1);
  };
  const alone = rules.flatMap((one) => tripsOf([one]));
  assert.deepEqual(tripsOf(rules), alone.toSorted((a, b) => a.rule < b.rule ? -1 : 1));
  assert.deepEqual([...new Set(alone.map(({ rule }) => rule))].sort(), ["ab", "all", "many", "users"]);
});

Deno.test("`Engine.add()` remembers as many tries for a rule as if it stood alone", () => {
  const engine = engineOf([rule(), rule({ name: "same" })]);
  const said = { message: "Invalid user x", counting: ONCE };
  for (let i = 0; i < 9_000; i++) add(engine, { ...said, address: `192.0.${i >> 8}.${i & 255}` });
  takeHits(engine);
  add(engine, { ...said, address: "192.0.0.0" });
  assert.equal(takeHits(engine), 0);
});

Deno.test("`Engine.add()` counts each value of a rule with `distinct` once, long ones too", () => {
  const engine = engineOf([rule({ condition: null, distinct: "path" })]);
  const get = (path?: string) => {
    const trips = add(engine, { fields: path === undefined ? {} : { path } });
    return [takeHits(engine), trips[0]?.count];
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

Deno.test("`Engine.takeRuleHits()` says when each rule counted a hit last and how often, once", () => {
  const rules = [rule(), rule({ name: "users", distinct: "user" })];
  const engine = engineOf(rules);
  add(engine, { time: 5, fields: { user: "a" } });
  add(engine, { time: 7, fields: { user: "a" } });
  add(engine, { time: 6, fields: { user: "b" } });
  assert.deepEqual(engine.takeRuleHits(), [
    { module: "SSHD", rule: "invalid", time: 7, count: 3 },
    { module: "SSHD", rule: "users", time: 6, count: 2 },
  ]);
  assert.deepEqual(engine.takeRuleHits(), []);
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
  assert.equal(takeHits(engine), 6 * 50 - 12);
  const expected = (line: number) =>
    rules.filter(({ limit, distinct }) => {
      const counted = distinct === "path" && line > 0 ? line : line + 1;
      const isNew = !(distinct === "path" && line === 1);
      return isNew && counted % (limit + 1) === 0;
    }).map(({ name }) => `[SSHD] ${name}`).sort();
  trips.forEach((found, line) => assert.deepEqual(found, expected(line), `line ${line}`));
});
