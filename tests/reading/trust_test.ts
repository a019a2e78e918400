import { strict as assert } from "node:assert";
import { isTrusted } from "../../lib/reading/trust.ts";
import type { Sender } from "../../lib/core/records.ts";

Deno.test("`isTrusted()` believes root and the service's units, and nobody else", () => {
  const units = ["toy.service", "toy@.service"];
  const cases: readonly [Sender, boolean][] = [
    [{ uid: 0, unit: "cron.service" }, true],
    [{ uid: 33, unit: "toy.service" }, true],
    [{ uid: 33, unit: "toy@1-10.0.0.1.service" }, true],
    [{ uid: 33, unit: "toys.service" }, false],
    [{ uid: 33, unit: "" }, false],
    [{ uid: null, unit: "session-1.scope" }, false],
  ];
  for (const [sender, expected] of cases) {
    assert.equal(isTrusted(sender, units), expected, JSON.stringify(sender));
  }
});
