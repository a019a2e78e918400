import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { hasUnknownFormat, Health } from "../../lib/reading/health.ts";

const MINUTE = 60 * SECOND;
const TOY = { name: "TOY", rules: ["one", "two"] };

Deno.test("`Health.report()` counts the lines of the last hour alone", () => {
  const health = new Health([TOY]);
  for (let minute = 0; minute < 90; minute++) {
    health.line(0, minute % 2 === 0, minute * MINUTE);
    assert.equal(health.endBatch(minute * MINUTE), minute % 2);
  }
  const [report] = health.report(89 * MINUTE);
  assert.deepEqual([report!.lines, report!.understood], [60, 30]);
  assert.deepEqual(health.report(500 * MINUTE).map(({ lines }) => lines), [0]);
});

Deno.test("`Health.hit()` keeps the latest hit of each rule, whatever order they come in", () => {
  const health = new Health([TOY]);
  health.hit(0, "one", 7 * SECOND);
  health.hit(0, "one", 5 * SECOND);
  const [report] = health.report(10 * SECOND);
  assert.deepEqual(report!.rules, [{ name: "one", lastHit: 7 * SECOND }, { name: "two", lastHit: null }]);
  assert.equal(report!.lastHit, 7 * SECOND);
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
