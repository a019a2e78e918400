import { strict as assert } from "node:assert";
import { formatDuration, localTime, MILLISECOND, parseDuration, SECOND } from "../../lib/core/time.ts";
import { inZone } from "../support/helpers.ts";

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

/** Zones, instants, and the clocks there. */
const LOCAL_TIMES: readonly [string, string, string][] = [
  ["Europe/Berlin", "2026-01-02T02:04:05Z", "2026-01-02 03:04:05"],
  ["Europe/Berlin", "2026-07-31T21:59:59.999Z", "2026-07-31 23:59:59"],
  ["Asia/Kolkata", "1969-12-31T23:59:58Z", "1970-01-01 05:29:58"],
  ["America/St_Johns", "9999-12-31T03:30:00Z", "9999-12-31 00:00:00"],
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

Deno.test("`localTime()` writes the time of this machine's zone to the second, in winter and in summer", () => {
  for (const [zone, instant, text] of LOCAL_TIMES) {
    inZone(zone, () => assert.equal(localTime(Date.parse(instant) * MILLISECOND), text));
  }
  inZone("UTC", () => assert.equal(localTime(Date.UTC(2026, 0) * MILLISECOND - 1), "2025-12-31 23:59:59"));
});
