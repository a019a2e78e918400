import type { AddressWords } from "../core/address.ts";
import { hashWords, seed } from "./hash.ts";

/** No address and no chunk. All places are above 0, so fresh memory needs no filling. */
export const NONE = 0;

/**
 * Words of an address: four of its own; prefix and, in the second byte, number of notes in its
 * newest chunk; next address of its bucket; newest chunk; number of notes; slack, the number of
 * further notes that cannot pass a limit; number of its last hit among all hits; time of its newest
 * note in two words; its oldest note, as most addresses come once.
 */
export const [PREFIX, NEXT, CHUNK, COUNT, SLACK, LAST_TOUCH, LATEST, FIRST_NOTE] = [4, 5, 6, 7, 8, 9, 10, 12];
/** Size of an address in words. */
export const ADDRESS_SIZE = 16;
/** Bits of PREFIX: the prefix, the start of the number of notes, and whether one came late. */
export const [PREFIX_MASK, FILL_SHIFT, HAS_LATE] = [0xff, 8, 1 << 16];

/** Number of addresses sampled to find one that has been silent for long. */
const SAMPLE = 32;

/**
 * Counted addresses, each identified by its place in one array of numbers. The array is allocated
 * once and fills up page by page: a million addresses cost the garbage collector nothing.
 */
export class NoteAddresses {
  readonly words: Int32Array;
  readonly times: Float64Array;
  /** Place behind the addresses. */
  readonly end: number;
  readonly #capacity: number;
  /** First address of each bucket. There are one to two buckets per address. */
  #buckets = new Int32Array(1 << 10);
  /** Seed of all hashes, so that nobody can choose addresses of one bucket. */
  readonly #seed = seed();
  /** Freed addresses, as a chain; the number of addresses ever taken. */
  #free = NONE;
  #taken = 0;
  #size = 0;
  #touches = 0;
  #random = 1;

