import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { type Bounds, Counters } from "../../lib/rules/counters.ts";
import { Random } from "../support/random.ts";

const MINUTE = 60 * SECOND;
const A = "192.0.2.1";
const room = (addresses: number) => ({ addresses, bytes: 96 });
const hitAt = (time: number, value: string | null = null, address = A) => ({ address, time, value });

Deno.test("`Counters.hit()` trips past the limit, not at it, and counts from nothing again", () => {
  const counters = new Counters([{ limit: 2, span: MINUTE }]);
  const hit = (second: number) => counters.hit(0, hitAt(second * SECOND));
  assert.deepEqual([hit(0), hit(1), hit(2), hit(3), hit(4), hit(5)], [0, 0, 3, 0, 0, 3]);
});

Deno.test("`Counters.hit()` forgets a hit exactly when it is as old as the window", () => {
  const counters = new Counters([{ limit: 1, span: MINUTE }]);
  assert.equal(counters.hit(0, hitAt(0)), 0);
  assert.equal(counters.hit(0, hitAt(MINUTE)), 0);
  assert.equal(counters.hit(0, hitAt(2 * MINUTE - 1)), 2);
});

Deno.test("`Counters.hit()` counts a late hit only with hits less than a window away", () => {
  const counters = new Counters([{ limit: 1, span: MINUTE }]);
  counters.hit(0, hitAt(1_000 * SECOND));
  assert.equal(counters.hit(0, hitAt(900 * SECOND)), 0, "a hundred seconds earlier is another story");
  assert.equal(counters.hit(0, hitAt(950 * SECOND)), 3, "within a minute of both");
});

Deno.test("`Counters.knows()` a value while it is younger than the window", () => {
  const counters = new Counters([{ limit: 2, span: MINUTE }]);
  const hit = (second: number, value: string) => counters.hit(0, hitAt(second * SECOND, value));
  assert.deepEqual([hit(0, "x"), hit(1, "x"), hit(2, "y"), hit(3, "y")], [0, 0, 0, 0]);
  assert.equal(counters.knows(0, hitAt(4 * SECOND, "x")), true);
  assert.equal(counters.knows(0, hitAt(4 * SECOND, "z")), false);
  assert.equal(counters.knows(0, hitAt(4 * SECOND, "x", "192.0.2.2")), false);
  assert.equal(counters.knows(0, hitAt(60 * SECOND, "x")), true, "it has been counted once more");
  assert.equal(counters.knows(0, hitAt(61 * SECOND, "x")), false, "as old as the window");
  assert.equal(hit(61, "z"), 0, "the first has been forgotten");
  assert.equal(hit(62, "x"), 3);
  assert.equal(hit(63, "x"), 0, "counted from nothing again");
  counters.sweep(200 * SECOND);
  assert.equal(counters.size, 0);
});

Deno.test("`Counters` tell addresses and networks apart, of both families", () => {
  const counters = new Counters([{ limit: 1, span: null }]);
  const all = [
    "192.0.2.1",
    "192.0.2.0/24",
    "192.0.2.0",
    "::c000:201",
    "2001:db8::",
    "2001:db8::/64",
    "2001:db8::/56",
  ];
  for (const address of all) assert.equal(counters.hit(0, hitAt(1, null, address)), 0, address);
  for (const address of all) assert.equal(counters.hit(0, hitAt(2, null, address)), 2, address);
});

Deno.test("`Counters` forget the address whose latest hit came first when there is no more room, and count such", () => {
  const counters = new Counters([{ limit: 1, span: null }, { limit: 9, span: null }], room(2));
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"]) {
    counters.hit(1, hitAt(1, null, address));
  }
  assert.deepEqual([counters.size, counters.forgotten], [2, 1]);
  counters.hit(0, hitAt(1, null, "192.0.2.1"));
  assert.equal(counters.hit(0, hitAt(2, null, "192.0.2.1")), 2, "it was hit after the one that is forgotten");
  for (let time = 0; time < 20; time++) counters.hit(1, hitAt(time, `v${time % 3}`, "192.0.2.3"));
  for (let time = 0; time < 20; time++) counters.add(1, hitAt(time, null, "192.0.2.3"));
  assert.ok(counters.size <= 2, "one address may use up all room that there is");
});

