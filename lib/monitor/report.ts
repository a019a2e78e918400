import type { Holding } from "../enforcing/reconciler.ts";
import type { ModuleActivity } from "../reading/activity.ts";
import type { Counts } from "./pipeline.ts";
import type { FleetStatus } from "../postgres/fleet.ts";
import type { Micros } from "../core/time.ts";

/** What one source is doing, for `strongmonitor status`. */
export interface SourceReport {
  readonly name: string;
  readonly running: boolean;
  /** When its last batch came. */
  readonly lastBatch: Micros | null;
  /** How soon its entries come; null where they come as soon as they are written. */
  readonly delivery: string | null;
}

/** What the running monitor tells about itself; instants in microseconds. */
export interface MonitorReport {
  readonly pid: number;
  readonly running: boolean;
  readonly started: Micros;
  readonly config: string;
  readonly firewall: string;
  /** How far bans really hold; null where nobody has looked yet. */
  readonly holding: Holding | null;
  /** When the trial ends that is under way. */
  readonly trialEnd: Micros | null;
  readonly sources: readonly SourceReport[];
  readonly modules: readonly ModuleActivity[];
  /** Modules that failed too often. */
  readonly givenUp: readonly string[];
  readonly counts: Counts;
  /** Addresses being counted. */
  readonly tracked: number;
  /** How many more there were than can be counted. */
  readonly forgotten: number;
  readonly database: FleetStatus | null;
}

/** Reads what a monitor left in the state. */
export function readReport(value: unknown): MonitorReport | null {
  return value as MonitorReport | null;
}
