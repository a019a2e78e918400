import type { Micros } from "./types.ts";

/** What the wall clock shows, to the millisecond. */
export function now(): Micros {
  return Date.now() * 1_000;
}
