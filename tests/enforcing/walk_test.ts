import { strict as assert } from "node:assert";
import { rangesUpTo, Walk } from "../../lib/enforcing/walk.ts";
import type { BanRange } from "../../lib/deciding/ban.ts";
import { eventually } from "../support/helpers.ts";

const RANGES = [{ after: 0, upTo: 5_000 }, { after: 5_000, upTo: 10_000 }, { after: 10_000, upTo: 10_001 }];

function walk(slice: (range: BanRange) => void) {
  const errors: unknown[] = [];
  const walk = new Walk({ slice, failed: (error) => errors.push(error) });
  return { walk, isDone: () => eventually(() => !walk.isUnderWay), errors };
}

Deno.test("`Walk` does its first slice at once and the others one by one, each id once", async () => {
  const seen: BanRange[] = [];
  const scene = walk((range) => seen.push(range));
  scene.walk.begin(10_001);
  assert.deepEqual(seen, RANGES.slice(0, 1));
  assert.ok(scene.walk.isUnderWay);
  await scene.isDone();
  assert.deepEqual(seen, RANGES);
  assert.ok(!scene.walk.isUnderWay);
});

Deno.test("`Walk` is through at once where one slice does, or there is nothing", () => {
  for (const lastId of [0, 1, 5_000]) {
    let slices = 0;
    const scene = walk(() => slices++);
    scene.walk.begin(lastId);
    assert.ok(!scene.walk.isUnderWay);
    assert.equal(slices, lastId > 0 ? 1 : 0);
  }
});

Deno.test("`Walk.begin()` leaves a walk under way, `stop()` ends it, and what the first slice throws is the caller's", async () => {
  const seen: number[] = [];
  const scene = walk(({ upTo }) => seen.push(upTo));
  scene.walk.begin(20_000);
  scene.walk.begin(6_000);
  await scene.isDone();
  assert.deepEqual(seen, [5_000, 5_000, 6_000]);
  scene.walk.begin(20_000);
  scene.walk.stop();
  assert.ok(!scene.walk.isUnderWay);
  const failing = walk(() => {
    throw new Error("the disk is full");
  });
  assert.throws(() => failing.walk.begin(1), /the disk is full/);
  assert.deepEqual(failing.errors, []);
  assert.ok(!failing.walk.isUnderWay);
});

Deno.test("`rangesUpTo()` gives each id once, a thousand at a time", async () => {
  assert.deepEqual(await Array.fromAsync(rangesUpTo(2_001)), [
    { after: 0, upTo: 1_000 },
    { after: 1_000, upTo: 2_000 },
    { after: 2_000, upTo: 2_001 },
  ]);
  assert.deepEqual(await Array.fromAsync(rangesUpTo(0)), []);
});
