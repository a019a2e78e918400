import { strict as assert } from "node:assert";
import { ClockWatch, PatientClock } from "../../lib/core/clock_watch.ts";
import { DAY, MINUTE, SECOND } from "../../lib/core/time.ts";

/** Two clocks that go on together, and of which the wall clock may be set. */
class SetClocks {
  #wall = 1_000 * DAY;
  #steady = 5 * SECOND;
  readonly wall = () => this.#wall;
  readonly steady = () => this.#steady;

  goOn(passed: number, set: number): void {
    this.#steady += passed;
    this.#wall += passed + set;
  }
}

Deno.test("`ClockWatch.look()` mends once when the clock is set back, and never for one that is set ahead or goes on", () => {
  const clocks = new SetClocks();
  const watch = new ClockWatch(clocks);
  const mended = (passed: number, set = 0) => {
    clocks.goOn(passed, set);
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

Deno.test("`PatientClock.now()` follows a step ahead of more than a day only after a day, and all other steps at once", () => {
  const clocks = new SetClocks();
  const clock = new PatientClock(clocks);
  const after = (passed: number, set = 0) => {
    clocks.goOn(passed, set);
    return clock.now() - 1_000 * DAY;
  };
  assert.equal(after(MINUTE), MINUTE);
  assert.equal(after(MINUTE, DAY), DAY + 2 * MINUTE, "a step of a day, as in a suspended machine");
  assert.equal(after(MINUTE, -DAY), 3 * MINUTE, "a step back");
  assert.equal(after(MINUTE, 400 * DAY), 4 * MINUTE);
  assert.equal(after(DAY - MINUTE), DAY + 3 * MINUTE);
  assert.equal(after(MINUTE, -400 * DAY), DAY + 4 * MINUTE, "the clock is right again");
  after(MINUTE, 400 * DAY);
  assert.equal(after(DAY), 402 * DAY + 5 * MINUTE, "the step has lasted for a day");
  assert.equal(after(-0, -500 * DAY), -98 * DAY + 5 * MINUTE);
});
