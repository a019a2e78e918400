import { strict as assert } from "node:assert";
import { changesBetween } from "../../../lib/commands/report/changes.ts";
import { changeText } from "../../../lib/commands/report/words.ts";
import { NOTHING_COUNTED as NOTHING } from "../../support/helpers.ts";

Deno.test("`changesBetween()` finds what is new, gone, more and less, the greatest differences first", () => {
  const before = {
    ...NOTHING,
    hits: [["SSHD", 100], ["NGINX", 100]] as const,
    user: [["old", 30], ["few", 1]] as const,
  };
  const present = {
    ...NOTHING,
    hits: [["SSHD", 149], ["NGINX", 150]] as const,
    user: [["few", 9], ["new", 40]] as const,
  };
  assert.deepEqual(changesBetween(before, present), [
    { subject: "module", name: "NGINX", before: 100, hits: 150 },
    { subject: "user", name: "new", before: 0, hits: 40 },
    { subject: "user", name: "old", before: 30, hits: 0 },
  ]);
});

Deno.test("`changesBetween()` tells three of a subject at most", () => {
  const path = Array.from({ length: 9 }, (_, i) => [`/${i}`, 100 + i] as const);
  assert.deepEqual(changesBetween(NOTHING, { ...NOTHING, path }).map(({ name }) => name), ["/8", "/7", "/6"]);
});

Deno.test("`changeText()` words how a count differs from the one before", () => {
  const cases = [
    [null, 5, ""],
    [5, 5, "same"],
    [1_000, 1_001, "same"],
    [0, 5, "new"],
    [5, 0, "gone"],
    [100, 112, "+12 %"],
    [100, 50, "−50 %"],
    [100, 199, "+99 %"],
    [100, 200, "×2.0"],
    [1, 12_345, "×12345"],
  ] as const;
  for (const [before, count, text] of cases) assert.equal(changeText(before, count), text);
});
