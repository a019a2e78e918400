import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import type { BanTable } from "../../lib/state/ban_table.ts";
import { State } from "../../lib/state/state.ts";
import { MANUAL, scopeOf, stateOfFirstRelease, temporaryState } from "../support/helpers.ts";
import { DUE, ruleBan, UNBANNED } from "../support/rule_bans.ts";

function expired(bans: BanTable, now: number): string[] {
  return bans.expire(now).bans.map(({ address }) => address);
}

Deno.test("`BanTable.add()` keeps one ban an address, moves its end only outwards, and overtakes a lift", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ruleBan({ until: 5_000 }));
  bans.add(ruleBan({ until: 3_000 }));
  assert.equal(bans.inForce()[0]!.until, 5_000);
  bans.add(ruleBan({ until: null }));
  assert.equal(bans.inForce()[0]!.until, null);
  enforcement.applied([bans.inForce()[0]!.id], { firewall: "command", time: 1 });
  bans.end("192.0.2.1", { reason: "unban", time: 6_000 });
  bans.add(ruleBan({ start: 7_000 }));
  assert.equal(enforcement.toLift(UNBANNED).length, 0, "lifting the old would lift the new");
  assert.equal(enforcement.toApply(DUE).length, 1);
});

Deno.test("`BanTable.expire()` gives each ban its own end and its own number of change, in order", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.add(ruleBan({ address: "192.0.2.1", until: 3_000 }));
  bans.add(ruleBan({ address: "192.0.2.2", until: 9_000 }));
  bans.add(ruleBan({ address: "192.0.2.3", until: 2_000 }));
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

Deno.test("`BanTable.expire()` waits for no other writer while no ban is due", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.add(ruleBan({ until: 3_000 }));
  const writer = new DatabaseSync(`${temporary.directory}/state.db`);
  writer.exec("BEGIN IMMEDIATE");
  try {
    assert.deepEqual(bans.expire(2_000), { bans: [], isMore: false });
  } finally {
    writer.close();
  }
  assert.deepEqual(expired(bans, 3_000), ["192.0.2.1"]);
});

