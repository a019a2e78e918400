/**
 * Networks of one family as rows of numbers, collected and sorted. An IPv4 address takes 5 bytes
 * and an IPv6 address 17, so a million of them is no burden.
 */
import { grown } from "./bytes.ts";
import { ADDRESS_WORDS, maskOf } from "./address.ts";

/** Rows of one step: about a millisecond. */
const SLICE = 1 << 15;
/** Most rows that are sorted by comparison. */
const FEW = 1 << 9;
/** Rows allocated at first. */
const FIRST_ROOM = 8;

/** Networks of one family, a row for each: first address in words, and length of the prefix. */
export interface Rows {
  /** Words of an address: 1 of IPv4, 4 of IPv6. */
  readonly width: number;
  readonly words: Uint32Array;
  readonly lengths: Uint8Array;
}

/** Builds rows, one network after the other. */
export class RowBuilder {
  #words: Uint32Array<ArrayBuffer>;
  #lengths = new Uint8Array(FIRST_ROOM);
  #count = 0;

  constructor(readonly width: number) {
    this.#words = new Uint32Array(FIRST_ROOM * width);
  }

  add(words: ArrayLike<number>, length: number): void {
    const { width } = this;
    if (this.#count === this.#lengths.length) this.#grow();
    for (let i = 0; i < width; i++) {
      const word = words[ADDRESS_WORDS - width + i]!;
      this.#words[this.#count * width + i] = word & maskOf(length - 32 * i);
    }
    this.#lengths[this.#count++] = length;
  }

  rows(): Rows {
    const { width } = this;
    return {
      width,
      words: this.#words.subarray(0, width * this.#count),
      lengths: this.#lengths.subarray(0, this.#count),
    };
  }

  #grow(): void {
    const room = Math.ceil(this.#lengths.length * 1.5);
    this.#words = grown(this.#words, room * this.width);
    this.#lengths = grown(this.#lengths, room);
  }
}

/** Returns `rows` in ascending order without those that lie within another. */
export function* sorted(rows: Rows): Generator<void, Rows> {
  const order = new Uint32Array(rows.lengths.length);
  for (let row = 0; row < order.length; row++) order[row] = row;
  if (order.length <= FEW) return yield* outermost(rows, order.sort((a, b) => compare(rows, a, b)));
  return yield* outermost(rows, yield* radixSorted(rows, order));
}

/**
 * Sorts by digits of 16 bits, from the last one to the first; a digit that all rows share takes no
 * time. Loops are in functions of their own: V8 compiles the loops of a generator badly.
 */
function* radixSorted(rows: Rows, unsorted: Uint32Array): Generator<void, Uint32Array> {
  let [order, spare] = [unsorted, new Uint32Array(unsorted.length) as Uint32Array];
  const places = new Uint32Array(1 << 16);
  for (let digit = 2 * rows.width; digit >= 0; digit--) {
    places.fill(0);
    for (const slice of slices(order.length)) {
      countDigits(rows, { ...slice, order, digit, places });
      yield;
    }
    if (places[digitOf(rows, order[0]!, digit)] === order.length) continue;
    sumUp(places);
    for (const slice of slices(order.length)) {
      spread(rows, { ...slice, order, digit, places, spare });
      yield;
    }
    [order, spare] = [spare, order];
  }
  return order;
}

/** A step of a sort, which handles the rows `[from, to)` of `order`. */
interface Step {
  readonly order: Uint32Array;
  readonly from: number;
  readonly to: number;
  readonly digit: number;
  readonly places: Uint32Array;
}

function countDigits(rows: Rows, { order, from, to, digit, places }: Step): void {
  for (let i = from; i < to; i++) places[digitOf(rows, order[i]!, digit)]!++;
}

/** Turns the counts of each digit into the places of their first rows. */
function sumUp(places: Uint32Array): void {
  for (let digit = 0, sum = 0; digit < places.length; digit++) {
    const count = places[digit]!;
    places[digit] = sum;
    sum += count;
  }
}

function spread(rows: Rows, { order, from, to, digit, places, spare }: Step & { spare: Uint32Array }): void {
  for (let i = from; i < to; i++) spare[places[digitOf(rows, order[i]!, digit)]!++] = order[i]!;
}

/** Returns 16 bits of a row, digit 0 first; behind the address, the length of its prefix. */
function digitOf({ width, words, lengths }: Rows, row: number, digit: number): number {
  if (digit === 2 * width) return lengths[row]!;
  return words[row * width + (digit >> 1)]! >>> (digit % 2 === 0 ? 16 : 0) & 0xffff;
}

/** Copies rows in `order`. Of two networks with the same first address, the wider comes first. */
function* outermost(rows: Rows, order: Uint32Array): Generator<void, Rows> {
  const { width } = rows;
  const kept = { width, words: new Uint32Array(rows.words.length), lengths: new Uint8Array(order.length) };
  let count = 0;
  for (const { from, to } of slices(order.length)) {
    count = keep(rows, { kept, count, order, from, to });
    yield;
  }
  return { width, words: kept.words.slice(0, count * width), lengths: kept.lengths.slice(0, count) };
}

/** Adds rows to `kept` unless the last kept row covers them. Returns the new count. */
function keep(
  { width, words, lengths }: Rows,
  { kept, count, order, from, to }: Omit<Step, "digit" | "places"> & { kept: Rows; count: number },
): number {
  let end = count;
  for (let i = from; i < to; i++) {
    const row = order[i]!;
    const bits = end > 0 ? kept.lengths[end - 1]! : 0;
    if (end > 0 && agree(kept, end - 1, { words, from: row * width, bits })) continue;
    for (let word = 0; word < width; word++) kept.words[end * width + word] = words[row * width + word]!;
    kept.lengths[end++] = lengths[row]!;
  }
  return end;
}

function* slices(count: number): Generator<{ from: number; to: number }> {
  for (let from = 0; from < count; from += SLICE) yield { from, to: Math.min(from + SLICE, count) };
}

function compare({ width, words, lengths }: Rows, a: number, b: number): number {
  for (let i = 0; i < width; i++) {
    const difference = words[a * width + i]! - words[b * width + i]!;
    if (difference !== 0) return difference;
  }
  return lengths[a]! - lengths[b]!;
}

/** Reports whether a row shares its first `bits` bits with the address at `from`. */
export function agree(
  { width, words }: Rows,
  row: number,
  { words: others, from, bits }: { words: ArrayLike<number>; from: number; bits: number },
): boolean {
  for (let i = 0; i < width; i++) {
    if (((words[row * width + i]! ^ others[from + i]!) & maskOf(bits - 32 * i)) !== 0) return false;
  }
  return true;
}
