import { strict as assert } from "node:assert";
import { wordsOf } from "../../lib/core/address.ts";
import { SECOND } from "../../lib/core/time.ts";
import { type CountedRule, RuleGroups } from "../../lib/rules/rule_groups.ts";
import { NoteMemory } from "../../lib/rules/note_memory.ts";
import type { Room } from "../../lib/rules/note_memory.ts";
import { Notes } from "../../lib/rules/notes.ts";
import { Random } from "../support/random.ts";

const MINUTE = 60 * SECOND;
const A = "192.0.2.1";
const room = (addresses: number) => ({ addresses, bytes: 96 });
const hitAt = (time: number, value: string | null = null, address = A) => ({ address, time, value });

interface Bounds {
  readonly limit: number;
  readonly span: number | null;
  readonly isDistinct?: boolean;
}

type Hit = ReturnType<typeof hitAt>;

const NAMES = "abcdefghijklmnopqrstuvwxyz";

/** Counts hits by notes, as an engine does. */
class Counting {
  readonly notes: Notes;
  readonly groups: RuleGroups;

  constructor(bounds: readonly Bounds[], room?: Room) {
    const rules = bounds.map(({ limit, span, isDistinct }, i): CountedRule => ({
      limit,
      window: span,
      distinct: isDistinct ? "user" : null,
      module: "SSHD",
      name: NAMES[i % 26]!.repeat(1 + i / 26),
    }));
    this.groups = new RuleGroups(rules);
    this.notes = new Notes(this.groups, room);
  }

  /** Counts a line that hits several rules; returns counts of those whose limits it passed. */
  line(rules: readonly number[], { address, time, value }: Hit): number[] {
    const { notes, groups } = this;
    this.#select(address, time);
    const group = groups.numberOf(rules);
    const bits = notes.add(group, groups.allOf(group), value === null ? 0 : hashOf(value));
    if (!notes.mayPassLimit) return [];
    const counts = notes.count();
    const over = rules.filter((rule, i) => (bits & 1 << i) !== 0 && counts[rule]! > groups.limits[rule]!);
    const trips = over.map((rule) => counts[rule]!);
    for (const rule of over) notes.spend(rule);
    return trips;
  }

  hit(rule: number, hit: Hit): number {
    return this.line([rule], hit)[0] ?? 0;
  }

  /** Counts a value once, from when it last came: as bans inside of networks are counted. */
  renew(rule: number, hit: Hit): number {
    const { notes, groups } = this;
    this.#select(hit.address, hit.time);
    if (notes.renew(groups.numberOf([rule]), hashOf(hit.value!))) return this.hit(rule, hit);
    const count = notes.count()[rule]!;
    if (count <= groups.limits[rule]!) return 0;
    notes.spend(rule);
    return count;
  }

  add(rule: number, { address, time, value }: Hit): void {
    this.#select(address, time);
    const group = this.groups.numberOf([rule]);
    this.notes.restore(group, this.groups.allOf(group), value === null ? 0 : hashOf(value));
  }

  spend(rule: number, address: string): void {
    if (this.notes.selectKnown(wordsOf(address))) this.notes.spend(rule);
  }

  forget(address: string): void {
    this.notes.forget(wordsOf(address));
  }

  #select(address: string, time: number): void {
    const { w0, w1, w2, w3, prefix } = wordsOf(address);
    this.notes.select(w0, w1, w2, w3, prefix);
    this.notes.time[0] = time;
  }
}

function hashOf(value: string): number {
  return [...value].reduce((hash, letter) => hash * 31 + letter.charCodeAt(0) | 0, 1);
}

Deno.test("`Notes` trip past the limit, not at it, and count from nothing again", () => {
  const counting = new Counting([{ limit: 2, span: MINUTE }]);
  const hit = (second: number) => counting.hit(0, hitAt(second * SECOND));
  assert.deepEqual([hit(0), hit(1), hit(2), hit(3), hit(4), hit(5)], [0, 0, 3, 0, 0, 3]);
});

