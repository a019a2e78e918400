import { strict as assert } from "node:assert";
import { HeatBuilder } from "../../../lib/commands/report/heat.ts";
import { SeriesBuilder } from "../../../lib/commands/report/series.ts";
import { SlowBuilder } from "../../../lib/commands/report/slow.ts";
import { DAY, HOUR, type Micros } from "../../../lib/core/time.ts";
import type { RollupContent } from "../../../lib/state/rollup.ts";
import { NOTHING_COUNTED as NOTHING } from "../../support/helpers.ts";
import { inZone } from "../../support/helpers.ts";

/** A Monday, 00:00 UTC. */
const MONDAY = Date.parse("2026-11-23T00:00:00Z") * 1_000;

function hour(start: Micros, content: Partial<RollupContent>) {
  return { span: HOUR, start, content: { ...NOTHING, ...content } };
}

function seriesOf(from: Micros, to: Micros, rows: readonly ReturnType<typeof hour>[]) {
  const builder = new SeriesBuilder({ from, to });
  rows.forEach((row) => builder.add(row));
  return builder.series();
}

Deno.test("`SeriesBuilder` has bars as long as the period asks for, those without hits as well", () => {
  inZone("UTC", () => {
    const unitOf = (days: number) => {
      const { unit, bars } = seriesOf(MONDAY, MONDAY + days * DAY, []);
      return [unit, bars.length];
    };
    assert.deepEqual([2, 7, 9, 101].map(unitOf), [["hour", 48], ["six hours", 28], ["day", 9], ["week", 15]]);
  });
});

Deno.test("`SeriesBuilder` counts hits by module and bans, the module with most hits first", () => {
  inZone("UTC", () => {
    const builder = new SeriesBuilder({ from: MONDAY + 3 * HOUR, to: MONDAY + 5 * HOUR });
    builder.add(hour(MONDAY + 3 * HOUR, { hits: [["SSHD", 2], ["NGINX", 1]] }));
    builder.add(hour(MONDAY + 4 * HOUR, { hits: [["NGINX", 5]] }));
    builder.addBans({ hour: MONDAY + 4 * HOUR, made: 3 });
    builder.addBans({ hour: MONDAY + 2 * HOUR, made: 9 });
    assert.deepEqual(builder.series(), {
      unit: "hour",
      modules: ["NGINX", "SSHD"],
      bars: [{ start: MONDAY + 3 * HOUR, hits: [1, 2], bans: 0 }, {
        start: MONDAY + 4 * HOUR,
        hits: [5, 0],
        bans: 3,
      }],
    });
  });
});

Deno.test("`SeriesBuilder` adds up all modules behind the fifth where there are more than six", () => {
  const hits = Array.from({ length: 8 }, (_, i) => [`M${i}`, 10 - i] as const);
  const { modules, bars } = seriesOf(MONDAY, MONDAY + HOUR, [hour(MONDAY, { hits })]);
  assert.deepEqual(modules, ["M0", "M1", "M2", "M3", "M4", "others"]);
  assert.deepEqual(bars[0]!.hits, [10, 9, 8, 7, 6, 5 + 4 + 3]);
});

Deno.test("`SeriesBuilder` cuts days in local time, also where a day has 23 hours", () => {
  inZone("Europe/Berlin", () => {
    const from = Date.parse("2026-03-27T00:00:00+01:00") * 1_000;
    const { bars } = seriesOf(from, from + 10 * DAY, [hour(Date.parse("2026-03-29T22:00:00Z") * 1_000, {
      hits: [["SSHD", 7]],
    })]);
    const day = bars.find(({ hits }) => hits[0] === 7)!;
    assert.equal(new Date(day.start / 1_000).toISOString(), "2026-03-29T22:00:00.000Z");
  });
});

Deno.test("`HeatBuilder` has the hours of seven days by local weekday, and none that are not in the period", () => {
  inZone("UTC", () => {
    const builder = new HeatBuilder({ from: MONDAY, to: MONDAY + 7 * DAY - 1 });
    builder.add(hour(MONDAY + 2 * HOUR, { hits: [["SSHD", 2], ["NGINX", 1]] }));
    builder.add({ ...hour(MONDAY, { hits: [["SSHD", 99]] }), span: DAY });
    const cells = builder.cells();
    assert.equal(cells[0]![2], 3);
    assert.equal(cells.flat().reduce<number>((sum, hits) => sum + hits!, 0), 3);
    const short = new HeatBuilder({ from: MONDAY + 5 * HOUR, to: MONDAY + 7 * HOUR }).cells();
    assert.deepEqual(short[0]!.slice(4, 9), [null, 0, 0, 0, null]);
    assert.ok(short.slice(1).flat().every((hits) => hits === null));
  });
});

Deno.test("`HeatBuilder` leaves out what is older than seven days", () => {
  inZone("UTC", () => {
    const builder = new HeatBuilder({ from: MONDAY - DAY, to: MONDAY + 7 * DAY - 1 });
    builder.add(hour(MONDAY - HOUR, { hits: [["SSHD", 5]] }));
    assert.equal(builder.cells().flat().reduce<number>((sum, hits) => sum + hits!, 0), 0);
  });
});

Deno.test("`SlowBuilder` finds who comes in many hours and never loudly, those of most hours first", () => {
  const builder = new SlowBuilder();
  for (let i = 0; i < 30; i++) {
    const address: (readonly [string, number])[] = [["192.0.2.1", 2]];
    if (i % 4 === 0) address.push(["192.0.2.2", 10]);
    if (i % 2 === 0) address.push(["192.0.2.3", i === 20 ? 11 : 1]);
    if (i < 5) address.push(["192.0.2.4", 1]);
    builder.add(hour(MONDAY + i * HOUR, { address }));
  }
  builder.add({ ...hour(MONDAY, { address: [["192.0.2.4", 1]] }), span: DAY });
  assert.deepEqual(builder.slowest(9), [
    { address: "192.0.2.1", hours: 30, days: 2, hits: 60, most: 2 },
    { address: "192.0.2.2", hours: 8, days: 2, hits: 80, most: 10 },
  ]);
  assert.equal(builder.slowest(1).length, 1);
});
