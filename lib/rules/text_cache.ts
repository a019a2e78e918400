import type { Bytes } from "../core/bytes.ts";
import { mix, seed } from "./hash.ts";

/** Shortest and longest text remembered, in bytes. Texts are hashed four bytes at a time. */
const [SHORTEST, LONGEST] = [4, 512];
/** Number of slots: a power of two. */
const SLOTS = 1_024;

/** A text and the result found for it. */
interface Slot<T> {
  readonly hash: number;
  /** Owner of the text: the same text may mean different things to two owners. */
  readonly owner: number;
  readonly text: Uint8Array;
  readonly result: T;
}

/**
 * Caches results for recent texts, as many clients send the same long name. A newer text
 * replaces one in its slot. Texts are compared in full: equal hashes can be made on purpose.
 */
export class TextCache<T> {
  readonly #slots: (Slot<T> | null)[] = new Array(SLOTS).fill(null);
  readonly #seed = seed();
  /** Hash of the text of the last `get()`. */
  #hash = 0;

  /** Returns the result for `bytes[from, to)` of `owner`; null: unknown. */
  get(owner: number, bytes: Bytes, from: number, to: number): T | null {
    if (to - from < SHORTEST || to - from > LONGEST) return null;
    const hash = this.#hash = this.#hashOf(owner, bytes.view, from, to);
    const slot = this.#slots[hash & SLOTS - 1];
    if (!slot || slot.hash !== hash || slot.owner !== owner) return null;
    if (slot.text.length !== to - from) return null;
    const { text } = slot;
    for (let i = 0; i < text.length; i++) if (text[i] !== bytes.array[from + i]) return null;
    return slot.result;
  }

  /** Remembers the result for the text of the last `get()`. */
  put(owner: number, bytes: Bytes, from: number, to: number, result: T): void {
    if (to - from < SHORTEST || to - from > LONGEST) return;
    this.#slots[this.#hash & SLOTS - 1] = {
      hash: this.#hash,
      owner,
      text: bytes.array.slice(from, to),
      result,
    };
  }

  clear(): void {
    this.#slots.fill(null);
  }

  #hashOf(owner: number, view: DataView, from: number, to: number): number {
    let hash = this.#seed ^ owner ^ to - from;
    const last = to - 4;
    for (let at = from; at < last; at += 4) hash = mix(hash, view.getInt32(at, true));
    hash = mix(hash, view.getInt32(last, true));
    return hash ^ hash >>> 13;
  }
}
