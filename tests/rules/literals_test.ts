import { strict as assert } from "node:assert";
import { requiredLiterals } from "../../lib/rules/literals.ts";
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