Deno.test("`BanTable.expire()` ends a flood of bans in steps, each once", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.transaction(() => {
    for (let i = 0; i < 5_001; i++) bans.add(ruleBan({ address: `10.0.${i >> 8}.${i & 255}`, until: 3_000 }));
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
  bans.add(ruleBan());
  enforcement.trying([1], "command");
  for (const _ of [1, 2]) {
    bans.end("192.0.2.1", { reason: "unban", time: 5 });
    assert.deepEqual(enforcement.toLift(UNBANNED).map(({ id }) => id), [bans.lastId()]);
    bans.add(ruleBan({ start: 6 }));
    assert.deepEqual(enforcement.toLift(UNBANNED), []);
  }
});

Deno.test("`BanTable.addAll()` does what as many calls of `add()` do, and `inForceByAddress()` knows what is in force", () => {
  const left = [
    ruleBan({ address: "192.0.2.1", until: 50 }),
    ruleBan({ address: "192.0.2.2", until: null }),
    ruleBan({ address: "192.0.2.1", until: 80 }),
    ruleBan({ address: "192.0.2.3", until: 20 }),
  ];
  const outcomes = [true, false].map((atOnce) => {
    using temporary = temporaryState();
    const { bans, enforcement } = temporary.state;
    for (
      const one of [
        ruleBan({ address: "192.0.2.2", until: 40 }),
        ruleBan({ address: "192.0.2.3", until: 10 }),
        ruleBan({ address: "192.0.2.4", until: 10 }),
      ]
    ) bans.add(one);
    enforcement.applied([1, 2], { firewall: "nftables", time: 5 });
    // Its lift has not reached the firewall yet.
    bans.end("192.0.2.3", { reason: "unban", time: 6 });
    if (atOnce) bans.addAll(left);
    else left.forEach((one) => bans.add(one));
    const spans = [...bans.inForceByAddress(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.9"])];
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
  bans.addAll([ruleBan({ scope: ssh, until: 5_000 }), ruleBan({ scope: web, until: 9_000 })]);
  bans.add(ruleBan({ scope: ssh, until: 7_000, provenance: { kind: "import", name: "list" } }));
  assert.deepEqual(
    bans.inForceOf(["192.0.2.1"]).map(({ scope, until, provenance }) => [scope, until, provenance]),
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

Deno.test("`State` reads who banned out of the reasons of an earlier program, once", () => {
  const reasons: readonly (readonly [string, string, string, string])[] = [
    ["192.0.2.1", "[SSHD] invalid user", "rule", "SSHD invalid user"],
    ["192.0.2.0/24", "[NETWORK] 5 bans within 1d", "network", "/24"],
    ["192.0.2.3", "[MANUAL] ban", "manual", ""],
    ["192.0.2.4", "[IMPORT] /srv/list", "import", "/srv/list"],
    ["192.0.2.5", "a scan", "manual", ""],
  ];
  const rows = reasons.map(([address, reason], i) => `(${i}, '${address}', '${reason}', 1, ${i + 5})`);
  using temporary = stateOfFirstRelease(
    `INSERT INTO ban (change, address, reason, count, start) VALUES ${rows.join()}`,
  );
  const again = new State(temporary.directory);
  assert.deepEqual(
    again.bans.inForce().map((
      { address, reason, provenance: { kind, name } },
    ) => [address, reason, kind, name]),
    reasons,
  );
  assert.deepEqual(again.bans.decisionsSince(0), [
    { address: "192.0.2.1", time: 5, isOfNetwork: false },
    { address: "192.0.2.0/24", time: 6, isOfNetwork: true },
  ]);
  again.bans.add(ruleBan({ scope: scopeOf("tcp 22") }));
  assert.equal(again.bans.inForceOf(["192.0.2.1"]).length, 2);
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
  enforcement.failed(bans.inForceOf(["192.0.2.1"])[0]!.id, { error: "x", time: now + year });
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

Deno.test("`BanTable.rebase()` puts bans into force again that a clock that ran ahead let expire", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  const [now, year, hour] = [1_000_000_000_000_000, 31_536_000_000_000, 3_600_000_000];
  const at = (address: string, start: number, until: number) =>
    bans.add({ address, scope: "all", provenance: MANUAL, reason: "x", count: 1, start, until });
  at("192.0.2.1", now - hour, now + hour);
  at("192.0.2.2", now - 2 * hour, now - hour);
  at("192.0.2.3", now - hour, now + hour);
  at("192.0.2.4", now - hour, now + hour);
  const ids = bans.inForce().map(({ id }) => id);
  enforcement.trying(ids, "x");
  enforcement.applied(ids, { firewall: "x", time: now });
  bans.end("192.0.2.4", { reason: "unban", time: now });
  assert.equal(bans.expire(now + year).bans.length, 3);
  at("192.0.2.5", now + year, now + year + hour);
  assert.equal(bans.expire(now + 2 * year).bans.length, 1);
  at("192.0.2.3", now + 2 * year, now + 2 * year + hour);
  const before = bans.lastChange();
  assert.equal(bans.rebase(now), 2);
  const inForce = bans.inForce().map(({ address, start, until }) => [address, start - now, until! - now]);
  assert.deepEqual(inForce.sort(), [["192.0.2.1", -hour, hour], ["192.0.2.3", 0, hour]]);
  assert.deepEqual(bans.changedSince(before).map(({ address }) => address).sort(), [
    "192.0.2.1",
    "192.0.2.3",
  ]);
  const due = enforcement.toApply({ firewall: "x", now, limit: 9, turn: "manual" });
  assert.deepEqual(due.map(({ address }) => address).sort(), ["192.0.2.1", "192.0.2.3"], "told again");
  assert.equal(bans.rebase(now), 0);
});
