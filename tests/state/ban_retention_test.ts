import { strict as assert } from "node:assert";
import { DAY } from "../../lib/core/time.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import { temporaryState } from "../support/helpers.ts";
import { ruleBan } from "../support/rule_bans.ts";

Deno.test("`BanRetention.deleteOld()` keeps all bans of an address until its last one is old, and deletes in steps", () => {
  using temporary = temporaryState();
  const { bans, banRetention } = temporary.state;
  const ended = (address: string, day: number, over: Partial<NewBan> = {}) => {
    bans.add(ruleBan({ address, start: day * DAY, until: day * DAY + 1, ...over }));
    bans.expire(day * DAY + 1);
  };
  for (let i = 0; i < 1_200; i++) ended(`10.0.${i >> 8}.${i & 255}`, 1);
  ended("192.0.2.1", 1);
  ended("192.0.2.1", 300);
  ended("192.0.2.2", 2);
  bans.add(ruleBan({ address: "192.0.2.2", start: 5 * DAY }));
  for (let i = 0; i < 105; i++) ended("192.0.2.3", 10 + i / 1_000);
  ended("192.0.2.3", 350);
  const options = { now: 365 * DAY, keep: 100 * DAY, isShipped: false };
  const steps: number[] = [];
  do steps.push(banRetention.deleteOld(options)); while (steps.at(-1)! > 0);
  assert.deepEqual(steps, [500, 500, 310, 0]);
  const left = Map.groupBy(bans.history(9_999), ({ address }) => address);
  assert.deepEqual([...left].map(([address, list]) => [address, list.length]), [
    ["192.0.2.3", 100],
    ["192.0.2.2", 2],
    ["192.0.2.1", 2],
  ]);
  assert.equal(banRetention.deleteOld({ ...options, now: options.now + DAY }), 104, "and later again");
});

Deno.test("`BanRetention.deleteOld()` keeps what a firewall still has, what is not shipped, and the latest change", () => {
  using temporary = temporaryState();
  const { bans, banRetention, enforcement, outbox } = temporary.state;
  for (const [i, address] of ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].entries()) {
    bans.add(ruleBan({ address, until: 2_000 + i }));
  }
  enforcement.applied([1], { firewall: "command", time: 1 });
  bans.expire(3_000);
  const addresses = () => bans.history(9).map(({ address }) => address).reverse();
  const change = bans.lastChange();
  let now = 365 * DAY;
  const deleteAll = (isShipped: boolean) => {
    for (now += DAY; banRetention.deleteOld({ now, keep: DAY, isShipped }) > 0;);
    return addresses();
  };
  assert.equal(deleteAll(true).length, 4);
  outbox.confirmBans(outbox.unshippedBans(9)[1]!.change);
  assert.deepEqual(deleteAll(true), ["192.0.2.1", "192.0.2.3", "192.0.2.4"]);
  assert.deepEqual(deleteAll(false), ["192.0.2.1", "192.0.2.4"]);
  bans.add(ruleBan({ address: "192.0.2.9" }));
  assert.equal(bans.lastChange(), change + 1, "no number of a change is given twice");
  enforcement.lifted([1]);
  assert.deepEqual(deleteAll(false), ["192.0.2.9"]);
});

Deno.test("`BanRetention.deleteFollowed()` keeps the newest past bans of other servers, and all that decide or are applied", () => {
  using temporary = temporaryState();
  const { bans, banRetention, enforcement } = temporary.state;
  const provenance = { kind: "fleet", name: "web1" } as const;
  const addresses = Array.from({ length: 9 }, (_, i) => `192.0.2.${i + 1}`);
  for (const address of addresses) bans.add(ruleBan({ address, provenance, start: 0, until: null }));
  bans.add(ruleBan({ address: "192.0.2.99", start: 0, until: 1 }));
  enforcement.applied([1], { firewall: "command", time: 1 });
  bans.expire(3_000);
  bans.end("192.0.2.2", { reason: "unban", time: 1 });
  bans.end("192.0.2.3", { reason: "whitelisted", time: 1 });
  bans.endFollowed(addresses.slice(0, 8).map((address) => ({ address, scope: "all" })), 2);
  assert.equal(banRetention.deleteFollowed(2), 3);
  assert.equal(banRetention.deleteFollowed(2), 0);
  assert.equal(bans.unfollow(3), 1);
  assert.equal(banRetention.deleteFollowed(2), 1);
  assert.deepEqual(
    bans.history(99).map(({ address }) => Number(address.split(".")[3])).sort((a, b) => a - b),
    [1, 2, 3, 8, 9, 99],
  );
});
