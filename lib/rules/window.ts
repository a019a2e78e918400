import type { Micros } from "../types.ts";

/** Counts hits per address over a span of the hits' own time, for one rule. */
export class SlidingWindow {
  /** Times of the hits inside the window, ascending; addresses in the order of their latest hit. */
  readonly #hits = new Map<string, Micros[]>();

  /**
   * @param limit hits allowed within `span`
   * @param span length of the window; null: hits never grow old
   * @param capacity addresses kept; beyond it the one whose latest hit came first is forgotten
   */
  constructor(readonly limit: number, readonly span: Micros | null, readonly capacity: number) {}

  /** Addresses that are being counted. */
  get size(): number {
    return this.#hits.size;
  }

  /**
   * Counts a hit. Returns how many fell into the window when they passed the limit, and counts the address
   * from nothing again; otherwise 0. A hit older than ones before it counts with those at most `span` later.
   */
  hit(address: string, time: Micros): number {
    const times = this.#hits.get(address) ?? [];
    this.#hits.delete(address);
    insert(times, time);
    const from = this.span === null ? 0 : times.findIndex((t) => t > time - this.span!);
    if (from > 0) times.splice(0, from);
    const to = this.span === null ? times.length : times.findLastIndex((t) => t < time + this.span!) + 1;
    if (to > this.limit) return to;
    this.#hits.set(address, times);
    if (this.#hits.size > this.capacity) this.#hits.delete(this.#hits.keys().next().value!);
    return 0;
  }

  /** Counts `address` from nothing again. */
  forget(address: string): void {
    this.#hits.delete(address);
  }

  /** Drops addresses without a hit inside the window that ends at `now`. */
  sweep(now: Micros): void {
    if (this.span === null) return;
    for (const [address, times] of this.#hits) {
      if (times.at(-1)! <= now - this.span) this.#hits.delete(address);
    }
  }
}

/** Puts `time` where it belongs; nearly always the end. */
function insert(times: Micros[], time: Micros): void {
  let at = times.length;
  while (at > 0 && times[at - 1]! > time) at--;
  times.splice(at, 0, time);
}
