import { nextTurn } from "../core/async.ts";
import type { BanRange } from "../deciding/ban.ts";

/** Bans of one slice: some milliseconds of work. */
const SLICE = 5_000;
/** Milliseconds between two slices, so that a batch of lines waits for one slice at most. */
const PAUSE = 20;
/** Milliseconds before a failed slice is tried again. */
const RETRY_DELAY = 5_000;

/** Callbacks of a walk. */
export interface WalkSteps {
  /** Does one slice. `begin()` throws the first slice's errors. */
  slice(range: BanRange): void;
  /** Called with the error of a later slice (an unwritable state, say), which is tried again. */
  failed(error: unknown): void;
}

/**
 * Visits all bans by id in slices, so that the monitor reads lines in between. `begin()` does the
 * first slice at once, which may be the only one.
 */
export class Walk {
  #after = 0;
  #upTo = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #steps: WalkSteps;

  constructor(steps: WalkSteps) {
    this.#steps = steps;
  }

  /** Reports whether slices are left. */
  get isUnderWay(): boolean {
    return this.#after < this.#upTo;
  }

  /**
   * Begins at the first ban, ends at id `lastId`, and gives up a walk under way. If the first slice
   * throws, no walk is under way.
   */
  begin(lastId: number): void {
    this.stop();
    [this.#after, this.#upTo] = [0, lastId];
    try {
      this.#next();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Gives up the slices left. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#after = this.#upTo;
  }

  #next(): void {
    const upTo = Math.min(this.#after + SLICE, this.#upTo);
    if (upTo > this.#after) this.#steps.slice({ after: this.#after, upTo });
    this.#after = upTo;
    if (this.isUnderWay) this.#schedule(PAUSE);
  }

  #schedule(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      try {
        this.#next();
      } catch (error) {
        this.#steps.failed(error);
        this.#schedule(RETRY_DELAY);
      }
    }, milliseconds);
  }
}

/** Bans read at once: 10 ms, in which their texts are made too. */
const READ = 1_000;

/** Yields the slices of all bans up to id `lastId`; timers and readers run in between. */
export async function* rangesUpTo(lastId: number): AsyncGenerator<BanRange> {
  for (let after = 0; after < lastId; after += READ) {
    yield { after, upTo: Math.min(after + READ, lastId) };
    if (after + READ < lastId) await nextTurn();
  }
}
