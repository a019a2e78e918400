import { ADDRESS_WORDS, MAPPED, maskOf, putAddress } from "./address.ts";
import { finish } from "./async.ts";
import { concatenated } from "./bytes.ts";
import { agree, RowBuilder, type Rows, sorted } from "./network_rows.ts";

/** A set of canonical addresses and networks. Lookup takes logarithmic time. */
export class NetworkSet {
  /** Rows of each family, ascending and none within another: networks nest or are apart. */
  #families: readonly Rows[];

  constructor(members: Iterable<string> = []) {
    const builder = new NetworkSetBuilder();
    for (const member of members) builder.add(member);
    this.#families = finish(builder.rows());
  }

  /** Makes a set from sorted rows. */
  static of(families: readonly Rows[]): NetworkSet {
    const set = new NetworkSet();
    set.#families = families;
    return set;
  }

  /** Reports whether canonical `target` is a member or lies wholly within one. */
  covers(target: string): boolean {
    const { words, isIPv4, length } = ASKED.read(target);
    const rows = this.#families[isIPv4 ? 0 : 1]!;
    const from = ADDRESS_WORDS - rows.width;
    const row = lastUpTo(rows, words, from);
    return row >= 0 && rows.lengths[row]! <= length &&
      agree(rows, row, { words, from, bits: rows.lengths[row]! });
  }

  /** Reports whether the set has no member. */
  get isEmpty(): boolean {
    return this.#families.every(({ lengths }) => lengths.length === 0);
  }

  /** Reports whether `target` and a member have an address in common. */
  touches({ words, last, isIPv4, length }: Target): boolean {
    const rows = this.#families[isIPv4 ? 0 : 1]!;
    const from = ADDRESS_WORDS - rows.width;
    const row = lastUpTo(rows, last, from);
    return row >= 0 && agree(rows, row, { words, from, bits: Math.min(rows.lengths[row]!, length) });
  }

  /** Returns the set as bytes for `decodeNetworks()`. */
  encode(): Uint8Array {
    return concatenated(this.#families.flatMap(({ words, lengths }) => [
      bytesOf(Uint32Array.of(lengths.length)),
      bytesOf(words),
      lengths,
    ]));
  }
}

/** A canonical address or network, read once to be compared with any number of sets. */
export class Target {
  /** The first and the last address. */
  readonly words = new Int32Array(ADDRESS_WORDS);
  readonly last = new Int32Array(ADDRESS_WORDS);
  isIPv4 = false;
  /** Length of its prefix, within its family. */
  length = 0;

  /** Reads `text` in place of the last one. */
  read(text: string): this {
    const { words, last } = this;
    const bits = putAddress(text, words);
    last.set(words);
    for (let word = bits >> 5; word < ADDRESS_WORDS; word++) last[word]! |= ~maskOf(bits - 32 * word);
    this.isIPv4 = !text.includes(":");
    this.length = this.isIPv4 ? bits - MAPPED : bits;
    return this;
  }
}

const ASKED = new Target();

/** Reads a set that `NetworkSet.encode()` wrote at `at`. Returns it and the offset of its end. */
export function decodeNetworks(bytes: Uint8Array, at: number): { set: NetworkSet; end: number } {
  let end = at;
  const take = (length: number) => bytes.slice(end, end += length);
  const families = [1, ADDRESS_WORDS].map((width): Rows => {
    const count = new Uint32Array(take(4).buffer)[0]!;
    return { width, words: new Uint32Array(take(4 * width * count).buffer), lengths: take(count) };
  });
  return { set: NetworkSet.of(families), end };
}

const ADDED = new Int32Array(ADDRESS_WORDS);

/** Collects the members of a `NetworkSet`. */
export class NetworkSetBuilder {
  readonly #families = [new RowBuilder(1), new RowBuilder(ADDRESS_WORDS)];

  /** Adds a canonical address or network. */
  add(member: string): void {
    const length = putAddress(member, ADDED);
    this.addWords(ADDED, length, !member.includes(":"));
  }

  /** Adds the network of the first `length` bits of an address; IPv4 is mapped into IPv6. */
  addWords(words: ArrayLike<number>, length: number, isIPv4: boolean): void {
    this.#families[isIPv4 ? 0 : 1]!.add(words, isIPv4 ? length - MAPPED : length);
  }

  /** Makes the set in steps of some milliseconds. Call it once. */
  *build(): Generator<void, NetworkSet> {
    return NetworkSet.of(yield* this.rows());
  }

  /** Sorts the rows of both families. */
  *rows(): Generator<void, Rows[]> {
    const families: Rows[] = [];
    for (const gatherer of this.#families) families.push(yield* sorted(gatherer.rows()));
    return families;
  }
}

/** Returns the last row that starts at or before the words of `address` from `from`; -1: none. */
function lastUpTo({ width, words, lengths }: Rows, address: Int32Array, from: number): number {
  let [low, high] = [0, lengths.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    let difference = 0;
    for (let i = 0; i < width && difference === 0; i++) {
      difference = words[middle * width + i]! - (address[from + i]! >>> 0);
    }
    if (difference <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
