import { strict as assert } from "node:assert";
import { requireSince, requireTime } from "../../../lib/commands/common/values.ts";
import { HOUR, now } from "../../../lib/core/time.ts";
import { UserError } from "../../../lib/core/error.ts";
import { inZone } from "../../support/helpers.ts";

Deno.test("`requireTime()` reads a date, a date and a time, and a span before now", () =>
  inZone("Europe/Berlin", () => {
    assert.equal(requireTime("2026-01-31T12:00:00+01:00"), Date.UTC(2026, 0, 31, 11) * 1_000);
    assert.equal(requireTime("2026-01-31"), new Date(2026, 0, 31).getTime() * 1_000);
    assert.equal(requireTime("2026-01-31 12:00"), new Date(2026, 0, 31, 12).getTime() * 1_000);
    for (const text of ["2h", "-2h"]) {
      const before = now();
      const ago = requireTime(text) + 2 * HOUR;
      assert.ok(ago >= before && ago <= now(), String(ago - before));
    }
    const days = [requireTime("yesterday"), requireTime("today")].map((time) => new Date(time / 1_000));
    assert.deepEqual(days.map((day) => [day.getHours(), day.getMinutes()]), [[0, 0], [0, 0]]);
    assert.ok(days[0]!.getDate() !== days[1]!.getDate());
  }));

Deno.test("`requireTime()` refuses numbers, words and days that `Date` would turn into some time", () => {
  const wrong = [
    "0",
    "7",
    "week 1",
    "Jan 5",
    "01/02/2026",
    "2026-02-30",
    "2026-1-5",
    "tomorrow",
    "constructor",
    "",
  ];
  for (const text of wrong) assert.throws(() => requireTime(text), UserError, text);
});

Deno.test("`requireSince()` refuses a time ahead", () => {
  assert.equal(requireSince("2026-01-31"), requireTime("2026-01-31"));
  assert.throws(() => requireSince("2200-01-01"), {
    name: "UserError",
    message: 'Cannot begin at "2200-01-01": that time is ahead',
  });
});
