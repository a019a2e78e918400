import { COLON, PERCENT, POINT, ZERO } from "./ascii.ts";
import { type Bytes, encode, hexDigit } from "./bytes.ts";

const [OTHER, DIGIT, LETTER, MARK] = [0, 1, 2, 3];

/** Kind of each byte in an address: decimal digit, hexadecimal letter, point or colon, or other. */
const KIND = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/\d/.test(character)) return DIGIT;
  if (/[a-fA-F]/.test(character)) return LETTER;
  return /[:.]/.test(character) ? MARK : OTHER;
});
const IS_ZONE = Uint8Array.from(
  { length: 128 },
  (_, byte) => /[\w.-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** The groups of an IPv6 address, and one to spare: an embedded IPv4 address takes two at once. */
const groups = new Int32Array(9);

/**
 * Reads addresses from bytes into four words of 32 bits. IPv4 is `::ffff:a.b.c.d` (RFC 4291,
 * section 2.5.5.2), and so is the old `::a.b.c.d`, in every spelling. Drops a zone (`%eth0`).
 * Refuses octets with leading zeros: some programs read them as octal.
 */
export class AddressReader {
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  /** Whether the last text read is an address; if not, the words mean nothing. */
  isAddress = false;
  /** Whether the address is IPv6, and not IPv4 mapped into it. */
  isIPv6 = false;
  hasZone = false;

  /** Reports whether the address that was read at `at` is a dotted quad: digits and points. */
  isDottedAt(array: Uint8Array, at: number): boolean {
    return this.isAddress && !this.isIPv6 && !this.hasZone && array[at] !== COLON &&
      (array[at + 1] === POINT || array[at + 2] === POINT || array[at + 3] === POINT);
  }

  /**
   * Reads the address at `at`. Returns the end of the text that looks like an address, at most
   * `to`; `at` if there is none. A point or colon behind an address belongs to the sentence
   * (`from 192.0.2.1: no`).
   */
  read(bytes: Bytes, at: number, to: number): number {
    const { array } = bytes;
    let i = at | 0;
    let word = 0;
    this.hasZone = false;
    // Most addresses are dotted decimals: reads them without a search for their end.
    for (let octets = 1;; octets++) {
      const first = array[i]! - ZERO;
      if (!(first >= 0 && first <= 9)) break;
      let octet = first;
      let digit = array[++i]! - ZERO;
      if (digit >= 0 && digit <= 9) {
        if (first === 0) break;
        octet = 10 * octet + digit;
        digit = array[++i]! - ZERO;
        if (digit >= 0 && digit <= 9) {
          octet = 10 * octet + digit;
          i++;
        }
      }
      if (octet > 255) break;
      word = word << 8 | octet;
      if (octets === 4) {
        if (i > to || !isEnd(array, i, to)) break;
        this.#setIPv4(word);
        return i;
      }
      if (array[i] !== POINT) break;
      i++;
    }
    return this.#readAny(array, at, to);
  }

  /** Reads `bytes[from, to)`, which must be an address as a whole. Returns whether it is. */
  readWhole(bytes: Bytes, from: number, to: number): boolean {
    const { array } = bytes;
    let end = from;
    while (end < to && array[end] !== PERCENT) end++;
    return this.#parse(array, from, end);
  }

  /** Reads `text`, which must be an address as a whole. Returns whether it is. */
  readText(text: string): boolean {
    const { bytes, end } = encode(text);
    return this.readWhole(bytes, 0, end);
  }

  /** Forgets the address. */
  clear(): void {
    this.isAddress = this.isIPv6 = false;
  }

  copy(other: AddressReader): void {
    this.w0 = other.w0;
    this.w1 = other.w1;
    this.w2 = other.w2;
    this.w3 = other.w3;
    this.isAddress = other.isAddress;
    this.isIPv6 = other.isIPv6;
  }

  #setIPv4(word: number): void {
    this.w0 = this.w1 = 0;
    this.w2 = 0xffff;
    this.w3 = word;
    this.isAddress = true;
    this.isIPv6 = false;
  }

  #readAny(array: Uint8Array, at: number, to: number): number {
    let stop = at;
    while (stop < to && KIND[array[stop]!] !== OTHER) stop++;
    if (stop === at) {
      this.clear();
      return at;
    }
    if (this.#parse(array, at, stop)) {
      const end = endOfZone(array, stop, to);
      this.hasZone = end > stop;
      return end;
    }
    if (stop > at + 1 && KIND[array[stop - 1]!] === MARK && this.#parse(array, at, stop - 1)) return stop - 1;
    return endOfZone(array, stop, to);
  }

  #parse(array: Uint8Array, from: number, to: number): boolean {
    this.isAddress = this.isIPv6 = false;
    const word = readDottedQuad(array, from, to);
    if (word >= 0) this.#setIPv4(word | 0);
    else if (readGroups(array, from, to)) {
      if (isIPv4Compatible()) {
        this.#setIPv4(groups[6]! << 16 | groups[7]!);
        return true;
      }
      this.w0 = groups[0]! << 16 | groups[1]!;
      this.w1 = groups[2]! << 16 | groups[3]!;
      this.w2 = groups[4]! << 16 | groups[5]!;
      this.w3 = groups[6]! << 16 | groups[7]!;
      this.isAddress = true;
      this.isIPv6 = !(this.w0 === 0 && this.w1 === 0 && this.w2 === 0xffff);
    }
    return this.isAddress;
  }
}

