import { strict as assert } from "node:assert";
import { type Boot, currentBoot, isSameBoot } from "../../lib/core/boot.ts";
import { SECOND } from "../../lib/core/time.ts";

const HOUR = 3_600 * SECOND;

function boot(over: Partial<Boot> = {}): Boot {
  return { id: null, uptime: 5 * HOUR, start: 1_000 * HOUR, ...over };
}

Deno.test("`isSameBoot()` goes by the boot's id where both are known, whatever clock and uptime say", () => {
  assert.ok(isSameBoot(boot({ id: "a" }), boot({ id: "a", uptime: HOUR, start: 0 })));
  assert.ok(!isSameBoot(boot({ id: "a" }), boot({ id: "b" })));
});

Deno.test("`isSameBoot()` knows another boot by its shorter uptime, also on a machine without a real-time clock", () => {
  assert.ok(isSameBoot(boot(), boot({ uptime: 6 * HOUR })));
  assert.ok(isSameBoot(boot(), boot({ start: 1_000 * HOUR + 30 * SECOND })), "clocks are corrected");
  assert.ok(!isSameBoot(boot(), boot({ uptime: HOUR })), "the clock started again where it did before");
  assert.ok(!isSameBoot(boot(), boot({ uptime: 6 * HOUR, start: 2_000 * HOUR })), "a later start");
  assert.ok(!isSameBoot(boot({ id: "a" }), boot({ uptime: HOUR })), "nobody told the id this time");
});

Deno.test("`currentBoot()` is the same boot a moment later", () => {
  assert.ok(isSameBoot(currentBoot(), currentBoot()));
});
