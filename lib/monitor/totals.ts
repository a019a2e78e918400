/**
 * Counts since the start of the program. A reload makes another monitor, which counts on here:
 * Prometheus' counters must not fall, and `status` tells of the whole run.
 */
import type { MessageCounts } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import type { ShipmentTotals } from "../postgres/outbox.ts";
import type { CountsByModule } from "../reading/activity.ts";
import type { NoticeTotals } from "./notifier.ts";
import { RecentCounts } from "./recent_counts.ts";
import { noCounts } from "./report.ts";

/** Counts of the monitors of one process, and other data that outlasts a reload. */
export class Totals {
  /** When the first monitor read its configuration; null: there was none yet. */
  started: Micros | null = null;
  /** When a reload was last refused, and why; null: the last one succeeded, or there was none. */
  refused: { readonly time: Micros; readonly error: string } | null = null;
  readonly counts = noCounts();
  readonly recent = new RecentCounts();
  /** Bans by the names of their provenances: `SSHD invalid_user`, `/24`. */
  readonly decided = new Map<string, number>();
  readonly modules: CountsByModule = new Map();
  /** By source, when lines last came. */
  readonly lastBatches = new Map<string, Micros>();
  readonly messages: MessageCounts = { errors: 0, warnings: 0 };
  readonly notices: NoticeTotals = { told: 0, failed: 0, lastTold: null };
  readonly shipment: ShipmentTotals = { setAside: 0 };
}