  /** @param capacity addresses at most; @param behind words behind them; see `Room` for the rest */
  constructor(capacity: number, { behind, isOffAccount }: { behind: number; isOffAccount: boolean }) {
    this.#capacity = capacity;
    this.end = (capacity + 1) * ADDRESS_SIZE;
    const words = this.end + behind;
    const bytes = (words + words % 2) * Int32Array.BYTES_PER_ELEMENT;
    // V8 accounts for no shared memory.
    this.words = new Int32Array(isOffAccount ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
    this.times = new Float64Array(this.words.buffer);
  }

  /** Number of counted addresses. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#capacity;
  }

  /** Number of places to walk by `placeOf()`, freed ones included. */
  get taken(): number {
    return this.#taken;
  }

  /** Returns the place of address number `number`, from 0. A freed address has no notes. */
  placeOf(number: number): number {
    return (number + 1) * ADDRESS_SIZE;
  }

  /** Returns the place of an address; `NONE`: it is not counted. */
  find(w0: number, w1: number, w2: number, w3: number, prefix: number): number {
    const { words } = this;
    let at = this.#buckets[this.#bucketOf(w0, w1, w2, w3)]!;
    while (at !== NONE && !this.isAt(at, w0, w1, w2, w3, prefix)) at = words[at + NEXT]!;
    return at;
  }

  /** Reports whether the address at `at` is this one. */
  isAt(at: number, w0: number, w1: number, w2: number, w3: number, prefix: number): boolean {
    const { words } = this;
    return words[at + 3] === w3 && words[at + 2] === w2 && words[at + 1] === w1 && words[at] === w0 &&
      (words[at + PREFIX]! & PREFIX_MASK) === prefix;
  }

  /** Yields all addresses. */
  *all(): Generator<AddressWords> {
    const { words } = this;
    for (let number = 0; number < this.#taken; number++) {
      const at = this.placeOf(number);
      const prefix = words[at + PREFIX]! & PREFIX_MASK;
      if (words[at + COUNT] === 0) continue;
      yield { w0: words[at]!, w1: words[at + 1]!, w2: words[at + 2]!, w3: words[at + 3]!, prefix };
    }
  }

  /** Adds a new address without notes, and returns its place. There must be room. */
  add(w0: number, w1: number, w2: number, w3: number, prefix: number): number {
    if (this.#size >= this.#buckets.length) this.#growBuckets();
    const { words } = this;
    let at = this.#free;
    if (at === NONE) at = ++this.#taken * ADDRESS_SIZE;
    else this.#free = words[at + NEXT]!;
    words[at] = w0;
    words[at + 1] = w1;
    words[at + 2] = w2;
    words[at + 3] = w3;
    words[at + PREFIX] = prefix;
    words[at + CHUNK] = NONE;
    words[at + COUNT] = 0;
    this.times[at + LATEST >> 1] = -Infinity;
    const bucket = this.#bucketOf(w0, w1, w2, w3);
    words[at + NEXT] = this.#buckets[bucket]!;
    this.#buckets[bucket] = at;
    this.#size++;
    return at;
  }

  /** Frees an address whose chunks are freed. */
  drop(at: number): void {
    const { words } = this;
    const bucket = this.#bucketOf(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
    let before = this.#buckets[bucket]!;
    if (before === at) this.#buckets[bucket] = words[at + NEXT]!;
    else {
      while (words[before + NEXT] !== at) before = words[before + NEXT]!;
      words[before + NEXT] = words[at + NEXT]!;
    }
    words[at + PREFIX] = PREFIX_MASK;
    words[at + COUNT] = 0;
    words[at + CHUNK] = NONE;
    words[at + NEXT] = this.#free;
    this.#free = at;
    this.#size--;
  }

  /** Marks an address as the one hit last. */
  touch(at: number): void {
    this.words[at + LAST_TOUCH] = this.#touches = this.#touches + 1 | 0;
  }

  /**
   * Returns the address, other than `but`, that was hit longest ago in a sample (with `hasChunk`:
   * of addresses with chunks); `NONE`: none. A full order would cost more at each hit.
   */
  oldest(but: number, hasChunk: boolean): number {
    let oldest = NONE;
    let longest = -1;
    const isAll = this.#taken <= SAMPLE;
    for (let i = 0; i < (isAll ? this.#taken : SAMPLE); i++) {
      const at = this.placeOf(isAll ? i : this.#pick());
      if (at === but || !this.#isEvictable(at, hasChunk)) continue;
      const silent = this.#touches - this.words[at + LAST_TOUCH]! >>> 0;
      if (silent > longest) {
        longest = silent;
        oldest = at;
      }
    }
    return oldest !== NONE || isAll ? oldest : this.#any(but, hasChunk);
  }

  /** Returns the first address that qualifies, from a random one on. */
  #any(but: number, hasChunk: boolean): number {
    const first = this.#pick();
    for (let i = 0; i < this.#taken; i++) {
      const at = this.placeOf((first + i) % this.#taken);
      if (at !== but && this.#isEvictable(at, hasChunk)) return at;
    }
    return NONE;
  }

  #isEvictable(at: number, hasChunk: boolean): boolean {
    return this.words[at + COUNT]! > 0 && (!hasChunk || this.words[at + CHUNK] !== NONE);
  }

  #pick(): number {
    // Xorshift (Marsaglia, 2003).
    let random = this.#random;
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    this.#random = random;
    return (random >>> 0) % this.#taken;
  }

  #growBuckets(): void {
    const { words } = this;
    this.#buckets = new Int32Array(2 * this.#buckets.length);
    for (let number = 0; number < this.#taken; number++) {
      const at = this.placeOf(number);
      // Freed addresses have no prefix.
      if ((words[at + PREFIX]! & PREFIX_MASK) === PREFIX_MASK) continue;
      const bucket = this.#bucketOf(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
      words[at + NEXT] = this.#buckets[bucket]!;
      this.#buckets[bucket] = at;
    }
  }

  #bucketOf(w0: number, w1: number, w2: number, w3: number): number {
    return hashWords(this.#seed, w0, w1, w2, w3) & (this.#buckets.length - 1);
  }
}
