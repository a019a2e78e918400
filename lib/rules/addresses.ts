import { ADDRESS_WORDS, putAddress } from "../core/address.ts";
import { mix, seed } from "./hash.ts";

/** No address and no counter: all are numbered from 1, so that fresh memory needs no filling. */
export const NONE = 0;

/** An address: its words, the length of its prefix, the next of its bucket, its neighbours by latest hit, and its first counter. */
const [PREFIX, CHAIN, OLDER, NEWER, FIRST] = [4, 5, 6, 7, 8];
const ADDRESS_SIZE = 9;

/**
 * Addresses that are counted, in the order of their latest hits. Each is known by where it stands in one array of numbers, which is taken
 * once and fills up page by page.
 */
export class AddressTable {
  /** First address of each bucket of a hash table, which grows with their number: what is small stays near. */
  #buckets = new Int32Array(1 << 10);
  readonly #table: Int32Array;
  readonly #capacity: number;
  /** Of all hashes, so that nobody can choose addresses that all lie in one bucket. */
  readonly #seed = seed();
  readonly #words = new Int32Array(ADDRESS_WORDS);
  /** The address that was looked for last, and where it was found. */
  #text = "";
  #prefix = 0;
  #found = NONE;
  /** The first that was given back, and how many were ever taken. */
  #free = NONE;
  #taken = 0;
  #size = 0;

  /** @param capacity addresses at most */
  constructor(capacity: number) {
    this.#capacity = capacity;
    // Memory is taken when it is first touched.
    this.#table = new Int32Array((capacity + 1) * ADDRESS_SIZE);
  }

  /** Addresses that are being counted. */
  get size(): number {
    return this.#size;
  }

  /** Whether one more has no room. */
  get isFull(): boolean {
    return this.#size >= this.#capacity;
  }

  /** The address whose latest hit came first; `NONE` where there are no addresses. */
  get oldest(): number {
    return this.#table[NEWER]!;
  }

  /** The one whose latest hit came next after that of the one at `at`; `NONE` where that was the last. */
  newerThan(at: number): number {
    return this.#table[at + NEWER]!;
  }

  /** The first counter of an address; `NONE` where it has none. */
  firstOf(at: number): number {
    return this.#table[at + FIRST]!;
  }

  setFirst(at: number, counter: number): void {
    this.#table[at + FIRST] = counter;
  }

  /** Where an address is; `NONE` where it is not counted, and its words are left for `add()`. */
  find(address: string): number {
    if (address === this.#text) return this.#found;
    const words = this.#words;
    const prefix = putAddress(address, words);
    const table = this.#table;
    let at = this.#buckets[this.#bucketOf(words, 0)]!;
    while (
      at !== NONE && !(table[at] === words[0] && table[at + 1] === words[1] &&
        table[at + 2] === words[2] && table[at + 3] === words[3] && table[at + PREFIX] === prefix)
    ) at = table[at + CHAIN]!;
    this.#text = address;
    this.#found = at;
    this.#prefix = prefix;
    return at;
  }

  /** Takes in the address that was looked for last, which must not be there yet; there has to be room. */
  add(): number {
    if (this.#size >= this.#buckets.length) this.#growBuckets();
    const table = this.#table;
    const at = this.#free === NONE ? ++this.#taken * ADDRESS_SIZE : this.#free;
    if (at === this.#free) this.#free = table[at + CHAIN]!;
    table.set(this.#words, at);
    table[at + PREFIX] = this.#prefix;
    const bucket = this.#bucketOf(this.#words, 0);
    table[at + CHAIN] = this.#buckets[bucket]!;
    this.#buckets[bucket] = at;
    table[at + OLDER] = table[at + NEWER] = at;
    table[at + FIRST] = NONE;
    this.#size++;
    this.#found = at;
    return at;
  }

  /** Gives back an address, whose counters are gone. */
  drop(at: number): void {
    const table = this.#table;
    this.#unlink(at);
    const bucket = this.#bucketOf(table, at);
    let before = this.#buckets[bucket]!;
    if (before === at) this.#buckets[bucket] = table[at + CHAIN]!;
    else {
      while (table[before + CHAIN] !== at) before = table[before + CHAIN]!;
      table[before + CHAIN] = table[at + CHAIN]!;
    }
    table[at + CHAIN] = this.#free;
    this.#free = at;
    this.#size--;
    this.#text = "";
  }

  /** Makes an address the one that was hit last. */
  touch(at: number): void {
    const table = this.#table;
    const last = table[OLDER]!;
    if (last === at) return;
    this.#unlink(at);
    table[at + OLDER] = last;
    table[at + NEWER] = NONE;
    table[last + NEWER] = at;
    table[OLDER] = at;
  }

  #unlink(at: number): void {
    const table = this.#table;
    const older = table[at + OLDER]!;
    const newer = table[at + NEWER]!;
    table[older + NEWER] = newer;
    table[newer + OLDER] = older;
  }

  #growBuckets(): void {
    const table = this.#table;
    this.#buckets = new Int32Array(4 * this.#buckets.length);
    for (let at = table[NEWER]!; at !== NONE; at = table[at + NEWER]!) {
      const bucket = this.#bucketOf(table, at);
      table[at + CHAIN] = this.#buckets[bucket]!;
      this.#buckets[bucket] = at;
    }
  }

  #bucketOf(words: Int32Array, at: number): number {
    let hash = this.#seed;
    // All of IPv4 begins alike.
    const isIPv4 = words[at + 2] === 0xffff && words[at + 1] === 0 && words[at] === 0;
    for (let i = isIPv4 ? at + 3 : at; i < at + ADDRESS_WORDS; i++) {
      hash = mix(mix(hash, words[i]! >>> 16), words[i]! & 0xffff);
    }
    return hash & (this.#buckets.length - 1);
  }
}