Deno.test("`Notes` forget a hit exactly when it is as old as the window", () => {
  const counting = new Counting([{ limit: 1, span: MINUTE }]);
  assert.equal(counting.hit(0, hitAt(0)), 0);
  assert.equal(counting.hit(0, hitAt(MINUTE)), 0);
  assert.equal(counting.hit(0, hitAt(2 * MINUTE - 1)), 2);
});

Deno.test("`Notes` count a late hit only with hits less than a window away", () => {
  const counting = new Counting([{ limit: 1, span: MINUTE }]);
  counting.hit(0, hitAt(1_000 * SECOND));
  assert.equal(counting.hit(0, hitAt(900 * SECOND)), 0, "a hundred seconds earlier is another story");
  assert.equal(counting.hit(0, hitAt(950 * SECOND)), 3, "within a minute of both");
});

Deno.test("`Notes.add()` counts a value once while it is younger than the window", () => {
  const counting = new Counting([{ limit: 2, span: MINUTE, isDistinct: true }]);
  const hit = (second: number, value: string) => counting.hit(0, hitAt(second * SECOND, value));
  assert.deepEqual([hit(0, "x"), hit(1, "x"), hit(2, "y"), hit(3, "y")], [0, 0, 0, 0]);
  assert.equal(hit(59, "x"), 0);
  assert.equal(hit(60, "x"), 0, "as old as the window: it counts anew");
  assert.equal(hit(61, "z"), 3);
  assert.deepEqual([hit(62, "x"), hit(63, "y"), hit(64, "w")], [0, 0, 3], "counted from nothing again");
  counting.notes.sweep(200 * SECOND);
  assert.equal(counting.notes.size, 0);
});

Deno.test("`Notes.renew()` counts a value once, from when it came last", () => {
  const counting = new Counting([{ limit: 2, span: MINUTE, isDistinct: true }]);
  const hit = (second: number, value: string) => counting.renew(0, hitAt(second * SECOND, value));
  assert.deepEqual([hit(0, "x"), hit(1, "x"), hit(2, "y"), hit(3, "y")], [0, 0, 0, 0]);
  assert.equal(hit(60, "z"), 3, "x came last at 1");
  assert.deepEqual([hit(0, "x"), hit(2, "y"), hit(61, "z")], [0, 0, 0]);
});

Deno.test("`Notes` tell addresses and networks apart, of both families", () => {
  const counting = new Counting([{ limit: 1, span: null }]);
  const all = [
    "192.0.2.1",
    "192.0.2.0/24",
    "192.0.2.0",
    "64:ff9b::c000:201",
    "2001:db8::",
    "2001:db8::/64",
    "2001:db8::/56",
  ];
  for (const address of all) assert.equal(counting.hit(0, hitAt(1, null, address)), 0, address);
  for (const address of all) assert.equal(counting.hit(0, hitAt(2, null, address)), 2, address);
});

Deno.test("`Notes` evict the address that was hit longest ago when there is no more room, and count such", () => {
  const counting = new Counting([{ limit: 1, span: null }, { limit: 9, span: null }], room(2));
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"]) {
    counting.hit(1, hitAt(1, null, address));
  }
  assert.deepEqual([counting.notes.size, counting.notes.takeEvicted()], [2, 1]);
  counting.hit(0, hitAt(1, null, "192.0.2.1"));
  assert.equal(counting.hit(0, hitAt(2, null, "192.0.2.1")), 2, "it was hit after the one that is forgotten");
  for (let time = 0; time < 20; time++) counting.hit(1, hitAt(time, `v${time % 3}`, "192.0.2.3"));
  for (let time = 0; time < 20; time++) counting.add(1, hitAt(time, null, "192.0.2.3"));
  assert.ok(counting.notes.size <= 2, "one address may use up all room that there is");
});

/** The same, by lists. */
class Model {
  readonly #kept = new Map<string, { time: number; value: string | null }[]>();

  constructor(readonly bounds: readonly Bounds[]) {}

