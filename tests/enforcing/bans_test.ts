import { strict as assert } from "node:assert";
import { Bans } from "../../lib/enforcing/bans.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { NetworkStep } from "../../lib/deciding/networks.ts";
import { formatScope } from "../../lib/core/scope.ts";
import { type Ban, nameOf } from "../../lib/deciding/ban.ts";
import type { Firewall, Outcome } from "../../lib/firewall/firewall.ts";
import type { Micros } from "../../lib/core/time.ts";
import type { Trip } from "../../lib/rules/rule.ts";
import {
  BOOT,
  eventually,
  MANUAL,
  memoryLog,
  scopeOf,
  STEADY,
  strangers,
  type TemporaryState,
  temporaryState,
} from "../support/helpers.ts";

const ONE = "192.0.2.1";

/** A firewall that notes what it is told, and refuses while `broken`. */
class NotingFirewall implements Firewall {
  readonly name = "noting";
  readonly canUnban: boolean = true;
  readonly batch: number = 100;
  get parallel(): number {
    return 1;
  }

  readonly takesOver = true;
  readonly knowsScopes: boolean = true;
  readonly keepsTime = false;

  inspect(): Promise<null> {
    return Promise.resolve(null);
  }

  clear(): Promise<null> {
    return Promise.resolve(null);
  }

  readonly held = new Set<string>();
  broken = false;

  ban(bans: readonly Ban[]): Promise<Outcome[]> {
    return this.#each(bans, (address) => this.held.add(address));
  }

  unban(bans: readonly Ban[]): Promise<Outcome[]> {
    return this.#each(bans, (address) => this.held.delete(address));
  }

  #each(bans: readonly Ban[], act: (address: string) => void): Promise<Outcome[]> {
    if (!this.broken) bans.forEach(({ address }) => act(address));
    return Promise.resolve(bans.map(({ address }) => ({ address, error: this.broken ? "refused" : null })));
  }
}

function trip(address: string, over: Partial<Trip> = {}): Trip {
  return {
    address,
    source: address,
    module: "SSHD",
    rule: "invalid",
    reason: "[SSHD] invalid",
    time: 1_000,
    count: 6,
    banTime: null,
    growth: STEADY,
    scope: "all",
    ...over,
  };
}

function setUp(temporary: TemporaryState, firewall = new NotingFirewall(), networks: NetworkStep[] = []) {
  const scene = { now: 2_000 as Micros, firewall, whitelist: new Whitelist(), log: memoryLog() };
  const make = () =>
    new Bans({
      state: temporary.state,
      firewall,
      whitelist: scene.whitelist,
      log: scene.log,
      clock: () => scene.now,
      boot: () => BOOT,
      ...strangers(),
      networks,
    });
  const act = (bans: Bans, trips: Trip[]) => {
    const decided = bans.decide(trips);
    temporary.state.bans.addAll(decided);
    bans.enforce(decided);
  };
  return { scene, make, act };
}

Deno.test("`Bans.decide()` bans an address once, and the whitelisted never", () => {
  using temporary = temporaryState();
  const { scene, make } = setUp(temporary);
  scene.whitelist.set("configuration", ["198.51.100.0/24"]);
  const bans = make();
  const decided = bans.decide([
    trip("192.0.2.1"),
    trip("192.0.2.1"),
    trip("198.51.100.9"),
    trip("127.0.0.1"),
  ]);
  assert.deepEqual(decided.map(({ address }) => address), ["192.0.2.1"]);
  const longer = bans.decide([
    trip("203.0.113.1", { banTime: 1_005 }),
    trip("203.0.113.1", { banTime: 1_009 }),
  ]);
  assert.deepEqual(longer.map(({ until }) => until), [2_009], "the longer of two");
  assert.deepEqual(scene.log.lines, [], "nothing is told before the commit");
  bans.enforce([]);
  assert.match(scene.log.lines.join(), /not banning 198\.51\.100\.9, whitelisted by configuration/);
});

