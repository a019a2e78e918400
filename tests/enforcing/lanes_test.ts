/** Modules with a firewall of their own: each firewall is told of its share of the bans, and of nothing else. */
import { strict as assert } from "node:assert";
import { DecidingBans } from "../support/deciding_bans.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { Ban } from "../../lib/deciding/ban.ts";
import type { Scope } from "../../lib/core/scope.ts";
import type { Outcome } from "../../lib/firewall/firewall.ts";
import type { Trip } from "../../lib/rules/rule.ts";
import {
  BOOT,
  eventually,
  MANUAL,
  memoryLog,
  STEADY,
  strangers,
  type TemporaryState,
  temporaryState,
} from "../support/helpers.ts";

const ONE = "192.0.2.1";
const NGINX = { module: "NGINX" } as const;

/** A command for one address, which hangs while `isSlow`. */
class Command extends ObserveFirewall {
  override readonly name = "command";
  override readonly knowsScopes = false;
  override readonly batch = 1;
  override readonly takesOver = true;
  readonly held = new Set<string>();
  isSlow = false;

  override async ban([ban]: readonly Ban[]): Promise<Outcome[]> {
    while (this.isSlow) await new Promise((resolve) => setTimeout(resolve, 5));
    this.held.add(ban!.address);
    return [{ address: ban!.address, error: null }];
  }

  override unban([ban]: readonly Ban[]): Promise<Outcome[]> {
    this.held.delete(ban!.address);
    return Promise.resolve([{ address: ban!.address, error: null }]);
  }
}

function trip(address: string, module: string, scope: Scope): Trip {
  const rule = { module, rule: "r", reason: `[${module}] r`, growth: STEADY };
  return { ...rule, address, source: address, time: 1_000, count: 6, banTime: null, scope };
}

/** Both firewalls, and monitors on one state. */
function setUp({ state }: TemporaryState, boot = BOOT) {
  const [outer, own] = [new Command(), new Command()];
  const start = (moduleFirewalls: ReadonlyMap<string, Command> = new Map([["NGINX", own]])) => {
    state.bans.rescope([...moduleFirewalls.keys()], 2_000);
    const parts = { state, firewall: outer, moduleFirewalls, whitelist: new Whitelist(), log: memoryLog() };
    return new DecidingBans({ ...parts, clock: () => 2_000, boot: () => boot, ...strangers() });
  };
  const decide = (bans: DecidingBans, ...trips: Trip[]) => {
    const decided = bans.decide(trips);
    state.bans.addAll(decided);
    bans.enforce(decided);
  };
  const held = () => [[...outer.held].sort(), [...own.held].sort()];
  const holds = (outside: string[], inside: string[]) => {
    const wanted = [outside.toSorted(), inside.toSorted()];
    return eventually(() => JSON.stringify(held()) === JSON.stringify(wanted))
      .catch(() => assert.deepEqual(held(), wanted));
  };
  return { outer, own, start, decide, holds };
}

Deno.test("`Bans` has a module's bans carried out by the module's firewall, and all others by the outer one", async () => {
  using temporary = temporaryState();
  const { bans: store } = temporary.state;
  const { start, decide, holds } = setUp(temporary);
  const bans = start();
  decide(bans, trip(ONE, "NGINX", NGINX), trip("192.0.2.2", "SSHD", "all"));
  await holds(["192.0.2.2"], [ONE]);
  decide(bans, trip(ONE, "SSHD", "all"));
  store.add({
    ...{ address: "192.0.2.3", scope: "all", provenance: MANUAL },
    ...{ reason: "x", count: 0, start: 1, until: null },
  });
  bans.refresh();
  await holds(["192.0.2.2", ONE, "192.0.2.3"], [ONE]);
  assert.equal(
    store.inForceOf([ONE]).length,
    2,
    "a ban of packets does not cover what comes through a proxy",
  );
  assert.equal(store.end(ONE, { reason: "unban", time: 2_000 }), 2);
  bans.refresh();
  await holds(["192.0.2.2", "192.0.2.3"], []);
  await eventually(() => store.lingering().length === 0);
  await bans.stop(AbortSignal.abort());
});

Deno.test("`Bans` lifts a ban from the one firewall whose ban ended", async () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const { start, decide, holds } = setUp(temporary);
  const bans = start();
  decide(bans, trip(ONE, "SSHD", "all"), trip(ONE, "NGINX", NGINX));
  await holds([ONE], [ONE]);
  const { id } = state.bans.find({ address: ONE, scope: "all" })!;
  state.bans.endNewer(id, { reason: "unban", time: 2_000 });
  bans.refresh();
  await holds([ONE], []);
  await bans.stop(AbortSignal.abort());
});

Deno.test("a slow firewall of a module holds up no other ban", async () => {
  using temporary = temporaryState();
  const { own, start, decide, holds } = setUp(temporary);
  const bans = start();
  own.isSlow = true;
  decide(bans, ...Array.from({ length: 20 }, (_, i) => trip(`198.51.100.${i}`, "NGINX", NGINX)));
  decide(bans, trip(ONE, "SSHD", "all"));
  await holds([ONE], []);
  own.isSlow = false;
  await eventually(() => own.held.size === 20);
  await bans.stop(AbortSignal.abort());
});

Deno.test("after another boot each firewall is told of its own bans again", async () => {
  using temporary = temporaryState();
  const first = setUp(temporary);
  const bans = first.start();
  first.decide(bans, trip(ONE, "NGINX", NGINX), trip("192.0.2.2", "SSHD", "all"));
  await first.holds(["192.0.2.2"], [ONE]);
  await eventually(() => temporary.state.bans.inForce().every(({ appliedAt }) => appliedAt !== null));
  await bans.stop(AbortSignal.abort());
  const same = setUp(temporary);
  const again = same.start();
  again.refresh();
  assert.equal(temporary.state.bans.totals().waiting, 0, "a restart changes nothing");
  await again.stop(AbortSignal.abort());
  const other = setUp(temporary, { ...BOOT, id: "another", start: BOOT.start + 1e9 });
  const after = other.start();
  after.refresh();
  await other.holds(["192.0.2.2"], [ONE]);
  await after.stop(AbortSignal.abort());
});

Deno.test("bans of a module that has no firewall of its own any more are the outer one's", async () => {
  using temporary = temporaryState();
  const { start, decide, holds, own } = setUp(temporary);
  const bans = start();
  decide(bans, trip(ONE, "NGINX", NGINX), trip("192.0.2.2", "NGINX", NGINX), trip(ONE, "SSHD", "all"));
  await holds([ONE], [ONE, "192.0.2.2"]);
  await bans.stop(AbortSignal.abort());
  const without = start(new Map());
  without.refresh();
  await holds([ONE, "192.0.2.2"], [...own.held]);
  const inForce = temporary.state.bans.inForce().map(({ address, scope }) => `${address} ${scope}`).sort();
  assert.deepEqual(inForce, [`${ONE} all`, "192.0.2.2 all"].sort());
  assert.deepEqual(temporary.state.bans.lingering(), [], "nobody could ever lift them");
  await without.stop(AbortSignal.abort());
});
