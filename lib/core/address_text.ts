import type { AddressReader } from "./address_reader.ts";

/**
 * Formats the address of four words at `at`, or the network of their first `prefix` bits: IPv4 in
 * dotted decimals, IPv6 after RFC 5952. A prefix of 128 bits is an address.
 */
export function addressText(words: ArrayLike<number>, at: number, prefix: number): string {
  if (words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff && prefix >= 96) {
    const text = ipv4Text(words[at + 3]!);
    return prefix === 128 ? text : `${text}/${prefix - 96}`;
  }
  const text = ipv6Text(words, at);
  return prefix === 128 ? text : `${text}/${prefix}`;
}

/** Formats the IPv6 address of four words at `at`; `::` stands for its zeros. */
function ipv6Text(words: ArrayLike<number>, at: number): string {
  const { start, end } = longestZeros(words, at);
  let text = "";
  for (let part = 0; part < PARTS; part++) {
    if (part === start) {
      text += "::";
      part = end - 1;
    } else {
      text += (part === 0 || part === end ? "" : ":") + partOf(words, at, part).toString(16);
    }
  }
  return text;
}

/** Parts of an IPv6 address, of 16 bits. */
const PARTS = 8;

function partOf(words: ArrayLike<number>, at: number, part: number): number {
  return words[at + (part >> 1)]! >>> (part % 2 === 0 ? 16 : 0) & 0xffff;
}

/** Formats the IPv4 address of a word in dotted decimals. */
export function ipv4Text(word: number): string {
  return `${word >>> 24}.${word >>> 16 & 255}.${word >>> 8 & 255}.${word & 255}`;
}

/** Returns the first of the longest runs of zeros; its start is -1 if no two parts are zero. */
function longestZeros(words: ArrayLike<number>, at: number): { start: number; end: number } {
  const longest = { start: -1, end: 0 };
  for (let start = 0; start < PARTS; start++) {
    let end = start;
    while (end < PARTS && partOf(words, at, end) === 0) end++;
    if (end - start > Math.max(1, longest.end - longest.start)) {
      longest.start = start;
      longest.end = end;
    }
    start = end;
  }
  return longest;
}

/** Number of remembered addresses: a power of two. */
const RECENT = 256;
const recentWords = new Int32Array(4 * RECENT);
const recentTexts = new Array<string>(RECENT).fill("::");

/**
 * Returns the canonical address that `reader` has read; null if it has none. Remembers recent ones,
 * as clients come again: to make a text and to find it in a map takes V8 ten times as long as to
 * find the same text again.
 */
export function addressOf(
  { isAddress, w0, w1, w2, w3 }: Pick<AddressReader, "isAddress" | "w0" | "w1" | "w2" | "w3">,
): string | null {
  if (!isAddress) return null;
  const words = recentWords;
  const slot = (w0 ^ w1 ^ w3) & RECENT - 1;
  const at = 4 * slot;
  if (words[at + 3] !== w3 || words[at + 2] !== w2 || words[at + 1] !== w1 || words[at] !== w0) {
    words[at] = w0;
    words[at + 1] = w1;
    words[at + 2] = w2;
    words[at + 3] = w3;
    recentTexts[slot] = addressText(words, at, 128);
  }
  return recentTexts[slot]!;
}
