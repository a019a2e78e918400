import { strict as assert } from "node:assert";
import type { Boot } from "../../lib/core/boot.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import type { BanTable } from "../../lib/state/ban_table.ts";
import { State } from "../../lib/state/state.ts";
import { MANUAL, scopeOf, temporaryState, WITHOUT_TURNS } from "../support/helpers.ts";

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

const DUE = { firewall: "command", now: 10_000, limit: 10, turn: "rule SSHD" };
const [UNBANNED, EXPIRED] = [{ ...DUE, turn: "unban" }, { ...DUE, turn: "expired" }];

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
  enforcement.lifted([enforcement.toLift(EXPIRED)[0]!.id]);
  assert.equal(enforcement.toLift(EXPIRED).length, 0);
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
  assert.equal(enforcement.toLift(EXPIRED).length, 1);
  enforcement.begin("command", { boot: boot("a", 15_000), takesOver: true, anew: false });
  assert.equal(enforcement.toLift(EXPIRED).length, 0);
  assert.equal(enforcement.nextDue("command"), null);
});

Deno.test("`EnforcementTable` lifts what a crash left half applied, and nothing that a newer ban holds", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ban());
  enforcement.trying([1], "command");
  bans.end("192.0.2.1", { reason: "unban", time: 5_000 });
  assert.equal(enforcement.toLift(UNBANNED).length, 1, "it may have reached the firewall");
  bans.add(ban({ start: 6_000 }));
  enforcement.trying([1], "command");
  assert.equal(enforcement.toLift(UNBANNED).length, 0, "the address is to be banned");
  enforcement.applied([2], { firewall: "command", time: 7_000 });
  bans.end("192.0.2.1", { reason: "unban", time: 8_000 });
  assert.deepEqual(enforcement.toLift(UNBANNED).map(({ id }) => id), [2], "one lift is enough");
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
  assert.equal(enforcement.toLift(UNBANNED).length, 0, "lifting the old would lift the new");
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
    assert.deepEqual(enforcement.toLift(UNBANNED).map(({ id }) => id), [bans.lastId()]);
    bans.add(ban({ start: 6 }));
    assert.deepEqual(enforcement.toLift(UNBANNED), []);
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

Deno.test("`BanTable` knows a ban by address and scope, and `end()` ends all of an address", () => {
  using temporary = temporaryState();
  const { bans, outbox } = temporary.state;
  const [ssh, web] = [scopeOf("tcp 22"), scopeOf("tcp 80,443")];
  bans.addAll([ban({ scope: ssh, until: 5_000 }), ban({ scope: web, until: 9_000 })]);
  bans.add(ban({ scope: ssh, until: 7_000, provenance: { kind: "import", name: "list" } }));
  assert.deepEqual(
    bans.standing("192.0.2.1").map(({ scope, until, provenance }) => [scope, until, provenance]),
    [
      [ssh, 7_000, { kind: "rule", name: "SSHD invalid" }],
      [web, 9_000, { kind: "rule", name: "SSHD invalid" }],
    ],
  );
  assert.equal(bans.find({ address: "192.0.2.1", scope: web })!.until, 9_000);
  assert.equal(bans.find({ address: "192.0.2.1", scope: "all" }), null);
  const before = bans.lastChange();
  assert.equal(bans.end("192.0.2.1", { reason: "unban", time: 6_000 }), 2);
  assert.equal(bans.end("192.0.2.1", { reason: "unban", time: 6_000 }), 0);
  const changes = outbox.unshippedBans(9).map((
    { change, scope, provenance },
  ) => [change, scope, provenance.kind]);
  assert.deepEqual(changes, [[before + 1, ssh, "rule"], [before + 2, web, "rule"]]);
});

Deno.test("`EnforcementTable` lifts one scope of an address while another is in force", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.addAll([ban({ scope: scopeOf("tcp 22"), until: 5_000 }), ban({ scope: scopeOf("tcp 80") })]);
  enforcement.applied([1, 2], { firewall: "command", time: 1 });
  bans.expire(5_000);
  assert.deepEqual(enforcement.toLift(EXPIRED).map(({ id }) => id), [1]);
  enforcement.begin("command", { boot: boot("a"), takesOver: true, anew: false, knowsScopes: false });
  assert.deepEqual(enforcement.toLift(EXPIRED), [], "to a firewall without scopes they are one");
  assert.equal(enforcement.nextDue("command"), null);
});

