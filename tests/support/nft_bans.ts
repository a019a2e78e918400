import { type Micros, SECOND } from "../../lib/core/time.ts";
import type { Ban } from "../../lib/deciding/ban.ts";
import { MANUAL, scopeOf } from "./helpers.ts";

/** The present time for bans of `nftBan()`. */
export const NOW = 1_800_000_000 * SECOND;

/** Returns a clock that begins at `NOW` and runs like the kernel's, which counts a ban's seconds. */
export function runningClock(): () => Micros {
  const began = performance.now();
  return () => NOW + Math.round(1_000 * (performance.now() - began));
}

/** Returns a ban by hand that ends in `seconds`; null: never. */
export function nftBan(address: string, seconds: number | null = null, scope = "all"): Ban {
  const until = seconds === null ? null : NOW + seconds * SECOND;
  const who = { id: 1, address, scope: scopeOf(scope), provenance: MANUAL };
  return { ...who, reason: "", count: 1, start: NOW, until, ended: null, endReason: null };
}
