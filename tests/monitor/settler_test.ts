import { strict as assert } from "node:assert";
import { Settler } from "../../lib/monitor/settler.ts";
import { isLate, nextTurn } from "../../lib/core/async.ts";
import { SECOND } from "../../lib/core/time.ts";

Deno.test("`Settler` has the disk write the state after each 32 batches, one time after the other, until an abort", async () => {
  let calls = 0;
  let underWay = Promise.withResolvers<void>();
  const settler = new Settler({
    settle: () => {
      calls++;
      return underWay.promise;
    },
  });
  const stop = new AbortController();
  const running = settler.run(stop.signal);
  const process = async (batches: number) => {
    for (let i = 0; i < batches; i++) settler.processed();
    await nextTurn();
    return calls;
  };
  assert.equal(await process(31), 0);
  assert.equal(await process(1), 1);
  // A disk that takes long gets no second call, and then one for all that came meanwhile.
  assert.equal(await process(100), 1);
  const first = underWay;
  underWay = Promise.withResolvers<void>();
  first.resolve();
  assert.equal(await process(0), 2);
  underWay.resolve();
  assert.equal(await process(0), 2);
  stop.abort();
  await running;
  assert.equal(await process(64), 2);
});

Deno.test("`Settler.run()` ends at an abort while the disk hangs", async () => {
  const settler = new Settler({ settle: () => new Promise(() => {}) });
  const stop = new AbortController();
  const running = settler.run(stop.signal);
  for (let i = 0; i < 32; i++) settler.processed();
  await nextTurn();
  stop.abort();
  assert.equal(await isLate(running, 5 * SECOND), false);
});
