import { pause } from "./async.ts";
import { isShortage, messageOf, stackOf, UserError } from "./error.ts";
import type { Log } from "./log.ts";
import { counted } from "./text.ts";

/** Options of `supervise()`. */
export interface Supervision {
  readonly name: string;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Delays before retries 1 and 2, in milliseconds. */
  readonly backoff?: readonly number[];
}

const BACKOFF: readonly number[] = [1_000, 5_000];

/**
 * Runs `work`, and again after a delay if it throws. `work` calls `progress` to reset the failures.
 * Resolves when `work` returns or `signal` aborts. Throws a `UserError` at once, and the third
 * error in a row unless the machine lacks a resource. Logs failures, and their stacks at level
 * debug.
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
      if (isShortage(error)) failures = Math.min(failures, backoff.length);
      const wait = backoff[failures - 1];
      if (wait === undefined) {
        log.error(
          `${name} failed ${counted(failures, "time")} in a row and is given up: ${messageOf(error)}`,
        );
        throw error;
      }
      log.warn(`${name} failed, starting again in ${wait / 1_000} s: ${messageOf(error)}`);
      await pause(wait, signal);
    }
  }
}
