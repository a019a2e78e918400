import { strict as assert } from "node:assert";
import { banSpan } from "../../lib/deciding/escalation.ts";
import type { Growth } from "../../lib/rules/rule.ts";
import type { Micros } from "../../lib/core/time.ts";
import type { PastBan } from "../../lib/deciding/ban.ts";

const MINUTE = 60_000_000;
const GROWTH: Growth = { factor: 4, most: null, forgetAfter: null };

function served(start: number, ended: number, endReason = "expired"): PastBan {
  return { start: start * MINUTE, ended: ended * MINUTE, endReason };
}

function minutes(over: { first?: Micros | null; growth?: Partial<Growth>; past?: PastBan[] }, start = 1_000) {
  const { first = 10 * MINUTE, growth = {}, past = [] } = over;
  const span = banSpan({ first, growth: { ...GROWTH, ...growth }, past: () => past }, start * MINUTE);
  return span === null ? null : span / MINUTE;
}

Deno.test("`banSpan()` multiplies with each ban served before", () => {
  const past = [served(500, 660), served(300, 340), served(100, 110)];
  assert.deepEqual([0, 1, 2, 3].map((n) => minutes({ past: past.slice(3 - n) })), [10, 40, 160, 640]);
  assert.equal(minutes({ past, growth: { factor: 1 } }), 10);
  assert.equal(minutes({ past, growth: { factor: 1.5 } }), 33.75);
});

Deno.test("`banSpan()` keeps to the longest, and to a century without one", () => {
  const past = Array.from({ length: 100 }, (_, i) => served(900 - i, 901 - i));
  assert.equal(minutes({ past, growth: { most: 90 * MINUTE } }), 90);
  assert.equal(minutes({ past }), 100 * 365 * 1_440);
  assert.equal(minutes({ growth: { most: 5 * MINUTE } }), 5, "the first one too");
  assert.equal(minutes({ first: null, past, growth: { most: MINUTE } }), null, "for good is for good");
});

Deno.test("`banSpan()` forgets what lies before a time of freedom", () => {
  const past = [served(900, 910), served(500, 510), served(490, 500)];
  assert.equal(minutes({ past, growth: { forgetAfter: 500 * MINUTE } }), 640);
  assert.equal(
    minutes({ past, growth: { forgetAfter: 390 * MINUTE } }),
    40,
    "390 minutes free before the last",
  );
  assert.equal(minutes({ past, growth: { forgetAfter: 90 * MINUTE } }), 10, "90 minutes free by now");
});

Deno.test("`banSpan()` does not count what somebody lifted", () => {
  assert.equal(
    minutes({ past: [served(900, 901, "unban"), served(800, 801, "whitelisted"), served(1, 2)] }),
    40,
  );
});
