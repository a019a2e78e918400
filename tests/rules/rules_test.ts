import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/duration.ts";
import { Engine } from "../../lib/rules/engine.ts";
import { Matcher } from "../../lib/rules/matcher.ts";
import { DistinctWindow, SlidingWindow } from "../../lib/rules/window.ts";
import { Whitelist } from "../../lib/rules/whitelist.ts";
import type { Condition, LogEvent, Module, Rule } from "../../lib/types.ts";
import { condition, rule as anyRule, STEADY } from "../helpers.ts";

const rule = (over: Partial<Rule> = {}) =>
  anyRule({ name: "invalid", condition: condition({ texts: ["Invalid user"] }), limit: 2, ...over });
const module: Module = { name: "SSHD", identifiers: ["sshd"], units: [], files: [], parse: () => null };

function event(over: Partial<LogEvent> = {}): LogEvent {
  return {
    service: "SSHD",
    address: "192.0.2.1",
    time: 1_000 * SECOND,
    message: "Invalid user x from 192.0.2.1",
    fields: {},
    trusted: true,
    ...over,
  };
}

function matched(rules: readonly Rule[], subject: Partial<LogEvent>): string[] {
  return new Matcher(rules).match(event(subject)).map(({ name }) => name);
}

Deno.test("`Matcher.match()` names every rule whose text stands where its mode wants it", () => {
  const preauth = { texts: ["[preauth]", "a.c*"], mode: "anywhere" } as const;
  const rules = [
    rule({ name: "start", condition: condition({ texts: ["Invalid user", "Failed ["] }) }),
    rule({
      name: "anywhere",
      condition: condition(preauth),
      except: [condition({ texts: ["Postponed "] })],
    }),
    rule({ name: "regex", condition: condition({ texts: ["^x+\\d$", "(?<n>end)\\."], mode: "regex" }) }),
  ];
  const cases: readonly [string, string[]][] = [
    ["Invalid user x", ["start"]],
    ["Invalid user x [preauth]", ["start", "anywhere"]],
    ["Failed [x", ["start"]],
    ["x Invalid user", []],
    ["Postponed x [preauth]", []],
    ["x Postponed x [preauth]", ["anywhere"]],
    ["xx a.c* xx", ["anywhere"]],
    ["xx abcc xx", []],
    ["invalid user", []],
    ["xxx7", ["regex"]],
    ["xxx7 ", []],
    ["the\nend.", ["regex"]],
    ["", []],
  ];
  for (const [message, names] of cases) assert.deepEqual(matched(rules, { message }), names, message);
  assert.deepEqual(matched([], {}), []);
});

Deno.test("`Matcher.match()` compares the fields that a condition names, and no others", () => {
  const where = (over: Partial<Condition>) => rule({ condition: condition({ texts: ["/admin"], ...over }) });
  const fields = { path: "/admin/x", user_agent: "see /ADMIN", status: "404" };
  const cases: readonly [string, Rule, boolean][] = [
    ["its field", where({ fields: ["path"] }), true],
    ["the whole message", where({}), false],
    ["any of several", where({ fields: ["referer", "path"] }), true],
    ["one that is missing", where({ fields: ["referer"] }), false],
    ["what every object has", where({ fields: ["constructor"], texts: ["function"] }), false],
    ["capitals that count", where({ fields: ["user_agent"], mode: "anywhere" }), false],
    ["capitals that do not", where({ fields: ["user_agent"], mode: "anywhere", ignoreCase: true }), true],
    ["a regex without capitals", where({ fields: ["user_agent"], mode: "regex", ignoreCase: true }), true],
    ["an exception of another field", {
      ...where({ fields: ["path"] }),
      except: [condition({ fields: ["user_agent"], texts: ["see "] })],
    }, false],
  ];
  for (const [name, rule, hit] of cases) {
    assert.deepEqual(matched([rule], { fields }), hit ? ["invalid"] : [], name);
  }
});

