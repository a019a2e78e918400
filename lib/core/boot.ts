import { type Micros, MINUTE, now, SECOND } from "./time.ts";

/**
 * Identifies a boot of the machine. Deno lets only a program with all permissions read the kernel's
 * boot id in /proc. So systemd passes it (`--boot-id %b`); without it, uptime and clock must do.
 */
export interface Boot {
  /** Boot id as systemd's `%b` spells it; null: not given. */
  readonly id: string | null;
  /** Uptime when this was noted. */
  readonly uptime: Micros;
  /** Start of the machine, by the clock at that moment. */
  readonly start: Micros;
}

/** Tolerated difference between two computed starts of one boot: clocks drift and are corrected. */
const TOLERANCE: Micros = MINUTE;

/** Returns this boot as of now. */
export function currentBoot(id: string | null = null): Boot {
  const uptime = Deno.osUptime() * SECOND;
  return { id, uptime, start: now() - uptime };
}

/**
 * Reports whether `before` was noted during `current`. Without ids, a shorter uptime proves another
 * boot, whatever the clock says: without a real-time clock, each boot begins at the same time.
 */
export function isSameBoot(before: Boot, current: Boot): boolean {
  if (before.id !== null && current.id !== null) return before.id === current.id;
  return current.uptime >= before.uptime && Math.abs(current.start - before.start) <= TOLERANCE;
}
