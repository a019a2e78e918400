/**
 * Lets the pipeline follow all sources at the same time, each as long as it can be read. Out: the
 * state of each source, and the error that ended one.
 */
import { supervise } from "../core/supervise.ts";
import { messageOf, UserError } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { HOUR, isoTime, type Micros, now } from "../core/time.ts";
import { longestWindow, type ModuleRules } from "../rules/rule.ts";
import type { State } from "../state/state.ts";
import type { MonitorFeed } from "./feeds.ts";
import type { Pipeline } from "./pipeline.ts";
import type { SourceReport } from "./report.ts";

/** How far the first start looks back if no rule has a window with an end. */
const FIRST_LOOK_BACK: Micros = HOUR;

/** Options of `Feeding`. */
export interface FeedingParts {
  readonly state: Pick<State, "firstSince" | "position" | "positions" | "forgetPosition">;
  readonly pipeline: Pick<Pipeline, "follow" | "activity">;
  readonly log: Log;
  /** By source, when lines last came to an earlier monitor or to this one. */
  readonly lastBatches: Map<string, Micros>;
  /** Called after each batch. */
  readonly processed: () => void;
}

/** Reads the sources of a monitor. */
export class Feeding {
  /** By name of a source, its state. */
  readonly reports = new Map<string, Pick<SourceReport, "name" | "running" | "stopped">>();
  readonly #feeds: readonly MonitorFeed[];
  readonly #parts: FeedingParts;

  constructor(feeds: readonly MonitorFeed[], parts: FeedingParts) {
    this.#feeds = feeds;
    this.#parts = parts;
  }

  /**
   * Follows all sources until `stop` aborts or none is left. Throws the error that ended a source,
   * unless `signal` asked for the end.
   */
  async follow(stop: AbortController, signal: AbortSignal): Promise<void> {
    this.#forgetReplaced();
    const results = await Promise.allSettled(
      this.#feeds.map((feed) =>
        this.#followFeed(feed, stop.signal).catch((error) => {
          if (error instanceof UserError) stop.abort();
          throw error;
        })
      ),
    );
    const failures = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
    const failed = failures.find((error) => error instanceof UserError) ?? failures[0];
    if (failed && !signal.aborted) throw failed;
  }

  /**
   * Forgets the positions of sources in whose files another one goes on, as by another pattern:
   * should they come back, these lines would count twice.
   */
  #forgetReplaced(): void {
    const sources = this.#feeds.map(({ source }) => source);
    for (const [name, position] of this.#parts.state.positions()) {
      const isReplaced = sources.every((source) => source.name !== name) &&
        sources.some((source) => source.readsOn?.(position));
      if (isReplaced) this.#parts.state.forgetPosition(name);
    }
  }

  /** Reads one source as long as possible, each time from its position in the state. */
  #followFeed(feed: MonitorFeed, signal: AbortSignal): Promise<void> {
    const { source } = feed;
    const { state, pipeline, log, lastBatches, processed } = this.#parts;
    const since = state.firstSince(source.name, this.#lookBack(feed.modules));
    const report = (over: Partial<SourceReport>) => {
      const before = this.reports.get(source.name) ?? { name: source.name, running: false };
      this.reports.set(source.name, { ...before, ...over });
    };
    const read = async (progress: () => void) => {
      report({ running: true });
      const after = state.position(source.name);
      const start = after === null ? `lines written since ${isoTime(since)}` : `behind ${after}`;
      log.debug(() => `${source.name}: reading ${start}`);
      await pipeline.follow(source.batches({ after, since }, signal), feed, ({ records }, isCommitted) => {
        processed();
        if (records.length > 0) lastBatches.set(source.name, now());
        // A batch that is not committed yet may still fail.
        if (isCommitted) progress();
      });
      if (!signal.aborted) throw new Error(`${source.name} ended`);
    };
    return supervise(read, { name: source.name, signal, log })
      .catch((error) => {
        report({ stopped: { time: now(), error: messageOf(error) } });
        throw error;
      })
      .finally(() => report({ running: false }));
  }

  /**
   * Returns the time from which a new source is read: the longest window back, but after the last
   * lines that its modules have seen, perhaps in files of other names.
   */
  #lookBack(modules: readonly ModuleRules[]): Micros {
    const seen = this.#parts.pipeline.activity.report(now())
      .filter(({ name }) => modules.some(({ module }) => module.name === name))
      .map(({ lastLine }) => (lastLine ?? 0) + 1);
    return Math.max(now() - longestWindow(modules, FIRST_LOOK_BACK), ...seen);
  }
}
