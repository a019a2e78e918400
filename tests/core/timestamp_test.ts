import { strict as assert } from "node:assert";
import { resolveStamp } from "../../lib/core/stamp.ts";
import { instantOf, unixStamp } from "../../lib/core/timestamp.ts";
import type { Micros } from "../../lib/core/time.ts";
import { inZone } from "../support/helpers.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const NOW = micros("2026-03-10T12:00:00Z");

Deno.test("`unixStamp()` is the instant it counts to", () => {
  for (
    const [text, expected] of [["1773029106.25", 1773029106250000], ["0", 0], [
      "1773029106.000001",
      1773029106000001,
    ]]
  ) {
    assert.equal(resolveStamp(unixStamp(String(text)), { now: NOW, before: NaN }), expected);
  }
});

/** What a person writes, and what it means in Berlin. */
const INSTANTS: readonly (readonly [text: string, expected: string | null])[] = [
  ["2027-01-31", "2027-01-30T23:00:00Z"],
  ["2027-07-01", "2027-06-30T22:00:00Z"],
  ["2027-01-31T12:00:00+01:00", "2027-01-31T11:00:00Z"],
  ["2027-01-31T12:00:00-0530", "2027-01-31T17:30:00Z"],
  ["2027-01-31T12:00:00.250Z", "2027-01-31T12:00:00.250Z"],
  ["2027-01-31T12:00", "2027-01-31T11:00:00Z"],
  ["2027-01-31 12:00", "2027-01-31T11:00:00Z"],
  ["2028-02-29", "2028-02-28T23:00:00Z"],
  ["2027-02-29", null],
  ["2027-13-01", null],
  ["2027-1-31", null],
  ["2027/01/31", null],
  ["2027-01-31T25:00", null],
  ["2027-01-31T12", null],
  ["2027-01-31T12:00:00+25:00", null],
  ["2027-01-31 and more", null],
  ["1969-12-31", null],
  ["2254-12-31", "2254-12-30T23:00:00Z"],
  ["2255-01-01", null],
  ["tomorrow", null],
  ["", null],
];

Deno.test("`instantOf()` reads dates and times as people write them, in local time unless told", () => {
  inZone("Europe/Berlin", () => {
    for (const [text, expected] of INSTANTS) {
      assert.equal(instantOf(text), expected === null ? null : micros(expected), text);
    }
  });
});