Deno.test("`Matcher.match()` wants one of a rule's status codes, with or without a text", () => {
  const status = new Set([403, 404]);
  const alone = rule({ name: "alone", condition: null, status });
  const both = rule({ name: "both", condition: condition({ fields: ["path"], texts: ["/x"] }), status });
  const cases: readonly [Record<string, string>, string[]][] = [
    [{ status: "404", path: "/x" }, ["alone", "both"]],
    [{ status: "403", path: "/" }, ["alone"]],
    [{ status: "200", path: "/x" }, []],
    [{ path: "/x" }, []],
    [{ status: "", path: "/x" }, []],
  ];
  for (const [fields, names] of cases) {
    assert.deepEqual(matched([alone, both], { fields }), names, JSON.stringify(fields));
  }
});

const hitAt = (address: string, time: number, value: string | null = null) => ({ address, time, value });

Deno.test("`SlidingWindow.hit()` trips past the limit, not at it, and counts from nothing again", () => {
  const window = new SlidingWindow({ limit: 2, span: 60 * SECOND, capacity: 10 });
  const hit = (second: number) => window.hit(hitAt("a", second * SECOND));
  assert.deepEqual([hit(0), hit(1), hit(2), hit(3), hit(4), hit(5)], [0, 0, 3, 0, 0, 3]);
});

Deno.test("`SlidingWindow.hit()` forgets a hit exactly when it is as old as the window", () => {
  const window = new SlidingWindow({ limit: 1, span: 60 * SECOND, capacity: 10 });
  assert.equal(window.hit(hitAt("a", 0)), 0);
  assert.equal(window.hit(hitAt("a", 60 * SECOND)), 0);
  assert.equal(window.hit(hitAt("a", 120 * SECOND - 1)), 2);
});

Deno.test("`SlidingWindow.hit()` agrees with counting by hand over random histories", () => {
  let seed = 7;
  const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let round = 0; round < 300; round++) {
    const limit = 1 + random(4);
    const span = 1 + random(20);
    const window = new SlidingWindow({ limit: limit, span: span, capacity: 10 });
    let kept: number[] = [];
    for (let time = 0, step = 0; step < 60; step++) {
      time += random(6);
      kept = [...kept.filter((t) => t > time - span), time];
      const expected = kept.length > limit ? kept.length : 0;
      assert.equal(window.hit(hitAt("a", time)), expected);
      if (expected > 0) kept = [];
    }
  }
});

Deno.test("`SlidingWindow.hit()` counts a late hit only with hits less than a window away", () => {
  const window = new SlidingWindow({ limit: 1, span: 60 * SECOND, capacity: 10 });
  window.hit(hitAt("a", 1_000 * SECOND));
  assert.equal(window.hit(hitAt("a", 900 * SECOND)), 0, "a hundred seconds earlier is another story");
  assert.equal(window.hit(hitAt("a", 950 * SECOND)), 3, "within a minute of both");
});

Deno.test("`SlidingWindow` without a span never forgets, and bounds what it holds", () => {
  const window = new SlidingWindow({ limit: 1, span: null, capacity: 2 });
  window.hit(hitAt("a", 0));
  assert.equal(window.hit(hitAt("a", 1e15)), 2);
  for (const address of ["a", "b", "c"]) window.hit(hitAt(address, 0));
  assert.equal(window.size, 2);
  assert.equal(window.hit(hitAt("a", 1)), 0, "the one silent longest was forgotten");
  assert.equal(window.hit(hitAt("c", 1)), 2, "the latest was kept");
});

Deno.test("`SlidingWindow.sweep()` gives back who fell silent", () => {
  const window = new SlidingWindow({ limit: 5, span: 60 * SECOND, capacity: 10 });
  window.hit(hitAt("old", 0));
  window.hit(hitAt("new", 50 * SECOND));
  window.sweep(60 * SECOND);
  assert.equal(window.size, 1);
});

Deno.test("`DistinctWindow.hit()` counts different values, each while it is younger than the window", () => {
  const window = new DistinctWindow({ limit: 2, span: 60 * SECOND, capacity: 10 });
  const hit = (second: number, value: string) => window.hit(hitAt("a", second * SECOND, value));
  assert.deepEqual([hit(0, "x"), hit(1, "x"), hit(2, "y"), hit(3, "y")], [0, 0, 0, 0]);
  assert.equal(window.knows(hitAt("a", 4 * SECOND, "x")), true);
  assert.equal(window.knows(hitAt("a", 4 * SECOND, "z")), false);
  assert.equal(window.knows(hitAt("b", 4 * SECOND, "x")), false);
  assert.equal(window.knows(hitAt("a", 60 * SECOND, "x")), true, "it has been counted once more");
  assert.equal(window.knows(hitAt("a", 61 * SECOND, "x")), false, "as old as the window");
  assert.equal(hit(61, "z"), 0, "the first has been forgotten");
  assert.equal(hit(62, "x"), 3);
  assert.equal(hit(63, "x"), 0, "counted from nothing again");
  window.sweep(200 * SECOND);
  assert.equal(window.size, 0);
});

