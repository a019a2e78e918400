import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { Engine } from "../../lib/rules/engine.ts";
import { Matcher } from "../../lib/rules/matcher.ts";
import type { Subject } from "../../lib/rules/views.ts";
import type { Findings, RuleTally, Tally } from "../../lib/rules/findings.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { Condition, ModuleRules, Rule } from "../../lib/rules/rule.ts";
import type { LogEvent, Module } from "../../lib/reading/module.ts";
import { condition, rule as anyRule, STEADY } from "../support/helpers.ts";
import { Random } from "../support/random.ts";

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

const ADDRESS = "192.0.2.1";

/** What is stored of so many hits of a rule, all of one address. */
function tally(hits: number, over: Partial<RuleTally> = {}): Tally {
  const numbers = Array.from({ length: hits }, (_, i) => i);
  const rules = [{ service: "SSHD", rule: "invalid", spent: [], hits: numbers, values: [], ...over }];
  const [addresses, times] = [numbers.map(() => ADDRESS), numbers.map(() => 999 * SECOND)];
  return { until: null, forgotten: [], addresses, times, rules };
}

/** What an event leads to. */
function add(engine: Engine, over: Partial<LogEvent> = {}): Findings {
  const findings = engine.findings();
  engine.add(event(over), findings);
  return findings;
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

/** Whether an event meets a condition, asked the plain way. */
function meets({ fields, mode, texts, ignoreCase }: Condition, event: Subject): boolean {
  return fields.some((field) => {
    const text = field === "message" ? event.message : event.fields[field];
    const seen = ignoreCase ? text?.toLowerCase() : text;
    return texts.some((sought) =>
      mode === "start"
        ? seen?.startsWith(sought)
        : mode === "anywhere"
        ? seen?.includes(sought)
        : seen !== undefined && new RegExp(sought, "s").test(seen)
    );
  });
}

Deno.test("`Matcher.match()` says what asking every rule by itself would, also of events that show many signs", () => {
  const random = new Random(11);
  const letters = ["a", "b", "c", "A", " "];
  const word = (most: number) => random.times(1 + random.below(most), () => random.pick(letters)).join("");
  for (let round = 0; round < 60; round++) {
    const some = (): Condition => {
      const [mode, ignoreCase] = [
        random.pick(["start", "anywhere", "regex"] as const),
        random.below(3) === 0,
      ];
      const text = () => mode === "regex" ? `${word(2)}[ab]*${word(1)}` : word(3);
      const texts = random.times(1 + random.below(3), text);
      return {
        fields: random.pick([["message"], ["path"], ["path", "message"]]),
        mode,
        ignoreCase,
        texts: ignoreCase ? texts.map((one) => one.toLowerCase()) : texts,
      };
    };
    const rules = Array.from({ length: 1 + random.below(20) }, (_, number) =>
      anyRule({
        name: String(number),
        condition: random.below(6) === 0 ? null : some(),
        except: random.times(random.below(3), some),
        status: random.below(4) === 0 ? new Set([404, 200]) : null,
      }));
    const matcher = new Matcher(rules);
    for (let n = 0; n < 200; n++) {
      const fields: Record<string, string> = random.below(3) > 0 ? { path: word(60) } : {};
      if (random.below(2) === 0) fields.status = random.pick(["404", "403"]);
      const event = { message: word(random.below(20) === 0 ? 300 : 12), fields };
      const expected = rules.filter(({ condition, except, status }) =>
        (condition === null || meets(condition, event)) && !except.some((one) => meets(one, event)) &&
        (status === null || status.has(Number(fields.status)))
      );
      assert.deepEqual(matcher.match(event), expected, JSON.stringify(event));
    }
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

Deno.test("`Engine.add()` counts each value of a rule with `distinct` once, long ones too", () => {
  const crawl = rule({ condition: null, distinct: "path" });
  const engine = new Engine([{ module, noLog: [], record: "all", rules: [crawl] }]);
  const get = (path?: string) => add(engine, { fields: path === undefined ? {} : { path } });
  const long = "/".padEnd(5_000, "x");
  const counted = (findings: Findings) => findings.tallies(0).flatMap(({ rules }) => rules[0]!.values);
  assert.deepEqual(counted(get("/a")), ["/a"]);
  assert.deepEqual(counted(get("/a")), []);
  assert.deepEqual(counted(get()), [], "no value, no hit");
  const [value] = counted(get(`${long}1`));
  assert.ok(value!.length <= 64);
  assert.deepEqual(counted(get(`${long}1`)), []);
  assert.equal(get(`${long}2`).trips[0]?.count, 3);
});

Deno.test("`Engine.restore()` leaves out hits that were counted another way", () => {
  const engine = new Engine(
    [{ module, noLog: [], record: "all", rules: [rule({ distinct: "user" })] }],
  );
  engine.restore([tally(2), tally(1, { values: ["a"] })]);
  assert.deepEqual(add(engine, { fields: { user: "b" } }).trips, []);
  assert.equal(add(engine, { fields: { user: "c" } }).trips[0]?.count, 3);
});

Deno.test("`Engine.add()` counts each rule and address by itself and reports the trip with its reason", () => {
  const engine = new Engine([{ module, noLog: [], record: "all", rules: [rule({ banTime: 5 * SECOND })] }]);
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
    assert.deepEqual(add(engine, { address }).trips, []);
  }
  const { hits, trips } = add(engine);
  assert.equal(hits, 1);
  assert.deepEqual(trips, [{
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
  for (let i = 0; i < 9; i++) assert.equal(add(engine, { trusted: false }).hits, 0);
});

Deno.test("`Engine.restore()` goes on counting where the stored hits end, and skips rules no longer there", () => {
  const engine = new Engine([{ module, noLog: [], record: "all", rules: [rule()] }]);
  engine.restore([tally(2), tally(1, { rule: "gone" })]);
  assert.equal(add(engine).trips[0]?.count, 3);
  engine.restore([tally(2)]);
  engine.forget("192.0.2.1");
  assert.deepEqual(add(engine).trips, []);
});

Deno.test("`Engine.restore()` counts what was spent or forgotten from nothing again, and trips nobody", () => {
  const spent = [ADDRESS];
  const cases: readonly [string, Tally[], number | undefined][] = [
    ["more hits than a lower limit allows ban with the next", [tally(3)], 4],
    ["spent", [tally(3), tally(0, { spent })], undefined],
    ["spent by another rule", [tally(3), tally(0, { rule: "other", spent })], 4],
    ["spent before its own hits", [tally(3), tally(2, { spent })], 3],
    ["forgotten", [tally(3), { ...tally(0), forgotten: [ADDRESS] }], undefined],
  ];
  for (const [name, tallies, count] of cases) {
    const engine = new Engine([{ module, noLog: [], record: "all", rules: [rule()] }]);
    engine.restore(tallies);
    assert.equal(add(engine).trips[0]?.count, count, name);
  }
});

Deno.test("`Findings.tallies()`, restored, count as the engine did that they come from", () => {
  const rules = [
    rule({ name: "short", window: 20 * SECOND }),
    rule({ name: "long", limit: 4, window: null }),
    rule({ name: "values", distinct: "user", limit: 3, window: 50 * SECOND }),
  ];
  const random = new Random(11);
  const modules: ModuleRules[] = [{ module, noLog: [], record: "all", rules }];
  const engine = new Engine(modules);
  const kept: Tally[] = [];
  for (let batch = 0, second = 1_000; batch < 400; batch++) {
    const restored = new Engine(modules);
    restored.restore(kept);
    const [live, again] = [engine.findings(), engine.findings()];
    for (let i = random.below(12); i >= 0; i--) {
      second += random.below(4);
      const heard = event({
        address: `192.0.2.${random.below(5)}`,
        time: second * SECOND,
        fields: { user: `u${random.below(6)}` },
      });
      engine.add(heard, live);
      restored.add(heard, again);
    }
    assert.deepEqual(again.trips, live.trips);
    const tallies = live.tallies(second * SECOND);
    assert.deepEqual(again.tallies(second * SECOND), tallies);
    assert.ok(tallies.every(({ until }) => until === null || until > second * SECOND));
    kept.push(...tallies);
  }
});

Deno.test("`Matcher.match()` asks a regular expression with flags of its own about letters of either case", () => {
  const rules = [rule({ condition: condition({ texts: ["(?i:sqlmap)/\\d"], mode: "regex" }) })];
  assert.deepEqual(matched(rules, { message: "GET / SQLMAP/1" }), ["invalid"]);
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
