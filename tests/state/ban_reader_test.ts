import { strict as assert } from "node:assert";
import { MANUAL, temporaryState } from "../support/helpers.ts";
import { ruleBan } from "../support/rule_bans.ts";

Deno.test("`BanReader.changedSince()` names a ban once, by its latest change, and not for what a firewall did", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  assert.equal(bans.lastChange(), 0);
  bans.add(ruleBan({ address: "192.0.2.1", until: 3_000 }));
  bans.add(ruleBan({ address: "192.0.2.2" }));
  bans.add(ruleBan({ address: "192.0.2.1", until: 8_000 }));
  enforcement.applied([2], { firewall: "command", time: 1 });
  bans.end("192.0.2.2", { reason: "unban", time: 5 });
  assert.deepEqual(bans.changedSince(0), [
    { address: "192.0.2.1", scope: "all", until: 8_000, isEnded: false },
    { address: "192.0.2.2", scope: "all", until: null, isEnded: true },
  ]);
  assert.deepEqual(bans.changedSince(bans.lastChange()), []);
});

Deno.test("`BanReader.eachInForce()` gives many bans, the oldest first, and leaves out those that end meanwhile", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  const addresses = Array.from({ length: 1_200 }, (_, n) => `198.18.${n >> 8}.${n & 255}`);
  bans.addAll(addresses.map((address, n) => ruleBan({ address, start: 5_000 - n })));
  const oldestFirst = addresses.toReversed();
  assert.deepEqual([...bans.eachInForce()].map(({ address }) => address), oldestFirst);
  const reading = bans.eachInForce();
  assert.equal(reading.next().value!.address, oldestFirst[0]);
  bans.end(oldestFirst.at(-1)!, { reason: "unban", time: 6_000 });
  assert.deepEqual([...reading].map(({ address }) => address), oldestFirst.slice(1, -1));
});

Deno.test("`BanReader.lingering()` names ended bans that a firewall still has, until it lifts them", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
    bans.add(ruleBan({ address }));
    const { id } = bans.inForceOf([address])[0]!;
    if (address !== "192.0.2.3") enforcement.applied([id], { firewall: "command", time: 1 });
    bans.end(address, { reason: "unban", time: 5_000 });
  }
  enforcement.failed(2, { error: "no", time: 6_000 });
  assert.deepEqual(bans.lingering().map(({ address, error }) => [address, error]), [
    ["192.0.2.1", null],
    ["192.0.2.2", "no"],
  ]);
  enforcement.lifted([1]);
  bans.add(ruleBan({ address: "192.0.2.2", start: 7_000 }));
  assert.deepEqual(bans.lingering(), [], "a lift, and a newer ban, take it over");
  assert.deepEqual([bans.inForceOf(["192.0.2.1"]), bans.latest("192.0.2.1")!.endReason], [[], "unban"]);
});

Deno.test("`BanReader.numbers()` counts as `totals()` does, and `EnforcementTable.stuck()` finds what failed often enough in every turn", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  const manual = { provenance: MANUAL };
  bans.addAll([1, 2, 3, 4].map((n) => ruleBan({ address: `192.0.2.${n}`, ...n > 2 ? manual : {} })));
  const fail = (id: number, times: number) => {
    for (let i = 0; i < times; i++) enforcement.failed(id, { error: "no such set", time: 5_000 });
  };
  enforcement.applied([1], { firewall: "command", time: 5_000 });
  fail(2, 3);
  fail(3, 4);
  fail(4, 2);
  assert.deepEqual(enforcement.stuck(3).map(({ address }) => address), ["192.0.2.2", "192.0.2.3"]);
  enforcement.applied([3], { firewall: "command", time: 6_000 });
  assert.deepEqual(enforcement.stuck(3).map(({ address }) => address), ["192.0.2.2"]);
  bans.end("192.0.2.1", { reason: "unban", time: 7_000 });
  fail(1, 1);
  const { confirmed, waiting, failing } = bans.totals();
  assert.deepEqual({ ...bans.numbers() }, { confirmed, waiting, failing });
  assert.deepEqual([confirmed, waiting, failing], [1, 2, 3]);
});

Deno.test("`BanReader.madeAfter()` gives the newest bans by rules and networks in order, and counts all", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.addAll([
    ruleBan({ address: "192.0.2.1" }),
    ruleBan({ address: "192.0.2.2" }),
    ruleBan({ address: "192.0.2.3", provenance: MANUAL }),
    ruleBan({ address: "192.0.2.0/24", provenance: { kind: "network", name: "/24" } }),
    ruleBan({ address: "192.0.2.5", provenance: { kind: "fleet", name: "" } }),
  ]);
  const told = (id: number, most: number) => {
    const { bans: newest, count } = bans.madeAfter(id, most);
    return [count, ...newest.map(({ address }) => address)];
  };
  assert.deepEqual(told(0, 2), [3, "192.0.2.2", "192.0.2.0/24"]);
  assert.deepEqual(told(2, 9), [1, "192.0.2.0/24"]);
  assert.deepEqual(told(5, 9), [0]);
});
