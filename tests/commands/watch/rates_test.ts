import { strict as assert } from "node:assert";
import { plot, roundAbove } from "../../../lib/commands/watch/plot.ts";
import { Rates, SLOT } from "../../../lib/commands/watch/rates.ts";
import { RecentCounts } from "../../../lib/monitor/recent_counts.ts";
import { SECOND } from "../../../lib/core/time.ts";
import { REPORT } from "../../support/monitor_report.ts";

const START = 1_000_000 * SLOT;

function report(time: number | undefined, entries: number, over: { started?: number; bans?: number } = {}) {
  const { started = 1, bans = 0 } = over;
  return {
    ...REPORT,
    time,
    started,
    loaded: started,
    counts: { ...REPORT.counts, entries, hits: entries / 2, bans },
  };
}

Deno.test("Rates tell what came a second between two reports, whenever these were read", () => {
  const rates = new Rates();
  for (let i = 0; i <= 5; i++) rates.add(report(START + i * SLOT, 100 * i), START + i * SLOT + SECOND);
  const now = START + 6 * SLOT;
  assert.deepEqual(rates.series("lines", { count: 6, now }), [0, 50, 50, 50, 50, 50]);
  assert.deepEqual(rates.series("hits", { count: 3, now }), [25, 25, 25]);
});

Deno.test("Rates of reports that come a little late have no gaps", () => {
  const rates = new Rates();
  const every = SLOT * 1.07;
  for (let i = 0; i <= 40; i++) rates.add(report(START + i * every, 107 * i), START + i * every);
  const series = rates.series("lines", { count: 30, now: START + 40 * every });
  for (const rate of series) assert.ok(Math.abs(rate - 50) < 1e-6, `${rate}`);
});

Deno.test("Rates are 0 while a report stays as it is, and what came then is of its last two seconds", () => {
  const rates = new Rates();
  rates.add(report(START, 0), START);
  rates.add(report(START, 0), START + 10 * SLOT);
  rates.add(report(START + 20 * SLOT, 80), START + 20 * SLOT);
  const series = rates.series("lines", { count: 20, now: START + 21 * SLOT });
  assert.deepEqual(series.map((rate) => rate > 0), [...Array(19).fill(false), true]);
  assert.equal(series.at(-1), 40);
});

Deno.test("Rates count nothing of a monitor that began anew, or of a clock that was set back", () => {
  const rates = new Rates();
  rates.add(report(START, 1_000), START);
  rates.add(report(START + SLOT, 5, { started: 2 }), START + SLOT);
  rates.add(report(START - 9 * SLOT, 500, { started: 2 }), START - 9 * SLOT);
  rates.add(report(START - 8 * SLOT, 400, { started: 2 }), START - 8 * SLOT);
  assert.ok(rates.series("lines", { count: 30, now: START + 3 * SLOT }).every((rate) => rate === 0));
});

Deno.test("Rates of bans are of the minute before", () => {
  const rates = new Rates();
  rates.add(report(START, 0), START);
  rates.add(report(START + SLOT, 0, { bans: 3 }), START + SLOT);
  const series = rates.series("bans", { count: 40, now: START + 41 * SLOT });
  assert.equal(series.filter((rate) => rate === 3).length, 30);
  assert.equal(series.at(-1), 0);
});

Deno.test("Rates take reports of earlier versions, which do not say when they were written", () => {
  const rates = new Rates();
  rates.add(report(undefined, 0), START);
  rates.add(report(undefined, 100), START + SLOT);
  assert.equal(rates.series("lines", { count: 1, now: START + 2 * SLOT })[0], 50);
});

Deno.test("plot() draws two numbers in a column, anything above 0 as a dot at least", () => {
  assert.deepEqual(plot([0, 1, 2, 4], { width: 2, height: 1, most: 4 }), ["⢀⣼"]);
  assert.deepEqual(plot([8, 8, 4, 0.001], { width: 2, height: 2, most: 8 }), ["⣿ ", "⣿⣇"]);
  assert.deepEqual(plot([], { width: 3, height: 1, most: 1 }), ["   "]);
  assert.deepEqual(plot([9, 9, 9, 9], { width: 1, height: 1, most: 3 }), ["⣿"]);
});

Deno.test("roundAbove() gives scales that change seldom", () => {
  assert.deepEqual([0, 1, 1.1, 3, 7, 20, 51, 4_001].map(roundAbove), [1, 1, 2, 5, 10, 20, 100, 5_000]);
});

Deno.test("Rates begin with what the first report tells of the minutes before, and nothing counts twice", () => {
  const [monitor, rates] = [new RecentCounts(), new Rates()];
  const countsAt = (i: number) => report(undefined, 100 * i).counts;
  for (let i = 0; i <= 10; i++) monitor.add(START + i * SLOT, countsAt(i));
  const reportOf = (i: number) => ({
    ...report(START + i * SLOT, 100 * i),
    recent: monitor.add(START + i * SLOT, countsAt(i)),
  });
  for (const i of [11, 12]) rates.add(reportOf(i), START + i * SLOT);
  const series = rates.series("lines", { count: 12, now: START + 13 * SLOT });
  assert.deepEqual(series, Array(12).fill(50));
  assert.equal(rates.series("lines", { count: 13, now: START + 13 * SLOT })[0], 0);
});
