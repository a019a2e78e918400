/** Between two calls of a firewall, timers and readers run, however fast it answers. */
import { strict as assert } from "node:assert";
import { DecidingBans } from "../support/deciding_bans.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import { BOOT, eventually, memoryLog, strangers, temporaryState } from "../support/helpers.ts";
import { NotingFirewall, setUp, trip } from "../support/bans_scene.ts";

const MANY = 30;
const TRIPS = Array.from({ length: MANY }, (_, i) => trip(`192.0.2.${i}`, { banTime: 5_000 }));

/** Observes one ban a call. */
class OneByOne extends ObserveFirewall {
  override readonly batch = 1;
}

/** Cannot lift bans. */
class ForGood extends NotingFirewall {
  override readonly canUnban = false;
  override readonly batch = 1;
}

/** Returns the `count` that a timer finds that is set now. */
function countAtTimer(count: () => number): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(count())));
}

Deno.test("timers run between the calls of a firewall that only observes", async () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const parts = { state, firewall: new OneByOne(), whitelist: new Whitelist(), log: memoryLog() };
  const bans = new DecidingBans({ ...parts, clock: () => 2_000, boot: () => BOOT, ...strangers() });
  const decided = bans.decide(TRIPS);
  state.bans.addAll(decided);
  const applied = () => MANY - state.enforcement.backlog();
  const soon = countAtTimer(applied);
  bans.enforce(decided);
  assert.ok(await soon < MANY, "all calls came before the timer");
  await eventually(() => applied() === MANY);
  await bans.stop(AbortSignal.abort());
});

Deno.test("timers run between the lifts of a firewall that cannot lift", async () => {
  using temporary = temporaryState();
  const { scene, make, act } = setUp(temporary, new ForGood());
  const bans = make();
  act(bans, TRIPS);
  await eventually(() => temporary.state.enforcement.backlog() === 0);
  scene.now = 6_000;
  const lifted = () =>
    MANY -
    temporary.state.enforcement.toLift({ firewall: "noting", now: 6_000, limit: MANY, turn: "expired" })
      .length;
  const soon = countAtTimer(lifted);
  bans.enforce();
  assert.ok(await soon < MANY, "all lifts came before the timer");
  await eventually(() => lifted() === MANY);
  await bans.stop(AbortSignal.abort());
});
