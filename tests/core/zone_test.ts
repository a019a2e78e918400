import { strict as assert } from "node:assert";
import { HOUR, type Micros, MINUTE } from "../../lib/core/time.ts";
import { aheadByName, LOCAL, parseOffset, zoneOf } from "../../lib/core/zone.ts";
import { inZone } from "../support/helpers.ts";

const micros = (iso: string): Micros => Date.parse(iso) * 1_000;
const [WINTER, SUMMER] = [micros("2026-01-15T12:00:00Z"), micros("2026-07-15T12:00:00Z")];

Deno.test("`zoneOf()` knows zones by name and by offset, and what their clocks show in winter and in summer", () => {
  const zones: readonly (readonly [name: string, winter: number, summer: number])[] = [
    ["UTC", 0, 0],
    ["Europe/Berlin", 1, 2],
    ["europe/berlin", 1, 2],
    ["America/St_Johns", -3.5, -2.5],
    ["Asia/Kathmandu", 5.75, 5.75],
    ["Pacific/Kiritimati", 14, 14],
    ["+05:30", 5.5, 5.5],
    ["-03", -3, -3],
    ["+0200", 2, 2],
  ];
  for (const [name, winter, summer] of zones) {
    const zone = zoneOf(name);
    assert.deepEqual([zone?.ahead(WINTER), zone?.ahead(SUMMER)], [winter * HOUR, summer * HOUR], name);
  }
  for (const name of ["", " ", "Berlin", "Europe/", "+25:00", "2", "Z", "+2"]) {
    assert.equal(zoneOf(name), null, name);
  }
});

Deno.test("a zone's clocks are set at the instant at which they are", () => {
  const berlin = zoneOf("Europe/Berlin")!;
  const change = micros("2026-10-25T01:00:00Z");
  assert.deepEqual([berlin.ahead(change - 1), berlin.ahead(change)], [2 * HOUR, HOUR]);
  inZone("Europe/Berlin", () => {
    for (let time = change - 3 * HOUR; time < change + 3 * HOUR; time += 7 * MINUTE) {
      assert.equal(LOCAL.ahead(time), berlin.ahead(time), String(time));
    }
  });
});

Deno.test("`parseOffset()` reads hours, with minutes or without", () => {
  const cases = { "+02:00": 120, "-0330": -210, "-03": -180, "+14": 840, "+00": 0, "Z": null, "+2": null };
  for (const [text, minutes] of Object.entries(cases)) {
    assert.equal(parseOffset(text), minutes === null ? null : minutes * MINUTE, text);
  }
});

Deno.test("`aheadByName()` knows the short names of zones, and takes no other word for one", () => {
  const hours: Readonly<Record<string, number | null>> = {
    EST: -5,
    EDT: -4,
    PST: -8,
    CET: 1,
    CEST: 2,
    EET: 2,
    WEST: 1,
    JST: 9,
    AEST: 10,
    AEDT: 11,
    HST: -10,
    MSK: 3,
    BST: 1,
    SAST: 2,
    KST: 9,
    ACDT: 10.5,
    NZDT: 13,
    AKST: -9,
    GMT: 0,
    LOG: null,
    INFO: null,
    WARN: null,
    FATAL: null,
    HOST: null,
    TEST: null,
  };
  const zone = zoneOf("UTC")!;
  for (const [name, ahead] of Object.entries(hours)) {
    assert.equal(aheadByName(name, { zone, year: 2026 }), ahead === null ? null : ahead * HOUR, name);
  }
});

Deno.test("`aheadByName()` takes a name that several zones bear for the one of the zone at hand", () => {
  const cases: readonly (readonly [zone: string, name: string, hours: number])[] = [
    ["UTC", "CST", -6],
    ["Asia/Shanghai", "CST", 8],
    ["Europe/London", "BST", 1],
    ["Europe/Moscow", "MSK", 3],
    ["Asia/Seoul", "KST", 9],
    ["Asia/Kolkata", "IST", 5.5],
    ["Australia/Sydney", "AEST", 10],
    ["Europe/Berlin", "CEST", 2],
    ["Europe/Berlin", "CET", 1],
  ];
  for (const [zone, name, hours] of cases) {
    assert.equal(aheadByName(name, { zone: zoneOf(zone)!, year: 2026 }), hours * HOUR, `${name} in ${zone}`);
    inZone(zone, () => assert.equal(aheadByName(name, { zone: LOCAL, year: 2026 }), hours * HOUR, name));
  }
});
