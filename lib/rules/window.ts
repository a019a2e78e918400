import type { Hit, Micros } from "../types.ts";

/** What a window counts of a hit. */
export type Counted = Pick<Hit, "address" | "time" | "value">;

/** Counts hits per address over a span of the hits' own time, for one rule. */
export interface Window {
  /** Addresses that are being counted. */
  readonly size: number;
  /** Whether a hit changes nothing, as its value has been counted already. */
  knows(hit: Counted): boolean;
  /**
   * Counts a hit. Returns how many fell into the window when they passed the limit, which is `lenience` times as high, and counts
   * the address from nothing again; otherwise 0. A hit older than ones before it counts with those at most a span later.
   */
  hit(hit: Counted, lenience?: () => number): number;
  /** Counts `address` from nothing again. */
  forget(address: string): void;
  /** Drops addresses without a hit inside the window that ends at `now`. */
  sweep(now: Micros): void;
}

/** What bounds a window. */
export interface Bounds {
  /** Hits allowed within the span. */
  readonly limit: number;
  /** Length of the window; null: hits never grow old. */
  readonly span: Micros | null;
  /** Addresses kept; beyond it the one whose latest hit came first is forgotten. */
  readonly capacity: number;
}

/** What a window keeps of one address. */
interface Record {
  /** Counts a hit and drops what is older than `from`; returns how many lie before `to`. */
  count(hit: Counted, from: Micros, to: Micros): number;
  knows(hit: Counted, from: Micros): boolean;
  /** Time of the newest hit. */
  readonly latest: Micros;
}

abstract class AddressWindow implements Window {
  /** Addresses in the order of their latest hit. */
  readonly #records = new Map<string, Record>();
  readonly #bounds: Bounds;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  protected abstract record(): Record;

  get size(): number {
    return this.#records.size;
  }

  knows(hit: Counted): boolean {
    return this.#records.get(hit.address)?.knows(hit, this.#from(hit.time)) ?? false;
  }

  hit(hit: Counted, lenience: () => number = () => 1): number {
    const { limit, span, capacity } = this.#bounds;
    const { address, time } = hit;
    const record = this.#records.get(address) ?? this.record();
    this.#records.delete(address);
    const count = record.count(hit, this.#from(time), span === null ? Infinity : time + span);
    if (count > limit && count > limit * lenience()) return count;
    this.#records.set(address, record);
    if (this.#records.size > capacity) this.#records.delete(this.#records.keys().next().value!);
    return 0;
  }

  forget(address: string): void {
    this.#records.delete(address);
  }

  sweep(now: Micros): void {
    for (const [address, { latest }] of this.#records) {
      if (latest <= this.#from(now)) this.#records.delete(address);
    }
  }

  /** A hit at this time or before is too old for a window that ends at `time`. */
  #from(time: Micros): Micros {
    return this.#bounds.span === null ? -Infinity : time - this.#bounds.span;
  }
}

/** Counts every hit. */
export class SlidingWindow extends AddressWindow {
  protected override record(): Record {
    return new Times();
  }
}

/** Counts different values, each from when it was last counted. */
export class DistinctWindow extends AddressWindow {
  protected override record(): Record {
    return new Values();
  }
}

class Times implements Record {
  /** Ascending. */
  readonly #times: Micros[] = [];

  get latest(): Micros {
    return this.#times.at(-1)!;
  }

  knows(): boolean {
    return false;
  }

  count({ time }: Counted, from: Micros, to: Micros): number {
    const times = this.#times;
    let at = times.length;
    while (at > 0 && times[at - 1]! > time) at--;
    times.splice(at, 0, time);
    const kept = times.findIndex((t) => t > from);
    if (kept > 0) times.splice(0, kept);
    return times.findLastIndex((t) => t < to) + 1;
  }
}

class Values implements Record {
  readonly #times = new Map<string, Micros>();
  latest: Micros = -Infinity;

  knows({ value }: Counted, from: Micros): boolean {
    return (this.#times.get(value!) ?? -Infinity) > from;
  }

  count({ value, time }: Counted, from: Micros, to: Micros): number {
    for (const [old, t] of this.#times) if (t <= from) this.#times.delete(old);
    this.#times.set(value!, Math.max(time, this.#times.get(value!) ?? time));
    this.latest = Math.max(this.latest, time);
    let count = 0;
    for (const t of this.#times.values()) if (t < to) count++;
    return count;
  }
}
