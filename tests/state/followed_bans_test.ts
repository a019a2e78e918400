import { strict as assert } from "node:assert";
import { HOUR } from "../../lib/core/time.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import { temporaryState } from "../support/helpers.ts";

const FOLLOWED: NewBan = {
  address: "192.0.2.1",
  scope: "all",
  provenance: { kind: "fleet", name: "web1" },
  reason: "[FLEET] web1: [SSHD] invalid_user",
  count: 0,
  start: 5,
  until: 10 * HOUR,
};
const OWN: NewBan = {
  ...FOLLOWED,
  provenance: { kind: "rule", name: "SSHD invalid_user" },
  reason: "[SSHD] invalid_user",
  count: 6,
  start: 9,
  until: HOUR,
};

Deno.test("a ban that follows another server is never shipped, and an own one takes its place with its own end", () => {
  using temporary = temporaryState();
  const { bans, fleet, outbox } = temporary.state;
  bans.add(FOLLOWED);
  assert.deepEqual(outbox.unshippedBans(10), []);
  assert.equal(outbox.backlog(), 0);
  assert.equal(fleet.followed(), 1);
  assert.deepEqual(bans.decisionsSince(0), [], "it fills no network");
  bans.add(OWN);
  const [ban, ...others] = bans.inForce();
  assert.deepEqual([ban!.provenance, ban!.reason, ban!.count, ban!.start, ban!.until, others], [
    OWN.provenance,
    OWN.reason,
    6,
    9,
    HOUR,
    [],
  ]);
  assert.equal(outbox.unshippedBans(10).length, 1);
  assert.equal(fleet.followed(), 0);
});

Deno.test("`BanTable.endFollowed()` ends no own ban, and past ones that followed others make no ban longer", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.add(OWN);
  bans.add({ ...FOLLOWED, address: "192.0.2.2" });
  bans.endFollowed([OWN, { ...FOLLOWED, address: "192.0.2.2" }], 20);
  assert.deepEqual(bans.inForce().map(({ address }) => address), ["192.0.2.1"]);
  assert.deepEqual(bans.past("192.0.2.2"), []);
  assert.equal(bans.latest("192.0.2.2")!.endReason, "fleet");
});

Deno.test("`FleetTable.freed()` and `lifted()` tell the last ban and lift of an address", () => {
  using temporary = temporaryState();
  const { bans, fleet } = temporary.state;
  bans.addAll([
    OWN,
    { ...OWN, address: "192.0.2.2" },
    { ...FOLLOWED, address: "192.0.2.3", until: HOUR },
    { ...FOLLOWED, address: "192.0.2.4" },
  ]);
  bans.end("192.0.2.2", { reason: "unban", time: 7 });
  bans.end("192.0.2.4", { reason: "unban", time: 8 });
  bans.add({ ...FOLLOWED, address: "192.0.2.5" });
  bans.end("192.0.2.5", { reason: "whitelisted", time: 9 });
  bans.expire(2 * HOUR);
  const all = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"];
  assert.deepEqual(fleet.freed(all), ["192.0.2.1", "192.0.2.5"]);
  assert.deepEqual([...fleet.lifted(all)], [["192.0.2.2", 7], ["192.0.2.4", 8]]);
});

Deno.test("the positions of other servers are kept, and dropped with a server that was removed", () => {
  using temporary = temporaryState();
  const { fleet } = temporary.state;
  fleet.storePositions(new Map([["a", 5], ["b", 7]]));
  fleet.storePositions(new Map([["a", 9], ["b", null]]));
  assert.deepEqual([...fleet.positions()], [["a", 9]]);
});

Deno.test("the outbox ships bans anew, with ids and changes above a number, and those after a change again", () => {
  using temporary = temporaryState();
  const { bans, outbox } = temporary.state;
  bans.addAll([OWN, { ...OWN, address: "192.0.2.2" }]);
  const shipped = () => outbox.unshippedBans(10).map(({ id, change, address }) => [id, change, address]);
  assert.equal(outbox.lastSent(), 2, "a state of an earlier program may have sent all");
  outbox.noteSent(1);
  outbox.confirmBans(2);
  assert.equal(outbox.lastSent(), 2);
  outbox.renumberBans(100);
  assert.deepEqual(shipped(), [[101, 101, OWN.address], [102, 102, "192.0.2.2"]]);
  assert.deepEqual([outbox.lastSent(), outbox.backlog()], [100, 2]);
  outbox.noteSent(102);
  assert.equal(outbox.lastSent(), 102);
  outbox.confirmBans(102);
  assert.deepEqual([shipped(), outbox.backlog()], [[], 0]);
  outbox.rewindBans(101);
  assert.deepEqual(shipped(), [[102, 102, "192.0.2.2"]]);
  outbox.rewindBans(102);
  outbox.rewindBans(0);
  assert.equal(shipped().length, 2);
});
