import { strict as assert } from "node:assert";
import { numberRules } from "../../lib/rules/note_plan.ts";
import { RuleSet } from "../../lib/rules/rule_set.ts";
import type { Condition, Rule } from "../../lib/rules/rule.ts";
import { condition, rule as anyRule } from "../support/helpers.ts";
import { Random } from "../support/random.ts";
import { eventOf, type Said } from "../support/events.ts";

const FIELDS = ["message", "path", "user_agent", "status"];
const FORM = { fields: FIELDS, literals: [] };

function setOf(
  rules: readonly Rule[],
  form: { fields: string[]; literals: Uint8Array[]; parts?: string[] } = FORM,
): RuleSet {
  return new RuleSet(numberRules([{ name: "SSHD", rules }]), form);
}

const rule = (over: Partial<Rule> = {}) =>
  anyRule({ name: "invalid", condition: condition({ texts: ["Invalid user"] }), limit: 2, ...over });

function matched(rules: readonly Rule[], said: Said): string[] {
  return setOf(rules).verdict(eventOf(said, FIELDS)).rules.map(({ name }) => name);
}

Deno.test("`RuleSet.verdict()` names every rule whose text stands where its mode wants it", () => {
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

Deno.test("`RuleSet.verdict()` compares the fields that a condition names, and no others", () => {
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

Deno.test("`RuleSet.verdict()` names the same rules whether a request bears a name or not", () => {
  const fields = ["message", "path", "status", "user"];
  const path = condition({ fields: ["path"], texts: ["/shell"] });
  const set = setOf([
    rule({ name: "missing", condition: null, status: new Set([403, 404, 410]) }),
    rule({ name: "program", condition: path, status: new Set([404]) }),
    rule({ name: "any", condition: null }),
  ], { fields, literals: [] });
  const hits = (said: Readonly<Record<string, string>>) =>
    set.verdict(eventOf({ fields: said }, fields)).rules.map(({ name }) => name).join();
  for (const status of ["404", "410"]) {
    assert.equal(hits({ status, path: "/a" }), "missing,any");
    assert.equal(hits({ status, path: "/a", user: "nina" }), "missing,any");
  }
  assert.equal(hits({ status: "404", path: "/shell", user: "nina" }), "missing,program,any");
  for (const user of ["", "-"]) assert.equal(hits({ status: "404", path: "/a", user }), "missing,any", user);
  assert.equal(hits({ status: "404", path: "/a", user: "n" }), "missing,any");
  assert.equal(hits({ status: "404", path: "/shell" }), "missing,program,any");
  assert.equal(hits({ status: "403", path: "/a", user: "nina" }), "missing,any");
  assert.equal(hits({ status: "200", path: "/a", user: "nina" }), "any");
});

/** Whether an event meets a condition, asked the plain way. */
function meets({ fields, mode, texts, ignoreCase }: Condition, event: Said): boolean {
  return fields.some((field) => {
    const text = field === "message" ? event.message : event.fields?.[field];
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

Deno.test("`RuleSet.verdict()` says what asking every rule by itself would, also of events that show many outputs", () => {
  const random = new Random(11);
  // Small letters of the last three are ASCII, two letters, or depend on what stands around them.
  const letters = ["a", "b", "c", "A", " ", "k", "K", "é", "\u{1f600}", "\u212a", "\u0130", "Σ"];
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
    const set = setOf(rules);
    const paths = random.times(20, () => word(60));
    for (let n = 0; n < 200; n++) {
      const path = random.below(2) === 0 ? random.pick(paths) : word(60);
      const fields: Record<string, string> = random.below(3) > 0 ? { path } : {};
      if (random.below(2) === 0) fields.status = random.pick(["404", "403"]);
      const said = { message: word(random.below(20) === 0 ? 300 : 12), fields };
      const expected = rules.filter(({ condition, except, status }) =>
        (condition === null || meets(condition, said)) && !except.some((one) => meets(one, said)) &&
        (status === null || status.has(Number(fields.status)))
      );
      const verdict = set.verdict(eventOf(said, FIELDS));
      assert.deepEqual(
        verdict.rules.map(({ name }) => name),
        expected.map(({ name }) => name),
        JSON.stringify(said),
      );
    }
  }
});

Deno.test("`RuleSet.verdict()` stays right when the automaton forgets its states", () => {
  const random = new Random(3);
  const texts = random.times(300, () => random.times(8, () => random.pick(["a", "b", "c"])).join(""));
  const rules = texts.map((text, number) =>
    anyRule({ name: String(number), condition: condition({ texts: [text], mode: "anywhere" }) })
  );
  const set = setOf(rules);
  for (let n = 0; n < 400; n++) {
    const message = random.times(60, () => random.pick(["a", "b", "c"])).join("");
    const expected = rules.filter((rule) => meets(rule.condition!, { message }));
    const { rules: hit } = set.verdict(eventOf({ message }, FIELDS));
    assert.deepEqual(hit.map(({ name }) => name), expected.map(({ name }) => name));
  }
  assert.ok(set.automaton.generation > 0);
});

Deno.test("`RuleSet.verdict()` wants one of a rule's status codes, with or without a text", () => {
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

Deno.test("`RuleSet.verdict()` asks a regular expression with flags of its own about letters of either case", () => {
  const rules = [rule({ condition: condition({ texts: ["(?i:sqlmap)/\\d"], mode: "regex" }) })];
  assert.deepEqual(matched(rules, { message: "GET / SQLMAP/1" }), ["invalid"]);
});

Deno.test("`RuleSet.verdict()` tells long values apart that differ anywhere", () => {
  const rules = [
    rule({ condition: condition({ fields: ["user_agent"], texts: ["bot"], mode: "anywhere" }) }),
  ];
  const set = setOf(rules);
  const agent = (over: string) =>
    `Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 ${over} Firefox/128.0`;
  for (const [name, hits] of [["bot", 1], ["cat", 0], ["bot", 1], ["bow", 0], ["cat", 0]] as const) {
    const { rules } = set.verdict(eventOf({ fields: { user_agent: agent(name) } }, FIELDS));
    assert.equal(rules.length, hits, name);
  }
});

Deno.test("`RuleSet.verdict()` asks of half a character and of no text at all what bytes cannot tell", () => {
  const fields = { path: "/\u{1f600}" };
  const halves = rule({ condition: condition({ fields: ["path"], texts: ["\ud83d"], mode: "anywhere" }) });
  const nothing = rule({ condition: condition({ fields: ["path"], texts: [""] }) });
  assert.deepEqual(matched([halves], { fields }), ["invalid"]);
  assert.deepEqual(matched([halves], { fields: { path: "/x" } }), []);
  assert.deepEqual(matched([nothing], { fields }), ["invalid"]);
  assert.deepEqual(matched([nothing], {}), []);
});

Deno.test("`RuleSet.verdict()` gives the same object for the same rules, until `clear()`", () => {
  const set = setOf([rule()]);
  const [first, second] = ["Invalid user a", "Invalid user b"].map((message) =>
    set.verdict(eventOf({ message }, FIELDS))
  );
  assert.equal(first, second);
  first!.notePlan = [];
  set.clear();
  assert.equal(set.verdict(eventOf({ message: "Invalid user a" }, FIELDS)).notePlan, null);
});

const REQUEST_FORM = {
  fields: ["message", "request", "path", "query", "user_agent"],
  parts: ["request", "path", "query"],
  literals: [],
};
const requestRules = [
  rule({ name: "path", condition: condition({ texts: ["/admin", "/x"], fields: ["path"] }) }),
  rule({
    name: "query",
    condition: condition({ texts: ["a"], fields: ["query"], mode: "anywhere", ignoreCase: true }),
  }),
  rule({
    name: "agent",
    condition: condition({ texts: ["bot"], fields: ["user_agent"] }),
    except: [condition({ texts: ["/x"], fields: ["path"], mode: "anywhere" })],
  }),
];

/** An event of a request, whose path and query are parts of it if `whole` says so. */
function requestOf(request: string, { agent, whole }: { agent: string; whole?: string }) {
  const [path, query] = request.split("?");
  const fields = { request, path: path!, ...query === undefined ? {} : { query }, user_agent: agent };
  return eventOf({ fields, ...whole === undefined ? {} : { whole } }, REQUEST_FORM.fields);
}

Deno.test("`RuleSet.verdict()` is the same whether fields are parts of another or not, for texts of any length", () => {
  const random = new Random(31);
  const [set, plain] = [setOf(requestRules, REQUEST_FORM), setOf(requestRules, REQUEST_FORM)];
  const hits = new Set<string>();
  for (let i = 0; i < 3_000; i++) {
    const unit = random.times(random.below(3), () => random.pick(["/admin", "/x", "/y", "?A", "?b", "/"]))
      .join("");
    const request = unit.repeat(random.pick([1, 1, 1, 300]));
    const agent = random.pick(["bot", "browser"]);
    const found = set.verdict(requestOf(request, { agent, whole: "request" })).rules.map(({ name }) => name);
    assert.deepEqual(
      found,
      plain.verdict(requestOf(request, { agent })).rules.map(({ name }) => name),
      request,
    );
    found.forEach((name) => hits.add(name));
  }
  assert.equal(hits.size, requestRules.length);
});

Deno.test("`RuleSet.verdict()` looks at the parts of a text once", () => {
  const set = setOf(requestRules, REQUEST_FORM);
  const looks = (agent: string): number => {
    const event = requestOf("/admin?b", { agent, whole: "request" });
    const { bytesOf } = event.reader;
    let looks = 0;
    const reader = {
      ...event.reader,
      bytesOf: (field: number) => (looks += field === 2 ? 1 : 0, bytesOf(field)),
    };
    assert.deepEqual(set.verdict({ ...event, reader }).rules.map(({ name }) => name)[0], "path");
    return looks;
  };
  assert.ok(looks("bot") > 0);
  assert.equal(looks("bot"), 0);
  assert.equal(looks("browser"), 0);
});