/** Reports whether a dotted quad may end at `at`. */
function isEnd(array: Uint8Array, at: number, to: number): boolean {
  if (at === to) return true;
  const byte = array[at]!;
  if (byte === PERCENT) return false;
  if (KIND[byte] === OTHER) return true;
  return KIND[byte] === MARK && (at + 1 === to || KIND[array[at + 1]!] === OTHER);
}

/** Returns the end of a zone at `at`; `at` if there is none. */
function endOfZone(array: Uint8Array, at: number, to: number): number {
  if (at >= to || array[at] !== PERCENT) return at;
  let end = at + 1;
  while (end < to && IS_ZONE[array[end]!] === 1) end++;
  return end > at + 1 ? end : at;
}

/** Reads four decimals with points between them, as an unsigned number; -1: other text. */
function readDottedQuad(array: Uint8Array, from: number, to: number): number {
  let number = 0;
  let at = from;
  for (let octets = 1; octets <= 4; octets++) {
    const start = at;
    let octet = 0;
    while (at < to && at - start < 3 && KIND[array[at]!] === DIGIT) octet = 10 * octet + array[at++]! - ZERO;
    if (at === start || octet > 255 || (at - start > 1 && array[start] === ZERO)) return -1;
    number = 256 * number + octet;
    if (octets === 4) break;
    if (at >= to || array[at++] !== POINT) return -1;
  }
  return at === to ? number : -1;
}

/** Reads an IPv6 address (RFC 4291, section 2.2) into `groups`; false: other text. */
function readGroups(array: Uint8Array, from: number, to: number): boolean {
  let count = 0;
  let gap = -1;
  let at = from;
  if (at + 1 < to && array[at] === COLON && array[at + 1] === COLON) {
    gap = 0;
    at += 2;
  }
  while (at < to) {
    if (count === 8) return false;
    const start = at;
    let group = 0;
    for (; at < to && KIND[array[at]!] !== MARK; at++) {
      if (KIND[array[at]!] === OTHER) return false;
      group = group << 4 | hexDigit(array[at]!);
    }
    if (at < to && array[at] === POINT) {
      const word = readDottedQuad(array, start, to);
      if (word < 0 || count > 6) return false;
      if (gap === 0 && count === 0) groups[count++] = 0xffff;
      groups[count++] = word >>> 16;
      groups[count++] = word & 0xffff;
      break;
    }
    if (at === start || at - start > 4) return false;
    groups[count++] = group;
    if (at === to) break;
    at++;
    if (at === to) return false;
    if (array[at] !== COLON) continue;
    if (gap >= 0) return false;
    gap = count;
    at++;
  }
  if (gap < 0) return count === 8;
  if (count > 7) return false;
  fillGap(gap, count);
  return true;
}

/** Reports whether the groups are the old `::a.b.c.d` (RFC 4291, 2.5.5.1), not `::` or `::1`. */
function isIPv4Compatible(): boolean {
  for (let i = 0; i < 6; i++) if (groups[i] !== 0) return false;
  return groups[6]! >>> 8 !== 0;
}

/** Inserts the zeros that `::` stands for. */
function fillGap(gap: number, count: number): void {
  const behind = count - gap;
  for (let i = 1; i <= behind; i++) groups[8 - i] = groups[count - i]!;
  groups.fill(0, gap, 8 - behind);
}
