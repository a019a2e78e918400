import type { Micros } from "../core/time.ts";
import { AddressTable, NONE } from "./addresses.ts";
import { mix, seed } from "./hash.ts";

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

/** A hit in the making: its time, and a hash of its value; 0 where it has none. */
interface Hit {
  readonly time: Micros;
  readonly hash: number;
}

/** What may be kept. With all that is known of addresses, unless told otherwise, it takes some 80 MiB. */
export interface Room {
  /** Addresses at most. */
  readonly addresses: number;
  /** Bytes of hits for each of them on average: each takes 32, and what there is to count by a rule lies with its newest hit. */
  readonly bytes: number;
}

const ROOM: Room = { addresses: 1 << 20, bytes: 40 };
/** Where there is nothing to count by. */
const NOTHING: Room = { addresses: 0, bytes: 0 };
/**
 * A cell holds a hit: its time in the first 64 bits, a hash of its value, and the next newer hit. Where it is the newest by a rule it
 * is the counter as well: the rule, the address's next counter, how many hits there are, and the one before the newest, which is
 * followed by the oldest. Most counters have had one hit alone, and take no looking elsewhere.
 */
const [VALUE, FOLLOWING, RULE, NEXT, COUNT, BEFORE] = [2, 3, 4, 5, 6, 7];
const CELL_SIZE = 8;
const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;

/**
 * Counts hits per address and rule over a span of the hits' own time; rules are known by their numbers. Of a hit that has a value,
 * each value counts once, from when it last came. Where there is no more room, the address whose latest hit came first is forgotten.
 *
 * All of it lies in a few arrays of numbers that are taken once and fill up page by page, what belongs together side by side: a
 * million addresses cost the garbage collector nothing, and a hit few looks at distant memory.
 */
export class Counters {
  readonly #limits: Float64Array;
  /** Lengths of windows; Infinity where hits never grow old. */
  readonly #spans: Float64Array;
  readonly #shortest: Micros;
  readonly #addresses: AddressTable;
  readonly #cells: Int32Array;
  readonly #times: Float64Array;
  /** Of all hashes, so that nobody can choose values that count as one. */
  readonly #seed = seed();
  /** The value that was hashed last. */
  #value = "";
  #hashed: number;
  /** The first cell that was given back, how many were ever taken, and how many never. */
  #free = NONE;
  #taken = 0;
  #left: number;
  #forgotten = 0;

  /** @param bounds those of each rule */
  constructor(bounds: readonly Bounds[], room: Room = ROOM) {
    const { addresses, bytes } = bounds.length > 0 ? room : NOTHING;
    this.#limits = Float64Array.from(bounds, ({ limit }) => limit);
    this.#spans = Float64Array.from(bounds, ({ span }) => span ?? Infinity);
    this.#shortest = Math.min(...this.#spans);
    this.#hashed = this.#seed;
    // A hit has room beside its counter in any case.
    this.#left = Math.max(2, Math.floor(addresses * bytes / (CELL_SIZE * WORD_BYTES)));
    this.#addresses = new AddressTable(addresses);
    this.#cells = new Int32Array((this.#left + 1) * CELL_SIZE);
    this.#times = new Float64Array(this.#cells.buffer);
  }

  /** Addresses that are being counted. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Addresses that were forgotten before their time, as there was no room for them. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Whether a hit changes nothing, as its value has been counted already. */
  knows(rule: number, { address, time, value }: Counted): boolean {
    if (value === null) return false;
    const counter = this.#counterOf(this.#addresses.find(address), rule);
    const hit = counter === NONE ? NONE : this.#hitOf(counter, this.#hash(value));
    return hit !== NONE && this.#timeOf(hit) > time - this.#spans[rule]!;
  }

