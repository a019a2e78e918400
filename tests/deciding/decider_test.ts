import { strict as assert } from "node:assert";
import { formatScope } from "../../lib/core/scope.ts";
import { SECOND } from "../../lib/core/time.ts";
import { type BanInForce, type CountedBan, effectOf, type NewBan } from "../../lib/deciding/ban.ts";
import { type BanHistory, Decider, type DeciderOptions } from "../../lib/deciding/decider.ts";
import { Logins } from "../../lib/deciding/logins.ts";
import type { NetworkStep } from "../../lib/deciding/networks.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { Trip } from "../../lib/rules/rule.ts";
import { noteAll } from "../support/login_events.ts";
import { scopeOf, STEADY } from "../support/helpers.ts";

const HOUR = 3_600 * SECOND;
const STEP: NetworkStep = { ipv4: 24, ipv6: 48, limit: 2, window: HOUR, banTime: HOUR, growth: STEADY };

function trip(address: string, over: Partial<Trip> = {}): Trip {
  const who = { address, source: address, module: "SSHD", rule: "invalid", reason: "[SSHD] invalid" };
  return { ...who, time: HOUR, count: 6, banTime: HOUR, growth: STEADY, scope: "all", ...over };
}

function inForce(scope: string, until: number | null): BanInForce {
  return { scope: scopeOf(scope), until };
}

function history(bans: Record<string, BanInForce[]> = {}): BanHistory {
  return { inForceByAddress: () => new Map(Object.entries(bans)), past: () => [] };
}

function decider(over: Partial<DeciderOptions> = {}): Decider {
  const logins = new Logins(null);
  return new Decider({ whitelist: new Whitelist(), logins, networks: [STEP], history: history(), ...over });
}

function named(bans: readonly NewBan[]): string[] {
  return bans.map(({ address, scope }) => scope === "all" ? address : `${address} ${formatScope(scope)}`);
}

Deno.test("`effectOf()` extends a ban of the same scope, adds other scopes, and leaves covering bans unchanged", () => {
  const cases: readonly (readonly [BanInForce, BanInForce[], string])[] = [
    [inForce("tcp 22", 10), [], "new"],
    [inForce("tcp 22", 10), [inForce("tcp 22", 9)], "extended"],
    [inForce("tcp 22", null), [inForce("tcp 22", 9)], "extended"],
    [inForce("tcp 22", 10), [inForce("tcp 22", 10)], "unchanged"],
    [inForce("tcp 22", 10), [inForce("tcp 22", null)], "unchanged"],
    [inForce("tcp 80", 10), [inForce("tcp 22", null)], "new"],
    [inForce("tcp 22", 10), [inForce("all", 10)], "unchanged"],
    [inForce("tcp 22", 10), [inForce("all", 9)], "new"],
    [inForce("tcp 22", 10), [inForce("all", 9), inForce("tcp 22", 5)], "extended"],
    [inForce("all", 5), [inForce("tcp", 10), inForce("udp", 10)], "new"],
  ];
  for (const [ban, others, effect] of cases) assert.equal(effectOf(ban, others), effect, JSON.stringify(ban));
});

Deno.test("`Decider.decide()` makes no ban that would be over by now, and says so", () => {
  const trips = [
    trip("192.0.2.1"),
    trip("192.0.2.2", { time: 2 * HOUR }),
    trip("192.0.2.3", { banTime: null }),
    trip("192.0.2.4", { banTime: 2 * HOUR }),
  ];
  const { bans, spared } = decider().decide(trips, { now: 2 * HOUR });
  assert.deepEqual(named(bans), ["192.0.2.2", "192.0.2.3", "192.0.2.4"]);
  assert.deepEqual(spared, ["not banning 192.0.2.1, whose ban would be over by now: [SSHD] invalid, 6 hits"]);
  const single = decider().decide([trip("192.0.2.1", { count: 1 })], { now: 2 * HOUR });
  assert.deepEqual(single.spared, [
    "not banning 192.0.2.1, whose ban would be over by now: [SSHD] invalid, 1 hit",
  ]);
  const lasting = [1, 2, 3].map((n) => trip(`192.0.2.${n}`, { banTime: 2 * HOUR }));
  const network = decider().decide(lasting, { now: 2 * HOUR });
  assert.equal(network.bans.length, 3);
  assert.deepEqual(network.spared, [
    "not banning 192.0.2.0/24, whose ban would be over by now: [NETWORK] 3 bans within 1h",
  ]);
});

