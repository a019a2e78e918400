import { ADDRESS_WORDS, putAddress } from "../ip.ts";
import type { Micros } from "../types.ts";

/** An event that hits a rule, as it is counted. */
export interface Counted {
  readonly address: string;
  readonly time: Micros;
  /** What a rule with `distinct` counts, shortened; null for others. */
  readonly value: string | null;
}

/** What bounds the counting by one rule. */
export interface Bounds {
  /** Hits allowed within the span. */
  readonly limit: number;
  /** Length of the window; null: hits never grow old. */
  readonly span: Micros | null;
}

/** What may be kept. With all that is known of addresses, unless told otherwise, it takes some 80 MiB. */
export interface Room {
  /** Addresses at most. */
  readonly addresses: number;
  /** Bytes of counters and hits for each of them on average: a counter takes 16, and so does a hit. */
  readonly bytes: number;
}

const ROOM: Room = { addresses: 1 << 20, bytes: 40 };
/** No address, no counter, no hit: all are numbered from 1, so that fresh memory needs no filling. */
const NONE = 0;

/** An address: its words, the length of its prefix, the next of its bucket, its neighbours by latest hit, and its first counter. */
const [PREFIX, CHAIN, OLDER, NEWER, FIRST] = [4, 5, 6, 7, 8];
const ADDRESS_SIZE = 9;
/** A counter: its rule, the address's next counter, its newest hit, and how many there are. */
const [RULE, NEXT, NEWEST, COUNT] = [0, 1, 2, 3];
const COUNTER_SIZE = 4;
/** A hit: its time in the first 64 bits, then the next one, and a hash of its value. The newest is followed by the oldest. */
const [FOLLOWING, VALUE] = [2, 3];
const HIT_SIZE = 4;
const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;

/**
 * Counts hits per address and rule over a span of the hits' own time; rules are known by their numbers. Of a hit that has a value,
 * each value counts once, from when it last came. Where there is no more room, the address whose latest hit came first is forgotten.
 *
 * All of it lies in a few arrays of numbers that are taken once and fill up page by page, what belongs together side by side: a
 * million addresses cost the garbage collector nothing, and a hit few looks at distant memory.
 */
export class Counters {
  readonly #bounds: readonly Bounds[];
  readonly #shortest: Micros;
  readonly #capacity: number;
  /** First address of each bucket of a hash table, which grows with their number: what is small stays near. */
  #buckets = new Int32Array(1 << 10);
  readonly #addresses: Int32Array;
  readonly #counters: Int32Array;
  readonly #hits: Int32Array;
  readonly #times: Float64Array;
  /** Of all hashes, so that nobody can choose values that count as one, or addresses that all lie in one bucket. */
  readonly #seed = crypto.getRandomValues(new Int32Array(1))[0]!;
  readonly #words = new Int32Array(ADDRESS_WORDS);
  /** The address that was looked for last, and where it was found. */
  #text = "";
  #prefix = 0;
  #found = NONE;
  /** The first that was given back, and how many were ever taken. */
  readonly #free = { address: NONE, counter: NONE, hit: NONE };
  readonly #taken = { address: 0, counter: 0, hit: 0 };
  /** Words that neither a counter nor a hit has ever taken. */
  #left: number;
  #size = 0;
  #forgotten = 0;

  /** @param bounds those of each rule */
  constructor(bounds: readonly Bounds[], { addresses, bytes }: Room = ROOM) {
    this.#bounds = bounds;
    this.#shortest = Math.min(...bounds.map(({ span }) => span ?? Infinity));
    this.#capacity = addresses;
    this.#left = Math.floor(addresses * bytes / WORD_BYTES);
    this.#addresses = numbers((addresses + 1) * ADDRESS_SIZE);
    // Memory is taken when it is first touched, so whichever of the two needs more can have it.
    this.#counters = numbers(this.#left + COUNTER_SIZE);
    this.#hits = numbers((this.#left & ~1) + HIT_SIZE);
    this.#times = new Float64Array(this.#hits.buffer);
  }

  /** Addresses that are being counted. */
  get size(): number {
    return this.#size;
  }

  /** Addresses that were forgotten before their time, as there was no room for them. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Whether a hit changes nothing, as its value has been counted already. */
  knows(rule: number, { address, time, value }: Counted): boolean {
    if (value === null) return false;
    const counter = this.#counterOf(this.#find(address), rule);
    const hit = counter === NONE ? NONE : this.#hitOf(counter, this.#hash(value));
    return hit !== NONE && this.#timeOf(hit) > this.#from(rule, time);
  }

