import { strict as assert } from "node:assert";
import { DAY, HOUR, MINUTE } from "../../lib/core/time.ts";
import { State } from "../../lib/state/state.ts";
import { Rollups } from "../../lib/state/rollup_table.ts";
import { eventOf, type Said } from "../support/events.ts";
import {
  NOTHING_COUNTED,
  stateOfFirstRelease,
  type TemporaryState,
  temporaryState,
} from "../support/helpers.ts";

/** The beginning of a day. */
const START = 1_772_000_000_000_000 - 1_772_000_000_000_000 % DAY;
const FIELDS = ["message", "user", "path"];

/** Counts into a state of which a clock shows `time`. */
function counting({ state }: TemporaryState, modules = ["SSHD", "NGINX"]) {
  const clock = { time: START };
  const rollups = new Rollups(modules, state.rollups, () => clock.time);
  const add = (said: Said, isHit = true) => rollups.add(eventOf({ time: START, ...said }, FIELDS), isHit);
  return { clock, rollups, add };
}

Deno.test("`Rollups` counts lines by module, and those that hit by address, network, user and path", () => {
  using temporary = temporaryState();
  const { rollups, add } = counting(temporary);
  add({ address: "192.0.2.1", fields: { user: "root" } });
  add({ address: "192.0.2.1", fields: { user: "root" }, count: 4 });
  add({ address: "192.0.2.9", fields: { user: "\u202eadmin" } });
  add({ address: "2001:db8:1:2::3", module: 1, fields: { path: "/wp-login.php" } });
  add({ address: "198.51.100.1", module: 1, fields: { path: "/" } }, false);
  rollups.addHits([{ module: "SSHD", rule: "invalid", time: START + 1, count: 6 }]);
  rollups.write()();
  assert.deepEqual(temporary.state.rollups.since(START), {
    start: START,
    end: START + HOUR,
    content: {
      lines: [["SSHD", 6], ["NGINX", 2]],
      hits: [["SSHD", 6], ["NGINX", 1]],
      rule: [["SSHD invalid", 6]],
      address: [["192.0.2.1", 5], ["192.0.2.9", 1], ["2001:db8:1:2::3", 1]],
      network: [["192.0.2.0/24", 6], ["2001:db8:1::/48", 1]],
      user: [["root", 5], ["\u202eadmin", 1]],
      path: [["/wp-login.php", 1]],
    },
  });
});

Deno.test("`Rollups` writes at most every ten seconds, all at the end, and goes on where another has ended", () => {
  using temporary = temporaryState();
  const { rollups, add, clock } = counting(temporary);
  const lines = () => temporary.state.rollups.since(START).content.lines;
  add({});
  rollups.write()();
  add({});
  clock.time += 9_000_000;
  rollups.write()();
  assert.deepEqual(lines(), [["SSHD", 1]]);
  clock.time += 1_000_000;
  rollups.write()();
  assert.deepEqual(lines(), [["SSHD", 2]]);
  add({ module: 1 });
  rollups.write({ isAll: true })();
  const later = counting(temporary, ["NGINX"]);
  later.add({ fields: { user: "root" } });
  later.rollups.write()();
  assert.deepEqual(lines(), [["NGINX", 2], ["SSHD", 2]]);
  assert.deepEqual(temporary.state.rollups.since(START).content.address, [["192.0.2.1", 4]]);
});

Deno.test("`Rollups.isDue` is false while a line is counted whose batch is not committed", () => {
  using temporary = temporaryState();
  const { rollups, add, clock } = counting(temporary);
  const due: boolean[] = [rollups.isDue];
  const look = () => due.push(rollups.isDue);
  add({});
  look();
  rollups.write()();
  add({});
  rollups.write()();
  look();
  clock.time += 10_000_000;
  look();
  add({});
  look();
  assert.deepEqual(due, [false, false, false, true, false]);
});

