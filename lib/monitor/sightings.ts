/** A few addresses with the times of their lines, in arrays of a fixed size: a flood takes no memory. */
import { ADDRESS_WORDS } from "../core/address.ts";
import { addressText } from "../core/address_text.ts";
import type { LogEvent } from "../reading/event.ts";
import type { Micros } from "../core/time.ts";
import { mix, seed } from "../rules/hash.ts";

/** Addresses and modules that have the same hash share this many slots. */
const WAYS = 8;
/** Addresses of modules that are remembered. */
const SLOTS = 32 * WAYS;
const SEED = seed();

/**
 * Lines by address and module, some of them at most: where there is no slot left, the one that was
 * silent for longest makes room.
 */
export class Sightings {
  readonly modules = new Int32Array(SLOTS);
  /** Lines by slot; 0: the slot is free. */
  readonly counts = new Int32Array(SLOTS);
  /** Time of the first line and of the last one, by slot. */
  readonly first = new Float64Array(SLOTS);
  readonly last = new Float64Array(SLOTS);
  readonly #words = new Int32Array(SLOTS * ADDRESS_WORDS);

  /** Counts a line. */
  add({ reader: { address: { w0, w1, w2, w3 } }, module, time }: LogEvent): void {
    this.#count(w0, w1, w2, w3, module, 1, time, time);
  }

  /** Counts the lines of `later` too, and empties it. */
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

  /**
   * The slot of an address of a module: the one it has, or one that is free, which another may have
   * had to leave.
   */
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
