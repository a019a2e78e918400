import type { AddressReader } from "../core/address_reader.ts";
import { clientBits } from "../core/address_kind.ts";
import { type AddressWords, maskOf } from "../core/address.ts";

/**
 * Writes the counted address of the address just read into `words`: IPv4 itself, or the network of
 * IPv6 with the prefix `ipv6Prefix`, or the network of one client where the address shows it
 * (`clientBits()`).
 */
export function putCounted(
  { isIPv6, w0, w1, w2, w3 }: AddressReader,
  ipv6Prefix: number,
  words: { -readonly [key in keyof AddressWords]: number },
): void {
  const prefix = isIPv6 ? clientBits(w0) || ipv6Prefix : 128;
  words.w0 = w0 & maskOf(prefix);
  words.w1 = w1 & maskOf(prefix - 32);
  words.w2 = w2 & maskOf(prefix - 64);
  words.w3 = w3 & maskOf(prefix - 96);
  words.prefix = prefix;
}