Deno.test("`EnforcementTable.begin()` goes by the boot and not by the clock, which may start anew with each boot", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  const begin = (boot: Boot) => {
    enforcement.begin("command", { boot, takesOver: true, anew: false });
    return enforcement.toApply(DUE).length;
  };
  const HOUR = 3_600_000_000;
  begin({ id: null, uptime: 5, start: 0 });
  bans.add(ban());
  enforcement.applied([1], { firewall: "command", time: 5 * HOUR });
  enforcement.noteBoot({ id: null, uptime: 5 * HOUR, start: 0 });
  assert.equal(begin({ id: null, uptime: 6 * HOUR, start: 0 }), 0, "the same boot");
  assert.equal(
    begin({ id: null, uptime: 20, start: 0 }),
    1,
    "another one, whose clock began where the last did",
  );
});

const DAY = 86_400_000_000;

Deno.test("`BanTable.prune()` keeps all bans of an address until its last one is old, and deletes in steps", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  const ended = (address: string, day: number, over: Partial<NewBan> = {}) => {
    bans.add(ban({ address, start: day * DAY, until: day * DAY + 1, ...over }));
    bans.expire(day * DAY + 1);
  };
  for (let i = 0; i < 1_200; i++) ended(`10.0.${i >> 8}.${i & 255}`, 1);
  ended("192.0.2.1", 1);
  ended("192.0.2.1", 300);
  ended("192.0.2.2", 2);
  bans.add(ban({ address: "192.0.2.2", start: 5 * DAY }));
  for (let i = 0; i < 105; i++) ended("192.0.2.3", 10 + i / 1_000);
  ended("192.0.2.3", 350);
  const pruning = { now: 365 * DAY, keep: 100 * DAY, isShipped: false };
  const steps: number[] = [];
  do steps.push(bans.prune(pruning)); while (steps.at(-1)! > 0);
  assert.deepEqual(steps, [500, 500, 310, 0]);
  const left = Map.groupBy(bans.history(9_999), ({ address }) => address);
  assert.deepEqual([...left].map(([address, list]) => [address, list.length]), [
    ["192.0.2.3", 100],
    ["192.0.2.2", 2],
    ["192.0.2.1", 2],
  ]);
  assert.equal(bans.prune({ ...pruning, now: pruning.now + DAY }), 104, "and later again");
});

Deno.test("`BanTable.prune()` keeps what a firewall still has, what is not shipped, and the latest change", () => {
  using temporary = temporaryState();
  const { bans, enforcement, outbox } = temporary.state;
  for (const [i, address] of ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].entries()) {
    bans.add(ban({ address, until: 2_000 + i }));
  }
  enforcement.applied([1], { firewall: "command", time: 1 });
  bans.expire(3_000);
  const addresses = () => bans.history(9).map(({ address }) => address).reverse();
  const change = bans.lastChange();
  let now = 365 * DAY;
  const prune = (isShipped: boolean) => {
    for (now += DAY; bans.prune({ now, keep: DAY, isShipped }) > 0;);
    return addresses();
  };
  assert.equal(prune(true).length, 4);
  outbox.confirmBans(outbox.unshippedBans(9)[1]!.change);
  assert.deepEqual(prune(true), ["192.0.2.1", "192.0.2.3", "192.0.2.4"]);
  assert.deepEqual(prune(false), ["192.0.2.1", "192.0.2.4"]);
  bans.add(ban({ address: "192.0.2.9" }));
  assert.equal(bans.lastChange(), change + 1, "no number of a change is given twice");
  enforcement.lifted([1]);
  assert.deepEqual(prune(false), ["192.0.2.9"]);
});

