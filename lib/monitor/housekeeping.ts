/**
 * Work that is due every minute: whitelist entries end, memory is given back, old rows are deleted,
 * operators are warned. A failed step, such as on a full disk, waits for its next turn and never
 * ends the monitor.
 */
import { every, pause } from "../core/async.ts";
import { PatientClock } from "../core/clock_watch.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { type Micros, now } from "../core/time.ts";
import { counted } from "../core/text.ts";
import { hasUnknownFormat, type ModuleActivity } from "../reading/activity.ts";
import { unknownFormatText } from "./problems.ts";

/** Milliseconds between two turns. */
const HOUSEKEEPING = 60_000;
/** Milliseconds between two deletions: other readers and writers come first. */
const BETWEEN_STEPS = 50;

/** The chores, deletions and counts of housekeeping. */
export interface HousekeepingParts {
  /** Work that is due at `now` by a `PatientClock`; a failure of one chore does not stop the others. */
  readonly chores: readonly { readonly name: string; run(now: Micros): void }[];
  /** Deletes some rows that are old at `now`, and returns their number; called again soon unless that is 0. */
  readonly deletions: readonly { readonly name: string; run(now: Micros): number }[];
  readonly pipeline: {
    readonly activity: { report(now: Micros): readonly ModuleActivity[] };
    readonly engine: { readonly tracked: number };
    readonly throughput: { readonly counts: { readonly evicted: number } };
  };
}

/** Does the housekeeping until an abort. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  readonly #log: Log;
  readonly #clock = new PatientClock();
  /** Modules whose unknown format was logged. */
  #warned: readonly string[] = [];
  /** Number of evicted addresses that were logged. */
  #evicted: number;
  /** By name, the last failure that was logged. */
  readonly #failures = new Map<string, string>();

  constructor(parts: HousekeepingParts, log: Log) {
    this.#parts = parts;
    this.#log = log;
    this.#evicted = parts.pipeline.throughput.counts.evicted;
  }

  run(signal: AbortSignal): Promise<unknown> {
    return Promise.all([
      every(HOUSEKEEPING, signal, () => this.turn()),
      ...this.#parts.deletions.map(({ name, run }) => this.#delete(name, { run, signal })),
    ]);
  }

  /** Does all work that is due each minute. */
  turn(): void {
    for (const { name, run } of this.#parts.chores) this.attempt(name, () => run(this.#clock.now()));
    this.#warnOfUnknownFormats();
    this.#warnOfEvictions();
  }

  /** Does `work`. Logs a failure once, until it changes or `work` succeeds. */
  attempt<T>(name: string, work: () => T): T | undefined {
    try {
      const result = work();
      this.#failures.delete(name);
      return result;
    } catch (error) {
      this.#noteFailure(name, messageOf(error));
    }
  }

  /** Like `attempt()`, for asynchronous work. */
  async attemptAsync(name: string, work: () => Promise<void>): Promise<void> {
    await work().then(
      () => this.#failures.delete(name),
      (error) => this.#noteFailure(name, messageOf(error)),
    );
  }

  #noteFailure(name: string, failure: string): void {
    if (this.#failures.get(name) === failure) return;
    this.#failures.set(name, failure);
    this.#log.error(`Cannot ${name}: ${failure}`);
  }

  async #delete(
    name: string,
    { run, signal }: { run: (now: Micros) => number; signal: AbortSignal },
  ): Promise<void> {
    while (!signal.aborted) {
      const deleted = this.attempt(name, () => run(this.#clock.now())) ?? 0;
      await pause(deleted > 0 ? BETWEEN_STEPS : HOUSEKEEPING, signal);
    }
  }

  /** Warns once of each module that understands too few of its lines. */
  #warnOfUnknownFormats(): void {
    const unknown = this.#parts.pipeline.activity.report(now()).filter(hasUnknownFormat);
    for (const module of unknown) {
      if (!this.#warned.includes(module.name)) this.#log.warn(unknownFormatText(module));
    }
    this.#warned = unknown.map(({ name }) => name);
  }

  #warnOfEvictions(): void {
    const { engine: { tracked }, throughput: { counts: { evicted } } } = this.#parts.pipeline;
    const more = evicted - this.#evicted;
    this.#evicted = evicted;
    if (more === 0) return;
    const were = counted(more, "address was", "addresses were");
    this.#log.warn(`${were} evicted for want of room, longest silent first: ${tracked} are counted`);
  }
}
