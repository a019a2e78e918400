import { strict as assert } from "node:assert";
import { ClockWatch } from "../../lib/core/clock_watch.ts";
import { DAY, MINUTE, SECOND } from "../../lib/core/time.ts";

Deno.test("`ClockWatch.look()` mends once when the clock is set back, and never for one that is set ahead or goes on", () => {
  let [wall, steady] = [1_000 * DAY, 5 * SECOND];
  const watch = new ClockWatch({ wall: () => wall, steady: () => steady });
  const mended = (passed: number, set = 0) => {
    steady += passed;
    wall += passed + set;
    const times: number[] = [];
    watch.look((time) => times.push(time));
    return times;
  };
  assert.deepEqual(mended(MINUTE), []);
  assert.deepEqual(mended(MINUTE, 400 * DAY), [], "set ahead");
  assert.deepEqual(mended(MINUTE, -400 * DAY), [1_000 * DAY + 3 * MINUTE]);
  assert.deepEqual(mended(MINUTE), []);
  assert.deepEqual(mended(DAY, -40 * SECOND), [], "a small correction");
  assert.equal(mended(DAY, -40 * SECOND).length, 1, "small corrections add up");
});

Deno.test("`ClockWatch.look()` mends again where that failed", () => {
  let wall = 1_000 * DAY;
  const watch = new ClockWatch({ wall: () => wall, steady: () => 0 });
  wall -= DAY;
  assert.throws(() =>
    watch.look(() => {
      throw new Error("disk full");
    })
  );
  let count = 0;
  watch.look(() => count++);
  watch.look(() => count++);
  assert.equal(count, 1);
});
