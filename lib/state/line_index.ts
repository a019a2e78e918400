/**
 * Index of lines by address: a Bloom filter for each chapter of the log, so that a search reads
 * only possible chapters. In: addresses of recorded lines. Out: a row of `log_index` for each
 * chapter, at most 2 bytes per line.
 */
import { mix } from "../rules/hash.ts";
import type { Database } from "./database.ts";
import type { RecordedLine } from "./log_lines.ts";

/** Lines of a chapter; a chapter ends with a batch. */
const CHAPTER = 1 << 15;
/** Bits of an open filter, a power of two, and number of bits per address. */
const [BITS, HASHES] = [1 << 19, 3];
/** An emptier filter is folded in two. */
const LEAST_FULL = 0.2;
/** Smallest stored filter, in words of 32 bits. */
const LEAST_WORDS = 8;
/** Prefix lengths by which addresses are also indexed. */
export const INDEXED = { ipv4: [24], ipv6: [48, 32] } as const;

/** The filter of the open chapter. */
export class LineIndex {
  readonly #db: Database;
  readonly #words = new Int32Array(BITS >> 5);
  /** The previous address; none at the start of a chapter. */
  readonly #before = new Int32Array(4);
  /** Number of committed lines of the chapter, and number of the first one. */
  #lines = 0;
  #first = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Adds the address of a line to record. Services write several lines of one client in a row. */
  add({ reader: { address: { w0, w1, w2, w3 } } }: Pick<RecordedLine, "reader">): void {
    const before = this.#before;
    if (before[3] === w3 && before[2] === w2 && before[1] === w1 && before[0] === w0) return;
    [before[0], before[1], before[2], before[3]] = [w0, w1, w2, w3];
    const isIPv4 = w0 === 0 && w1 === 0 && w2 === 0xffff;
    this.#set(hashOf(w0, w1, w2, w3));
    if (isIPv4) return this.#set(hashOf(0, 0, 0xffff, w3 & ~0xff));
    this.#set(hashOf(w0, w1 & ~0xffff, 0, 0));
    this.#set(hashOf(w0, 0, 0, 0));
  }

  #set(hash: number): void {
    let bit = hash;
    for (let i = 0; i < HASHES; i++, bit = mix(bit, i + 1)) {
      this.#words[bit >>> 5 & (BITS >> 5) - 1]! |= 1 << (bit & 31);
    }
  }

  /** Counts the transaction's lines; writes a full chapter. Call the result after the commit. */
  write(lines: number, { isAll = false } = {}): () => void {
    if (this.#lines + lines === 0) return () => {};
    const first = this.#lines === 0 ? lastLine(this.#db) - lines + 1 : this.#first;
    const count = this.#lines + lines;
    const isFull = isAll || count >= CHAPTER;
    if (isFull) this.#writeChapter(first, count);
    return () => {
      [this.#first, this.#lines] = isFull ? [0, 0] : [first, count];
      if (!isFull) return;
      this.#words.fill(0);
      this.#before.fill(0);
    };
  }

  #writeChapter(first: number, count: number): void {
    const last = lastLine(this.#db);
    // Numbers jump where a new state replaced a damaged one. Without a filter a search reads all
    // lines of the chapter.
    if (last - first + 1 !== count) return;
    this.#db.run("INSERT OR REPLACE INTO log_index VALUES (?, ?, ?)", [last, count, folded(this.#words)]);
  }
}

/** Returns the number of the last line recorded, even if it was deleted since. */
export function lastLine(db: Database): number {
  return db.value<number>("SELECT seq FROM sqlite_sequence WHERE name = 'log_batch'") ?? 0;
}

/** Reports whether a filter may hold an address, or a network as long as `INDEXED`. */
export function mightContain(filter: Uint8Array, words: ArrayLike<number>): boolean {
  const bits = 8 * filter.length;
  let bit = hashOf(words[0]!, words[1]!, words[2]!, words[3]!);
  for (let i = 0; i < HASHES; i++, bit = mix(bit, i + 1)) {
    // Words are little-endian, as on every machine that Deno runs on.
    const at = (bit >>> 5 & (bits >> 5) - 1) * 32 + (bit & 31);
    if ((filter[at >> 3]! & 1 << (at & 7)) === 0) return false;
  }
  return true;
}

/** Folds a filter as long as it stays empty enough. */
function folded(words: Int32Array): Uint8Array {
  let filter = words;
  while (filter.length > LEAST_WORDS) {
    const half = filter.length >> 1;
    const smaller = Int32Array.from({ length: half }, (_, i) => filter[i]! | filter[half + i]!);
    if (smaller.reduce((sum, word) => sum + ones(word), 0) > LEAST_FULL * 32 * half) break;
    filter = smaller;
  }
  return new Uint8Array(filter.slice().buffer);
}

function ones(word: number): number {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count++;
  return count;
}

/** Unseeded, as filters outlast a start: a collision on purpose only costs a search some lines. */
function hashOf(w0: number, w1: number, w2: number, w3: number): number {
  let hash = 0;
  for (let i = 0; i < 4; i++) {
    const word = i === 0 ? w0 : i === 1 ? w1 : i === 2 ? w2 : w3;
    hash = mix(mix(hash, word >>> 16), word & 0xffff);
  }
  return hash;
}
