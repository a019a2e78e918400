import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { Freshness, isEstranged } from "../../lib/reading/health.ts";

const MINUTE = 60 * SECOND;
const TOY = { name: "TOY", rules: ["one", "two"] };

Deno.test("`Freshness.report()` counts the lines of the last hour alone", () => {
  const freshness = new Freshness([TOY]);
  for (let minute = 0; minute < 90; minute++) {
    const understood = minute % 2 === 0 ? 1 : 0;
    freshness.lines("TOY", { lines: 1, understood, latest: minute * MINUTE }, minute * MINUTE);
  }
  const [report] = freshness.report(89 * MINUTE);
  assert.deepEqual([report!.lines, report!.understood], [60, 30]);
  assert.deepEqual(freshness.report(500 * MINUTE).map(({ lines }) => lines), [0]);
});

Deno.test("`Freshness.hit()` keeps the latest hit of each rule, whatever order they come in", () => {
  const freshness = new Freshness([TOY]);
  freshness.hit("TOY", "one", 7 * SECOND);
  freshness.hit("TOY", "one", 5 * SECOND);
  freshness.hit("GONE", "one", 9 * SECOND);
  const [report] = freshness.report(10 * SECOND);
  assert.deepEqual(report!.rules, [{ name: "one", lastHit: 7 * SECOND }, { name: "two", lastHit: null }]);
  assert.equal(report!.lastHit, 7 * SECOND);
});

Deno.test("`isEstranged()` wants enough lines, of which less than half were understood", () => {
  const cases: readonly [lines: number, understood: number, boolean][] = [
    [0, 0, false],
    [19, 0, false],
    [20, 9, true],
    [20, 10, false],
    [1_000, 999, false],
    [1_000, 1, true],
  ];
  for (const [lines, understood, estranged] of cases) {
    assert.equal(isEstranged({ lines, understood }), estranged, `${understood} of ${lines}`);
  }
});
