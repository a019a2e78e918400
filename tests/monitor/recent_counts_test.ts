import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { RecentCounts } from "../../lib/monitor/recent_counts.ts";
import { REPORT } from "../support/monitor_report.ts";

const counts = (entries: number, over = {}) => ({ ...REPORT.counts, entries, ...over });

Deno.test("`RecentCounts` tells what came between two reports", () => {
  const recent = new RecentCounts();
  assert.deepEqual(recent.add(10 * SECOND, counts(100)), []);
  assert.deepEqual(recent.add(12 * SECOND, counts(150, { hits: 7, bans: 1 })), [[2_000, 50, 7, 1]]);
  assert.deepEqual(recent.add(20 * SECOND, counts(151, { hits: 7, bans: 1 })), [[2_000, 50, 7, 1], [
    ...[8_000, 1, 0, 0],
  ]]);
});

Deno.test("`RecentCounts` remembers five minutes and nothing of a clock that was set back", () => {
  const recent = new RecentCounts();
  for (let i = 0; i < 1_000; i++) recent.add(i * SECOND, counts(i));
  const list = recent.add(500 * SECOND, counts(2_000));
  assert.equal(list.length, 150);
  assert.deepEqual(list.at(-1), [1_000, 1, 0, 0]);
});