  /**
   * Counts a hit. Returns how many fell into the window when they passed the limit, which is `lenience` times as high, and counts
   * the address from nothing again; otherwise 0. A hit older than ones before it counts with those less than a span later.
   */
  hit(rule: number, counted: Counted, lenience: (address: string, time: Micros) => number = once): number {
    const counter = this.#count(rule, counted);
    const limit = this.#limits[rule]!;
    if (this.#cells[counter + COUNT]! <= limit) return 0;
    const { address, time } = counted;
    const count = this.#countBefore(counter, time + this.#spans[rule]!);
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
    const at = this.#addresses.find(address);
    const counter = this.#counterOf(at, rule);
    if (counter === NONE) return;
    this.#dropCounter(at, counter);
    if (this.#addresses.firstOf(at) === NONE) this.#drop(at);
  }

  /** Counts an address by every rule from nothing again. */
  forget(address: string): void {
    const at = this.#addresses.find(address);
    if (at !== NONE) this.#drop(at);
  }

  /** Gives back the room of counters without a hit in their windows that end at `now`. */
  sweep(now: Micros): void {
    for (let at = this.#addresses.oldest; at !== NONE;) {
      const next = this.#addresses.newerThan(at);
      // All that come after this one came later; what was dated before it goes with a later look.
      if (this.#sweepCounters(at, now) > now - this.#shortest) return;
      if (this.#addresses.firstOf(at) === NONE) this.#drop(at);
      at = next;
    }
  }

  /** Drops the counters of an address that are silent; returns when it was hit last. */
  #sweepCounters(at: number, now: Micros): Micros {
    let latest = -Infinity;
    for (let counter = this.#addresses.firstOf(at); counter !== NONE;) {
      const next = this.#cells[counter + NEXT]!;
      const time = this.#timeOf(counter);
      latest = Math.max(latest, time);
      if (time <= now - this.#spans[this.#cells[counter + RULE]!]!) this.#dropCounter(at, counter);
      counter = next;
    }
    return latest;
  }

  /** Counts a hit without asking what comes of it; returns its counter. */
  #count(rule: number, { address, time, value }: Counted): number {
    const found = this.#addresses.find(address);
    if (found === NONE && this.#addresses.isFull) this.#forgetOldest();
    const at = found === NONE ? this.#addresses.add() : found;
    this.#addresses.touch(at);
    const known = this.#counterOf(at, rule);
    const counter = known === NONE ? this.#makeCounter(at, rule) : known;
    const hash = value === null ? 0 : this.#hash(value);
    const from = time - this.#spans[rule]!;
    // A hit at that time or before is too old.
    if (known === NONE || this.#timeOf(counter) <= from) {
      if (this.#cells[counter + BEFORE] !== NONE) this.#dropEarlier(counter);
      this.#begin(counter, time, hash);
      return counter;
    }
    if (this.#cells[counter + BEFORE] !== NONE) this.#dropOld(counter, from);
    if (value === null) this.#insert(at, counter, { time, hash });
    else this.#insertValue(at, counter, { time, hash });
    return counter;
  }

  #insertValue(at: number, counter: number, { time, hash }: Hit): void {
    const known = this.#hitOf(counter, hash);
    if (known === counter) {
      this.#times[counter >> 1] = Math.max(time, this.#timeOf(counter));
      return;
    }
    const latest = known === NONE ? time : Math.max(time, this.#timeOf(known));
    if (known !== NONE) this.#dropHit(counter, known);
    this.#insert(at, counter, { time: latest, hash });
  }

  #timeOf(cell: number): Micros {
    return this.#times[cell >> 1]!;
  }

  #forgetOldest(): void {
    this.#forgotten++;
    this.#drop(this.#addresses.oldest);
  }

  #drop(at: number): void {
    for (let first = this.#addresses.firstOf(at); first !== NONE; first = this.#addresses.firstOf(at)) {
      this.#dropCounter(at, first);
    }
    this.#addresses.drop(at);
  }

  /** The counter of an address by a rule; `NONE` where there is none. */
  #counterOf(at: number, rule: number): number {
    if (at === NONE) return NONE;
    const cells = this.#cells;
    let counter = this.#addresses.firstOf(at);
    while (counter !== NONE && cells[counter + RULE] !== rule) counter = cells[counter + NEXT]!;
    return counter;
  }

  /** A counter that has no hits yet, of the address hit last. */
  #makeCounter(at: number, rule: number): number {
    const counter = this.#takeCell(at, NONE);
    const cells = this.#cells;
    cells[counter + RULE] = rule;
    cells[counter + NEXT] = this.#addresses.firstOf(at);
    cells[counter + BEFORE] = NONE;
    this.#addresses.setFirst(at, counter);
    return counter;
  }

  /** A cell for the address at `at`, which was hit last; `counter` is where it goes, `NONE` where it will be one itself. */
  #takeCell(at: number, counter: number): number {
    while (this.#free === NONE && this.#left === 0) this.#makeRoom(at, counter);
    const cell = this.#free;
    if (cell === NONE) {
      this.#left--;
      return ++this.#taken * CELL_SIZE;
    }
    this.#free = this.#cells[cell + FOLLOWING]!;
    return cell;
  }

  /**
   * Forgets the address whose latest hit came first. Where that is the one at `at`: the oldest hit of `counter`, or its oldest
   * counter but for that one.
   */
  #makeRoom(at: number, counter: number): void {
    if (this.#addresses.oldest !== at) return this.#forgetOldest();
    if (counter !== NONE && this.#cells[counter + BEFORE] !== NONE) {
      return this.#dropHit(counter, this.#cells[this.#cells[counter + BEFORE]! + FOLLOWING]!);
    }
    let last = NONE;
    for (let one = this.#addresses.firstOf(at); one !== NONE; one = this.#cells[one + NEXT]!) {
      if (one !== counter) last = one;
    }
    this.#dropCounter(at, last);
  }

  #dropCounter(at: number, counter: number): void {
    const cells = this.#cells;
    let before = this.#addresses.firstOf(at);
    if (before === counter) this.#addresses.setFirst(at, cells[counter + NEXT]!);
    else {
      while (cells[before + NEXT] !== counter) before = cells[before + NEXT]!;
      cells[before + NEXT] = cells[counter + NEXT]!;
    }
    this.#dropEarlier(counter);
    this.#giveBack(counter);
  }

