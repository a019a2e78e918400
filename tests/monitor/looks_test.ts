/** What a monitor does regularly, while some of it fails. */
import { strict as assert } from "node:assert";
import { loadConfig } from "../../lib/config/load.ts";
import { Housekeeping } from "../../lib/monitor/housekeeping.ts";
import { Monitor } from "../../lib/monitor/monitor.ts";
import { Whitelisting } from "../../lib/monitor/whitelisting.ts";
import { modules } from "../../modules/mod.ts";
import { eventually, memoryLog, temporaryState } from "../support/helpers.ts";

const IDLE = {
  chores: [],
  deletions: [],
  pipeline: {
    activity: { report: () => [] },
    engine: { tracked: 0 },
    throughput: { counts: { evicted: 0 } },
  },
};

Deno.test("`Housekeeping.attempt()` tells the log of a failure once, until it is another one or has passed", async () => {
  const log = memoryLog();
  const housekeeping = new Housekeeping(IDLE, log);
  for (const failure of ["disk full", "disk full", "no file", null, "no file"]) {
    housekeeping.attempt("count", () => {
      if (failure !== null) throw new Error(failure);
    });
    await housekeeping.attemptAsync(
      "look",
      () => failure === null ? Promise.resolve() : Promise.reject(new Error(failure)),
    );
  }
  const of = (name: string) => log.lines.filter((line) => line.includes(name));
  assert.deepEqual(of("count"), [
    "error: Cannot count: disk full",
    "error: Cannot count: no file",
    "error: Cannot count: no file",
  ]);
  assert.deepEqual(of("look"), of("count").map((line) => line.replace("count", "look")));
});

Deno.test("a monitor goes on while its look at the whitelist fails, which it tells once and tries again", async () => {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  const log = memoryLog();
  const path = `${directory}/config.jsonc`;
  const rules = [{ name: "bad", str: "bad", limit: 1 }];
  const file = `${directory}/app.log`;
  const app = { match: { file }, pattern: "^bad <ADDR>$", rules };
  Deno.writeTextFileSync(path, JSON.stringify({ state: directory, modules: { app } }));
  Deno.writeTextFileSync(file, "");
  const { look } = Whitelisting.prototype;
  let looks = 0;
  Whitelisting.prototype.look = () => {
    looks++;
    return Promise.reject(new Error("broken"));
  };
  const stop = new AbortController();
  try {
    const config = loadConfig(path, { known: modules });
    const running = new Monitor(config, { state, log }).run(stop.signal);
    await eventually(() => looks >= 3);
    const before = state.report();
    Deno.writeTextFileSync(file, "bad 198.51.100.7\nbad 198.51.100.7\n", { append: true });
    await eventually(() => state.bans.inForce().length === 1);
    await eventually(() => state.report() !== before);
    stop.abort();
    assert.equal(await running, false);
  } finally {
    Whitelisting.prototype.look = look;
  }
  assert.deepEqual(log.lines.filter((line) => line.includes("broken")), [
    "error: Cannot look at the whitelist: broken",
  ]);
});

Deno.test("`Housekeeping` deletes nothing early that a clock a year ahead would make old", async () => {
  const times: number[] = [];
  const parts = {
    ...IDLE,
    chores: [{ name: "chore", run: (now: number) => void times.push(now) }],
    deletions: [{ name: "deletion", run: (now: number) => times.push(now) && 0 }],
  };
  const right = Date.now;
  const [stop, begin] = [new AbortController(), right() * 1_000];
  const housekeeping = new Housekeeping(parts, memoryLog());
  Date.now = () => right() + 365 * 86_400_000;
  try {
    const running = housekeeping.run(stop.signal);
    housekeeping.turn();
    stop.abort();
    await running;
  } finally {
    Date.now = right;
  }
  assert.equal(times.length, 2);
  for (const time of times) assert.ok(time - begin < 3_600_000_000, String(time - begin));
});
