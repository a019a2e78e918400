import type { Log } from "./log.ts";
import { messageOf, stackOf, UserError } from "./error.ts";

/** How a worker is kept alive. */
export interface Supervision {
  readonly name: string;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Waits before the second and the third try, in milliseconds. */
  readonly backoff?: readonly number[];
}

const BACKOFF: readonly number[] = [1_000, 5_000];

/**
 * Runs `work` again with growing waits when it throws; each call of its `progress` argument forgives what
 * went before. Resolves when `work` ends by itself or `signal` aborts. After three failures in a row, or at once on
 * a `UserError`, which trying again cannot mend, throws the last one.
 */
export async function supervise(
  work: (progress: () => void) => Promise<void>,
  { name, signal, log, backoff = BACKOFF }: Supervision,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      return await work(() => failures = 0);
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      if (error instanceof UserError) throw error;
      log.debug(() => stackOf(error));
      const wait = backoff[failures - 1];
      if (wait === undefined) {
        log.error(`${name} failed ${failures} times in a row and is given up: ${messageOf(error)}`);
        throw error;
      }
      log.warn(`${name} failed, starting again in ${wait / 1_000} s: ${messageOf(error)}`);
      await pause(wait, signal);
    }
  }
}

/** Waits, but not beyond an abort. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}

/** Does `work` again and again, as often as told, until an abort. */
export async function every(milliseconds: number, signal: AbortSignal, work: () => void): Promise<void> {
  while (!signal.aborted) {
    await pause(milliseconds, signal);
    if (!signal.aborted) work();
  }
}

/** Resolves with null when `signal` aborts. */
export function untilAborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}