Deno.test("`Bans` puts bans into the firewall and lifts them when their time is up", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  act(bans, [trip("192.0.2.1", { banTime: 5_000 }), trip("192.0.2.2")]);
  await eventually(() => scene.firewall.held.size === 2);
  scene.now = 6_000;
  bans.enforce();
  await eventually(() => scene.firewall.held.size === 1);
  assert(scene.firewall.held.has("192.0.2.2"));
  assert.deepEqual(bans.decide([trip("192.0.2.1")]).length, 1, "who comes back is banned again");
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` tries again what the firewall refused, and never loses it", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  scene.firewall.broken = true;
  const bans = make();
  act(bans, [trip("192.0.2.1")]);
  await eventually(() => temporary.state.bans.totals().failing === 1);
  scene.firewall.broken = false;
  scene.now += 1_000_000;
  bans.enforce();
  await eventually(() => scene.firewall.held.size === 1);
  await eventually(() => temporary.state.bans.totals().failing === 0);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` applies after a crash what was stored and not confirmed, and not what was", async () => {
  using temporary = temporaryState();
  const { scene, make } = setUp(temporary);
  const store = temporary.state.bans;
  store.add({
    address: "192.0.2.1",
    reason: "x",
    provenance: { kind: "manual", name: "" },
    scope: "all",
    count: 1,
    start: 1,
    until: null,
  });
  temporary.state.enforcement.applied([store.inForce()[0]!.id], { firewall: "noting", time: 1 });
  store.add({
    address: "192.0.2.2",
    reason: "x",
    provenance: { kind: "manual", name: "" },
    scope: "all",
    count: 1,
    start: 1,
    until: null,
  });
  const bans = make();
  bans.refresh();
  await eventually(() => scene.firewall.held.size > 0);
  assert.deepEqual([...scene.firewall.held], ["192.0.2.2"]);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans.refresh()` lifts what has been whitelisted or unbanned meanwhile, and names it", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  act(bans, [trip("192.0.2.1"), trip("192.0.2.2"), trip("192.0.2.3")]);
  await eventually(() => scene.firewall.held.size === 3);
  scene.whitelist.set("database", ["192.0.2.1"]);
  temporary.state.bans.end("192.0.2.2", { reason: "unban", time: scene.now });
  assert.deepEqual(bans.refresh().sort(), ["192.0.2.1", "192.0.2.2"]);
  await eventually(() => scene.firewall.held.size === 1);
  assert.equal(
    temporary.state.bans.history(3).find(({ address }) => address === "192.0.2.1")!.endReason,
    "whitelisted",
  );
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans.refresh()` holds bans against the whitelist again when that could not be written", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  act(bans, [trip("192.0.2.1"), trip("192.0.2.2")]);
  await eventually(() => scene.firewall.held.size === 2);
  scene.whitelist.set("database", ["192.0.2.0/24"]);
  temporary.exec(
    "CREATE TRIGGER full BEFORE UPDATE ON ban WHEN new.address = '192.0.2.2' BEGIN SELECT raise(ABORT, 'full'); END",
  );
  assert.throws(() => bans.refresh(), /full/);
  assert.equal(temporary.state.bans.inForce().length, 2);
  temporary.exec("DROP TRIGGER full");
  assert.deepEqual(bans.refresh().sort(), ["192.0.2.1", "192.0.2.2"]);
  await eventually(() => scene.firewall.held.size === 0);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` keeps a ban by hand of a whitelisted address out of the firewall", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  scene.whitelist.set("configuration", ["192.0.2.9"]);
  temporary.state.bans.add({
    address: "192.0.2.0/24",
    reason: "x",
    scope: "all",
    provenance: { kind: "manual", name: "" },
    count: 0,
    start: 1,
    until: null,
  });
  act(bans, [trip("198.51.100.1")]);
  await eventually(() => scene.firewall.held.size === 1);
  assert(scene.firewall.held.has("198.51.100.1"));
  assert.equal(temporary.state.bans.history(2)[1]!.endReason, "whitelisted");
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` bans on while a command hangs", async () => {
  using temporary = temporaryState();
  const hung = Promise.withResolvers<Outcome[]>();
  class Slow extends NotingFirewall {
    override readonly batch = 1;
    override get parallel(): number {
      return 2;
    }
    override ban(bans: readonly Ban[]): Promise<Outcome[]> {
      return bans[0]!.address === "192.0.2.1" ? hung.promise : super.ban(bans);
    }
  }
  const { scene, make, act } = setUp(temporary, new Slow());
  const bans = make();
  act(bans, [trip("192.0.2.1"), trip("192.0.2.2"), trip("192.0.2.3")]);
  await eventually(() => scene.firewall.held.size === 2);
  hung.resolve([{ address: "192.0.2.1", error: null }]);
  await bans.stop(AbortSignal.timeout(30_000));
  assert.deepEqual(temporary.state.enforcement.turns(), []);
});

