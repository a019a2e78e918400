import type { Config } from "../config/types.ts";
import { messageOf } from "../core/error.ts";
import { type Micros, now } from "../core/time.ts";
import type { Bans } from "../enforcing/bans.ts";
import type { FleetStatus } from "../postgres/fleet.ts";
import type { State } from "../state/state.ts";
import type { Feeding } from "./feeding.ts";
import type { MonitorFeed } from "./feeds.ts";
import type { Leaks } from "./leaks.ts";
import type { MetricsFile } from "./metrics_file.ts";
import type { Notifier } from "./notifier.ts";
import type { Pipeline } from "./pipeline.ts";
import { type MonitorReport, REPORT_SPAN } from "./report.ts";
import type { Totals } from "./totals.ts";
import type { Whitelisting } from "./whitelisting.ts";
import type { TrialWatch } from "./trial.ts";

/** Outputs of a monitor, as configured. */
export interface Outputs {
  /** Null: metrics are not configured. */
  readonly metrics: MetricsFile | null;
  /** Null: notices are not configured. */
  readonly notifier: Notifier | null;
}

/** The parts that a report describes. */
export interface ReportingParts extends Outputs {
  readonly state: Pick<State, "setReport">;
  readonly totals: Totals;
  readonly bans: Pick<Bans, "holding">;
  /** Null: no firewall really bans. */
  readonly leaks: Pick<Leaks, "look"> | null;
  readonly trial: Pick<TrialWatch, "end">;
  readonly pipeline: Pick<Pipeline, "readers" | "activity" | "throughput" | "engine">;
  readonly feeds: readonly MonitorFeed[];
  readonly feeding: Pick<Feeding, "reports">;
  /** Null: there is no database. */
  readonly database: () => FleetStatus | null;
  readonly whitelisting: Pick<Whitelisting, "problems">;
}

/** Makes the report on a monitor, and leaves it in the state for `status`. */
export class Reporting {
  readonly #config: Config;
  readonly #parts: ReportingParts;
  readonly #loaded = now();
  readonly #started: Micros;
  /** By name of a module that was given up, since when. */
  readonly #givenUp = new Map<string, Micros>();
  /** The report in the state, as text, and when it was written. */
  #written = "";
  #writtenAt: Micros = 0;
  #failure: string | null = null;

  constructor(config: Config, parts: ReportingParts) {
    this.#config = config;
    this.#parts = parts;
    this.#started = parts.totals.started ??= this.#loaded;
  }

  /** Remembers the error that ends the monitor. */
  noteFailure(error: unknown): void {
    this.#failure = messageOf(error);
  }

  /** Makes the next `write()` write in any case: the state was replaced. */
  invalidate(): void {
    this.#written = "";
  }

  /** Writes the report into the state if it has changed or is old: `isOverdue()`. */
  write(running: boolean): void {
    const report = this.make(running);
    const text = JSON.stringify(report);
    const time = now();
    const isFresh = Math.abs(time - this.#writtenAt) < REPORT_SPAN;
    if (text === this.#written && isFresh) return;
    const recent = this.#parts.totals.recent.add(time, report.counts);
    this.#parts.state.setReport(JSON.stringify({ time, ...report, recent }));
    this.#written = text;
    this.#writtenAt = time;
  }

  make(running: boolean): MonitorReport {
    const { path, ban: { firewall }, moduleBans } = this.#config;
    const { totals, bans, leaks, trial, pipeline, database, notifier, metrics, whitelisting } = this.#parts;
    return {
      pid: Deno.pid,
      running,
      started: this.#started,
      loaded: this.#loaded,
      refused: totals.refused ?? undefined,
      failure: this.#failure,
      config: path,
      firewall,
      moduleFirewalls: moduleBans.map(({ module, ban: { firewall } }) => ({ module, firewall })),
      holding: bans.holding,
      leaks: leaks?.look(now()) ?? [],
      trialEnd: trial.end,
      sources: this.#sources(),
      modules: this.#modules(),
      counts: totals.counts,
      tracked: pipeline.engine.tracked,
      database: database(),
      notify: notifier?.status ?? null,
      metricsError: metrics?.error ?? null,
      whitelistProblems: whitelisting.problems,
    };
  }

  #modules(): MonitorReport["modules"] {
    const { activity, readers } = this.#parts.pipeline;
    for (const name of readers.givenUp) {
      if (!this.#givenUp.has(name)) this.#givenUp.set(name, now());
    }
    return activity.report(now()).map((module) => ({ ...module, givenUp: this.#givenUp.get(module.name) }));
  }

  #sources(): MonitorReport["sources"] {
    const { feeds, feeding, pipeline, totals } = this.#parts;
    return feeds.flatMap(({ source, modules: read }) => {
      const modules = read.map(({ module }) => module.name);
      const report = feeding.reports.get(source.name);
      const { delivery = null, problems = [], isWaiting: waiting = false } = source;
      const lag = pipeline.throughput.lags.get(source.name);
      const lastBatch = totals.lastBatches.get(source.name) ?? null;
      return report ? [{ ...report, modules, lastBatch, delivery, problems, waiting, lag }] : [];
    });
  }
}
