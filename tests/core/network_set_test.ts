import { strict as assert } from "node:assert";
import { canonicalNetwork } from "../../lib/core/address.ts";
import { NetworkSet, Target } from "../../lib/core/network_set.ts";
import { Random } from "../support/random.ts";

Deno.test("`NetworkSet.covers()` holds members and what lies wholly within them", () => {
  const set = new NetworkSet(["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]);
  for (const inside of ["10.255.0.1", "10.1.0.0/16", "2001:db8:ffff::1", "192.0.2.1"]) {
    assert(set.covers(inside), inside);
  }
  for (const outside of ["11.0.0.1", "8.0.0.0/5", "2001:db9::1", "192.0.2.2", "::10.0.0.1"]) {
    assert(!set.covers(outside), outside);
  }
});

Deno.test("`NetworkSet.isEmpty` tells of a set without members, of either family", () => {
  assert(new NetworkSet().isEmpty);
  for (const member of ["192.0.2.0/24", "2001:db8::/32"]) assert(!new NetworkSet([member]).isEmpty);
});

Deno.test("`NetworkSet.touches()` sees a network that would take a member along", () => {
  const set = new NetworkSet(["198.51.100.128/25", "192.0.2.1"]);
  for (const near of ["192.0.2.0/24", "198.51.100.0/24", "198.51.100.200", "0.0.0.0/0"]) {
    assert(set.touches(new Target().read(near)), near);
  }
  for (const far of ["192.0.3.0/24", "198.51.100.0/25", "2001:db8::/32", "::/0"]) {
    assert(!set.touches(new Target().read(far)), far);
  }
});

/** The plain reference: whether the first `bits` of two addresses in binary are the same. */
function agree(a: string, b: string, bits: number): boolean {
  return a.length === b.length && a.slice(0, bits) === b.slice(0, bits);
}

/** An address in binary and how much of it is a network's. */
interface Bits {
  readonly binary: string;
  readonly bits: number;
}

/** Members that often meet: addresses that differ in few bits, of both families. */
function randomNetwork(random: Random): Bits & { readonly text: string } {
  const isV4 = random.below(2) === 0;
  const low = random.below(256).toString(2).padStart(8, "0");
  const binary = isV4 ? `${"11000000".padEnd(24, "0")}${low}` : `00100000${"".padEnd(112, "0")}${low}`;
  const bits = binary.length - random.below(random.below(4) === 0 ? binary.length : 9);
  const masked = binary.slice(0, bits).padEnd(binary.length, "0");
  const byte = parseInt(masked.slice(-8), 2);
  const head = parseInt(masked.slice(0, 8), 2);
  const address = isV4 ? `${head}.0.0.${byte}` : `${(head << 8).toString(16)}::${byte.toString(16)}`;
  return { binary: masked, bits, text: canonicalNetwork(`${address}/${bits}`)! };
}

Deno.test("`NetworkSet` answers as a plain comparison of bits does, over 20,000 random questions", () => {
  const random = new Random(4);
  for (let round = 0; round < 1_000; round++) {
    const members = random.times(round % 100 === 0 ? 1_500 : random.below(12), () => randomNetwork(random));
    const set = new NetworkSet(members.map(({ text }) => text));
    for (const target of random.times(20, () => randomNetwork(random))) {
      const said = `${target.text} in ${members.map(({ text }) => text)}`;
      const isIn = (inner: Bits, outer: Bits) =>
        outer.bits <= inner.bits && agree(inner.binary, outer.binary, outer.bits);
      assert.equal(set.covers(target.text), members.some((member) => isIn(target, member)), said);
      const meets = members.some((member) => isIn(target, member) || isIn(member, target));
      assert.equal(set.touches(new Target().read(target.text)), meets, said);
    }
  }
});

Deno.test("`NetworkSet` holds 100,000 networks and says of each address which side of their edges it is on", () => {
  const networks = Array.from(
    { length: 100_000 },
    (_, i) => `10.${i >> 10}.${(i >> 2) & 255}.${(i & 3) << 6}/27`,
  );
  const set = new NetworkSet(networks);
  for (let i = 0; i < 100_000; i += 7) {
    const start = `10.${i >> 10}.${(i >> 2) & 255}`;
    const low = (i & 3) << 6;
    assert(set.covers(`${start}.${low}`) && set.covers(`${start}.${low + 31}`));
    assert(!set.touches(new Target().read(`${start}.${low + 32}`)) && !set.covers(`${start}.${low}/26`));
    assert(set.touches(new Target().read(`${start}.${low}/26`)));
  }
});
