import { strict as assert } from "node:assert";
import { DecidingBans } from "../support/deciding_bans.ts";
import type { Holding } from "../../lib/enforcing/lane.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { Ban, HeldBan, NewBan } from "../../lib/deciding/ban.ts";
import type { Inspection, Outcome } from "../../lib/firewall/firewall.ts";
import type { Micros } from "../../lib/core/time.ts";
import {
  BOOT,
  eventually,
  memoryLog,
  strangers,
  type TemporaryState,
  temporaryState,
} from "../support/helpers.ts";

/** A firewall that keeps its bans' ends itself, and can be asked what it has. */
class KernelFirewall extends ObserveFirewall {
  override readonly name = "kernel";
  override readonly batch = 100_000;
  override readonly keepsTime = true;
  readonly held = new Map<string, Micros | null>();
  readonly calls: number[] = [];
  isMute = false;
  /** What it refuses bans with. */
  refusal: string | null = null;
  /** Bans wait for it. */
  gate: Promise<void> = Promise.resolve();
  /** Answers about bans wait for it. */
  answer: Promise<void> = Promise.resolve();

  override async ban(bans: readonly Ban[]): Promise<Outcome[]> {
    this.calls.push(bans.length);
    await this.gate;
    const { refusal } = this;
    if (refusal !== null) return bans.map(({ address }) => ({ address, error: refusal }));
    for (const { address, until } of bans) this.held.set(address, until);
    await this.answer;
    return super.ban(bans);
  }

  override unban(bans: readonly Ban[]): Promise<Outcome[]> {
    for (const { address } of bans) this.held.delete(address);
    return super.unban(bans);
  }

  override inspect(bans: readonly HeldBan[] = []): Promise<Inspection | null> {
    if (this.isMute) return Promise.reject(new Error("nft: it does not answer"));
    const wanted = new Map(bans.map(({ address, until }) => [address, until]));
    return Promise.resolve({
      missing: bans.filter(({ address, until }) => this.held.get(address) !== until),
      stray: [...this.held].filter(([address]) => !wanted.has(address))
        .map(([address, until]) => ({ address, scope: "all", until })),
    });
  }
}

function setUp({ state }: TemporaryState, { trialEnd = null }: { trialEnd?: Micros | null } = {}) {
  const firewall = new KernelFirewall();
  const log = memoryLog();
  const scene = { firewall, log, whitelist: new Whitelist(), now: 2_000_000 as Micros };
  const open = () =>
    new DecidingBans({
      state,
      firewall,
      whitelist: scene.whitelist,
      log,
      clock: () => scene.now,
      boot: () => BOOT,
      trialEnd,
      ...strangers(),
    });
  return { ...scene, scene, open };
}

function ban(address: string, over: Partial<NewBan> = {}): NewBan {
  return {
    address,
    scope: "all",
    provenance: { kind: "manual", name: "" },
    reason: "[SSHD] x",
    count: 1,
    start: 1_000_000,
    until: null,
    ...over,
  };
}

