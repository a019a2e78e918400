/** A few addresses with the times of their lines, in arrays of a fixed size: a flood takes no memory. */
import { ADDRESS_WORDS } from "../core/address.ts";
import { addressText } from "../core/address_reader.ts";
import type { LogEvent } from "../reading/event.ts";
import { mix, seed } from "../rules/hash.ts";

/** Addresses of modules that are remembered; a later one takes the place of an earlier one. */
const SLOTS = 256;
/** All tables hash alike, so that an address has the same slot in each. */
const SEED = seed();

/** Lines by address and module, some of them at most. */
export class Sightings {
  readonly modules = new Int32Array(SLOTS);
  /** Lines by slot. */
  readonly counts = new Int32Array(SLOTS);
  /** Time of the first line and of the last one, by slot. */
  readonly first = new Float64Array(SLOTS);
  readonly last = new Float64Array(SLOTS);
  readonly #words = new Int32Array(SLOTS * ADDRESS_WORDS);

  /** Counts a line. */
  add({ reader: { address: { w0, w1, w2, w3 } }, module, time }: LogEvent): void {
    const words = this.#words;
    const slot = mix(mix(mix(SEED ^ module, w1 ^ w2), w3 >>> 16), w3 & 0xffff) & SLOTS - 1;
    const at = slot * ADDRESS_WORDS;
    const isSame = words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3 &&
      this.modules[slot] === module;
    if (isSame && this.counts[slot]! > 0) this.counts[slot]!++;
    else {
      words[at] = w0;
      words[at + 1] = w1;
      words[at + 2] = w2;
      words[at + 3] = w3;
      this.modules[slot] = module;
      this.counts[slot] = 1;
      this.first[slot] = time;
    }
    this.last[slot] = time;
  }

  /** Counts the lines of `later` too, and empties it. */
  takeOver(later: Sightings): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (later.counts[slot] === 0) continue;
      if (this.counts[slot]! > 0 && this.#isSame(later, slot)) this.counts[slot]! += later.counts[slot]!;
      else {
        const at = slot * ADDRESS_WORDS;
        this.#words.set(later.#words.subarray(at, at + ADDRESS_WORDS), at);
        this.modules[slot] = later.modules[slot]!;
        this.counts[slot] = later.counts[slot]!;
        this.first[slot] = later.first[slot]!;
      }
      this.last[slot] = later.last[slot]!;
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

  #isSame(other: Sightings, slot: number): boolean {
    if (this.modules[slot] !== other.modules[slot]) return false;
    for (let at = slot * ADDRESS_WORDS, end = at + ADDRESS_WORDS; at < end; at++) {
      if (this.#words[at] !== other.#words[at]) return false;
    }
    return true;
  }
}
