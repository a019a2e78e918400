import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { Activity, hasUnknownFormat, type ModuleActivity } from "../../lib/reading/activity.ts";

const MINUTE = 60 * SECOND;
const TOY = { name: "TOY", rules: ["one", "two"] };

Deno.test("`Activity.report()` counts the lines of the last hour alone", () => {
  const activity = new Activity([TOY]);
  for (let minute = 0; minute < 90; minute++) {
    activity.addLine(0, minute % 2 === 0, minute * MINUTE);
    assert.equal(activity.commit(minute * MINUTE), minute % 2);
  }
  const [report] = activity.report(89 * MINUTE);
  assert.deepEqual([report!.lines, report!.understood], [60, 30]);
  assert.deepEqual(activity.report(500 * MINUTE).map(({ lines }) => lines), [0]);
});

Deno.test("`Activity.reset()` forgets the lines that were not committed", () => {
  const activity = new Activity([TOY]);
  activity.addLine(0, true, 3 * SECOND);
  activity.reset();
  assert.equal(activity.report(0)[0]!.lastLine, null);
  activity.addLine(0, false, 2 * SECOND);
  assert.equal(activity.commit(0), 1);
  const [{ lastLine, lines, understood }] = activity.report(0) as [ModuleActivity];
  assert.deepEqual({ lastLine, lines, understood }, { lastLine: 2 * SECOND, lines: 1, understood: 0 });
});

Deno.test("`Activity.addHits()` keeps the latest hit of each rule, whatever order they come in", () => {
  const activity = new Activity([TOY]);
  activity.addHits("TOY", "one", { time: 7 * SECOND, count: 1 });
  activity.addHits("TOY", "one", { time: 5 * SECOND, count: 1 });
  const [report] = activity.report(10 * SECOND);
  assert.deepEqual(report!.rules, [{ name: "one", lastHit: 7 * SECOND, hits: 2 }, {
    name: "two",
    lastHit: null,
    hits: 0,
  }]);
  assert.equal(report!.lastHit, 7 * SECOND);
});

Deno.test("`Activity.totals()` counts lines and hits since the start, however long ago", () => {
  const activity = new Activity([TOY]);
  activity.addLine(0, true, 0);
  activity.addLine(0, false, 0);
  activity.commit(0);
  activity.addLine(0, true, 90 * MINUTE);
  activity.commit(90 * MINUTE);
  activity.addHits("TOY", "two", { time: 0, count: 3 });
  activity.addHits("TOY", "two", { time: 90 * MINUTE, count: 4 });
  const hits = [{ rule: "one", count: 0 }, { rule: "two", count: 7 }];
  assert.deepEqual(activity.totals(), [{ name: "TOY", lines: 3, understood: 2, hits }]);
});

Deno.test("`hasUnknownFormat()` wants enough lines, of which less than half were understood", () => {
  const cases: readonly [lines: number, understood: number, boolean][] = [
    [0, 0, false],
    [19, 0, false],
    [20, 9, true],
    [20, 10, false],
    [1_000, 999, false],
    [1_000, 1, true],
  ];
  for (const [lines, understood, expected] of cases) {
    assert.equal(hasUnknownFormat({ lines, understood }), expected, `${understood} of ${lines}`);
  }
});