Deno.test("`Rollups` counts each line in its own hour, in whatever order they come", () => {
  using temporary = temporaryState();
  const { rollups, add } = counting(temporary);
  const hours = [0, 5, 0, 1, 2, 0, 5, 3, 1, -1, 5];
  for (const hour of hours) add({ time: START + hour * HOUR + 7 });
  rollups.write()();
  const counts = [-1, 0, 1, 2, 3, 4, 5].map((hour) =>
    temporary.state.rollups.hour(START + hour * HOUR)?.lines[0]?.[1] ?? 0
  );
  assert.deepEqual(counts, [1, 3, 2, 1, 1, 0, 3]);
});

Deno.test("`Rollups` loses what a failed commit was to write, and doubles nothing", () => {
  using temporary = temporaryState();
  const { rollups, add } = counting(temporary);
  add({});
  rollups.write()();
  add({});
  add({ time: START + HOUR });
  rollups.write();
  rollups.reset();
  add({ time: START + HOUR });
  rollups.write({ isAll: true })();
  assert.deepEqual(temporary.state.rollups.hour(START + HOUR)?.lines, [["SSHD", 1]]);
});

Deno.test("`RollupTable.fold()` adds up the hours of old days, once, and drops very old days", () => {
  using temporary = temporaryState();
  const { rollups, add } = counting(temporary);
  for (const hour of [0, 1, 23, 24, 25]) add({ time: START + hour * HOUR });
  rollups.write({ isAll: true })();
  const table = temporary.state.rollups;
  const fold = (time: number) => {
    let steps = 0;
    while (table.fold(time) > 0) steps++;
    return steps;
  };
  assert.equal(fold(START + 16 * DAY - 1), 0);
  assert.equal(fold(START + 16 * DAY), 1);
  assert.deepEqual([table.hour(START), table.since(START).content.lines], [null, [["SSHD", 5]]]);
  add({ time: START + 2 * HOUR });
  rollups.write({ isAll: true })();
  assert.equal(fold(START + 17 * DAY), 2, "late lines of a day are added to it");
  assert.deepEqual(table.since(START).content.lines, [["SSHD", 6]]);
  assert.deepEqual(table.since(START + DAY).content.lines, [["SSHD", 2]]);
  fold(START + 400 * DAY + 1);
  assert.deepEqual(table.since(START), { ...table.since(START + DAY), start: START + DAY });
});

Deno.test("`State` of an earlier program begins to count and to index where that ended", () => {
  using temporary = stateOfFirstRelease(
    `INSERT INTO log_batch (last, lines, time, content) VALUES (3, 1, 5, '[["SSHD","192.0.2.1",0,"x"]]')`,
  );
  const again = new State(temporary.directory);
  try {
    assert.deepEqual(again.log.after(0, 9), [{
      seq: 3,
      key: "3",
      module: "SSHD",
      address: "192.0.2.1",
      time: 5,
      message: "x",
    }]);
    assert.deepEqual(again.rollups.since(0).start, null);
  } finally {
    again.close();
  }
});

Deno.test("`RollupTable.within()` gives hours and days whose middle lies in a period, the oldest first", () => {
  using temporary = temporaryState();
  const { state: { rollups } } = temporary;
  assert.equal(rollups.oldest(), null);
  for (const hour of [9, 2, 0, 1]) rollups.store(START + hour * HOUR, NOTHING_COUNTED);
  const found = rollups.within({ from: START + HOUR / 2 + 1, to: START + 9 * HOUR });
  assert.deepEqual([...found].map(({ span, start }) => [span, (start - START) / HOUR]), [[HOUR, 1], [
    HOUR,
    2,
  ]]);
  assert.equal(rollups.oldest(), START);
});

Deno.test("`RollupTable.within()` gives the running hour from its first minute, and no hour to two periods", () => {
  using temporary = temporaryState();
  const { state: { rollups } } = temporary;
  for (const hour of [0, 1]) rollups.store(START + hour * HOUR, NOTHING_COUNTED);
  const hours = (from: number, to: number) =>
    [...rollups.within({ from: START + from, to: START + to })].map(({ start }) => (start - START) / HOUR);
  assert.deepEqual(hours(HOUR, HOUR + MINUTE), [1]);
  assert.deepEqual(hours(HOUR - MINUTE, HOUR), []);
  assert.deepEqual(hours(0, HOUR), [0]);
});