/** The same, by lists. */
class Model {
  readonly #kept = new Map<string, { time: number; value: string | null }[]>();

  constructor(readonly bounds: readonly Bounds[]) {}

  hit(rule: number, { address, time, value }: ReturnType<typeof hitAt>): number {
    const { limit, span } = this.bounds[rule]!;
    const key = `${rule} ${address}`;
    const before = (this.#kept.get(key) ?? []).filter((hit) => span === null || hit.time > time - span);
    const same = before.find((hit) => value !== null && hit.value === value);
    const hit = { time: Math.max(time, same?.time ?? time), value };
    const all = [...before.filter((other) => other !== same), hit];
    const count = all.filter((hit) => span === null || hit.time < time + span).length;
    this.#kept.set(key, count > limit ? [] : all);
    return count > limit ? count : 0;
  }

  reset(rule: number, address: string): void {
    this.#kept.delete(`${rule} ${address}`);
  }

  forget(address: string): void {
    this.bounds.forEach((_, rule) => this.reset(rule, address));
  }
}

Deno.test("`Counters` agree with counting by hand over random histories", () => {
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const bounds = random.times(3, (): Bounds => ({
      limit: 1 + random.below(5),
      span: random.below(4) === 0 ? null : 1 + random.below(40),
    }));
    const [counters, model] = [new Counters(bounds), new Model(bounds)];
    for (let now = 100, step = 0; step < 200; step++) {
      now += random.below(5);
      const address = random.pick(["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:1::/48"]);
      const rule = random.below(3);
      // The third rule counts values.
      const hit = hitAt(
        Math.max(0, now - random.below(random.below(4) === 0 ? 30 : 1)),
        rule === 2 ? `${random.below(6)}` : null,
        address,
      );
      const turn = random.below(40);
      if (turn === 0) [counters, model].forEach((one) => one.forget(address));
      else if (turn === 1) [counters, model].forEach((one) => one.reset(rule, address));
      else if (turn === 2) counters.sweep(now - 60);
      else assert.equal(counters.hit(rule, hit), model.hit(rule, hit), `round ${round}, step ${step}`);
    }
  }
});

Deno.test("`Counters` stay whole while addresses come, grow silent and are forgotten", () => {
  const random = new Random(5);
  const counters = new Counters([{ limit: 3, span: 50 }, { limit: 3, span: null }], room(40));
  for (let now = 0; now < 20_000; now++) {
    const address = `10.0.${random.below(2)}.${random.below(60)}`;
    counters.hit(random.below(2), hitAt(now, random.below(3) === 0 ? `${random.below(9)}` : null, address));
    if (now % 100 === 0) counters.sweep(now);
    assert.ok(counters.size <= 40);
  }
  assert.ok(counters.forgotten > 0);
  for (let i = 0; i < 120; i++) counters.forget(`10.0.${i >= 60 ? 1 : 0}.${i % 60}`);
  assert.equal(counters.size, 0);
});

Deno.test("`Counters` make room for an address that has filled them by other rules", () => {
  const counters = new Counters([{ limit: 100, span: null }, { limit: 1, span: null }], room(1));
  for (let time = 0; time < 50; time++) counters.hit(0, hitAt(time));
  assert.equal(counters.hit(1, hitAt(50)), 0);
  assert.equal(counters.size, 1);
  assert.equal(counters.hit(1, hitAt(51)), 2);
});

Deno.test("`Counters` give to counters or to hits what room there is, and stay within it", () => {
  const bounds = Array.from({ length: 50 }, () => ({ limit: 1_000, span: null }));
  const counters = new Counters(bounds, { addresses: 100, bytes: 40 });
  // 4,000 bytes: 125 hits.
  for (let time = 0; time < 1_000; time++) counters.add(0, hitAt(time));
  assert.deepEqual([counters.size, counters.forgotten], [1, 0]);
  // And then as many counters with a hit each, of one address after the other.
  for (let n = 0; n < 400; n++) counters.add(n % 50, hitAt(2_000 + n, null, `10.0.0.${Math.floor(n / 50)}`));
  assert.ok(counters.size >= 1 && counters.size <= 3, `${counters.size} addresses`);
  for (let n = 0; n < 300; n++) counters.add(0, hitAt(3_000 + n, null, `10.0.${n >> 8}.${n & 255}`));
  assert.ok(counters.size <= 100);
});
