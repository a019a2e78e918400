/** A few addresses with the times of their lines, in arrays of a fixed size even in a flood. */
import { ADDRESS_WORDS } from "../core/address.ts";
import { addressText } from "../core/address_text.ts";
import type { LogEvent } from "../reading/event.ts";
import type { Micros } from "../core/time.ts";
import { mix, seed } from "../rules/hash.ts";

/** Number of slots for all addresses and modules with the same hash. */
const WAYS = 8;
/** Number of pairs of address and module that are remembered. */
const SLOTS = 32 * WAYS;
const SEED = seed();

/**
 * Counts lines by address and module, for a limited number of them: without a free slot, the one
 * silent for longest is reused.
 */
export class Sightings {
  readonly modules = new Int32Array(SLOTS);
  /** Lines by slot; 0: the slot is free. */
  readonly counts = new Int32Array(SLOTS);
  /** Times of the first and of the last line, by slot. */
  readonly first = new Float64Array(SLOTS);
  readonly last = new Float64Array(SLOTS);
  readonly #words = new Int32Array(SLOTS * ADDRESS_WORDS);

  /** Counts a line. */
  add({ reader: { address: { w0, w1, w2, w3 } }, module, time }: LogEvent): void {
    this.#count(w0, w1, w2, w3, module, 1, time, time);
  }

  /** Adds the lines of `later`, and empties it. */
  takeOver(later: Sightings): void {
    const { modules, counts, first, last } = later;
    for (let slot = 0, at = 0; slot < SLOTS; slot++, at += ADDRESS_WORDS) {
      if (counts[slot] === 0) continue;
      const [w0, w1, w2, w3] = later.#words.subarray(at, at + ADDRESS_WORDS);
      this.#count(w0!, w1!, w2!, w3!, modules[slot]!, counts[slot]!, first[slot]!, last[slot]!);
    }
    later.clear();
  }

  /** Forgets all lines. */
  clear(): void {
    this.counts.fill(0);
  }

  /** Returns the slots in use with their addresses. */
  *slots(): Iterable<readonly [slot: number, address: string]> {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.counts[slot] !== 0) yield [slot, addressText(this.#words, slot * ADDRESS_WORDS, 128)];
    }
  }

  #count(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    module: number,
    lines: number,
    first: Micros,
    last: Micros,
  ): void {
    const slot = this.#slotOf(w0, w1, w2, w3, module);
    if (this.counts[slot] === 0) {
      this.#words.set([w0, w1, w2, w3], slot * ADDRESS_WORDS);
      this.modules[slot] = module;
      this.first[slot] = first;
    }
    this.counts[slot]! += lines;
    this.last[slot] = last;
  }

  /** Returns the slot of an address and module; without one a free one, or the longest silent. */
  #slotOf(w0: number, w1: number, w2: number, w3: number, module: number): number {
    const words = this.#words;
    const set = (mix(mix(mix(SEED ^ module, w1 ^ w2), w3 >>> 16), w3 & 0xffff) & SLOTS / WAYS - 1) * WAYS;
    let best = set;
    for (let slot = set, at = set * ADDRESS_WORDS; slot < set + WAYS; slot++, at += ADDRESS_WORDS) {
      if (this.counts[slot] === 0) {
        if (this.counts[best] !== 0) best = slot;
      } else if (
        words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3 &&
        this.modules[slot] === module
      ) {
        return slot;
      } else if (this.counts[best] !== 0 && this.last[slot]! < this.last[best]!) best = slot;
    }
    this.counts[best] = 0;
    return best;
  }
}
