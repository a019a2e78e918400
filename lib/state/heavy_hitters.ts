/**
 * Finds a stream's most frequent keys in fixed room by Space-Saving (Metwally et al., 2005) in sets
 * of eight. A new key without room replaces the rarest of its set and inherits its count as error.
 * A key with more than an eighth of its set's counts is always kept.
 */
import { hashValue, seed } from "../rules/hash.ts";

/** Keys of a set, and sets: 512 keys in all. */
const [WAYS, SETS] = [8, 64];
const SLOTS = WAYS * SETS;

/** A key and its least count. */
export interface Hitter {
  readonly key: Uint8Array;
  readonly count: number;
}

/** Counts keys of bytes, cut to `width`. Nobody can foresee which keys share a set. */
export class HeavyHitters {
  readonly #seed = seed();
  readonly #width: number;
  readonly #hashes = new Int32Array(SLOTS);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #keys: Uint8Array;
  readonly #counts = new Float64Array(SLOTS);
  /** Part of each count that may be other keys'. */
  readonly #errors = new Float64Array(SLOTS);

  /** @param width bytes of the longest key, at most 255 */
  constructor(width: number) {
    this.#width = width;
    this.#keys = new Uint8Array(SLOTS * width);
  }

  /** Counts the key `array[from, to)`, `times` times. */
  add(array: Uint8Array, from: number, to: number, times = 1): void {
    const length = to - from <= this.#width ? to - from : wholeLength(array, from, this.#width);
    const hash = hashValue(this.#seed, array, from, from + length);
    const first = (hash & SETS - 1) * WAYS;
    const counts = this.#counts;
    let rarest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#hashes[slot] === hash && this.#lengths[slot] === length && counts[slot]! > 0) {
        counts[slot]! += times;
        return;
      }
      if (counts[slot]! < counts[rarest]!) rarest = slot;
    }
    this.#errors[rarest] = counts[rarest]!;
    counts[rarest]! += times;
    this.#hashes[rarest] = hash;
    this.#lengths[rarest] = length;
    const at = rarest * this.#width;
    for (let i = 0; i < length; i++) this.#keys[at + i] = array[from + i]!;
  }

  /** Returns the `most` most frequent keys, in descending order. */
  top(most: number): Hitter[] {
    const slots = [...this.#counts.keys()].filter((slot) => this.#counts[slot]! > 0);
    const sure = (slot: number) => this.#counts[slot]! - this.#errors[slot]!;
    return slots.sort((a, b) => sure(b) - sure(a)).slice(0, most).map((slot) => {
      const at = slot * this.#width;
      return { key: this.#keys.slice(at, at + this.#lengths[slot]!), count: sure(slot) };
    });
  }

  clear(): void {
    this.#counts.fill(0);
    this.#errors.fill(0);
  }
}

/** Returns the longest beginning of at most `most` bytes that cuts no UTF-8 character. */
function wholeLength(array: Uint8Array, from: number, most: number): number {
  let length = most;
  while (length > most - 4 && (array[from + length]! & 0xc0) === 0x80) length--;
  return length;
}
