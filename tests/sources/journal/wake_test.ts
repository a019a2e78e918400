import { strict as assert } from "node:assert";
import { Waker } from "../../../lib/sources/journal/wake.ts";

/** A timer in place of `setInterval()`: runs when told to. */
interface Timer {
  readonly milliseconds: number;
  run(): void;
}

/** Replaces the intervals of a test, and collects those that run. */
class Timers implements Disposable {
  readonly running = new Map<number, Timer>();
  readonly #real = [globalThis.setInterval, globalThis.clearInterval] as const;
  #last = 0;

  constructor() {
    globalThis.setInterval = ((run: () => void, milliseconds: number): unknown => {
      this.running.set(++this.#last, { run, milliseconds });
      return this.#last;
    }) as unknown as typeof setInterval;
    globalThis.clearInterval = (id) => void this.running.delete(Number(id));
  }

  /** Milliseconds between the wakes of the only timer. */
  get interval(): number {
    assert.equal(this.running.size, 1);
    return this.running.values().next().value!.milliseconds;
  }

  /** Runs what is due within a time. */
  pass(milliseconds: number): void {
    for (let left = milliseconds; this.running.size > 0 && left >= this.interval;) {
      left -= this.interval;
      this.running.values().next().value!.run();
    }
  }

  [Symbol.dispose](): void {
    [globalThis.setInterval, globalThis.clearInterval] = this.#real;
  }
}

Deno.test("`Waker` wakes every 60 ms after a silent minute, until the next entry", async () => {
  const directory = Deno.makeTempDirSync();
  using timers = new Timers();
  const waker = new Waker({ directory, interval: 15_000 }, assert.fail);
  await waker.start(() => Promise.resolve(true), assert.fail);
  timers.pass(59_000);
  waker.heard();
  timers.pass(59_000);
  assert.equal(timers.interval, 15);
  timers.pass(1_005);
  assert.equal(timers.interval, 60);
  assert.equal(waker.delivery, "entries come within some 60 ms");
  timers.pass(3_600_000);
  assert.equal(timers.interval, 60);
  waker.heard();
  assert.equal(timers.interval, 15);
  assert.equal(waker.delivery, "entries come within some 15 ms");
  waker.stop();
  waker.heard();
  assert.equal(timers.running.size, 0);
  Deno.removeSync(directory);
});

Deno.test("`Waker` that cannot wake gives up while it rests, too", async () => {
  const directory = Deno.makeTempDirSync();
  const problems: string[] = [];
  let lost = 0;
  using timers = new Timers();
  const waker = new Waker({ directory, interval: 59_000 }, (sentence) => problems.push(sentence));
  await waker.start(() => Promise.resolve(true), () => lost++);
  timers.pass(60_100);
  assert.equal(timers.interval, 60);
  Deno.removeSync(directory);
  timers.pass(60);
  assert.equal(lost, 1);
  assert.match(problems.join(), /it does not exist/);
  assert.equal(timers.running.size, 0);
});

Deno.test("`Waker` never wakes more often than it was told to", async () => {
  const directory = Deno.makeTempDirSync();
  using timers = new Timers();
  const waker = new Waker({ directory, interval: 1_000_000 }, assert.fail);
  await waker.start(() => Promise.resolve(true), assert.fail);
  timers.pass(120_000);
  waker.heard();
  assert.equal(timers.interval, 1_000);
  waker.stop();
  Deno.removeSync(directory);
});

Deno.test("`Waker` that is given up wakes no more, not by a timer that had come, nor by a start under way", async () => {
  const directory = Deno.makeTempDirSync();
  using timers = new Timers();
  try {
    const lost: string[] = [];
    const make = () => new Waker({ directory, interval: 15_000 }, () => {});
    const waking = make();
    await waking.start(() => Promise.resolve(true), () => lost.push("waking"));
    const { run } = timers.running.values().next().value!;
    waking.giveUp("a test");
    run();
    const starting = make();
    await starting.start(() => {
      starting.giveUp("a test");
      return Promise.resolve(true);
    }, () => lost.push("starting"));
    assert.deepEqual([timers.running.size, lost], [0, []]);
    assert.equal(starting.delivery, "entries come up to half a second late");
  } finally {
    Deno.removeSync(directory);
  }
});