Deno.test("`Decider.decide()` gives one ban of an address and scope, from the first trip to the later end, and each other scope its own ban", () => {
  const scopes = { ssh: scopeOf("tcp 22"), web: scopeOf("tcp 80,443") };
  const { bans } = decider({ history: history({ "192.0.2.2": [inForce("all", null)] }) }).decide([
    trip("192.0.2.1", { scope: scopes.ssh }),
    trip("192.0.2.1", { scope: scopes.web, banTime: 2 * HOUR }),
    trip("192.0.2.1", { scope: scopes.ssh, time: 2 * HOUR }),
    trip("192.0.2.1", { scope: scopeOf("tcp 443"), time: 2 * HOUR }),
    trip("192.0.2.2"),
  ]);
  assert.deepEqual(bans.map(({ start, until }) => [start / HOUR, until! / HOUR]), [[1, 3], [1, 3]]);
  assert.deepEqual(named(bans), ["192.0.2.1 tcp 22", "192.0.2.1 tcp 80,443"]);
});

Deno.test("`Decider.decide()` counts two bans of one address as one member of its network", () => {
  const trips = [
    trip("192.0.2.1", { scope: scopeOf("tcp 22") }),
    trip("192.0.2.1", { scope: scopeOf("tcp 80") }),
    trip("192.0.2.2"),
  ];
  const judge = decider();
  assert.equal(judge.decide(trips).bans.length, 3);
  const { bans } = judge.decide([trip("192.0.2.3")]);
  assert.deepEqual(named(bans), ["192.0.2.3", "192.0.2.0/24"]);
  assert.deepEqual(bans[1]!.provenance, { kind: "network", name: "/24" });
});

Deno.test("`Decider.reset()` counts as if only the stored decisions had been made", () => {
  let bans: readonly CountedBan[] = [];
  const judge = decider({ remembered: () => ({ logins: [], sessions: [], bans }) });
  const trips = [trip("192.0.2.1"), trip("192.0.2.2"), trip("2001:db8::/64")];
  for (let i = 0; i < 2; i++) {
    const lost = judge.decide([...trips, trip("192.0.2.3")]);
    assert.deepEqual(named(lost.bans).at(-1), "192.0.2.0/24");
    judge.reset();
  }
  bans = trips.slice(0, 2).map(({ address, time }) => ({ address, time, isOfNetwork: false }));
  judge.reset();
  assert.deepEqual(named(judge.decide([trip("192.0.2.9")]).bans), [
    "192.0.2.9",
    "192.0.2.0/24",
  ]);
  bans = [
    { address: "192.0.2.1", time: HOUR, isOfNetwork: false },
    { address: "192.0.2.2", time: HOUR, isOfNetwork: false },
    { address: "192.0.2.0/24", time: HOUR, isOfNetwork: true },
  ];
  judge.reset();
  assert.deepEqual(
    named(judge.decide([trip("192.0.2.9")]).bans),
    ["192.0.2.9"],
    "a network begins anew with its ban",
  );
});

Deno.test("`Decider.whyNot()` shortens a long name of a user", () => {
  const logins = new Logins({ span: HOUR, methods: new Set(["publickey"]), factor: 3 });
  const login = { user: "x".repeat(8_192), method: "publickey", port: 1, pid: null };
  noteAll(logins, { kind: "opened", address: "192.0.2.4", time: HOUR, ...login });
  const name = `${"x".repeat(59)}…`;
  const expected = `${name} logged in from 192.0.2.4 by publickey lately`;
  assert.equal(decider({ logins }).whyNot("192.0.2.4", HOUR), expected);
});

Deno.test("`Decider.whyNot()` names who protects an address, or one inside of a network", () => {
  const [whitelist, logins] = [
    new Whitelist(),
    new Logins({ span: HOUR, methods: new Set(["publickey"]), factor: 3 }),
  ];
  const opened = (address: string, time: number) => {
    const login = { user: "me", method: "publickey", port: 1, pid: null };
    noteAll(logins, { kind: "opened", address, time, ...login });
  };
  opened("192.0.2.1", HOUR);
  whitelist.set("open session", logins.openAddresses);
  whitelist.set("command", ["192.0.2.2"]);
  whitelist.set("this machine", ["192.0.2.3"]);
  opened("192.0.2.4", HOUR);
  const why = (target: string) => decider({ whitelist, logins }).whyNot(target, HOUR + SECOND);
  assert.deepEqual(
    ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.0/30", "192.0.2.8/29"].map(why),
    [
      "whitelisted by open session",
      "whitelisted by command",
      "whitelisted by this machine",
      "me logged in from 192.0.2.4 by publickey lately",
      "with an address whitelisted by open session",
      null,
    ],
  );
});
