import type { Micros } from "./time.ts";

/** A signal that never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

/** Resolves after a number of milliseconds, at once if below 0, or when `signal` aborts. */
export function pause(milliseconds: number, signal: AbortSignal = NEVER): Promise<void> {
  return new Bell().wait(milliseconds, signal);
}

/** Resolves in a later turn of the event loop: timers that are due and readers run first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Wakes the current waiter, or the next one. */
export class Bell {
  #isRung = false;
  #wake: (() => void) | null = null;

  /** Ends the current wait, or the next one if there is none. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Reports whether the bell was rung since the last call. */
  take(): boolean {
    const isRung = this.#isRung;
    this.#isRung = false;
    return isRung;
  }

  /**
   * Waits like `pause()`, but ends at a ring, also at an earlier one that nobody has taken. Makes no
   * `AbortController`, whose error takes 4 KiB at each abort, and clears no timer that has come: Deno
   * 2.4 would note that in a set and empty it. An idle monitor grew by 14 MiB in an hour.
   */
  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#isRung || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        this.#wake = null;
        signal.removeEventListener("abort", endEarly);
        resolve();
      };
      // Deno warns of a time below 0 on standard error.
      const timer = setTimeout(end, Math.max(0, milliseconds));
      const endEarly = () => {
        clearTimeout(timer);
        end();
      };
      signal.addEventListener("abort", endEarly, { once: true });
      this.#wake = endEarly;
    });
  }
}

/** Calls `work` until `signal` aborts; waits so many milliseconds before each call. */
export async function every(
  milliseconds: number,
  signal: AbortSignal,
  work: () => void | Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await pause(milliseconds, signal);
    if (!signal.aborted) await work();
  }
}

/** Resolves with null when `signal` aborts. */
export function untilAborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}

/**
 * Makes a controller that aborts with `signal`, and at the latest when its scope ends.
 * `AbortSignal.any()` would keep 50 bytes for each call as long as `signal` lives.
 */
export function abortedWith(signal: AbortSignal): AbortController & Disposable {
  const controller = new AbortController();
  const abort = () => controller.abort();
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const end = () => {
    signal.removeEventListener("abort", abort);
    abort();
  };
  return Object.assign(controller, { [Symbol.dispose]: end });
}

/**
 * Asks again and again whether a promise is still pending. `Promise.race()` would leave something
 * with the promise at each question, as long as it is pending.
 */
export class Settling {
  #hasSettled = false;
  #answer = () => {};

  constructor(promise: Promise<unknown>) {
    const settle = () => {
      this.#hasSettled = true;
      this.#answer();
    };
    promise.then(settle, settle);
  }

  /** Reports whether it is still pending after a span. One question at a time. */
  isLate(span: Micros): Promise<boolean> {
    if (this.#hasSettled) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), span / 1_000);
      this.#answer = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }
}

/** Reports whether a promise is still pending after a span. */
export function isLate(promise: Promise<unknown>, span: Micros): Promise<boolean> {
  return new Settling(promise).isLate(span);
}

/**
 * Makes `Set.clear()` do nothing with an empty set. Deno 2.4 clears one whenever timers are due. V8
 * makes a new table then, to which the one before points: once one of them counts as old, it keeps
 * all later ones until V8 collects the old garbage as well. In a monitor that wakes journalctl, that
 * was 10 to 15 MiB within some hours.
 */
export function clearNoEmptySets(): void {
  const { clear } = Set.prototype;
  Set.prototype.clear = function (this: Set<unknown>) {
    if (this.size > 0) clear.call(this);
  };
}

/** Runs `steps` to the end without a pause for other tasks. */
export function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Runs `steps` to the end, one in each turn of the event loop; null if `signal` aborts. */
export async function finishSlowly<T>(steps: Generator<void, T>, signal: AbortSignal): Promise<T | null> {
  while (!signal.aborted) {
    const { done, value } = steps.next();
    if (done) return value;
    await nextTurn();
  }
  return null;
}