Deno.test("`State` reads who banned out of the reasons of an earlier program, once", () => {
  using temporary = temporaryState();
  const reasons: readonly (readonly [string, string, string, string])[] = [
    ["192.0.2.1", "[SSHD] invalid user", "rule", "SSHD invalid user"],
    ["192.0.2.0/24", "[NETWORK] 5 bans within 1d", "network", "/24"],
    ["192.0.2.3", "[MANUAL] ban", "manual", ""],
    ["192.0.2.4", "[IMPORT] /srv/list", "import", "/srv/list"],
    ["192.0.2.5", "a scan", "manual", ""],
  ];
  temporary.exec(`
    ${WITHOUT_TURNS}
    DROP INDEX ban_in_force;
    ALTER TABLE ban DROP COLUMN provenance;
    ALTER TABLE ban DROP COLUMN name;
    ALTER TABLE ban DROP COLUMN decided;
    CREATE UNIQUE INDEX ban_in_force ON ban (address) WHERE ended IS NULL;
    ${
    reasons.map(([address, reason], i) =>
      `INSERT INTO ban (change, address, reason, count, start) VALUES (${i}, '${address}', '${reason}', 1, ${
        i + 5
      });`
    ).join("\n")
  }
    PRAGMA user_version = 7`);
  const again = new State(temporary.directory);
  assert.deepEqual(
    again.bans.inForce().map((
      { address, reason, provenance: { kind, name } },
    ) => [address, reason, kind, name]),
    reasons,
  );
  assert.deepEqual(again.bans.decided(0), [
    { address: "192.0.2.1", time: 5, isOfNetwork: false },
    { address: "192.0.2.0/24", time: 6, isOfNetwork: true },
  ]);
  again.bans.add(ban({ scope: scopeOf("tcp 22") }));
  assert.equal(again.bans.standing("192.0.2.1").length, 2);
  again.close();
});

Deno.test("`BanTable.rebase()` has bans of a clock that ran ahead begin now and last as long, and leaves all others", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  const [now, year, hour] = [1_000_000_000_000_000, 31_536_000_000_000, 3_600_000_000];
  const at = (address: string, start: number, until: number | null) =>
    bans.add({ address, scope: "all", provenance: MANUAL, reason: "x", count: 1, start, until });
  at("192.0.2.1", now - hour, now + hour);
  at("192.0.2.2", now + year, now + year + hour);
  at("192.0.2.3", now + year, null);
  const before = bans.lastChange();
  enforcement.failed(bans.standing("192.0.2.1")[0]!.id, { error: "x", time: now + year });
  assert.equal(bans.rebase(now), 2);
  enforcement.rebase(now);
  const ends = bans.inForce().map((
    { address, start, until },
  ) => [address, start - now, until && until - now]);
  assert.deepEqual(ends, [
    ["192.0.2.1", -hour, hour],
    ["192.0.2.2", 0, hour],
    ["192.0.2.3", 0, null],
  ]);
  assert.deepEqual(bans.changedSince(before).map(({ address }) => address), ["192.0.2.2", "192.0.2.3"]);
  assert.equal(enforcement.toApply({ firewall: "x", now, limit: 9, turn: "manual" }).length, 3);
  assert.equal(bans.rebase(now), 0);
});

Deno.test("`BanTable.numbers()` counts as `totals()` does, and `EnforcementTable.stuck()` finds what failed often enough in every turn", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  const manual = { provenance: MANUAL };
  bans.addAll([1, 2, 3, 4].map((n) => ban({ address: `192.0.2.${n}`, ...n > 2 ? manual : {} })));
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
  const { inForce, waiting, failing } = bans.totals();
  assert.deepEqual({ ...bans.numbers() }, { inForce, waiting, failing });
  assert.deepEqual([inForce, waiting, failing], [1, 2, 3]);
});

Deno.test("`BanTable.decidedAfter()` gives the newest bans by rules and networks in order, and counts all", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.addAll([
    ban({ address: "192.0.2.1" }),
    ban({ address: "192.0.2.2" }),
    ban({ address: "192.0.2.3", provenance: MANUAL }),
    ban({ address: "192.0.2.0/24", provenance: { kind: "network", name: "/24" } }),
    ban({ address: "192.0.2.5", provenance: { kind: "fleet", name: "" } }),
  ]);
  const told = (id: number, most: number) => {
    const { bans: newest, count } = bans.decidedAfter(id, most);
    return [count, ...newest.map(({ address }) => address)];
  };
  assert.deepEqual(told(0, 2), [3, "192.0.2.2", "192.0.2.0/24"]);
  assert.deepEqual(told(2, 9), [1, "192.0.2.0/24"]);
  assert.deepEqual(told(5, 9), [0]);
});