Deno.test("`Bans` goes on with the next where all that was due has been whitelisted", async () => {
  using temporary = temporaryState();
  class OneByOne extends NotingFirewall {
    override readonly batch = 1;
  }
  const { scene, make, act } = setUp(temporary, new OneByOne());
  const bans = make();
  scene.firewall.broken = true;
  act(bans, [trip("192.0.2.1"), trip("192.0.2.2")]);
  await eventually(() => temporary.state.bans.totals().failing === 2);
  scene.firewall.broken = false;
  scene.whitelist.set("configuration", ["192.0.2.1"]);
  scene.now += 60_000_000;
  bans.enforce();
  await eventually(() => scene.firewall.held.has("192.0.2.2"));
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` asks a firewall again that was not ready", async () => {
  using temporary = temporaryState();
  class Unready extends NotingFirewall {
    isReady = false;
    override get parallel(): number {
      return this.isReady ? 1 : 0;
    }
  }
  const firewall = new Unready();
  const { make, act } = setUp(temporary, firewall);
  const bans = make();
  act(bans, [trip("192.0.2.1")]);
  firewall.isReady = true;
  await eventually(() => firewall.held.size === 1);
  await bans.stop(AbortSignal.abort());
});

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
  assert.equal(temporary.state.bans.standing("192.0.2.0/24").length, 1);
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
  assert.match(told, /not banning 192\.0\.2\.0\/24, whitelisted by knock: \[NETWORK\]/);
  await bans.stop(AbortSignal.abort());
});

Deno.test("a ban is known by address and scope, and its end is the later one", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  const all = () =>
    temporary.state.bans.inForce().map((ban) => [formatScope(ban.scope), ban.start, ban.until]);
  act(bans, [trip(ONE, { scope: scopeOf("tcp 22"), banTime: 10_000 })]);
  act(bans, [trip(ONE, { scope: scopeOf("tcp 80,443"), banTime: 2_000, time: 1_500 })]);
  assert.deepEqual(all(), [["tcp 22", 1_000, 11_000], ["tcp 80,443", 1_500, 3_500]], "each its own");
  act(bans, [trip(ONE, { scope: scopeOf("tcp 80,443"), banTime: 2_000, time: 3_400 })]);
  assert.deepEqual(all()[1], ["tcp 80,443", 1_500, 5_400], "one about to end swallows no new one");
  act(bans, [trip(ONE, { scope: scopeOf("tcp 443"), banTime: 1_000, time: 3_500 })]);
  assert.equal(all().length, 2, "covered by one that lasts longer");
  act(bans, [trip(ONE, { scope: scopeOf("tcp 443"), banTime: 9_000, time: 3_500 })]);
  assert.deepEqual(all()[2], ["tcp 443", 3_500, 12_500], "covered by one that ends sooner");
  await eventually(() => temporary.state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
  temporary.state.bans.end(ONE, { reason: "unban", time: scene.now });
  assert.deepEqual(all(), [], "to unban an address ends all");
  assert.deepEqual(bans.refresh(), [ONE]);
  await eventually(() => temporary.state.bans.lingering().length === 0);
  await bans.stop(AbortSignal.abort());
});

Deno.test("a firewall without scopes is told of an address once, and lifts with the last ban", async () => {
  using temporary = temporaryState();
  class Blind extends NotingFirewall {
    override readonly knowsScopes = false;
    override readonly batch = 1;
    override get parallel(): number {
      return 4;
    }
    readonly calls: string[] = [];
    override ban(bans: readonly Ban[]): Promise<Outcome[]> {
      this.calls.push(`ban ${bans.map(nameOf)}`);
      return super.ban(bans);
    }
    override unban(bans: readonly Ban[]): Promise<Outcome[]> {
      this.calls.push(`unban ${bans.map(({ address }) => address)}`);
      return super.unban(bans);
    }
  }
  const firewall = new Blind();
  const { scene, make, act } = setUp(temporary, firewall);
  const bans = make();
  const { state } = temporary;
  act(bans, [
    trip(ONE, { scope: scopeOf("tcp 22"), banTime: 5_000 }),
    trip(ONE, { scope: scopeOf("tcp 80"), banTime: 9_000 }),
  ]);
  await eventually(() => state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
  act(bans, [trip(ONE, { scope: scopeOf("udp"), banTime: 7_000 })]);
  await eventually(() => state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
  assert.deepEqual(firewall.calls, [`ban ${ONE} (tcp 80)`]);
  scene.now = 9_000;
  bans.enforce();
  await eventually(() => state.bans.inForce().length === 1);
  assert.equal(state.enforcement.nextDue("noting"), 10_000, "nothing is due before the last one ends");
  assert.ok(firewall.held.has(ONE));
  scene.now = 10_000;
  bans.enforce();
  await eventually(() => state.bans.lingering().length === 0);
  assert.deepEqual(firewall.calls, [`ban ${ONE} (tcp 80)`, `unban ${ONE}`]);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` says when nothing can lift a ban", async () => {
  using temporary = temporaryState();
  class OneWay extends NotingFirewall {
    override readonly canUnban = false;
  }
  const { scene, make, act } = setUp(temporary, new OneWay());
  const bans = make();
  act(bans, [trip("192.0.2.1", { banTime: 5_000 })]);
  await eventually(() => scene.firewall.held.size === 1);
  scene.now = 6_000;
  bans.enforce();
  await eventually(() => /stays in the firewall: there is no unban_command/.test(scene.log.lines.join()));
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` is only held up when the store fails", async () => {
  using temporary = temporaryState();
  const { scene, make } = setUp(temporary);
  const bans = make();
  temporary.exec("ALTER TABLE ban RENAME TO elsewhere");
  bans.enforce();
  await eventually(() => /bans are held up/.test(scene.log.lines.join()));
  await bans.stop(AbortSignal.abort());
});
