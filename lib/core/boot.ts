import { type Micros, now, SECOND } from "./time.ts";

/**
 * What tells one boot of the machine from another. Deno lets no program read the kernel's own boot id in /proc unless it may
 * do everything, so systemd tells it (`--boot-id %b`), and without it uptime and clock have to do.
 */
export interface Boot {
  /** Boot id as systemd's `%b` spells it; null: nobody told. */
  readonly id: string | null;
  /** How long the machine ran when this was noted. */
  readonly uptime: Micros;
  /** When the machine started, by the clock as it was when this was noted. */
  readonly start: Micros;
}

/** The start of one boot may be computed so differently: clocks drift and are corrected. */
const TOLERANCE: Micros = 60 * SECOND;

/** This boot as of now. */
export function currentBoot(id: string | null = null): Boot {
  const uptime = Deno.osUptime() * SECOND;
  return { id, uptime, start: now() - uptime };
}

/**
 * Reports whether `before` was noted during the boot `current`. Without ids a machine that runs for less time than before
 * has booted since, whatever its clock says: one without a real-time clock starts at the same time again and again.
 */
export function isSameBoot(before: Boot, current: Boot): boolean {
  if (before.id !== null && current.id !== null) return before.id === current.id;
  return current.uptime >= before.uptime && Math.abs(current.start - before.start) <= TOLERANCE;
}
