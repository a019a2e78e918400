import type { Bytes } from "../core/bytes.ts";
import { mix, seed } from "./hash.ts";

/** Shortest and longest text remembered, in bytes. Texts are read four bytes at a time. */
const [SHORTEST, LONGEST] = [4, 512];
/** Number of slots: a power of two. */
const SLOTS = 1_024;
/** Room for the text of a slot, in words. */
const TEXT_WORDS = LONGEST / 4;

/**
 * Caches results for recent texts, as many clients send the same long name. A newer text
 * replaces one in its slot. Texts are compared in full: equal hashes can be made on purpose.
 */
export class TextCache<T> {
  /**
   * Texts by slot. The last word of a text overlaps the one before, so that it ends with the text.
   * The kernel gives memory only to written slots.
   */
  readonly #texts = new Int32Array(SLOTS * TEXT_WORDS);
  /** Length of each text in bytes; 0: the slot is free. */
  readonly #lengths = new Int32Array(SLOTS);
  /** Owners of the texts: the same text may mean different things to two owners. */
  readonly #owners = new Int32Array(SLOTS);
  readonly #results: (T | null)[] = new Array(SLOTS).fill(null);
  readonly #seed = seed();
  /** Slot of the text of the last `get()`. */
  #slot = 0;

  /** Returns the result for `bytes[from, to)` of `owner`; null: unknown. */
  get(owner: number, { view }: Bytes, from: number, to: number): T | null {
    const length = to - from;
    if (length < SHORTEST || length > LONGEST) return null;
    const slot = this.#slot = this.#slotOf(owner, view, from, to);
    if (this.#lengths[slot] !== length || this.#owners[slot] !== owner) return null;
    const texts = this.#texts;
    const last = to - 4;
    let word = slot * TEXT_WORDS;
    for (let at = from | 0; at < last; at += 4) if (texts[word++] !== view.getInt32(at, true)) return null;
    return texts[word] === view.getInt32(last, true) ? this.#results[slot]! : null;
  }

  /** Remembers the result for the text of the last `get()`. */
  put(owner: number, { view }: Bytes, from: number, to: number, result: T): void {
    if (to - from < SHORTEST || to - from > LONGEST) return;
    const slot = this.#slot;
    const texts = this.#texts;
    const last = to - 4;
    let word = slot * TEXT_WORDS;
    for (let at = from | 0; at < last; at += 4) texts[word++] = view.getInt32(at, true);
    texts[word] = view.getInt32(last, true);
    this.#lengths[slot] = to - from;
    this.#owners[slot] = owner;
    this.#results[slot] = result;
  }

  clear(): void {
    this.#lengths.fill(0);
    this.#results.fill(null);
  }

  /** Hashes a text in two halves that the processor computes side by side. */
  #slotOf(owner: number, view: DataView, from: number, to: number): number {
    let even = this.#seed ^ owner;
    let odd = this.#seed ^ to - from;
    const last = to - 4;
    let at = from | 0;
    for (; at + 4 < last; at += 8) {
      even = mix(even, view.getInt32(at, true));
      odd = mix(odd, view.getInt32(at + 4, true));
    }
    if (at < last) even = mix(even, view.getInt32(at, true));
    const hash = mix(even ^ odd >>> 1, view.getInt32(last, true));
    return (hash ^ hash >>> 13) & SLOTS - 1;
  }
}
