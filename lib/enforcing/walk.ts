import type { BanRange } from "../deciding/ban.ts";

/** Bans of one slice: some milliseconds. */
const SLICE = 5_000;
/** Milliseconds between two slices: a batch of lines takes several turns to be read, and none is to wait for more than a slice. */
const BREATH = 20;
/** Milliseconds until a slice that failed is tried again. */
const HOLD_UP = 5_000;

/** The work of a walk. */
export interface WalkSteps {
  /** Does one slice. `begin()` throws what the first slice throws. */
  slice(range: BanRange): void;
  /** Called when all slices are done. */
  done(): void;
  /** Told the error of a later slice, as when the state cannot be written; the slice is tried again. */
  failed(error: unknown): void;
}

/**
 * Goes over all bans by their ids, slice by slice, so that the monitor reads on between two. `begin()` does the first slice
 * itself, and with it all where there are no more bans.
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

  /** Begins with the first ban, gives up a walk under way, and ends with the ban of the id `lastId`. */
  begin(lastId: number): void {
    this.stop();
    [this.#after, this.#upTo] = [0, lastId];
    this.#next();
  }

  /** Gives up what is left. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#after = this.#upTo;
  }

  #next(): void {
    const upTo = Math.min(this.#after + SLICE, this.#upTo);
    if (upTo > this.#after) this.#steps.slice({ after: this.#after, upTo });
    this.#after = upTo;
    if (!this.isUnderWay) return this.#steps.done();
    this.#schedule(BREATH);
  }

  #schedule(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      try {
        this.#next();
      } catch (error) {
        this.#steps.failed(error);
        this.#schedule(HOLD_UP);
      }
    }, milliseconds);
  }
}

/** The slices of all bans up to the one with the id `lastId`; between two, timers and readers get their turn. */
export async function* rangesUpTo(lastId: number): AsyncGenerator<BanRange> {
  for (let after = 0; after < lastId; after += SLICE) {
    yield { after, upTo: Math.min(after + SLICE, lastId) };
    if (after + SLICE < lastId) await new Promise((resolve) => setTimeout(resolve));
  }
}