  /** Makes a hit the only one of a counter that has none before its newest. */
  #begin(counter: number, time: Micros, hash: number): void {
    this.#times[counter >> 1] = time;
    this.#cells[counter + VALUE] = hash;
    this.#cells[counter + COUNT] = 1;
  }

  /** Puts a hit where its time belongs. */
  #insert(at: number, counter: number, { time, hash }: Hit): void {
    const hit = this.#takeCell(at, counter);
    const [cells, times] = [this.#cells, this.#times];
    cells[counter + COUNT]!++;
    if (time >= times[counter >> 1]!) {
      // The newest so far moves.
      times[hit >> 1] = times[counter >> 1]!;
      cells[hit + VALUE] = cells[counter + VALUE]!;
      times[counter >> 1] = time;
      cells[counter + VALUE] = hash;
    } else {
      times[hit >> 1] = time;
      cells[hit + VALUE] = hash;
    }
    this.#link(counter, hit);
  }

  /** Takes a hit in among those before the newest. */
  #link(counter: number, hit: number): void {
    const cells = this.#cells;
    let before = cells[counter + BEFORE]!;
    if (before === NONE) {
      cells[counter + BEFORE] = cells[hit + FOLLOWING] = hit;
      return;
    }
    const time = this.#timeOf(hit);
    if (this.#timeOf(before) <= time) cells[counter + BEFORE] = hit;
    else while (this.#timeOf(cells[before + FOLLOWING]!) <= time) before = cells[before + FOLLOWING]!;
    cells[hit + FOLLOWING] = cells[before + FOLLOWING]!;
    cells[before + FOLLOWING] = hit;
  }

  /** Drops the hits before the newest that came at `from` or before. */
  #dropOld(counter: number, from: Micros): void {
    const cells = this.#cells;
    while (cells[counter + BEFORE] !== NONE) {
      const oldest = cells[cells[counter + BEFORE]! + FOLLOWING]!;
      if (this.#timeOf(oldest) > from) return;
      this.#dropHit(counter, oldest);
    }
  }

  /** Drops all hits but the newest. */
  #dropEarlier(counter: number): void {
    const cells = this.#cells;
    const before = cells[counter + BEFORE]!;
    if (before === NONE) return;
    const oldest = cells[before + FOLLOWING]!;
    cells[before + FOLLOWING] = this.#free;
    this.#free = oldest;
    cells[counter + BEFORE] = NONE;
  }

  /** Drops a hit that is not the newest. */
  #dropHit(counter: number, hit: number): void {
    const cells = this.#cells;
    const newest = cells[counter + BEFORE]!;
    let before = newest;
    while (cells[before + FOLLOWING] !== hit) before = cells[before + FOLLOWING]!;
    cells[before + FOLLOWING] = cells[hit + FOLLOWING]!;
    if (newest === hit) cells[counter + BEFORE] = before === hit ? NONE : before;
    cells[counter + COUNT]!--;
    this.#giveBack(hit);
  }

  #giveBack(cell: number): void {
    this.#cells[cell + FOLLOWING] = this.#free;
    this.#free = cell;
  }

  /** The hit of a value; `NONE` where the counter has no such. */
  #hitOf(counter: number, hash: number): number {
    const cells = this.#cells;
    if (cells[counter + VALUE] === hash) return counter;
    let hit = cells[counter + BEFORE]!;
    for (let left = cells[counter + COUNT]! - 1; left > 0; left--) {
      if (cells[hit + VALUE] === hash) return hit;
      hit = cells[hit + FOLLOWING]!;
    }
    return NONE;
  }

  #countBefore(counter: number, to: Micros): number {
    const cells = this.#cells;
    if (this.#timeOf(counter) < to) return cells[counter + COUNT]!;
    const before = cells[counter + BEFORE]!;
    if (this.#timeOf(before) < to) return cells[counter + COUNT]! - 1;
    let count = 0;
    for (let hit = cells[before + FOLLOWING]!; this.#timeOf(hit) < to; hit = cells[hit + FOLLOWING]!) count++;
    return count;
  }

  #hash(value: string): number {
    if (value === this.#value) return this.#hashed;
    let hash = this.#seed;
    for (let i = 0; i < value.length; i++) hash = mix(hash, value.charCodeAt(i));
    this.#value = value;
    return this.#hashed = hash;
  }
}

function once(): number {
  return 1;
}
