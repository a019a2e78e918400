import { strict as assert } from "node:assert";
import { requiredLiterals } from "../../lib/rules/literals.ts";
import { Matcher } from "../../lib/rules/matcher.ts";
import { Texts } from "../../lib/rules/texts.ts";
import { condition, rule } from "../support/helpers.ts";
import { Random } from "../support/random.ts";

Deno.test("`requiredLiterals()` names what an expression needs to match, or null where that would spare little", () => {
  const cases: readonly [source: string, readonly string[] | null][] = [
    ["Invalid user", ["Invalid user"]],
    ["^Failed \\w+ for", ["Failed "]],
    ["x+Failed", ["Failed"]],
    ["(?:union|select) all", ["union all", "select all"]],
    ["wp-(?:admin|login).*\\.php", ["wp-admin", "wp-login"]],
    ["\\.(?:asp|jsp)x?$", [".asp", ".aspx", ".jsp", ".jspx"]],
    ["ht[ap]asswd", ["htaasswd", "htpasswd"]],
    ["<[a-z!/]", ["<"]],
    ["(abc)+", ["abc"]],
    ["(?:abc)*xy", ["xy"]],
    ["\\d+|abc", null],
    ["[^a]bcd", ["bcd"]],
    ["a.b", null],
    [".", null],
    ["", null],
  ];
  for (const [source, texts] of cases) {
    assert.deepEqual(requiredLiterals(source)?.toSorted() ?? null, texts?.toSorted() ?? null, source);
  }
});

Deno.test("`requiredLiterals()` never misses a text that its expression matches", () => {
  const random = new Random(3);
  const piece = (depth: number): string => {
    const inner = () => random.times(1 + random.below(3), () => piece(depth - 1)).join("");
    return random.pick([
      () => random.pick(["a", "b", "ab", "ba", "\\.", "[ab]", "[^a]", ".", "\\b", "^", "$"]),
      () => depth > 0 ? `(?:${inner()}|${inner()})` : "b",
      () => depth > 0 ? `(${inner()})${random.pick(["", "?", "*", "+", "{2}", "{0,1}"])}` : "a",
    ])();
  };
  let matched = 0;
  for (let round = 0; round < 2_000; round++) {
    const source = random.times(1 + random.below(4), () => piece(2)).join("");
    const texts = requiredLiterals(source);
    const expression = new RegExp(source, "s");
    for (let i = 0; i < 20; i++) {
      const text = random.times(random.below(9), () => random.pick(["a", "b", ".", "c"])).join("");
      if (!expression.test(text)) continue;
      matched++;
      assert.ok(texts === null || texts.some((needed) => text.includes(needed)), `${source} matches ${text}`);
    }
  }
  assert.ok(matched > 1_000);
});

Deno.test("`Texts.find()` tells of all texts that stand in another, as asking each of them would", () => {
  const random = new Random(9);
  for (let round = 0; round < 500; round++) {
    const word = () =>
      random.times(1 + random.below(4), () => random.pick(["a", "b", "*", "\\", "]"])).join("");
    const sought = [...new Set(random.times(1 + random.below(8), word))];
    const text = random.times(6, word).join("");
    for (const place of ["start", "anywhere"] as const) {
      const texts = new Texts(sought, place);
      const longest: number[] = [];
      texts.find(text, longest);
      const found = new Set(longest.flatMap((number) => texts.within(number)));
      const expected = sought.flatMap((one, number) =>
        (place === "start" ? text.startsWith(one) : text.includes(one)) ? [number] : []
      );
      assert.deepEqual([...found].sort(), expected, `${place} ${text}`);
    }
  }
});

Deno.test("what a text means is found out once, however often and in whatever company it is found", () => {
  const texts = Array.from({ length: 40 }, (_, n) => `text ${n};`);
  const matcher = new Matcher(
    texts.map((text) => rule({ condition: condition({ texts: [text], mode: "anywhere" }) })),
  );
  const { within } = Texts.prototype;
  let asked = 0;
  Texts.prototype.within = function (number) {
    asked++;
    return within.call(this, number);
  };
  try {
    const random = new Random(3);
    for (let i = 0; i < 200; i++) {
      const message = random.times(30, () => random.pick(texts)).join("");
      const expected = texts.filter((text) => message.includes(text)).length;
      assert.equal(matcher.match({ message, fields: {} }).length, expected);
    }
  } finally {
    Texts.prototype.within = within;
  }
  assert.ok(asked <= texts.length, `asked ${asked} times`);
});
