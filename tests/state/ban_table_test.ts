import { strict as assert } from "node:assert";
import type { Boot } from "../../lib/core/boot.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import type { BanTable } from "../../lib/state/ban_table.ts";
import { temporaryState } from "../support/helpers.ts";

function ban(over: Partial<NewBan> = {}): NewBan {
  return {
    address: "192.0.2.1",
    reason: "[SSHD] invalid",
    scope: "all",
    provenance: { kind: "rule", name: "SSHD invalid" },
    count: 6,
    start: 1_000,
    until: null,
    ...over,
  };
}

function boot(id: string, start = 0): Boot {
  return { id, uptime: 0, start };
}

function expired(bans: BanTable, now: number): string[] {
  return bans.expire(now).bans.map(({ address }) => address);
}

const DUE = { firewall: "command", now: 10_000, limit: 10 };

Deno.test("`EnforcementTable` tells the firewall of a ban until it has it, and of its end until that is done", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ban({ until: 20_000 }));
  const [waiting] = enforcement.toApply(DUE);
  enforcement.applied([waiting!.id], { firewall: "command", time: 10_000 });
  assert.equal(enforcement.toApply(DUE).length, 0);
  assert.deepEqual(expired(bans, 19_999), []);
  assert.deepEqual(expired(bans, 20_000), ["192.0.2.1"]);
  assert.equal(enforcement.toApply(DUE).length, 0);
  enforcement.lifted([enforcement.toLift(DUE)[0]!.id]);
  assert.equal(enforcement.toLift(DUE).length, 0);
  assert.equal(bans.history(5)[0]!.endReason, "expired");
});

Deno.test("`EnforcementTable.begin()` has bans applied again that a reboot or another firewall took away", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ban());
  enforcement.applied([1], { firewall: "command", time: 10_000 });
  const waiting = (firewall: string, id: string, takesOver = true) => {
    enforcement.begin(firewall, { boot: boot(id), takesOver, anew: false });
    return enforcement.toApply(DUE).length;
  };
  assert.equal(waiting("command", "a"), 0, "the same firewall, no reboot");
  assert.equal(waiting("observe", "a", false), 0, "who only observes leaves them to the other");
  assert.equal(waiting("nftables", "a"), 1, "another firewall has yet to be told");
  enforcement.applied([1], { firewall: "command", time: 10_000 });
  assert.equal(waiting("command", "b"), 1, "the machine has started since");
});

Deno.test("`EnforcementTable` lifts nothing that a reboot has lifted", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ban({ until: 20_000 }));
  enforcement.applied([1], { firewall: "command", time: 10_000 });
  bans.expire(20_000);
  assert.equal(enforcement.toLift(DUE).length, 1);
  enforcement.begin("command", { boot: boot("a", 15_000), takesOver: true, anew: false });
  assert.equal(enforcement.toLift(DUE).length, 0);
  assert.equal(enforcement.nextDue("command"), null);
});

Deno.test("`EnforcementTable` lifts what a crash left half applied, and nothing that a newer ban holds", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ban());
  enforcement.trying([1], "command");
  bans.end("192.0.2.1", { reason: "unban", time: 5_000 });
  assert.equal(enforcement.toLift(DUE).length, 1, "it may have reached the firewall");
  bans.add(ban({ start: 6_000 }));
  enforcement.trying([1], "command");
  assert.equal(enforcement.toLift(DUE).length, 0, "the address is to be banned");
  enforcement.applied([2], { firewall: "command", time: 7_000 });
  bans.end("192.0.2.1", { reason: "unban", time: 8_000 });
  assert.deepEqual(enforcement.toLift(DUE).map(({ id }) => id), [2], "one lift is enough");
});

Deno.test("`EnforcementTable.failed()` waits longer each time, up to five minutes", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ban());
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    const [due] = enforcement.toApply({ ...DUE, now: 1e15 });
    enforcement.failed(due!.id, { error: "no", time: 0 });
    waits.push(enforcement.nextDue("command")! / 1e6);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  assert.equal(bans.failing()[0]!.attempts, 12);
});

Deno.test("`BanTable.add()` keeps one ban an address, moves its end only outwards, and overtakes a lift", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ban({ until: 5_000 }));
  bans.add(ban({ until: 3_000 }));
  assert.equal(bans.inForce()[0]!.until, 5_000);
  bans.add(ban({ until: null }));
  assert.equal(bans.inForce()[0]!.until, null);
  enforcement.applied([bans.inForce()[0]!.id], { firewall: "command", time: 1 });
  bans.end("192.0.2.1", { reason: "unban", time: 6_000 });
  bans.add(ban({ start: 7_000 }));
  assert.equal(enforcement.toLift(DUE).length, 0, "lifting the old would lift the new");
  assert.equal(enforcement.toApply(DUE).length, 1);
});

