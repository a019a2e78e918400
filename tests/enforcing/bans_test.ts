import { strict as assert } from "node:assert";
import { formatScope } from "../../lib/core/scope.ts";
import { formatDuration, MINUTE } from "../../lib/core/time.ts";
import { type Ban, nameOf } from "../../lib/deciding/ban.ts";
import type { Outcome } from "../../lib/firewall/firewall.ts";
import { eventually, MANUAL, scopeOf, temporaryState } from "../support/helpers.ts";
import { NotingFirewall, setUp, trip } from "../support/bans_scene.ts";
import { ruleBan } from "../support/rule_bans.ts";

const ONE = "192.0.2.1";

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

Deno.test("`Bans` warns of a ban for longer only if that adds half of its time", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  for (const time of [1_000, 1_100, 3_700]) act(bans, [trip(ONE, { time, banTime: 5_000 })]);
  act(bans, [trip(ONE, { time: 3_800, banTime: null })]);
  const told = scene.log.lines.map((line) => line.replace(/: \[SSHD\].*/, ""));
  assert.deepEqual(told, [
    `warn: banning ${ONE} for ${formatDuration(5_000)}`,
    `warn: banning for longer ${ONE} for ${formatDuration(5_000)}`,
    `warn: banning for longer ${ONE} for good`,
  ]);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` warns each time when many small steps have added half of a ban's time", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  for (let time = 1_000; time <= 11_000; time += 100) act(bans, [trip(ONE, { time, banTime: 5_000 })]);
  assert.equal(scene.log.lines.filter((line) => line.startsWith("warn: banning for longer")).length, 4);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` puts bans into the firewall and lifts them when their time is up", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const provenance = { kind: "fleet", name: "web1" } as const;
  temporary.state.bans.add(ruleBan({ address: "192.0.2.9", provenance, start: 0, until: 5_000 }));
  const bans = make();
  act(bans, [trip("192.0.2.1", { banTime: 5_000 }), trip("192.0.2.2")]);
  await eventually(() => scene.firewall.held.size === 3);
  scene.now = 6_000;
  bans.enforce();
  await eventually(() => scene.firewall.held.size === 1);
  const told = scene.log.lines.filter((line) => line.includes("its time is up"));
  assert.deepEqual(told, ["info: unbanning 192.0.2.1: its time is up"], "of own bans alone");
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
  store.add(ruleBan());
  temporary.state.enforcement.applied([store.inForce()[0]!.id], { firewall: "noting", time: 1 });
  store.add(ruleBan({ address: "192.0.2.2" }));
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
  assert.deepEqual(scene.freed, ["192.0.2.1"]);
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
  const told = scene.log.lines.filter((line) => line.includes("whitelisted by"));
  assert.equal(told.length, 2, "what was not written is not told");
  await eventually(() => scene.firewall.held.size === 0);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans.refresh()` names who was unbanned even if more could not be written then", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  act(bans, [trip("192.0.2.1"), trip("192.0.2.2")]);
  await eventually(() => scene.firewall.held.size === 2);
  temporary.state.bans.end("192.0.2.1", { reason: "unban", time: scene.now });
  scene.whitelist.set("database", ["192.0.2.2"]);
  temporary.exec(
    "CREATE TRIGGER full BEFORE UPDATE ON ban WHEN new.address = '192.0.2.2' BEGIN SELECT raise(ABORT, 'full'); END",
  );
  assert.throws(() => bans.refresh(), /full/);
  temporary.exec("DROP TRIGGER full");
  assert.deepEqual(bans.refresh().sort(), ["192.0.2.1", "192.0.2.2"]);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` keeps a ban by hand of a whitelisted address out of the firewall", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary);
  const bans = make();
  scene.whitelist.set("configuration", ["192.0.2.9"]);
  temporary.state.bans.add(ruleBan({ address: "192.0.2.0/24", provenance: MANUAL }));
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
    override readonly parallel = 2;
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
    override parallel = 0;
  }
  const firewall = new Unready();
  const { make, act } = setUp(temporary, firewall);
  const bans = make();
  act(bans, [trip("192.0.2.1")]);
  firewall.parallel = 1;
  await eventually(() => firewall.held.size === 1);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` complains of no firewall that took calls between two spans in which it was not ready", async () => {
  using temporary = temporaryState();
  class Listing extends NotingFirewall {
    override parallel = 0;
  }
  const firewall = new Listing();
  const { scene, make, act } = setUp(temporary, firewall);
  const bans = make();
  act(bans, [trip(ONE)]);
  // Nothing is left to do when the firewall takes calls again.
  temporary.state.bans.end(ONE, { reason: "unban", time: scene.now });
  firewall.parallel = 1;
  bans.refresh();
  firewall.parallel = 0;
  scene.now += MINUTE;
  act(bans, [trip("192.0.2.2", { time: scene.now, banTime: MINUTE })]);
  assert.deepEqual(scene.log.lines.filter((line) => line.startsWith("error:")), []);
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
    override readonly parallel = 4;
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
