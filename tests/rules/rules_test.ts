import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/duration.ts";
import { Engine } from "../../lib/rules/engine.ts";
import { Matcher } from "../../lib/rules/matcher.ts";
import { SlidingWindow } from "../../lib/rules/window.ts";
import { Whitelist } from "../../lib/rules/whitelist.ts";
import { sshd } from "../../modules/sshd.ts";
import type { LogEvent, Rule } from "../../lib/types.ts";

function rule(over: Partial<Rule> = {}): Rule {
  return {
    name: "invalid",
    str: ["Invalid user"],
    mode: "start",
    except: [],
    limit: 2,
    window: 60 * SECOND,
    banTime: null,
    ...over,
  };
}

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

Deno.test("`Matcher.match()` names every rule whose text stands where its mode wants it", () => {
  const rules = [
    rule({ name: "start", str: ["Invalid user", "Failed ["] }),
    rule({ name: "anywhere", str: ["[preauth]", "a.c*"], mode: "anywhere", except: ["Postponed "] }),
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
    ["", []],
  ];
  for (const [message, names] of cases) {
    assert.deepEqual(new Matcher(rules).match(message).map(({ name }) => name), names, message);
  }
  assert.deepEqual(new Matcher([]).match("Invalid user"), []);
});

Deno.test("`SlidingWindow.hit()` trips past the limit, not at it, and counts from nothing again", () => {
  const window = new SlidingWindow(2, 60 * SECOND, 10);
  const hit = (second: number) => window.hit("a", second * SECOND);
  assert.deepEqual([hit(0), hit(1), hit(2), hit(3), hit(4), hit(5)], [0, 0, 3, 0, 0, 3]);
});

Deno.test("`SlidingWindow.hit()` forgets a hit exactly when it is as old as the window", () => {
  const window = new SlidingWindow(1, 60 * SECOND, 10);
  assert.equal(window.hit("a", 0), 0);
  assert.equal(window.hit("a", 60 * SECOND), 0);
  assert.equal(window.hit("a", 120 * SECOND - 1), 2);
});

Deno.test("`SlidingWindow.hit()` agrees with counting by hand over random histories", () => {
  let seed = 7;
  const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let round = 0; round < 300; round++) {
    const limit = 1 + random(4);
    const span = 1 + random(20);
    const window = new SlidingWindow(limit, span, 10);
    let kept: number[] = [];
    for (let time = 0, step = 0; step < 60; step++) {
      time += random(6);
      kept = [...kept.filter((t) => t > time - span), time];
      const expected = kept.length > limit ? kept.length : 0;
      assert.equal(window.hit("a", time), expected);
      if (expected > 0) kept = [];
    }
  }
});

Deno.test("`SlidingWindow.hit()` counts a late hit only with hits less than a window away", () => {
  const window = new SlidingWindow(1, 60 * SECOND, 10);
  window.hit("a", 1_000 * SECOND);
  assert.equal(window.hit("a", 900 * SECOND), 0, "a hundred seconds earlier is another story");
  assert.equal(window.hit("a", 950 * SECOND), 3, "within a minute of both");
});

Deno.test("`SlidingWindow` without a span never forgets, and bounds what it holds", () => {
  const window = new SlidingWindow(1, null, 2);
  window.hit("a", 0);
  assert.equal(window.hit("a", 1e15), 2);
  for (const address of ["a", "b", "c"]) window.hit(address, 0);
  assert.equal(window.size, 2);
  assert.equal(window.hit("a", 1), 0, "the one silent longest was forgotten");
  assert.equal(window.hit("c", 1), 2, "the latest was kept");
});

Deno.test("`SlidingWindow.sweep()` gives back who fell silent", () => {
  const window = new SlidingWindow(5, 60 * SECOND, 10);
  window.hit("old", 0);
  window.hit("new", 50 * SECOND);
  window.sweep(60 * SECOND);
  assert.equal(window.size, 1);
});

Deno.test("`Engine.add()` counts each rule and address by itself and reports the trip with its reason", () => {
  const engine = new Engine([{ module: sshd, noLog: [], rules: [rule({ banTime: 5 * SECOND })] }]);
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
    assert.deepEqual(engine.add(event({ address })).trips, []);
  }
  const { hits, trips } = engine.add(event());
  assert.equal(hits.length, 1);
  assert.deepEqual(trips, [{
    service: "SSHD",
    rule: "invalid",
    address: "192.0.2.1",
    time: 1_000 * SECOND,
    count: 3,
    reason: "[SSHD] invalid",
    banTime: 5 * SECOND,
  }]);
});

Deno.test("`Engine.add()` counts nothing that a local user could have forged", () => {
  const engine = new Engine([{ module: sshd, noLog: [], rules: [rule()] }]);
  for (let i = 0; i < 9; i++) assert.deepEqual(engine.add(event({ trusted: false })).hits, []);
});

Deno.test("`Engine.restore()` goes on counting where the stored hits end, and skips rules no longer there", () => {
  const engine = new Engine([{ module: sshd, noLog: [], rules: [rule()] }]);
  const hit = { service: "SSHD", address: "192.0.2.1", time: 999 * SECOND };
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