  /**
   * Counts a hit. Returns how many fell into the window when they passed the limit, which is `lenience` times as high, and counts
   * the address from nothing again; otherwise 0. A hit older than ones before it counts with those less than a span later.
   */
  hit(rule: number, counted: Counted, lenience: (address: string, time: Micros) => number = once): number {
    const counter = this.#count(rule, counted);
    const { limit, span } = this.#bounds[rule]!;
    const { address, time } = counted;
    if (this.#counters[counter + COUNT]! <= limit) return 0;
    const count = this.#countBefore(counter, span === null ? Infinity : time + span);
    if (count <= limit || count <= limit * lenience(address, time)) return 0;
    this.reset(rule, address);
    return count;
  }

  /** Counts a hit of which it is known already that it passed no limit. */
  add(rule: number, counted: Counted): void {
    this.#count(rule, counted);
  }

  /** Counts an address by one rule from nothing again. */
  reset(rule: number, address: string): void {
    const at = this.#find(address);
    const counter = this.#counterOf(at, rule);
    if (counter === NONE) return;
    this.#dropCounter(at, counter);
    if (this.#addresses[at + FIRST] === NONE) this.#drop(at);
  }

  /** Counts an address by every rule from nothing again. */
  forget(address: string): void {
    const at = this.#find(address);
    if (at !== NONE) this.#drop(at);
  }

  /** Gives back the room of counters without a hit in their windows that end at `now`. */
  sweep(now: Micros): void {
    for (let at = this.#addresses[NEWER]!; at !== NONE;) {
      const next = this.#addresses[at + NEWER]!;
      // All that come after this one came later; what was dated before it goes with a later look.
      if (this.#sweepCounters(at, now) > now - this.#shortest) return;
      if (this.#addresses[at + FIRST] === NONE) this.#drop(at);
      at = next;
    }
  }

  /** Drops the counters of an address that are silent; returns when it was hit last. */
  #sweepCounters(at: number, now: Micros): Micros {
    let latest = -Infinity;
    for (let counter = this.#addresses[at + FIRST]!; counter !== NONE;) {
      const next = this.#counters[counter + NEXT]!;
      const time = this.#timeOf(this.#counters[counter + NEWEST]!);
      latest = Math.max(latest, time);
      if (time <= this.#from(this.#counters[counter + RULE]!, now)) this.#dropCounter(at, counter);
      counter = next;
    }
    return latest;
  }

  /** Counts a hit without asking what comes of it; returns its counter. */
  #count(rule: number, { address, time, value }: Counted): number {
    const found = this.#find(address);
    const at = found === NONE ? this.#makeAddress() : found;
    this.#touch(at);
    const known = this.#counterOf(at, rule);
    const counter = known === NONE ? this.#makeCounter(at, rule) : known;
    this.#dropOld(counter, this.#from(rule, time));
    if (value === null) this.#insert(counter, time, 0);
    else this.#insertValue(counter, time, this.#hash(value));
    return counter;
  }

  #insertValue(counter: number, time: Micros, hash: number): void {
    const known = this.#hitOf(counter, hash);
    const latest = known === NONE ? time : Math.max(time, this.#timeOf(known));
    if (known !== NONE) this.#dropHit(counter, known);
    this.#insert(counter, latest, hash);
  }

  /** A hit at this time or before is too old for a window that ends at `time`. */
  #from(rule: number, time: Micros): Micros {
    const { span } = this.#bounds[rule]!;
    return span === null ? -Infinity : time - span;
  }

  #timeOf(hit: number): Micros {
    return this.#times[hit >> 1]!;
  }

  /** Where an address is; `NONE` where it is not counted, and its words are left for `#makeAddress()`. */
  #find(address: string): number {
    if (address === this.#text) return this.#found;
    const words = this.#words;
    const prefix = putAddress(address, words);
    const addresses = this.#addresses;
    let at = this.#buckets[this.#bucketOf(words, 0)]!;
    while (
      at !== NONE && !(addresses[at] === words[0] && addresses[at + 1] === words[1] &&
        addresses[at + 2] === words[2] && addresses[at + 3] === words[3] && addresses[at + PREFIX] === prefix)
    ) at = addresses[at + CHAIN]!;
    this.#text = address;
    this.#found = at;
    this.#prefix = prefix;
    return at;
  }

  /** Takes in the address that was looked for last. */
  #makeAddress(): number {
    if (this.#size >= this.#capacity) this.#forgetOldest();
    if (this.#size >= this.#buckets.length) this.#growBuckets();
    const addresses = this.#addresses;
    const at = this.#free.address === NONE ? ++this.#taken.address * ADDRESS_SIZE : this.#free.address;
    if (at === this.#free.address) this.#free.address = addresses[at + CHAIN]!;
    addresses.set(this.#words, at);
    addresses[at + PREFIX] = this.#prefix;
    const bucket = this.#bucketOf(this.#words, 0);
    addresses[at + CHAIN] = this.#buckets[bucket]!;
    this.#buckets[bucket] = at;
    addresses[at + OLDER] = addresses[at + NEWER] = at;
    addresses[at + FIRST] = NONE;
    this.#size++;
    this.#found = at;
    return at;
  }

  #growBuckets(): void {
    const addresses = this.#addresses;
    this.#buckets = new Int32Array(4 * this.#buckets.length);
    for (let at = addresses[NEWER]!; at !== NONE; at = addresses[at + NEWER]!) {
      const bucket = this.#bucketOf(addresses, at);
      addresses[at + CHAIN] = this.#buckets[bucket]!;
      this.#buckets[bucket] = at;
    }
  }

  #forgetOldest(): void {
    this.#forgotten++;
    const text = this.#text;
    this.#drop(this.#addresses[NEWER]!);
    this.#text = text;
  }

  #drop(at: number): void {
    const addresses = this.#addresses;
    while (addresses[at + FIRST] !== NONE) this.#dropCounter(at, addresses[at + FIRST]!);
    this.#unlink(at);
    const bucket = this.#bucketOf(addresses, at);
    let before = this.#buckets[bucket]!;
    if (before === at) this.#buckets[bucket] = addresses[at + CHAIN]!;
    else {
      while (addresses[before + CHAIN] !== at) before = addresses[before + CHAIN]!;
      addresses[before + CHAIN] = addresses[at + CHAIN]!;
    }
    addresses[at + CHAIN] = this.#free.address;
    this.#free.address = at;
    this.#size--;
    this.#text = "";
  }

  /** Makes an address the one that was hit last. */
  #touch(at: number): void {
    const addresses = this.#addresses;
    const last = addresses[OLDER]!;
    if (last === at) return;
    this.#unlink(at);
    addresses[at + OLDER] = last;
    addresses[at + NEWER] = NONE;
    addresses[last + NEWER] = at;
    addresses[OLDER] = at;
  }

