import { strict as assert } from "node:assert";
import { NEVER } from "../../lib/core/async.ts";
import { now, SECOND } from "../../lib/core/time.ts";
import { TrialWatch } from "../../lib/monitor/trial.ts";
import type { State } from "../../lib/state/state.ts";
import { memoryLog, temporaryState } from "../support/helpers.ts";
import { ruleBan } from "../support/rule_bans.ts";

/** Runs a trial that ends soon; `meanwhile` comes at its last moment, before the monitor looks. */
async function play({ state, meanwhile }: { state: State; meanwhile: () => void }) {
  state.setTrial({ end: now() + SECOND / 10, lastBan: state.bans.lastId() });
  state.bans.add(ruleBan());
  const log = memoryLog();
  const watch = new TrialWatch(state.trial(), { state, log });
  const confirmations: boolean[] = [];
  const running = watch.run(NEVER, () => void confirmations.push(watch.takeConfirmation()));
  meanwhile();
  const isOver = await running;
  return { isOver, confirmations, inForce: state.bans.inForce().length, end: watch.end, log };
}

Deno.test("a trial ends its bans, and nobody can confirm it then", async () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const { log, ...result } = await play({ state, meanwhile: () => {} });
  assert.deepEqual(result, { isOver: true, confirmations: [false], inForce: 0, end: null });
  assert.equal(state.trial(), null);
  assert.match(log.lines[0]!, /nobody has confirmed it: its bans are lifted/);
});

Deno.test("a confirmation counts that came before the trial's end though the monitor has not taken it over", async () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const { log, ...result } = await play({ state, meanwhile: () => state.setTrial(null) });
  assert.deepEqual(result, { isOver: false, confirmations: [true], inForce: 1, end: null });
  assert.deepEqual(log.lines, ["info: the trial is confirmed: bans hold as long as they are meant to"]);
});