Deno.test("`Bans.reconcile()` puts back what is gone from the firewall, and reports what nobody banned", async () => {
  using temporary = temporaryState();
  const { firewall, log, open } = setUp(temporary);
  const stored = [ban("192.0.2.1"), ban("192.0.2.2"), ban("192.0.2.3")];
  stored.forEach((one) => temporary.state.bans.add(one));
  const bans = open();
  bans.enforce(stored);
  await eventually(() => firewall.held.size === 3);
  await eventually(() => temporary.state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
  firewall.held.delete("192.0.2.2");
  firewall.held.set("192.0.2.3", 5);
  firewall.held.set("203.0.113.9", null);
  await bans.reconcile();
  await eventually(() => firewall.held.get("192.0.2.2") === null && firewall.held.get("192.0.2.3") === null);
  assert.deepEqual(bans.holding, {
    time: 2_000_000,
    held: 1,
    missing: 2,
    stray: ["203.0.113.9"],
    error: null,
  });
  await eventually(() => temporary.state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
  await bans.reconcile();
  assert.deepEqual(bans.holding, {
    time: 2_000_000,
    held: 3,
    missing: 0,
    stray: ["203.0.113.9"],
    error: null,
  });
  const told = log.lines.join("\n");
  assert.match(told, /2 bans were gone from the firewall: putting them back/);
  assert.equal(
    told.match(/the firewall bans 203\.0\.113\.9, of which the state knows nothing/g)?.length,
    1,
    told,
  );
  assert(firewall.held.has("203.0.113.9"), "what is another's is left alone");
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans.reconcile()` tells once why it cannot tell, and goes on when it can", async () => {
  using temporary = temporaryState();
  const { firewall, log, open } = setUp(temporary);
  const bans = open();
  firewall.isMute = true;
  await bans.reconcile();
  await bans.reconcile();
  assert.equal(bans.holding?.error, "nft: it does not answer");
  assert.equal(log.lines.filter((line) => /Cannot tell whether bans hold/.test(line)).length, 1);
  firewall.isMute = false;
  await bans.reconcile();
  assert.deepEqual([bans.holding?.error, bans.holding?.held], [null, 0]);
  await bans.stop(AbortSignal.abort());
});

Deno.test("a firewall that keeps time gets all bans in force at the start, in one call", async () => {
  using temporary = temporaryState();
  const { firewall, open } = setUp(temporary);
  const { bans: store, enforcement } = temporary.state;
  store.transaction(() => {
    for (let i = 0; i < 5_000; i++) store.add(ban(`10.1.${i >> 8}.${i & 255}`));
    for (const { id } of store.inForce()) enforcement.applied([id], { firewall: "kernel", time: 1_500_000 });
  });
  const bans = open();
  bans.refresh();
  await eventually(() => firewall.held.size === 5_000);
  assert.deepEqual(firewall.calls, [5_000]);
  await bans.stop(AbortSignal.timeout(5_000));
});

Deno.test("a start with many bans takes them up in slices, and in the end the firewall has all", async () => {
  using temporary = temporaryState();
  const { firewall, scene, open } = setUp(temporary);
  const { bans: store, enforcement } = temporary.state;
  store.transaction(() => {
    for (let i = 0; i < 12_000; i++) store.add(ban(`10.1.${i >> 8}.${i & 255}`));
  });
  enforcement.applied(store.inForce().map(({ id }) => id), { firewall: "kernel", time: 1_500_000 });
  assert.equal(enforcement.held("kernel", { after: 0, upTo: 12_000 }).length, 12_000);
  const bans = open();
  assert.equal(
    enforcement.held("kernel", { after: 0, upTo: 12_000 }).length,
    7_000,
    "the first slice alone is done at once",
  );
  scene.whitelist.set("command", ["10.1.40.0/24"]);
  assert.equal(bans.refresh().length, 0);
  // As a reload of nftables does, of which nft tells at once.
  await eventually(() => firewall.held.size > 0);
  firewall.held.clear();
  const looking = bans.reconcile();
  const told = (): Holding | null => bans.holding;
  assert.equal(told(), null, "while it is being told, the firewall is not asked");
  await looking;
  assert.ok(told()!.missing > 0, "what it was told of before the loss is put back");
  await eventually(() => firewall.held.size === 11_744);
  await eventually(() => enforcement.held("kernel", { after: 0, upTo: 12_000 }).length === 11_744);
  assert.equal(firewall.held.size, 11_744);
  assert.equal(bans.refresh().length, 256, "those that the whitelist covers have ended");
  await bans.reconcile();
  assert.deepEqual([told()?.held, told()?.missing], [11_744, 0]);
  await bans.stop(AbortSignal.timeout(5_000));
});

Deno.test("a firewall that keeps time is told when a ban is made longer", async () => {
  using temporary = temporaryState();
  const { firewall, scene, open } = setUp(temporary);
  const bans = open();
  const act = (until: Micros) => {
    const stored = [ban("192.0.2.1", { start: scene.now, until })];
    stored.forEach((one) => temporary.state.bans.add(one));
    bans.enforce(stored);
  };
  act(9_000_000);
  await eventually(() => firewall.held.get("192.0.2.1") === 9_000_000);
  act(19_000_000);
  await eventually(() => firewall.held.get("192.0.2.1") === 19_000_000);
  temporary.state.bans.add(ban("192.0.2.1", { reason: "[MANUAL] ban", start: scene.now }));
  bans.refresh();
  await eventually(() => firewall.held.get("192.0.2.1") === null);
  await bans.stop(AbortSignal.timeout(5_000));
});

Deno.test("a firewall that keeps time is told of a ban made longer while it was being told, and of a trial confirmed then", async () => {
  using temporary = temporaryState();
  const { firewall, scene, open } = setUp(temporary, { trialEnd: 30_000_000 });
  const bans = open();
  const act = (address: string, until: Micros | null) => {
    const stored = [ban(address, { start: scene.now, until })];
    stored.forEach((one) => temporary.state.bans.add(one));
    bans.enforce(stored);
  };
  const during = async (work: () => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    firewall.gate = promise;
    work();
    resolve();
    firewall.gate = Promise.resolve();
    await promise;
  };
  await during(() => [9_000_000, 19_000_000].forEach((until) => act("192.0.2.1", until)));
  await eventually(() => firewall.held.get("192.0.2.1") === 19_000_000);
  await during(() => {
    act("192.0.2.2", null);
    bans.confirm();
  });
  await eventually(() => firewall.held.get("192.0.2.2") === null);
  await bans.stop(AbortSignal.timeout(5_000));
});

Deno.test("a ban that the firewall had before it refused to make it longer is lifted", async () => {
  using temporary = temporaryState();
  const { firewall, scene, log, open } = setUp(temporary);
  const bans = open();
  const { bans: store } = temporary.state;
  const act = (until: Micros) => {
    const stored = [ban("192.0.2.1", { start: scene.now, until })];
    stored.forEach((one) => store.add(one));
    bans.enforce(stored);
  };
  act(9_000_000);
  await eventually(() => firewall.held.size === 1);
  firewall.refusal = "busy";
  act(19_000_000);
  await eventually(() => log.lines.some((line) => /the firewall refused, trying again: busy/.test(line)));
  store.end("192.0.2.1", { reason: "unban", time: scene.now });
  bans.refresh();
  await eventually(() => firewall.held.size === 0);
  await bans.stop(AbortSignal.timeout(5_000));
});

Deno.test("a firewall that refuses is told of by each program that meets with it, and once for many bans", async () => {
  using temporary = temporaryState();
  const { firewall, scene, log, open } = setUp(temporary);
  const stored = [ban("192.0.2.1"), ban("192.0.2.2")];
  stored.forEach((one) => temporary.state.bans.add(one));
  firewall.refusal = "busy";
  const complaints = () => log.lines.filter((line) => /refused 2 bans, trying again: busy/.test(line)).length;
  for (const program of [1, 2]) {
    const bans = open();
    bans.refresh();
    await eventually(() => complaints() === program);
    scene.now += 10_000_000;
    bans.refresh();
    await eventually(() => firewall.calls.length === 2 * program);
    await bans.stop(AbortSignal.timeout(5_000));
  }
  assert.equal(complaints(), 2);
});

Deno.test("bans of a trial end with it in the firewall, and as they were meant to once it is confirmed", async () => {
  using temporary = temporaryState();
  const { firewall, open } = setUp(temporary, { trialEnd: 3_000_000 });
  const stored = [ban("192.0.2.1"), ban("192.0.2.2", { until: 2_500_000 })];
  stored.forEach((one) => temporary.state.bans.add(one));
  const bans = open();
  bans.enforce(stored);
  await eventually(() => firewall.held.get("192.0.2.1") === 3_000_000);
  assert.equal(firewall.held.get("192.0.2.2"), 2_500_000);
  bans.confirm();
  await eventually(() => firewall.held.get("192.0.2.1") === null);
  assert.equal(firewall.held.get("192.0.2.2"), 2_500_000);
  await bans.stop(AbortSignal.timeout(5_000));
});

Deno.test("a flood of bans reaches the firewall in few calls, and the first one at once", async () => {
  using temporary = temporaryState();
  const { firewall, open } = setUp(temporary);
  const bans = open();
  const { bans: store } = temporary.state;
  const { promise, resolve } = Promise.withResolvers<void>();
  firewall.gate = promise;
  for (let i = 0; i < 100; i++) {
    const stored = Array.from({ length: 100 }, (_, j) => ban(`10.2.${i}.${j}`));
    store.addAll(stored);
    bans.enforce(stored);
  }
  // One call is under way as long as it takes, and what comes meanwhile waits for its end.
  resolve();
  await eventually(() => firewall.held.size === 10_000);
  assert.deepEqual(firewall.calls, [100, 9_900]);
  await bans.stop(AbortSignal.timeout(5_000));
});

Deno.test("`Bans.reconcile()` has a firewall that lost all bans told of them, and claims none until then", async () => {
  using temporary = temporaryState();
  const { firewall, log, open } = setUp(temporary);
  const { state } = temporary;
  const stored = Array.from({ length: 6_000 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`));
  state.bans.transaction(() => stored.forEach((one) => state.bans.add(one)));
  const bans = open();
  const areAllHeld = () => state.bans.inForce().every(({ appliedAt }) => appliedAt !== null);
  bans.enforce(stored);
  await eventually(areAllHeld);
  await bans.reconcile();
  assert.equal(bans.holding!.held, 6_000);
  firewall.held.clear();
  const gate = Promise.withResolvers<void>();
  firewall.gate = gate.promise;
  const late = ban("203.0.113.9");
  state.bans.add(late);
  bans.enforce([late]);
  const { enforcement } = state;
  const reapply = enforcement.reapply.bind(enforcement);
  let most = 0;
  enforcement.reapply = (bans) => {
    most = Math.max(most, bans.length);
    return reapply(bans);
  };
  await bans.reconcile();
  assert.equal(most, 1_000, "lines are read between slices");
  assert.deepEqual([bans.holding!.held, bans.holding!.missing], [0, 6_000]);
  await eventually(() => state.bans.inForce().every(({ appliedAt }) => appliedAt === null));
  gate.resolve();
  await eventually(areAllHeld);
  assert.equal(firewall.held.size, 6_001);
  assert.equal(log.lines.filter((line) => /6000 bans were gone/.test(line)).length, 1);
  await bans.stop(AbortSignal.timeout(1_000));
});

