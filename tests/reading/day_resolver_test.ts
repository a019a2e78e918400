import { strict as assert } from "node:assert";
import { DayResolver } from "../../lib/reading/day_resolver.ts";
import { resolveStamp } from "../../lib/core/stamp.ts";
import type { Micros } from "../../lib/core/time.ts";
import { inZone } from "../support/helpers.ts";
import { Random } from "../support/random.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;

Deno.test("`DayResolver.resolve()` finds the instants that `resolveStamp()` finds, through a year and both its changes of clocks", () => {
  for (const zone of ["UTC", "Europe/Berlin", "Australia/Lord_Howe"]) {
    inZone(zone, () => {
      const random = new Random(23);
      const surroundings = { now: micros("2026-11-02T12:00:00Z"), before: NaN };
      const resolver = new DayResolver(surroundings);
      for (let i = 0; i < 6_000; i++) {
        const { now } = surroundings;
        if (random.below(50) === 0) {
          const day = random.pick([
            "2026-03-29",
            "2026-04-05",
            "2026-10-04",
            "2026-10-25",
            "2026-11-01",
            "2026-01-01",
          ]);
          const [from, days] = random.pick([["2026-01-01", 365], [day, 3]] as const);
          surroundings.now = micros(`${from}T00:00:30Z`) + random.below(days * 86_400) * 1e6;
        }
        const at = new Date(
          (now - random.below(3) * random.below(90_000) * 1e6) / 1_000 + random.below(2) * 100_000_000,
        );
        const stamp = {
          year: random.pick([null, 2026]),
          month: at.getMonth() + 1,
          day: at.getDate(),
          hour: random.pick([at.getHours(), 2, 1]),
          minute: random.pick([at.getMinutes(), 30, 59]),
          second: random.pick([0, 30, 59, 60, 61]),
          fraction: random.pick([0, 123_456]),
          offset: random.pick([null, null, 0, 120]),
          name: random.pick([undefined, undefined, "America/New_York", "Lord/Howe"]),
        };
        for (const hour of [stamp.hour, 0, 1, 2, 3, 23, 24]) {
          resolver.begin({ ...stamp, hour });
          for (
            const [minute, second] of [[stamp.minute, stamp.second], [random.below(61), 5], [59, 60]] as const
          ) {
            const one = { ...stamp, hour, minute, second };
            const expected = resolveStamp(one, surroundings);
            resolver.resolve(minute, second, one.fraction, one);
            assert.equal(resolver.time, expected, `${zone} ${JSON.stringify(one)} as of ${surroundings.now}`);
          }
        }
        surroundings.before = random.below(3) === 0 ? NaN : now - random.below(7_200) * 1e6;
      }
    });
  }
});
