import { mix, seed } from "./hash.ts";

/** No address and no chunk: all places are above 0, so that fresh memory needs no filling. */
export const NONE = 0;

/**
 * Words of an address: its own four; its prefix, with the notes in its newest chunk in the second byte; the next address of its
 * bucket; its newest chunk; how many notes it has; how many more notes cannot matter; when it was selected last, as a count; the
 * time of its newest note in two words. Behind that lies its oldest note: most addresses come once.
 */
export const [PREFIX, NEXT, CHUNK, COUNT, QUIET, TURN, LATEST, FIRST_NOTE] = [4, 5, 6, 7, 8, 9, 10, 12];
/** Words that an address takes. */
export const ADDRESS_SIZE = 16;
/** In the word with the prefix: the prefix alone, where the count of notes begins, and whether some note came late. */
export const [PREFIX_MASK, FILL_SHIFT, HAS_LATE] = [0xff, 8, 1 << 16];

/** Addresses that are looked at to find one that has been silent for long. */
const SAMPLE = 32;

/**
 * The addresses that are counted, each known by its place in one array of numbers. The array is taken once and fills up page by
 * page: a million addresses cost the garbage collector nothing. Behind the addresses there is room for something else.
 */
export class NoteAddresses {
  readonly words: Int32Array;
  readonly times: Float64Array;
  /** Where the room behind the addresses begins. */
  readonly end: number;
  readonly #capacity: number;
  /** First address of each bucket. There are as many buckets as addresses, or twice as many: what is small stays near. */
  #buckets = new Int32Array(1 << 10);
  /** Of all hashes, so that nobody can choose addresses that all lie in one bucket. */
  readonly #seed = seed();
  /** Addresses that were given back, as a chain; how many were ever taken. */
  #free = NONE;
  #taken = 0;
  #size = 0;
  #turn = 0;
  #random = 1;

  /** @param capacity addresses at most; @param behind words behind them */
  constructor(capacity: number, behind: number) {
    this.#capacity = capacity;
    this.end = (capacity + 1) * ADDRESS_SIZE;
    const words = this.end + behind;
    this.words = new Int32Array(words + words % 2);
    this.times = new Float64Array(this.words.buffer);
  }

  /** Addresses that are being counted. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#capacity;
  }

  /** How many places there are or were, to be walked by `placeOf()`. */
  get taken(): number {
    return this.#taken;
  }

  /** The place of the `number`th address, from 0; it may have been given back, and has no notes then. */
  placeOf(number: number): number {
    return (number + 1) * ADDRESS_SIZE;
  }

  /** Where an address is; `NONE` where it is not counted. */
  find(w0: number, w1: number, w2: number, w3: number, prefix: number): number {
    const { words } = this;
    let at = this.#buckets[this.#bucketOf(w0, w1, w2, w3)]!;
    while (at !== NONE && !this.isAt(at, w0, w1, w2, w3, prefix)) at = words[at + NEXT]!;
    return at;
  }

  /** Whether that address is the one at `at`. */
  isAt(at: number, w0: number, w1: number, w2: number, w3: number, prefix: number): boolean {
    const { words } = this;
    return words[at + 3] === w3 && words[at + 2] === w2 && words[at + 1] === w1 && words[at] === w0 &&
      (words[at + PREFIX]! & PREFIX_MASK) === prefix;
  }

  /** Takes in an address that is not there yet; there has to be room. It has no notes. */
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

  /** Gives back an address, whose chunks are gone. */
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

  /** Makes an address the one that was hit last. */
  touch(at: number): void {
    this.words[at + TURN] = this.#turn = this.#turn + 1 | 0;
  }

  /**
   * The address other than `but` that was hit longest ago, as far as a look at some of them tells; of those with chunks where
   * `hasChunk`. `NONE`: there is none. To keep all in their order would take longer at each hit than this does now and then.
   */
  oldest(but: number, hasChunk: boolean): number {
    let oldest = NONE;
    let longest = -1;
    const isAll = this.#taken <= SAMPLE;
    for (let i = 0; i < (isAll ? this.#taken : SAMPLE); i++) {
      const at = this.placeOf(isAll ? i : this.#pick());
      if (at === but || !this.#isEvictable(at, hasChunk)) continue;
      const silent = this.#turn - this.words[at + TURN]! >>> 0;
      if (silent > longest) {
        longest = silent;
        oldest = at;
      }
    }
    return oldest !== NONE || isAll ? oldest : this.#any(but, hasChunk);
  }

  /** Any address with what is wanted, from a random one on. */
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
      // What was given back has no such prefix.
      if ((words[at + PREFIX]! & PREFIX_MASK) === PREFIX_MASK) continue;
      const bucket = this.#bucketOf(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
      words[at + NEXT] = this.#buckets[bucket]!;
      this.#buckets[bucket] = at;
    }
  }

  #bucketOf(w0: number, w1: number, w2: number, w3: number): number {
    let hash = this.#seed;
    // All of IPv4 begins alike.
    if (w2 !== 0xffff || w1 !== 0 || w0 !== 0) {
      hash = mix(mix(hash, w0 >>> 16), w0 & 0xffff);
      hash = mix(mix(hash, w1 >>> 16), w1 & 0xffff);
      hash = mix(mix(hash, w2 >>> 16), w2 & 0xffff);
    }
    hash = mix(mix(hash, w3 >>> 16), w3 & 0xffff);
    return hash & (this.#buckets.length - 1);
  }
}
