import type { AddressWords } from "../core/address.ts";
import type { Micros } from "../core/time.ts";
import { hashWords, mix, seed as newSeed } from "./hash.ts";

/** Places in each set: for all keys with the same hash. */
export const WAYS = 8;
/** Words of a key. */
const WORDS = 5;

/** The words of an address. */
export type Words = Omit<AddressWords, "prefix">;

/**
 * Remembers when keys were last seen, a fixed number of keys even in a flood: in a full set, the one
 * silent for longest gives way. A key is an address with a tag, a number of the caller's.
 */
export class RecentKeys {
  /** When the key of a place was last seen; -Infinity: the place is free. Empty before the first key. */
  times = new Float64Array(0);
  #words = new Int32Array(0);
  readonly #sets: number;
  readonly #seed: number;

  /** @param sets number of sets, a power of two */
  constructor(sets: number, seed = newSeed()) {
    this.#sets = sets;
    this.#seed = seed;
  }

  /** Returns the place of a key; below 0: it is not remembered. */
  find({ w0, w1, w2, w3 }: Words, tag = 0): number {
    const { times } = this;
    if (times.length === 0) return -1;
    const words = this.#words;
    const first = this.#firstPlace(w0, w1, w2, w3, tag);
    for (let place = first, at = first * WORDS; place < first + WAYS; place++, at += WORDS) {
      if (
        words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3 &&
        words[at + 4] === tag && times[place] !== -Infinity
      ) return place;
    }
    return -1;
  }

  /** Returns the place of a key that is not remembered: it is now seen at `time`. */
  add({ w0, w1, w2, w3 }: Words, tag: number, time: Micros): number {
    if (this.times.length === 0) {
      this.times = new Float64Array(this.#sets * WAYS).fill(-Infinity);
      this.#words = new Int32Array(this.#sets * WAYS * WORDS);
    }
    const { times } = this;
    const first = this.#firstPlace(w0, w1, w2, w3, tag);
    let oldest = first;
    for (let place = first + 1; place < first + WAYS; place++) {
      if (times[place]! < times[oldest]!) oldest = place;
    }
    this.#words.set([w0, w1, w2, w3, tag], oldest * WORDS);
    times[oldest] = time;
    return oldest;
  }

  /** Remembers that a key was seen at `time`. */
  see(words: Words, tag: number, time: Micros): void {
    const place = this.find(words, tag);
    if (place < 0) this.add(words, tag, time);
    else this.times[place] = time;
  }

  /** Forgets all keys. */
  clear(): void {
    this.times.fill(-Infinity);
  }

  /** Returns the places in use, with their keys. */
  *places(): Iterable<{ readonly place: number; readonly words: Int32Array; readonly tag: number }> {
    for (let place = 0; place < this.times.length; place++) {
      if (this.times[place] === -Infinity) continue;
      const at = place * WORDS;
      yield { place, words: this.#words.subarray(at, at + 4), tag: this.#words[at + 4]! };
    }
  }

  #firstPlace(w0: number, w1: number, w2: number, w3: number, tag: number): number {
    const hash = mix(mix(hashWords(this.#seed, w0, w1, w2, w3), tag >>> 16), tag & 0xffff);
    return (hash & this.#sets - 1) * WAYS;
  }
}
