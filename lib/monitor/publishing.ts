/**
 * The outputs of a monitor besides its report for `status`: metrics in a file, and notices by a
 * hook. In: that report, and the state. Out: text for other programs. A failure is logged and stops
 * nothing.
 */
import { every } from "../core/async.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { now } from "../core/time.ts";
import { VERSION } from "../core/program.ts";
import type { Config } from "../config/types.ts";
import type { State } from "../state/state.ts";
import { metricsOf } from "./metrics.ts";
import { MetricsFile } from "./metrics_file.ts";
import { Notifier } from "./notifier.ts";
import type { Pipeline } from "./pipeline.ts";
import { failedMonitor, problemsOf } from "./problems.ts";
import { metricsText } from "./prometheus.ts";
import type { Outputs, Reporting } from "./reporting.ts";
import type { Totals } from "./totals.ts";

/** Milliseconds between two searches for problems. */
const LOOKING = 2_000;
/** Milliseconds between two writings of the metrics: Prometheus scrapes every 15 or 60 seconds. */
const METRICS = 10_000;
/** Number of failed tries after which a ban is a problem. */
const STUCK = 3;

/** Options of `Publishing`. */
interface PublishingParts extends Outputs {
  readonly state: State;
  readonly pipeline: Pick<Pipeline, "activity" | "throughput">;
  readonly reporting: Pick<Reporting, "make">;
  readonly log: Log;
  readonly totals: Totals;
}

/** Opens the configured outputs. */
export function openOutputs(
  { metricsFile, notify, ban }: Pick<Config, "metricsFile" | "notify" | "ban">,
  { state, log, totals }: Pick<PublishingParts, "state" | "log" | "totals">,
): Outputs {
  // Notices that are turned on again do not tell of bans made meanwhile.
  if (notify === null) state.setNoticeMemory(null);
  return {
    metrics: metricsFile === null ? null : new MetricsFile(metricsFile, log),
    notifier: notify && new Notifier({
      config: notify,
      state,
      sender: { host: Deno.hostname(), firewall: ban.firewall },
      log,
      clock: now,
      totals: totals.notices,
    }),
  };
}

/** Publishes metrics and notices. */
export class Publishing {
  readonly #parts: PublishingParts;

  constructor(parts: PublishingParts) {
    this.#parts = parts;
  }

  /** Writes metrics and notices until `signal` aborts. */
  run(signal: AbortSignal): Promise<unknown> {
    const { metrics, notifier } = this.#parts;
    void this.#writeMetrics(true);
    return Promise.all([
      ...notifier === null ? [] : [every(LOOKING, signal, () => this.#look(notifier))],
      ...metrics === null ? [] : [every(METRICS, signal, () => void this.#writeMetrics(true))],
    ]);
  }

  /**
   * Tells the hook the error that ends the monitor, null for none, and waits a little for it. At
   * the program's end the metrics say that it stopped; if the next configuration writes them
   * elsewhere or not at all, the file is removed. Never throws.
   */
  async end(error: unknown, next: Pick<Config, "metricsFile"> | null): Promise<void> {
    const { metrics, notifier } = this.#parts;
    await Promise.all([
      next === null ? this.#writeMetrics(false) : null,
      next !== null && next.metricsFile !== metrics?.path ? metrics?.remove() : null,
      notifier?.end(error === null ? null : failedMonitor(messageOf(error))),
    ]);
  }

  #look(notifier: Notifier): void {
    const { state, reporting, log } = this.#parts;
    try {
      const report = reporting.make(true);
      notifier.look(problemsOf({
        report,
        failing: state.enforcement.stuck(STUCK),
        backlog: report.database?.error ? state.outbox.backlog() : 0,
        isInMemory: state.isInMemory,
        losses: state.losses,
      }));
    } catch (error) {
      log.error(`Cannot find out what to notify of: ${messageOf(error)}`);
    }
  }

  /** Never throws. */
  async #writeMetrics(running: boolean): Promise<void> {
    try {
      await this.#parts.metrics?.write(this.#metricsText(running));
    } catch (error) {
      this.#parts.log.error(`Cannot find out the metrics: ${messageOf(error)}`);
    }
  }

  #metricsText(running: boolean): string {
    const { state, pipeline, reporting, totals: { decided, messages } } = this.#parts;
    const report = reporting.make(running);
    return metricsText(metricsOf({
      version: VERSION,
      report,
      totals: pipeline.activity.totals(),
      decided,
      lags: pipeline.throughput.lags,
      bans: state.bans.numbers(),
      outbox: report.database === null ? null : state.outbox.backlog(),
      messages,
      memory: Deno.memoryUsage().rss,
      stateSize: state.log.size(),
    }));
  }
}