Deno.test("`Bans.reconcile()` has a ban told again that was lost before the firewall answered", async () => {
  using temporary = temporaryState();
  const { firewall, open } = setUp(temporary);
  const { state } = temporary;
  const bans = open();
  const add = (address: string) => {
    state.bans.add(ban(address));
    bans.enforce([ban(address)]);
  };
  add("192.0.2.1");
  await eventually(() => state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
  const answer = Promise.withResolvers<void>();
  firewall.answer = answer.promise;
  add("192.0.2.2");
  await eventually(() => firewall.held.size === 2);
  firewall.held.clear();
  await bans.reconcile();
  answer.resolve();
  await eventually(() => firewall.held.size === 2);
  await bans.stop(AbortSignal.timeout(1_000));
});

Deno.test("`Bans.adoptStrays()` makes bans of what the firewall alone has, with its ends, once", async () => {
  using temporary = temporaryState();
  const { firewall, log, open } = setUp(temporary);
  const bans = open();
  firewall.held.set("203.0.113.8", null);
  firewall.held.set("203.0.113.9", 9_000_000);
  bans.adoptStrays();
  await bans.reconcile();
  assert.deepEqual(bans.holding?.stray, []);
  const found = temporary.state.bans.inForce().map(({ address, until }) => [address, until]);
  assert.deepEqual(found, [["203.0.113.8", null], ["203.0.113.9", 9_000_000]]);
  assert.ok(log.lines.some((line) => line.startsWith("warn: taking over 2 bans")));
  await eventually(() => temporary.state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
  firewall.held.set("203.0.113.10", null);
  await bans.reconcile();
  assert.deepEqual(bans.holding?.stray, ["203.0.113.10"]);
  await bans.stop(AbortSignal.abort());
});
