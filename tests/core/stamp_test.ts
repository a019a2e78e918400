import { strict as assert } from "node:assert";
import { resolveStamp, type Stamp } from "../../lib/core/stamp.ts";
import { readClfTime, readIsoTime, readSyslogTime } from "../../lib/core/timestamp.ts";
import type { Micros } from "../../lib/core/time.ts";
import { zoneOf } from "../../lib/core/zone.ts";
import { inZone } from "../support/helpers.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const NOW = micros("2026-03-10T12:00:00Z");

function stampOf(text: string): Stamp {
  const read = readSyslogTime(text) ?? readIsoTime(text) ?? readClfTime(text);
  assert.ok(read, text);
  assert.equal(read.length, text.length, text);
  return read.stamp;
}

/** Time of a line, the present, the year that it must be. All in UTC. */
const YEARS: readonly (readonly [line: string, now: string, expected: string])[] = [
  ["Mar  9 04:05:06", "2026-03-09T04:05:06Z", "2026-03-09T04:05:06Z"],
  ["Dec 31 23:59:59", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z"],
  ["Dec 31 23:59:59", "2026-12-31T23:59:58Z", "2026-12-31T23:59:59Z"],
  ["Jan  1 00:00:05", "2025-12-31T23:59:59Z", "2026-01-01T00:00:05Z"],
  ["Jan  1 23:00:00", "2025-12-31T23:30:00Z", "2026-01-01T23:00:00Z"],
  ["Jan  2 12:00:00", "2025-12-31T23:59:59Z", "2025-01-02T12:00:00Z"],
  ["Mar 10 12:00:00", "2026-03-09T12:00:00Z", "2026-03-10T12:00:00Z"],
  ["Mar 10 12:00:01", "2026-03-09T12:00:00Z", "2025-03-10T12:00:01Z"],
  ["Feb 29 10:00:00", "2026-03-09T12:00:00Z", "2024-02-29T10:00:00Z"],
  ["Feb 29 10:00:00", "2024-02-29T11:00:00Z", "2024-02-29T10:00:00Z"],
  ["Feb 29 10:00:00", "2024-02-28T11:00:00Z", "2024-02-29T10:00:00Z"],
  ["Feb 29 10:00:00", "2024-02-20T11:00:00Z", "2020-02-29T10:00:00Z"],
  ["Mar 10 2020 12:00:00", "2026-03-09T12:00:00Z", "2020-03-10T12:00:00Z"],
  ["Mar 10 12:00:00 2020", "2026-03-09T12:00:00Z", "2020-03-10T12:00:00Z"],
  ["Mar 10 12:00:00 UTC 2030", "2026-03-09T12:00:00Z", "2030-03-10T12:00:00Z"],
  ["2020-03-10_12:00:00.5", "2026-03-09T12:00:00Z", "2020-03-10T12:00:00.500Z"],
  ["Feb 29 10:00:00", "2103-06-01T00:00:00Z", "2096-02-29T10:00:00Z"],
];

Deno.test("`resolveStamp()` puts a time without a year into the latest one that fits", () =>
  inZone("UTC", () => {
    for (const [text, now, expected] of YEARS) {
      const time = resolveStamp(stampOf(text), { now: micros(now), before: NaN });
      assert.equal(time, micros(expected), `${text} at ${now}`);
    }
  }));

const ZONES: readonly (readonly [zone: string, line: string, expected: string])[] = [
  ["Europe/Berlin", "Mar  9 05:05:06", "2026-03-09T04:05:06Z"],
  ["Europe/Berlin", "2026-07-09 05:05:06", "2026-07-09T03:05:06Z"],
  ["Europe/Berlin", "2026/07/09 05:05:06", "2026-07-09T03:05:06Z"],
  ["Europe/Berlin", "2026-07-09T05:05:06Z", "2026-07-09T05:05:06Z"],
  ["America/St_Johns", "Mar  7 00:30:00", "2026-03-07T04:00:00Z"],
  ["Asia/Kolkata", "2026-03-09 05:30:00", "2026-03-09T00:00:00Z"],
  // Clocks go from 01:59:59 to 03:00:00, and half a year later from 02:59:59 back to 02:00:00.
  ["Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59Z"],
  ["Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00Z"],
  ["Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24T23:59:59Z"],
  ["Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z"],
  // What is skipped counts from the moment of the change on.
  ["Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z"],
  ["Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:45:00Z"],
  ["Australia/Lord_Howe", "2026-04-05 01:15:00", "2026-04-04T14:15:00Z"],
  ["Europe/Berlin", "09/Mar/2026:05:05:06 +0530", "2026-03-08T23:35:06Z"],
  ["Asia/Kolkata", "2026-03-09T05:30:00-03:00", "2026-03-09T08:30:00Z"],
];

Deno.test("`resolveStamp()` takes times without a zone for local ones, summer and winter", () => {
  for (const [zone, text, expected] of ZONES) {
    inZone(zone, () => {
      const time = resolveStamp(stampOf(text), { now: NOW, before: NaN });
      assert.equal(time, micros(expected), `${text} in ${zone}`);
    });
  }
});

/** In Berlin clocks show 02:00 to 03:00 twice on 25 October 2026: from 00:00 and from 01:00 UTC on. */
const TWICE: readonly (readonly [name: string, now: string, before: string | null, expected: string])[] = [
  ["read live, the first time", "2026-10-25T00:30:01Z", "2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z"],
  ["read live, the second time", "2026-10-25T01:30:01Z", "2026-10-25T01:29:00Z", "2026-10-25T01:30:00Z"],
  ["read live after a quiet hour", "2026-10-25T01:30:01Z", "2026-10-24T20:00:00Z", "2026-10-25T01:30:00Z"],
  ["read late, nothing before", "2026-11-01T00:00:00Z", null, "2026-10-25T00:30:00Z"],
  ["read late, before the change", "2026-11-01T00:00:00Z", "2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z"],
  ["read late, behind the change", "2026-11-01T00:00:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:30:00Z"],
];

Deno.test("`resolveStamp()` tells the hour that clocks show twice by the line before, and by now", () =>
  inZone("Europe/Berlin", () => {
    for (const [name, now, before, expected] of TWICE) {
      for (const text of ["2026-10-25 02:30:00", "Oct 25 02:30:00"]) {
        const time = resolveStamp(stampOf(text), {
          now: micros(now),
          before: before === null ? NaN : micros(before),
        });
        assert.equal(time, micros(expected), `${name}: ${text}`);
      }
    }
  }));

Deno.test("`resolveStamp()` knows no date that does not exist", () =>
  inZone("UTC", () => {
    const wrong = [
      "2026-02-29 00:00:00",
      "2026-04-31 00:00:00",
      "2026-13-01 00:00:00",
      "2026-00-10 00:00:00",
      "2026-01-00 00:00:00",
      "2026-01-01 24:00:00",
      "2026-01-01 00:60:00",
      "2026-01-01 00:00:61",
      "Feb 30 00:00:00",
      "0000-12-30 00:00:00",
      "0001-01-01T00:00:00Z",
      "1969-12-31T23:59:59Z",
    ];
    for (const text of wrong) {
      for (const zone of [undefined, zoneOf("Europe/Berlin")!]) {
        assert.equal(resolveStamp(stampOf(text), { now: NOW, before: NaN, zone }), NaN, text);
      }
    }
    const leap = resolveStamp(stampOf("2016-12-31T23:59:60Z"), { now: NOW, before: NaN });
    assert.equal(leap, micros("2017-01-01T00:00:00Z"));
  }));
