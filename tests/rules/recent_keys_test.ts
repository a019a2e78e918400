import { strict as assert } from "node:assert";
import { wordsOf } from "../../lib/core/address.ts";
import { RecentKeys, WAYS } from "../../lib/rules/recent_keys.ts";

const address = (n: number) => wordsOf(`192.0.2.${n}`);

Deno.test("`RecentKeys` tells keys apart by address and tag, and forgets the one silent for longest", () => {
  const keys = new RecentKeys(1);
  assert.equal(keys.find(address(1)), -1);
  for (let n = 1; n < WAYS; n++) keys.see(address(n), 0, n);
  keys.see(address(1), -7, WAYS);
  keys.see(address(1), 0, WAYS + 1);
  assert.equal(keys.times[keys.find(address(1), 0)], WAYS + 1);
  assert.equal(keys.times[keys.find(address(1), -7)], WAYS);
  keys.see(address(99), 0, WAYS + 2);
  const known = Array.from({ length: WAYS - 1 }, (_, i) => keys.find(address(i + 1)) >= 0);
  assert.deepEqual(known, [true, false, ...Array(WAYS - 3).fill(true)]);
  assert.equal([...keys.places()].length, WAYS);
  keys.clear();
  assert.deepEqual([keys.find(address(1)), [...keys.places()].length], [-1, 0]);
});
