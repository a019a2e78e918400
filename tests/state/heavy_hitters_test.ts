import { strict as assert } from "node:assert";
import { HeavyHitters } from "../../lib/state/heavy_hitters.ts";

const encoder = new TextEncoder();

function add(hitters: HeavyHitters, text: string, times = 1): void {
  const key = encoder.encode(`--${text}`);
  hitters.add(key, 2, key.length, times);
}

function top(hitters: HeavyHitters, most: number): [string, number][] {
  return hitters.top(most).map(({ key, count }) => [new TextDecoder().decode(key), count]);
}

Deno.test("`HeavyHitters` counts keys exactly while there is room for all", () => {
  const hitters = new HeavyHitters(16);
  for (let i = 1; i <= 5; i++) add(hitters, `key ${i}`, i);
  add(hitters, "key 1", 9);
  assert.deepEqual(top(hitters, 3), [["key 1", 10], ["key 5", 5], ["key 4", 4]]);
  hitters.clear();
  assert.deepEqual(top(hitters, 3), []);
});

Deno.test("`HeavyHitters` keeps the keys that come most through a flood of keys that come once, and never counts too many", () => {
  const hitters = new HeavyHitters(16);
  for (let i = 0; i < 100_000; i++) {
    add(hitters, `once ${i}`);
    if (i % 10 === 0) add(hitters, "often");
    if (i % 50 === 0) add(hitters, "sometimes");
  }
  const found = new Map(top(hitters, 2));
  const [often, sometimes] = [found.get("often") ?? 0, found.get("sometimes") ?? 0];
  assert.ok(often > 9_900 && often <= 10_000, `often ${often}`);
  assert.ok(sometimes > 1_000 && sometimes <= 2_000, `sometimes ${sometimes}`);
  assert.ok(top(hitters, 1_000).length <= 512);
});

Deno.test("`HeavyHitters` tells long keys from each other by their beginnings, and cuts no character in two", () => {
  const hitters = new HeavyHitters(8);
  add(hitters, "abcdefgh1");
  add(hitters, "abcdefgh2");
  add(hitters, "abcdefg\u20ac\u20ac");
  add(hitters, "");
  assert.deepEqual(top(hitters, 4).sort(), [["", 1], ["abcdefg", 1], ["abcdefgh", 2]]);
});
