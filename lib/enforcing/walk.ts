import type { BanRange } from "../deciding/ban.ts";

/** Bans that are looked at in one go: some milliseconds. */
const SLICE = 5_000;
/** Milliseconds until a slice that failed is tried again. */
const HOLD_UP = 5_000;

/** What a walk does. */
export interface WalkSteps {
  /** Does one slice. What it throws within `begin()` is the caller's. */
  slice(range: BanRange): void;
  /** All slices are done. */
  done(): void;
  /** Told what a later slice has thrown, as when the state cannot be written; the same slice is tried again. */
  failed(error: unknown): void;
}

/**
 * Goes over all bans by their ids, a slice at a time, so that reading goes on between two. The first slice is done by
 * `begin()` itself: where there are no more bans than that, all is.
 */
export class Walk {
  #after = 0;
  #upTo = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #steps: WalkSteps;

  constructor(steps: WalkSteps) {
    this.#steps = steps;
  }

  /** Slices are left. */
  get isUnderWay(): boolean {
    return this.#after < this.#upTo;
  }

  /** Begins from the first ban, leaving a walk under way, and goes as far as the one with the id `lastId`. */
  begin(lastId: number): void {
    this.stop();
    [this.#after, this.#upTo] = [0, lastId];
    this.#next();
  }

  /** Leaves the rest undone. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#after = this.#upTo;
  }

  #next(): void {
    const upTo = Math.min(this.#after + SLICE, this.#upTo);
    if (upTo > this.#after) this.#steps.slice({ after: this.#after, upTo });
    this.#after = upTo;
    if (!this.isUnderWay) return this.#steps.done();
    this.#schedule(0);
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

/** The slices of all bans up to the one with the id `lastId`, with a pause after each, in which what waits gets its turn. */
export async function* rangesUpTo(lastId: number): AsyncGenerator<BanRange> {
  for (let after = 0; after < lastId; after += SLICE) {
    yield { after, upTo: Math.min(after + SLICE, lastId) };
    if (after + SLICE < lastId) await new Promise((resolve) => setTimeout(resolve));
  }
}