Deno.test("`Engine.add()` counts each value of a rule with `distinct` once, long ones too", () => {
  const crawl = rule({ condition: null, distinct: "path" });
  const engine = new Engine([{ module, noLog: [], record: "all", rules: [crawl] }]);
  const get = (path?: string) => engine.add(event({ fields: path === undefined ? {} : { path } }));
  const long = "/".padEnd(5_000, "x");
  assert.equal(get("/a").hits[0]?.value, "/a");
  assert.deepEqual(get("/a").hits, []);
  assert.deepEqual(get().hits, [], "no value, no hit");
  const [hit] = get(`${long}1`).hits;
  assert.ok(hit!.value!.length <= 64);
  assert.deepEqual(get(`${long}1`).hits, []);
  assert.equal(get(`${long}2`).trips[0]?.count, 3);
});

Deno.test("`Engine.restore()` leaves out hits that were counted another way", () => {
  const stored = { service: "SSHD", rule: "invalid", address: "192.0.2.1", time: 999 * SECOND };
  const engine = new Engine(
    [{ module, noLog: [], record: "all", rules: [rule({ distinct: "user" })] }],
  );
  engine.restore([{ ...stored, value: null }, { ...stored, value: null }, { ...stored, value: "a" }]);
  assert.deepEqual(engine.add(event({ fields: { user: "b" } })).trips, []);
  assert.equal(engine.add(event({ fields: { user: "c" } })).trips[0]?.count, 3);
});

Deno.test("`Engine.add()` counts each rule and address by itself and reports the trip with its reason", () => {
  const engine = new Engine([{ module, noLog: [], record: "all", rules: [rule({ banTime: 5 * SECOND })] }]);
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
    assert.deepEqual(engine.add(event({ address })).trips, []);
  }
  const { hits, trips } = engine.add(event());
  assert.equal(hits.length, 1);
  assert.deepEqual(trips, [{
    service: "SSHD",
    rule: "invalid",
    address: "192.0.2.1",
    source: "192.0.2.1",
    time: 1_000 * SECOND,
    count: 3,
    reason: "[SSHD] invalid",
    banTime: 5 * SECOND,
    growth: STEADY,
    scope: "all",
  }]);
});

Deno.test("`Engine.add()` counts nothing that a local user could have forged", () => {
  const engine = new Engine([{ module, noLog: [], record: "all", rules: [rule()] }]);
  for (let i = 0; i < 9; i++) assert.deepEqual(engine.add(event({ trusted: false })).hits, []);
});

Deno.test("`Engine.restore()` goes on counting where the stored hits end, and skips rules no longer there", () => {
  const engine = new Engine([{ module, noLog: [], record: "all", rules: [rule()] }]);
  const hit = { service: "SSHD", address: "192.0.2.1", time: 999 * SECOND, value: null };
  engine.restore([{ ...hit, rule: "invalid" }, { ...hit, rule: "invalid" }, { ...hit, rule: "gone" }]);
  assert.equal(engine.add(event()).trips[0]?.count, 3);
  engine.restore([{ ...hit, rule: "invalid" }, { ...hit, rule: "invalid" }]);
  engine.forget("192.0.2.1");
  assert.deepEqual(engine.add(event()).trips, []);
});

Deno.test("`Whitelist.covering()` says who whitelists an address, and loopback always", () => {
  const whitelist = new Whitelist();
  whitelist.set("configuration", ["198.51.100.0/24"]);
  assert.equal(whitelist.covering("198.51.100.9"), "configuration");
  assert.equal(whitelist.covering("198.51.0.0/16"), "configuration");
  assert.equal(whitelist.covering("127.8.8.8"), "loopback");
  assert.equal(whitelist.covering("::1"), "loopback");
  assert.equal(whitelist.covering("203.0.113.1"), null);
  whitelist.set("configuration", []);
  assert.equal(whitelist.covering("198.51.100.9"), null);
});
