import { strict as assert } from "node:assert";
import { HOUR, type Micros, MINUTE, SECOND } from "../../lib/core/time.ts";
import { ZoneShifts } from "../../lib/reading/zone_shift.ts";

const NOW = Date.parse("2026-06-01T12:00:00Z") * 1_000;

/** A shift that has learned from lines so much older than their files, and what it told. */
function learned(
  ages: readonly Micros[],
  { isLive = true, every = SECOND } = {},
): { shift: Micros; told: Micros[] } {
  const told: Micros[] = [];
  const shift = new ZoneShifts((found) => told.push(found)).of({});
  ages.forEach((age, i) => {
    const written = NOW + i * every;
    shift.learn(written - age, { written, isLive });
  });
  return { shift: shift.shift, told };
}

Deno.test("`ZoneShift.learn()` takes a line just written, hours off the clock by full quarters, for one of another zone", () => {
  const shifts = [9 * HOUR, -9 * HOUR, 30 * MINUTE, 5 * HOUR + 45 * MINUTE, 14 * HOUR, -12 * HOUR, 26 * HOUR];
  for (const shift of shifts) {
    for (const late of [-SECOND, 0, 3 * SECOND, 20 * SECOND]) {
      assert.deepEqual(learned([shift + late]), { shift, told: [shift] }, `${shift} ${late}`);
    }
  }
});

Deno.test("`ZoneShift.learn()` takes no other line for one of another zone", () => {
  const ages = [
    0,
    SECOND,
    MINUTE,
    9 * HOUR + 3 * MINUTE,
    9 * HOUR - MINUTE,
    15 * MINUTE,
    27 * HOUR,
    30 * 24 * HOUR,
  ];
  for (const age of ages) assert.deepEqual(learned([age]), { shift: 0, told: [] }, String(age));
});

Deno.test("`ZoneShift.learn()` believes lines that nobody waited for only if their time was still to come", () => {
  assert.deepEqual(learned([9 * HOUR], { isLive: false }), { shift: 0, told: [] });
  assert.deepEqual(learned([-9 * HOUR], { isLive: false }), { shift: -9 * HOUR, told: [-9 * HOUR] });
});

Deno.test("`ZoneShift` keeps to a zone while lines are late, tells of it once, and follows when clocks are set", () => {
  assert.deepEqual(learned([9 * HOUR, 9 * HOUR + 5 * MINUTE, 9 * HOUR]), {
    shift: 9 * HOUR,
    told: [9 * HOUR],
  });
  assert.deepEqual(learned([9 * HOUR, 20 * HOUR + MINUTE]).shift, 0);
  assert.deepEqual(learned([9 * HOUR, 8 * HOUR], { every: 2 * HOUR }), {
    shift: 8 * HOUR,
    told: [9 * HOUR, 8 * HOUR],
  });
});

Deno.test("`ZoneShifts` keeps the zone of each file, and takes it for that of a new one until that tells its own", () => {
  const told: Micros[] = [];
  const shifts = new ZoneShifts((found) => told.push(found));
  const [tokyo, here, other] = [{}, {}, {}];
  const learn = (file: object, age: Micros) =>
    shifts.of(file).learn(NOW - age, { written: NOW, isLive: true });
  learn(here, 0);
  learn(tokyo, 9 * HOUR);
  learn(here, SECOND);
  assert.deepEqual([tokyo, here, other].map((file) => shifts.of(file).shift), [9 * HOUR, 0, 9 * HOUR]);
  learn(other, 9 * HOUR);
  assert.deepEqual(told, [9 * HOUR]);
});

Deno.test("`ZoneShift` takes old lines that are copied one by one for what they are", () => {
  assert.deepEqual(learned([9 * HOUR, 8 * HOUR]), { shift: 0, told: [9 * HOUR] });
  assert.deepEqual(learned([9 * HOUR, 8 * HOUR, 7 * HOUR, HOUR]).shift, 0);
});
