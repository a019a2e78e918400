import { strict as assert } from "node:assert";
import { omittedAmong, positionOf, readPosition, sumOf } from "../../../lib/sources/journal/position.ts";

const CURSOR = "s=1;i=a;b=2;m=3;t=4;x=5";

Deno.test("`readPosition()` takes a cursor alone for a position without unproved entries", () => {
  const start = { after: CURSOR, since: 7 };
  assert.deepEqual(readPosition(start), { start, unproved: null });
  assert.deepEqual(readPosition({ after: null, since: 7 }).start, { after: null, since: 7 });
});

for (
  const since of [{ after: "s=1;i=9;b=2;m=3;t=3;x=4", since: 7 }, {
    after: null,
    since: 1_772_323_200_000_000,
  }]
) {
  Deno.test(`\`readPosition()\` reads what \`positionOf()\` writes of entries since ${since.after ?? "an instant"}`, () => {
    const unproved = { since, last: 2 ** 51, count: 3, sum: 2 ** 52 - 1 };
    assert.deepEqual(readPosition({ after: positionOf(CURSOR, unproved), since: 7 }), {
      start: { after: CURSOR, since: 7 },
      unproved,
    });
  });
}

const MARKS = [5, 3, 9, 2 ** 51, 2 ** 51 + 1, 7];

for (
  const [what, omitted, expected] of [
    ["none", [], []],
    ["the first entry", [0], [0]],
    ["entries within", [2, 3, 4], [2, 3, 4]],
    ["the last but one", [4], [4]],
    ["none of entries that do not follow each other", [0, 4], []],
  ] as const
) {
  Deno.test(`\`omittedAmong()\` finds ${what}, by sums that wrap around`, () => {
    const printed = MARKS.filter((_, i) => !(omitted as readonly number[]).includes(i));
    const sum = printed.reduce(sumOf, 0);
    assert.deepEqual(omittedAmong(MARKS, { count: printed.length, sum }), expected.map((i) => MARKS[i]));
  });
}

Deno.test("`omittedAmong()` finds nothing if the journal has deleted some of the printed entries", () => {
  assert.deepEqual(omittedAmong(MARKS.slice(2), { count: 6, sum: MARKS.reduce(sumOf, 0) }), []);
});
