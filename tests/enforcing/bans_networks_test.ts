import { strict as assert } from "node:assert";
import type { NetworkStep } from "../../lib/deciding/networks.ts";
import { eventually, MANUAL, STEADY, temporaryState } from "../support/helpers.ts";
import { setUp, trip } from "../support/bans_scene.ts";

/** Bans a /24 for the second ban in it. */
const STEP: NetworkStep = {
  ipv4: 24,
  ipv6: null,
  limit: 1,
  window: 1_000_000,
  banTime: null,
  growth: STEADY,
};

Deno.test("`Bans.decide()` decides bans of networks with those that fill them, and of larger networks with those", async () => {
  using temporary = temporaryState();
  const { make } = setUp(temporary, undefined, [STEP, { ...STEP, ipv4: 16 }]);
  const bans = make();
  const trips = ["192.0.2.1", "192.0.2.2", "192.0.3.1", "192.0.3.2"].map((address) => trip(address));
  const decided = bans.decide(trips);
  assert.deepEqual(
    decided.map(({ address, scope, provenance, count }) => [address, scope, provenance, count]),
    [
      ["192.0.2.1", "all", { kind: "rule", name: "SSHD invalid" }, 6],
      ["192.0.2.2", "all", { kind: "rule", name: "SSHD invalid" }, 6],
      ["192.0.2.0/24", "all", { kind: "network", name: "/24" }, 2],
      ["192.0.3.1", "all", { kind: "rule", name: "SSHD invalid" }, 6],
      ["192.0.3.2", "all", { kind: "rule", name: "SSHD invalid" }, 6],
      ["192.0.3.0/24", "all", { kind: "network", name: "/24" }, 2],
      ["192.0.0.0/16", "all", { kind: "network", name: "/16" }, 2],
    ],
  );
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans.reset()` counts the bans inside networks as the state has them, after a commit that failed", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary, undefined, [STEP]);
  const bans = make();
  act(bans, [trip("192.0.2.1")]);
  temporary.exec(`CREATE TRIGGER no_networks BEFORE INSERT ON ban WHEN NEW.address LIKE '%/%'
    BEGIN SELECT raise(ABORT, 'disk full'); END`);
  for (let i = 0; i < 3; i++) {
    const decided = bans.decide([trip("192.0.2.2")]);
    assert.deepEqual(decided.map(({ address }) => address), ["192.0.2.2", "192.0.2.0/24"]);
    assert.throws(() => temporary.state.bans.addAll(decided), /disk full/);
    assert.equal(temporary.state.bans.inForce().length, 1, "all of a decision is written, or nothing");
    bans.reset();
  }
  temporary.exec("DROP TRIGGER no_networks");
  act(bans, [trip("192.0.2.2")]);
  assert.equal(temporary.state.bans.inForceOf(["192.0.2.0/24"]).length, 1);
  await eventually(() => scene.firewall.held.has("192.0.2.0/24"));
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` counts the bans in the state before the first trip, not those by hand or of other networks", async () => {
  using temporary = temporaryState();
  const { make, act } = setUp(temporary, undefined, [{ ...STEP, limit: 2 }]);
  const before = make();
  act(before, [trip("192.0.2.1"), trip("192.0.2.2")]);
  temporary.state.bans.add({
    address: "192.0.2.9",
    scope: "all",
    provenance: MANUAL,
    reason: "[SSHD] invalid",
    count: 0,
    start: 1_000,
    until: null,
  });
  await before.stop(AbortSignal.abort());
  const after = make();
  const decided = after.decide([trip("192.0.2.3")]);
  assert.deepEqual(decided.map(({ address, count }) => [address, count]), [["192.0.2.3", 6], [
    "192.0.2.0/24",
    3,
  ]]);
  await after.stop(AbortSignal.abort());
});

Deno.test("`Bans.decide()` bans nobody who knocks in the same batch, and no network around him", async () => {
  using temporary = temporaryState();
  const { scene, make } = setUp(temporary, undefined, [{ ...STEP, limit: 1 }]);
  const bans = make();
  const knock = { key: "k", address: "192.0.2.3", time: 900, until: 5_000, step: null };
  const decided = bans.decide(
    ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((address) => trip(address)),
    [knock],
  );
  bans.enforce(decided);
  assert.deepEqual(decided.map(({ address }) => address), ["192.0.2.1", "192.0.2.2"]);
  const told = scene.log.lines.join("\n");
  assert.match(told, /not banning 192\.0\.2\.3, whitelisted by knock/);
  assert.match(told, /not banning 192\.0\.2\.0\/24, with an address whitelisted by knock: \[NETWORK\]/);
  await bans.stop(AbortSignal.abort());
});
