import type { Bytes } from "../core/bytes.ts";
import { seed } from "./hash.ts";

/** Bytes of texts that are remembered, from and up to: they are hashed four at a time. */
const [SHORTEST, LONGEST] = [4, 512];
/** Texts that are remembered: a power of two. */
const SLOTS = 1_024;

/** What is known of a text. */
interface Slot<T> {
  readonly hash: number;
  /** Whose text it is: the same text may mean different things. */
  readonly owner: number;
  readonly text: Uint8Array;
  readonly result: T;
}

/**
 * Remembers what was found in texts lately: many clients name themselves alike, and at length. A text has one place, by its hash,
 * where a newer one takes over; it is compared in full, as a hash alone could be met on purpose.
 */
export class TextMemory<T> {
  readonly #slots: (Slot<T> | null)[] = new Array(SLOTS).fill(null);
  readonly #seed = seed();
  /** The hash of the text that was asked for last. */
  #hash = 0;

  /** What is known of `bytes[from, to)` for `owner`; null: nothing. */
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

  /** Remembers what was found in the text that `get()` was just asked for. */
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
    for (let at = from; at < last; at += 4) hash = mixed(hash, view.getInt32(at, true));
    hash = mixed(hash, view.getInt32(last, true));
    return hash ^ hash >>> 13;
  }
}

/** One step of MurmurHash2, with the upper half folded in. */
function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x5bd1e995);
  return product ^ product >>> 15;
}
