import type { Micros } from "../core/time.ts";

/** Returns monotonic time, so that setting the wall clock does not lengthen a wait. */
export function elapsed(): Micros {
  return performance.now() * 1000;
}