  line(rules: readonly number[], hit: Hit): number[] {
    return rules.map((rule) => this.bounds[rule]!.isDistinct ? this.once(rule, hit) : this.hit(rule, hit))
      .filter((count) => count > 0);
  }

  /** A value that is known counts no more. */
  once(rule: number, { address, time, value }: Hit): number {
    const { span } = this.bounds[rule]!;
    const kept = this.#kept.get(`${rule} ${address}`) ?? [];
    const isKnown = kept.some((hit) => hit.value === value && (span === null || hit.time > time - span));
    return isKnown ? 0 : this.hit(rule, { address, time, value });
  }

  /** A value that is known counts from now on. */
  hit(rule: number, { address, time, value }: Hit): number {
    const { limit, span, isDistinct } = this.bounds[rule]!;
    const key = `${rule} ${address}`;
    const before = (this.#kept.get(key) ?? []).filter((hit) => span === null || hit.time > time - span);
    const same = before.find((hit) => isDistinct && hit.value === value);
    const hit = { time: Math.max(time, same?.time ?? time), value };
    const all = [...before.filter((other) => other !== same), hit];
    const count = all.filter((hit) => span === null || hit.time < time + span).length;
    this.#kept.set(key, count > limit ? [] : all);
    return count > limit ? count : 0;
  }

  spend(rule: number, address: string): void {
    this.#kept.delete(`${rule} ${address}`);
  }

  forget(address: string): void {
    this.bounds.forEach((_, rule) => this.spend(rule, address));
  }
}

const ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:1::/48"];

Deno.test("`Notes` agree with counting by hand over random histories", () => {
  const random = new Random(7);
  for (let round = 0; round < 400; round++) {
    const bounds = random.times(1 + random.below(6), (): Bounds => ({
      limit: 1 + random.below(5),
      span: random.below(4) === 0 ? null : 1 + random.below(40),
      isDistinct: random.below(3) === 0,
    }));
    const [counting, model] = [new Counting(bounds), new Model(bounds)];
    for (let now = 100, step = 0; step < 200; step++) {
      now += random.below(5);
      const address = random.pick(ADDRESSES);
      const rules = bounds.flatMap((_, rule) => random.below(2) === 0 ? [rule] : []);
      const late = random.below(4) === 0 ? random.below(random.below(4) === 0 ? 80 : 30) : 0;
      const hit = hitAt(Math.max(0, now - late), `${random.below(6)}`, address);
      const turn = random.below(40);
      if (turn === 0) [counting, model].forEach((one) => one.forget(address));
      else if (turn === 1) [counting, model].forEach((one) => one.spend(0, address));
      else if (turn === 2) counting.notes.sweep(now - 200);
      else if (rules.length > 0) {
        assert.deepEqual(counting.line(rules, hit), model.line(rules, hit), `round ${round}, step ${step}`);
      }
    }
  }
});

Deno.test("`Notes.renew()` agrees with counting by hand over random histories", () => {
  const random = new Random(8);
  for (let round = 0; round < 200; round++) {
    const bounds = [{ limit: 1 + random.below(5), span: 1 + random.below(40), isDistinct: true }];
    const [counting, model] = [new Counting(bounds), new Model(bounds)];
    for (let now = 100, step = 0; step < 200; step++) {
      now += random.below(5);
      const hit = hitAt(now, `${random.below(8)}`, random.pick(ADDRESSES));
      assert.equal(counting.renew(0, hit), model.hit(0, hit), `round ${round}, step ${step}`);
    }
  }
});

Deno.test("`Notes` agree with counting by hand where one address has thousands, late ones and values among them", () => {
  const random = new Random(9);
  for (const [round, lateness] of [0, 0, 3, 40].entries()) {
    const bounds: Bounds[] = [
      { limit: 600, span: 700 },
      { limit: 5, span: 10 },
      { limit: 300, span: 900, isDistinct: true },
      { limit: 1_500, span: null },
    ];
    const [counting, model] = [new Counting(bounds), new Model(bounds)];
    let trips = 0;
    for (let now = 1_000, step = 0; step < 6_000; step++) {
      now += random.below(round === 1 ? 2 : 4);
      const late = lateness > 0 && random.below(20) === 0 ? random.below(lateness) : 0;
      const hit = hitAt(now - late, `${random.below(random.below(3) === 0 ? 2_000 : 250)}`);
      const rules = [0, 1, 2, 3].filter((rule) => rule === 0 || random.below(3) > 0);
      const expected = model.line(rules, hit);
      assert.deepEqual(counting.line(rules, hit), expected, `round ${round}, step ${step}`);
      trips += expected.length;
    }
    assert.ok(trips > 0);
  }
});

Deno.test("`Notes` stay whole while addresses come, grow silent and are forgotten", () => {
  const random = new Random(5);
  const counting = new Counting(
    [{ limit: 3, span: 50 }, { limit: 3, span: null, isDistinct: true }],
    room(40),
  );
  for (let now = 0; now < 20_000; now++) {
    const address = `10.0.${random.below(2)}.${random.below(60)}`;
    counting.hit(random.below(2), hitAt(now, `${random.below(9)}`, address));
    if (now % 100 === 0) counting.notes.sweep(now);
    assert.ok(counting.notes.size <= 40);
  }
  assert.ok(counting.notes.takeEvicted() > 0);
  for (let i = 0; i < 120; i++) counting.forget(`10.0.${i >= 60 ? 1 : 0}.${i % 60}`);
  assert.equal(counting.notes.size, 0);
});

Deno.test("`Notes` make room for an address that has filled them by other rules", () => {
  const counting = new Counting([{ limit: 100, span: null }, { limit: 1, span: null }], room(1));
  for (let time = 0; time < 50; time++) counting.hit(0, hitAt(time));
  assert.equal(counting.hit(1, hitAt(50)), 0);
  assert.equal(counting.notes.size, 1);
  assert.equal(counting.hit(1, hitAt(51)), 2);
});

Deno.test("`Notes` give what room there is to one address or to many, and stay within it", () => {
  const bounds = Array.from({ length: 50 }, () => ({ limit: 1_000, span: null }));
  const counting = new Counting(bounds, { addresses: 100, bytes: 40 });
  // 4,000 bytes: 200 notes beside the first ones.
  for (let time = 0; time < 1_000; time++) counting.add(0, hitAt(time));
  assert.deepEqual([counting.notes.size, counting.notes.takeEvicted()], [1, 0]);
  for (let n = 0; n < 400; n++) counting.add(n % 50, hitAt(2_000 + n, null, `10.0.0.${Math.floor(n / 50)}`));
  assert.ok(counting.notes.size >= 2 && counting.notes.size <= 5, `${counting.notes.size} addresses`);
  for (let n = 0; n < 300; n++) counting.add(0, hitAt(3_000 + n, null, `10.0.${n >> 8}.${n & 255}`));
  assert.ok(counting.notes.size <= 100);
});

Deno.test("`Notes.restore()` walks over each note a few times, however many addresses are past a limit", () => {
  // Notes whose records of spending have ended are past the limit of a short window.
  const counting = new Counting([{ limit: 5, span: 10 * MINUTE }], { addresses: 300, bytes: 8_000 });
  const { list } = NoteMemory.prototype;
  let [notes, steps] = [0, 0];
  NoteMemory.prototype.list = function (at, from) {
    const count = list.call(this, at, from);
    steps += count - this.first;
    return count;
  };
  try {
    for (let second = 0; second < 300; second++) {
      for (let i = 0; i < 300; i++, notes++) {
        counting.add(0, hitAt(second * SECOND, null, `10.0.${i >> 8}.${i & 255}`));
      }
    }
  } finally {
    NoteMemory.prototype.list = list;
  }
  assert.ok(steps < 5 * notes, `${steps} steps for ${notes} notes`);
  assert.equal(counting.hit(0, hitAt(300 * SECOND, null, "10.0.0.1")), 301);
});