Deno.test("`BanTable.expire()` gives each ban its own end and its own number of change, in order", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.add(ban({ address: "192.0.2.1", until: 3_000 }));
  bans.add(ban({ address: "192.0.2.2", until: 9_000 }));
  bans.add(ban({ address: "192.0.2.3", until: 2_000 }));
  const before = bans.lastChange();
  assert.deepEqual(expired(bans, 3_000).sort(), ["192.0.2.1", "192.0.2.3"]);
  assert.deepEqual(
    temporary.state.outbox.unshippedBans(9).slice(-2).map((
      { address, ended, change },
    ) => [address, ended, change]),
    [["192.0.2.3", 2_000, before + 1], ["192.0.2.1", 3_000, before + 2]],
  );
  assert.deepEqual(bans.changedSince(before), [], "whose time is up is no news");
  assert.equal(bans.lastChange(), before + 2);
  assert.deepEqual(bans.expire(3_000), { bans: [], isMore: false });
});

Deno.test("`BanTable.expire()` ends a flood of bans in steps, each once", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.transaction(() => {
    for (let i = 0; i < 5_001; i++) bans.add(ban({ address: `10.0.${i >> 8}.${i & 255}`, until: 3_000 }));
  });
  const steps = [1, 2, 3].map(() => bans.expire(3_000));
  assert.deepEqual(steps.map(({ bans, isMore }) => [bans.length, isMore]), [[5_000, true], [
    1,
    false,
  ], [0, false]]);
  assert.equal(bans.inForce().length, 0);
});

Deno.test("`BanTable.add()` leaves to a new ban what a firewall may still have of the one before", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ban());
  enforcement.trying([1], "command");
  for (const _ of [1, 2]) {
    bans.end("192.0.2.1", { reason: "unban", time: 5 });
    assert.deepEqual(enforcement.toLift(DUE).map(({ id }) => id), [bans.lastId()]);
    bans.add(ban({ start: 6 }));
    assert.deepEqual(enforcement.toLift(DUE), []);
  }
});

Deno.test("`BanTable.changedSince()` names a ban once, by its latest change, and not for what a firewall did", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  assert.equal(bans.lastChange(), 0);
  bans.add(ban({ address: "192.0.2.1", until: 3_000 }));
  bans.add(ban({ address: "192.0.2.2" }));
  bans.add(ban({ address: "192.0.2.1", until: 8_000 }));
  enforcement.applied([2], { firewall: "command", time: 1 });
  bans.end("192.0.2.2", { reason: "unban", time: 5 });
  assert.deepEqual(bans.changedSince(0), [
    { address: "192.0.2.1", scope: "all", until: 8_000, isEnded: false },
    { address: "192.0.2.2", scope: "all", until: null, isEnded: true },
  ]);
  assert.deepEqual(bans.changedSince(bans.lastChange()), []);
});

Deno.test("`BanTable.lingering()` names ended bans that a firewall still has, until it lifts them", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
    bans.add(ban({ address }));
    const { id } = bans.standing(address)[0]!;
    if (address !== "192.0.2.3") enforcement.applied([id], { firewall: "command", time: 1 });
    bans.end(address, { reason: "unban", time: 5_000 });
  }
  enforcement.failed(2, { error: "no", time: 6_000 });
  assert.deepEqual(bans.lingering().map(({ address, error }) => [address, error]), [
    ["192.0.2.1", null],
    ["192.0.2.2", "no"],
  ]);
  enforcement.lifted([1]);
  bans.add(ban({ address: "192.0.2.2", start: 7_000 }));
  assert.deepEqual(bans.lingering(), [], "a lift, and a newer ban, take it over");
  assert.deepEqual([bans.standing("192.0.2.1"), bans.latest("192.0.2.1")!.endReason], [[], "unban"]);
});

Deno.test("`BanTable.addAll()` does what as many calls of `add()` do, and `standingOf()` knows what is in force", () => {
  const left = [
    ban({ address: "192.0.2.1", until: 50 }),
    ban({ address: "192.0.2.2", until: null }),
    ban({ address: "192.0.2.1", until: 80 }),
    ban({ address: "192.0.2.3", until: 20 }),
  ];
  const outcomes = [true, false].map((atOnce) => {
    using temporary = temporaryState();
    const { bans, enforcement } = temporary.state;
    for (
      const one of [
        ban({ address: "192.0.2.2", until: 40 }),
        ban({ address: "192.0.2.3", until: 10 }),
        ban({ address: "192.0.2.4", until: 10 }),
      ]
    ) bans.add(one);
    enforcement.applied([1, 2], { firewall: "nftables", time: 5 });
    // Its lift has not reached the firewall yet.
    bans.end("192.0.2.3", { reason: "unban", time: 6 });
    if (atOnce) bans.addAll(left);
    else left.forEach((one) => bans.add(one));
    const spans = [...bans.standingOf(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.9"])];
    return {
      history: bans.history(9),
      lingering: bans.lingering(),
      lastChange: bans.lastChange() > 4,
      spans,
    };
  });
  assert.deepEqual(outcomes[0], outcomes[1]);
  assert.deepEqual(outcomes[0]!.history.map(({ address, until }) => [address, until]), [
    ["192.0.2.3", 20],
    ["192.0.2.1", 80],
    ["192.0.2.4", 10],
    ["192.0.2.3", 10],
    ["192.0.2.2", null],
  ]);
  assert.deepEqual(outcomes[0]!.spans.map(([address, [ban]]) => [address, ban!.until]).sort(), [
    ["192.0.2.1", 80],
    ["192.0.2.2", null],
    ["192.0.2.3", 20],
  ]);
});
