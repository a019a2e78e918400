import { strict as assert } from "node:assert";
import { abortedWith, Bell, clearNoEmptySets, NEVER, Settling } from "../../lib/core/async.ts";
import { supervise } from "../../lib/core/supervise.ts";
import { UserError } from "../../lib/core/error.ts";
import { HOUR } from "../../lib/core/time.ts";
import { memoryLog } from "../support/helpers.ts";

Deno.test("`Settling.isLate()` leaves nothing with the promise, however often it asks", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const then = promise.then.bind(promise);
  let reactions = 0;
  promise.then = (...given) => {
    reactions++;
    return then(...given);
  };
  const settling = new Settling(promise);
  for (let i = 0; i < 3; i++) assert.equal(await settling.isLate(1), true);
  assert.equal(reactions, 1);
  const asked = settling.isLate(HOUR);
  resolve();
  assert.deepEqual([await asked, await settling.isLate(HOUR)], [false, false]);
  assert.equal(await new Settling(Promise.reject(new Error("dead"))).isLate(HOUR), false);
});

Deno.test("`clearNoEmptySets()` has V8 make no table for an empty set", () => {
  // The median: V8 may reclaim memory in some of the rounds.
  const grownBy = (clear: () => void) => {
    const rounds = Array.from({ length: 9 }, () => {
      const before = Deno.memoryUsage().heapUsed;
      for (let i = 0; i < 2_000; i++) clear();
      return Deno.memoryUsage().heapUsed - before;
    });
    return rounds.sort((a, b) => a - b)[4]!;
  };
  const { clear } = Set.prototype;
  const set = new Set([1]);
  try {
    clearNoEmptySets();
    set.clear();
    assert.equal(set.size, 0);
    assert.ok(grownBy(() => set.clear()) < grownBy(() => clear.call(set)) / 2);
  } finally {
    Set.prototype.clear = clear;
  }
});

async function tries(work: (attempt: number, progress: () => void) => void | Promise<void>, signal = NEVER) {
  let attempts = 0;
  const log = memoryLog();
  const failure = await supervise(async (progress) => await work(++attempts, progress), {
    name: "toy",
    signal,
    log,
    backoff: [1, 1],
  }).then(() => null, (error) => error as Error);
  return { attempts, failure, log: log.lines.join("\n"), details: log.details };
}

Deno.test("`supervise()` gives up loudly after three failures in a row", async () => {
  const { attempts, failure, log, details } = await tries(() => {
    throw new Error("dead");
  });
  assert.equal(attempts, 3);
  assert.match(details[2]!, /^Error: dead\n +at .*async_test/, "the place of the fault is among the details");
  assert.equal(failure?.message, "dead");
  assert.match(log, /error: toy failed 3 times in a row and is given up: dead/);
});

Deno.test("`supervise()` forgives earlier failures once there is progress", async () => {
  const { attempts, failure } = await tries((attempt, progress) => {
    progress();
    if (attempt < 8) throw new Error("dead");
  });
  assert.equal(attempts, 8);
  assert.equal(failure, null);
});

Deno.test("`supervise()` does not try again what only the user can mend", async () => {
  const { attempts, failure } = await tries(() => {
    throw new UserError("not allowed", 69);
  });
  assert.equal(attempts, 1);
  assert(failure instanceof UserError);
});

Deno.test("`supervise()` tries again for as long as no process or descriptor is left", async () => {
  const { attempts, failure } = await tries((attempt) => {
    if (attempt < 8) throw new Error("Failed to spawn: Too many open files (os error 24)");
    throw new UserError("not allowed", 69);
  });
  assert.equal(attempts, 8);
  assert(failure instanceof UserError);
});

Deno.test("`supervise()` ends quietly when told to stop", async () => {
  const stop = new AbortController();
  const { attempts, failure } = await tries(() => {
    stop.abort();
    throw new Error("killed");
  }, stop.signal);
  assert.equal(attempts, 1);
  assert.equal(failure, null);
});

Deno.test("`pause()` of a time below 0 is over at once, and Deno warns of nothing", async () => {
  const { pathname } = new URL("../../lib/core/async.ts", import.meta.url);
  const args = [
    "eval",
    `import { pause } from "${pathname}"; await pause(-0.2)`,
  ];
  const { stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
  assert.doesNotMatch(new TextDecoder().decode(stderr), /negative/);
});

Deno.test("`Bell.wait()` ends at a ring, also an earlier one, or an abort, and leaves nothing behind", async () => {
  const { AbortController, clearTimeout } = globalThis;
  const stop = new AbortController();
  const { signal } = stop;
  let [made, listeners, cleared] = [0, 0, 0];
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add(...given));
  signal.removeEventListener = (...given: Parameters<typeof remove>) => (listeners--, remove(...given));
  globalThis.AbortController = class extends AbortController {
    override abort(reason?: unknown): void {
      made++;
      super.abort(reason);
    }
  };
  globalThis.clearTimeout = (id) => (cleared++, clearTimeout(id));
  try {
    const bell = new Bell();
    bell.ring();
    await bell.wait(HOUR, signal);
    assert.deepEqual([bell.take(), bell.take()], [true, false]);
    const rung = bell.wait(HOUR, signal);
    bell.ring();
    await rung;
    assert.deepEqual([bell.take(), cleared], [true, 1]);
    await bell.wait(1, signal);
    assert.deepEqual([bell.take(), cleared, listeners, made], [false, 1, 0, 0]);
    const aborted = bell.wait(HOUR, signal);
    stop.abort();
    await aborted;
    await bell.wait(HOUR, signal);
    assert.equal(listeners, 0);
  } finally {
    Object.assign(globalThis, { AbortController, clearTimeout });
  }
});

Deno.test("`abortedWith()` aborts with its signal, by itself, and at the end of its scope", () => {
  const outer = new AbortController();
  let ended: AbortSignal;
  {
    using inner = abortedWith(outer.signal);
    ended = inner.signal;
    assert.ok(!ended.aborted);
  }
  assert.ok(ended.aborted);
  using own = abortedWith(outer.signal);
  own.abort();
  assert.deepEqual([own.signal.aborted, outer.signal.aborted], [true, false]);
  using early = abortedWith(outer.signal);
  outer.abort();
  assert.ok(early.signal.aborted);
  using late = abortedWith(outer.signal);
  assert.ok(late.signal.aborted);
});
