import { strict as assert } from "node:assert";
import { MINUTE, SECOND } from "../../lib/core/time.ts";
import { Engine } from "../../lib/rules/engine.ts";
import type { Rule } from "../../lib/rules/rule.ts";
import { Users } from "../../lib/rules/users.ts";
import { ROOM, rule, Store, takeHits } from "../support/engine.ts";
import { condition } from "../support/helpers.ts";
import { eventOf } from "../support/events.ts";

function answersOf(over: Partial<Rule> = {}) {
  const fields = ["message", "status", "user", "method", "path"];
  const rules = [rule({ condition: null, status: new Set([401, 403, 404]), window: 10 * MINUTE, ...over })];
  const engine = new Engine([{ name: "WEB", rules, form: { fields, literals: [] } }], { room: ROOM });
  const seen = (
    status: string,
    minute: number,
    { address = "192.0.2.1", ...others }: Partial<Record<"user" | "address" | "method" | "path", string>> =
      {},
  ) => {
    const said = { status, ...others };
    engine.add(eventOf({ address, time: minute * MINUTE, fields: said }, fields));
    assert.equal(takeHits(engine), /^[23]/.test(status) ? 0 : 1);
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

Deno.test("`Engine.add()` takes for a user who is served at a path at which he was asked to log in", () => {
  const asked = (next: Parameters<ReturnType<typeof answersOf>["seen"]>) => {
    const answers = answersOf();
    answers.seen("401", 0, { method: "GET", path: "/v2/a" });
    answers.seen(...next);
    return answers.all(21, "401", 1, { method: "GET", path: "/v2/b" });
  };
  assert.deepEqual(asked(["200", 1, { method: "GET", path: "/v2/a" }]), [21]);
  assert.deepEqual(asked(["201", 1, { method: "PUT", path: "/v2/a" }]), [21], "by another method");
  for (
    const next of [
      ["200", 1, { method: "GET", path: "/v2/c" }],
      ["302", 1, { method: "GET", path: "/v2/a" }],
      ["200", 1, { method: "GET", path: "/v2/a", address: "192.0.2.2" }],
      ["200", 11, { method: "GET", path: "/v2/a" }],
    ] as const
  ) assert.deepEqual(asked([...next])[0], 3, JSON.stringify(next));
});

Deno.test("`Engine.add()` takes for a user who stores a file", () => {
  const stored = (method: string, status: string) => {
    const answers = answersOf();
    answers.seen(status, 0, { method, path: "/bucket/a" });
    return answers.all(21, "404", 1, { method: "HEAD", path: "/bucket/b" });
  };
  assert.deepEqual(stored("PUT", "200"), [21]);
  assert.deepEqual(stored("PUT", "201"), [21]);
  for (
    const [method, status] of [
      ["PUT", "301"],
      ["POST", "200"],
      ["PATCH", "200"],
      ["PURGE", "200"],
      ["PROPFIND", "207"],
    ] as const
  ) {
    assert.equal(stored(method, status)[0], 3, `${method} ${status}`);
  }
});

Deno.test("`Engine.add()` takes for a user who asks for a missing page by name, where a site logs errors alone", () => {
  const past = answersOf();
  past.seen("404", 0, { user: "nina" });
  assert.deepEqual(past.all(20, "401", 1), [21], "with the hit of that page");
  for (const status of ["401", "403"]) {
    const answers = answersOf();
    answers.seen(status, 0, { user: "nina" });
    assert.deepEqual(answers.all(2, "401", 1), [3], "a wrong password, and perhaps one too");
  }
});

Deno.test("`Engine.add()` takes for a user whose form was accepted before it was refused", () => {
  const sent = (method: string, status: string, path = "/poll") => {
    const answers = answersOf();
    answers.seen("200", 0, { method, path: "/poll" });
    return answers.all(21, status, 1, { method, path });
  };
  assert.deepEqual(sent("POST", "403"), [21]);
  assert.deepEqual(sent("POST", "401"), [21]);
  assert.equal(sent("POST", "403", "/login")[0], 3, "another form");
  assert.equal(sent("GET", "403")[0], 3, "a page that anybody may read");
  assert.equal(sent("HEAD", "403")[0], 3);
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
  for (let n = 0; n < 50_000; n++) users.remember(address(n), n);
  assert.ok(users.has(address(49_999), 50_000));
  const kept = Array.from({ length: 50_000 }, (_, n) => users.has(address(n), 50_000)).lastIndexOf(false);
  assert.ok(kept > 0 && kept < 49_000, `${kept}`);
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
