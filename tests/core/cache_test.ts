import { strict as assert } from "node:assert";
import { Cache } from "../../lib/core/cache.ts";

Deno.test("`Cache.of()` makes a result once, until the cache is full or cleared", () => {
  const made: string[] = [];
  const cache = new Cache<string, string | null>(2);
  const ask = (key: string) =>
    cache.of(key, (text) => {
      made.push(text);
      return text === "none" ? null : text.toUpperCase();
    });
  assert.deepEqual(["a", "none", "a", "none"].map(ask), ["A", null, "A", null]);
  assert.deepEqual(made.splice(0), ["a", "none"]);
  assert.equal(ask("b"), "B");
  assert.equal(ask("a"), "A");
  assert.deepEqual(made.splice(0), ["b", "a"]);
  cache.clear();
  assert.equal(ask("a"), "A");
  assert.deepEqual(made, ["a"]);
});
