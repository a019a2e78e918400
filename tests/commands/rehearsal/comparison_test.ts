import { strict as assert } from "node:assert";
import { BansByAddress, compare, NewestLogins } from "../../../lib/commands/rehearsal/comparison.ts";
import { HOUR, type Micros } from "../../../lib/core/time.ts";
import type { NewBan } from "../../../lib/deciding/ban.ts";

/** A ban from one hour to another; without an end for good. */
function ban(address: string, start: number, until: number | null): NewBan {
  return {
    address,
    scope: "all",
    provenance: { kind: "rule", name: "SSHD a" },
    reason: "[SSHD] a",
    count: 6,
    start: start * HOUR,
    until: until === null ? null : until * HOUR,
  };
}

function bansOf(bans: readonly NewBan[], since: Micros = 0): BansByAddress {
  const made = new BansByAddress(since);
  for (const one of bans) made.add(one);
  return made;
}

type Span = readonly [start: number, until: number | null];
const CASES: readonly (readonly [title: string, before: Span[], after: Span[], change: string | null])[] = [
  ["nobody", [], [], null],
  ["only the new one bans", [], [[1, 2]], "more"],
  ["only the old one bans", [[1, 2]], [], "less"],
  ["both ban alike", [[1, 2]], [[1, 2]], null],
  ["the first ban begins before", [[2, 3]], [[1, 3]], "earlier"],
  ["the first ban begins after", [[1, 3]], [[2, 3]], "later"],
  ["the ban ends after", [[1, 2]], [[1, 3]], "longer"],
  ["the ban ends before", [[1, 3]], [[1, 2]], "shorter"],
  ["the ban has no end any more", [[1, 2]], [[1, null]], "longer"],
  ["the ban has an end now", [[1, null]], [[1, 2]], "shorter"],
  ["neither ban has an end", [[1, null]], [[1, null]], null],
  ["a second ban comes", [[1, 2]], [[1, 2], [3, 4]], "longer"],
  ["a ban that is extended is as long as one", [[1, 4]], [[1, 3], [2, 4]], null],
  ["a ban inside of another adds nothing", [[1, 4]], [[1, 4], [2, 3]], null],
  ["bans that come out of order", [[1, 2], [3, 4]], [[3, 4], [1, 2]], null],
];

for (const [title, before, after, change] of CASES) {
  Deno.test(`\`compare()\` where ${title}: ${change ?? "no difference"}`, () => {
    const bans = (spans: Span[]) => bansOf(spans.map(([start, until]) => ban("192.0.2.1", start, until)));
    const differences = compare(bans(before), bans(after), new NewestLogins());
    assert.deepEqual(differences.map((difference) => difference.change), change === null ? [] : [change]);
  });
}

Deno.test("`compare()` tells the newest login behind the first ban, also of networks", () => {
  const logins = new NewestLogins();
  const login = (address: string, hour: number, user: string) =>
    logins.add({ address, user, method: "password", time: hour * HOUR });
  login("192.0.2.1", 5, "late");
  login("192.0.2.1", 4, "out of order");
  login("192.0.2.2", 1, "before");
  login("2001:db8::5", 9, "six");
  const addresses = [
    "192.0.2.2",
    "192.0.2.3",
    "192.0.2.1",
    "192.0.2.0/24",
    "2001:db8::/64",
    "2001:db8:1::/64",
  ];
  const after = bansOf(addresses.map((address) => ban(address, 2, 3)));
  const found = compare(bansOf([]), after, logins).map((
    { address, login },
  ) => [address, login?.user ?? null]);
  assert.deepEqual(found, [
    ["192.0.2.1", "late"],
    ["192.0.2.0/24", "late"],
    ["2001:db8::/64", "six"],
    ["192.0.2.2", null],
    ["192.0.2.3", null],
    ["2001:db8:1::/64", null],
  ]);
});

Deno.test("`compare()` goes by the earlier ban of the two for logins", () => {
  const logins = new NewestLogins();
  logins.add({ address: "192.0.2.1", user: "bob", method: "password", time: 2 * HOUR });
  const [early, late] = [bansOf([ban("192.0.2.1", 1, 9)]), bansOf([ban("192.0.2.1", 3, 9)])];
  for (const [before, after] of [[early, late], [late, early]] as const) {
    assert.equal(compare(before, after, logins)[0]!.login?.user, "bob");
  }
});

Deno.test("`BansByAddress` leaves out bans that begin before its time", () => {
  const made = bansOf([ban("192.0.2.1", 1, 9), ban("192.0.2.2", 2, 9)], 2 * HOUR);
  assert.deepEqual([made.count, made.addresses, [...made.keys()]], [1, 1, ["192.0.2.2"]]);
});
