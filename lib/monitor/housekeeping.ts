/**
 * What is due each minute: ends of whitelist entries, memory given back, old rows deleted, and
 * warnings that an operator should see. A step that fails, as when the disk is full, waits for its
 * next turn: it never ends the monitor.
 */
import { every, pause } from "../core/async.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { type Micros, now } from "../core/time.ts";
import { counted } from "../core/text.ts";
import { hasUnknownFormat, type ModuleActivity } from "../reading/activity.ts";

/** Milliseconds between two turns. */
const HOUSEKEEPING = 60_000;
/** Milliseconds between two steps that delete rows: readers and writers come first. */
const BETWEEN_STEPS = 50;

/** What housekeeping looks after. */
export interface House {
  /** Does what is due at `now`; each step by itself. */
  readonly chores: readonly { readonly name: string; run(now: Micros): void }[];
  /** Deletes some old rows; returns how many. Called again soon unless that is 0. */
  readonly deletions: readonly { readonly name: string; run(now: Micros): number }[];
  readonly pipeline: {
    readonly activity: { report(now: Micros): readonly ModuleActivity[] };
    readonly engine: { readonly evicted: number; readonly tracked: number };
  };
}

/** Keeps house until an abort. */
export class Housekeeping {
  readonly #house: House;
  readonly #log: Log;
  /** Modules that the log was warned of. */
  #warned: readonly string[] = [];
  /** Evicted addresses that the log was told of. */
  #evicted = 0;
  /** By name of what failed the last time, why, as the log was told. */
  readonly #failures = new Map<string, string>();

  constructor(house: House, log: Log) {
    this.#house = house;
    this.#log = log;
  }

  /** Runs until `signal` aborts. */
  run(signal: AbortSignal): Promise<unknown> {
    return Promise.all([
      every(HOUSEKEEPING, signal, () => this.turn()),
      ...this.#house.deletions.map(({ name, run }) => this.#delete(name, { run, signal })),
    ]);
  }

  /** Does everything that is due each minute. */
  turn(): void {
    for (const { name, run } of this.#house.chores) this.attempt(name, () => run(now()));
    this.#warnOfUnknownFormats();
    this.#warnOfEvictions();
  }

  /** Does `work`, and tells the log where it fails: once, until it fails otherwise or succeeds. */
  attempt<T>(name: string, work: () => T): T | undefined {
    try {
      const result = work();
      this.#failures.delete(name);
      return result;
    } catch (error) {
      this.#noteFailure(name, messageOf(error));
    }
  }

  /** Does as `attempt()` for work that takes its time. */
  async attemptSlowly(name: string, work: () => Promise<void>): Promise<void> {
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
      const deleted = this.attempt(name, () => run(now())) ?? 0;
      await pause(deleted > 0 ? BETWEEN_STEPS : HOUSEKEEPING, signal);
    }
  }

  /** Warns once of each module that understands too little of what it sees. */
  #warnOfUnknownFormats(): void {
    const unknown = this.#house.pipeline.activity.report(now()).filter(hasUnknownFormat);
    for (const { name, lines, understood } of unknown) {
      if (this.#warned.includes(name)) continue;
      this.#log.warn(
        `module ${name} understood only ${understood} of ${
          counted(lines, "line")
        } in the last hour: has its log format changed?`,
      );
    }
    this.#warned = unknown.map(({ name }) => name);
  }

  #warnOfEvictions(): void {
    const { evicted, tracked } = this.#house.pipeline.engine;
    const more = evicted - this.#evicted;
    this.#evicted = evicted;
    if (more > 0) {
      this.#log.warn(
        `${
          counted(more, "address was", "addresses were")
        } forgotten for want of room, the oldest first: ${tracked} are counted`,
      );
    }
  }
}
