import { strict as assert } from "node:assert";
import { formatDuration, parseDuration, SECOND } from "../../lib/core/time.ts";

const SPANS: readonly [string | number, number | null][] = [
  ["90s", 90],
  ["10m", 600],
  ["2h", 7200],
  ["1d12h", 129600],
  ["4w", 2419200],
  [600, 600],
  ["600", 600],
  ["0s", null],
  ["-5m", null],
  ["5 m", null],
  ["5M", null],
  ["", null],
  ["forever", null],
  ["200000w", null],
];

Deno.test("`parseDuration()` reads spans and refuses none, negative and endless ones", () => {
  for (const [text, seconds] of SPANS) {
    assert.equal(parseDuration(text), seconds === null ? null : seconds * SECOND, String(text));
  }
});

Deno.test("`formatDuration()` writes what `parseDuration()` reads", () => {
  for (const text of ["90s", "10m", "1d12h", "4w", "1m30s"]) {
    assert.equal(parseDuration(formatDuration(parseDuration(text)!)), parseDuration(text));
  }
  assert.equal(formatDuration(parseDuration("90d")!), "90d");
  assert.equal(formatDuration(3 * 86_400 * SECOND + 7 * SECOND), "3d7s");
});