  #unlink(at: number): void {
    const addresses = this.#addresses;
    const older = addresses[at + OLDER]!;
    const newer = addresses[at + NEWER]!;
    addresses[older + NEWER] = newer;
    addresses[newer + OLDER] = older;
  }

  /** The counter of an address by a rule; `NONE` where there is none. */
  #counterOf(at: number, rule: number): number {
    if (at === NONE) return NONE;
    const counters = this.#counters;
    let counter = this.#addresses[at + FIRST]!;
    while (counter !== NONE && counters[counter + RULE] !== rule) counter = counters[counter + NEXT]!;
    return counter;
  }

  #makeCounter(at: number, rule: number): number {
    while (this.#free.counter === NONE && this.#left < COUNTER_SIZE) this.#makeRoom(at);
    const counters = this.#counters;
    let counter = this.#free.counter;
    if (counter === NONE) {
      counter = ++this.#taken.counter * COUNTER_SIZE;
      this.#left -= COUNTER_SIZE;
    } else this.#free.counter = counters[counter + NEXT]!;
    counters[counter + RULE] = rule;
    counters[counter + NEXT] = this.#addresses[at + FIRST]!;
    this.#addresses[at + FIRST] = counter;
    counters[counter + NEWEST] = NONE;
    counters[counter + COUNT] = 0;
    return counter;
  }

  /** Forgets the address whose latest hit came first, or where that is the one at `at`, its last counter but the newest. */
  #makeRoom(at: number): void {
    if (this.#addresses[NEWER] !== at) return this.#forgetOldest();
    let counter = this.#addresses[at + FIRST]!;
    while (this.#counters[counter + NEXT] !== NONE) counter = this.#counters[counter + NEXT]!;
    this.#dropCounter(at, counter);
  }

  #dropCounter(at: number, counter: number): void {
    const counters = this.#counters;
    let before = this.#addresses[at + FIRST]!;
    if (before === counter) this.#addresses[at + FIRST] = counters[counter + NEXT]!;
    else {
      while (counters[before + NEXT] !== counter) before = counters[before + NEXT]!;
      counters[before + NEXT] = counters[counter + NEXT]!;
    }
    const newest = counters[counter + NEWEST]!;
    if (newest !== NONE) {
      const oldest = this.#hits[newest + FOLLOWING]!;
      this.#hits[newest + FOLLOWING] = this.#free.hit;
      this.#free.hit = oldest;
    }
    counters[counter + NEXT] = this.#free.counter;
    this.#free.counter = counter;
  }

  /**
   * Room for a hit of `counter`, which is of the address hit last. Where none is left, the address whose latest hit came first is
   * forgotten; where there is only this one, the counter's oldest hit, or where it has none, another counter.
   */
  #takeHit(counter: number): number {
    while (this.#free.hit === NONE && this.#left < HIT_SIZE) {
      const last = this.#addresses[OLDER]!;
      if (this.#addresses[NEWER] !== last) this.#forgetOldest();
      else if (this.#counters[counter + COUNT]! > 0) {
        this.#dropHit(counter, this.#hits[this.#counters[counter + NEWEST]! + FOLLOWING]!);
      } else {
        const first = this.#addresses[last + FIRST]!;
        this.#dropCounter(last, first === counter ? this.#counters[first + NEXT]! : first);
      }
    }
    if (this.#free.hit === NONE) {
      this.#left -= HIT_SIZE;
      return ++this.#taken.hit * HIT_SIZE;
    }
    const hit = this.#free.hit;
    this.#free.hit = this.#hits[hit + FOLLOWING]!;
    return hit;
  }

  /** Puts a hit where its time belongs. */
  #insert(counter: number, time: Micros, hash: number): void {
    const hit = this.#takeHit(counter);
    const hits = this.#hits;
    this.#times[hit >> 1] = time;
    hits[hit + VALUE] = hash;
    this.#counters[counter + COUNT]!++;
    const newest = this.#counters[counter + NEWEST]!;
    if (newest === NONE) {
      this.#counters[counter + NEWEST] = hits[hit + FOLLOWING] = hit;
      return;
    }
    let before = newest;
    if (this.#timeOf(newest) <= time) this.#counters[counter + NEWEST] = hit;
    else while (this.#timeOf(hits[before + FOLLOWING]!) <= time) before = hits[before + FOLLOWING]!;
    hits[hit + FOLLOWING] = hits[before + FOLLOWING]!;
    hits[before + FOLLOWING] = hit;
  }

  /** Drops the hits of a counter that came at `from` or before. */
  #dropOld(counter: number, from: Micros): void {
    while (this.#counters[counter + COUNT]! > 0) {
      const oldest = this.#hits[this.#counters[counter + NEWEST]! + FOLLOWING]!;
      if (this.#timeOf(oldest) > from) return;
      this.#dropHit(counter, oldest);
    }
  }

  #dropHit(counter: number, hit: number): void {
    const hits = this.#hits;
    const newest = this.#counters[counter + NEWEST]!;
    let before = newest;
    while (hits[before + FOLLOWING] !== hit) before = hits[before + FOLLOWING]!;
    hits[before + FOLLOWING] = hits[hit + FOLLOWING]!;
    if (newest === hit) this.#counters[counter + NEWEST] = before === hit ? NONE : before;
    hits[hit + FOLLOWING] = this.#free.hit;
    this.#free.hit = hit;
    this.#counters[counter + COUNT]!--;
  }

  /** The hit of a value; `NONE` where the counter has no such. */
  #hitOf(counter: number, hash: number): number {
    const hits = this.#hits;
    let hit = this.#counters[counter + NEWEST]!;
    for (let left = this.#counters[counter + COUNT]!; left > 0; left--) {
      if (hits[hit + VALUE] === hash) return hit;
      hit = hits[hit + FOLLOWING]!;
    }
    return NONE;
  }

  #countBefore(counter: number, to: Micros): number {
    const newest = this.#counters[counter + NEWEST]!;
    if (this.#timeOf(newest) < to) return this.#counters[counter + COUNT]!;
    let count = 0;
    for (
      let hit = this.#hits[newest + FOLLOWING]!;
      this.#timeOf(hit) < to;
      hit = this.#hits[hit + FOLLOWING]!
    ) {
      count++;
    }
    return count;
  }

  #hash(value: string): number {
    let hash = this.#seed;
    for (let i = 0; i < value.length; i++) hash = mix(hash, value.charCodeAt(i));
    return hash;
  }

  #bucketOf(words: Int32Array, at: number): number {
    let hash = this.#seed;
    for (let i = at; i < at + ADDRESS_WORDS; i++) hash = mix(mix(hash, words[i]! >>> 16), words[i]! & 0xffff);
    return hash & (this.#buckets.length - 1);
  }
}

/**
 * One step of a hash: MurmurHash2's factor, and the upper half folded in. It takes 16 bits, as what the highest of 32 change is
 * the same for all seeds.
 */
function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x5bd1e995);
  return product ^ product >>> 15;
}

/** So many numbers, in memory that V8 does not take for its own: so much more of that makes it look for garbage at once. */
function numbers(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * WORD_BYTES));
}

function once(): number {
  return 1;
}
