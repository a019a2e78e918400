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
  const parts = Array.from(
    { length: 8 },
    (_, i) => words[at + (i >> 1)]! >>> (i % 2 === 0 ? 16 : 0) & 0xffff,
  );
  const { start, length } = longestZeros(parts);
  const hex = (some: readonly number[]) => some.map((part) => part.toString(16)).join(":");
  const text = length < 2 ? hex(parts) : `${hex(parts.slice(0, start))}::${hex(parts.slice(start + length))}`;
  return prefix === 128 ? text : `${text}/${prefix}`;
}

/** Formats the IPv4 address of a word in dotted decimals. */
export function ipv4Text(word: number): string {
  return `${word >>> 24}.${word >>> 16 & 255}.${word >>> 8 & 255}.${word & 255}`;
}

/** Returns the first of the longest runs of zeros. */
function longestZeros(parts: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < parts.length; start++) {
    let end = start;
    while (parts[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    start = end;
  }
  return best;
}

/** Returns the canonical address that `reader` has read; null if it has none. */
export function addressOf(
  { isAddress, w0, w1, w2, w3 }: Pick<AddressReader, "isAddress" | "w0" | "w1" | "w2" | "w3">,
): string | null {
  return isAddress ? addressText([w0, w1, w2, w3], 0, 128) : null;
}
