import { ipv4Text } from "./address_text.ts";
import { ADDRESS_WORDS, putAddress } from "./address.ts";
import { NetworkSet } from "./network_set.ts";

/**
 * Kinds of addresses that never name one client (RFC 6890; RFC 4291, section 2.5) and are never
 * banned. A link-local address is another machine on each link, and often the default gateway.
 */
export const NOBODYS = {
  "loopback": ["127.0.0.0/8", "::1"],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  "multicast": ["224.0.0.0/4", "ff00::/8"],
  "broadcast": ["255.255.255.255"],
  "unspecified": ["0.0.0.0/8", "::"],
} as const;

/** The addresses of all these kinds. */
export const NEVER_BANNED = new NetworkSet(Object.values(NOBODYS).flat());

/** The first word of Teredo's `2001::/32`, and the first half of 6to4's. */
const [TEREDO, SIX_TO_FOUR] = [0x20010000, 0x2002];

/**
 * Returns how many bits of an IPv6 address name one client, whatever the size of networks that
 * clients get. 0: the address is of no kind that contains an IPv4 address of each client.
 *
 *   ::/8       128  NAT64 `64:ff9b::/96` (RFC 6052) and `64:ff9b:1::/48` (RFC 8215);
 *                   IPv4-translated `::ffff:0:a.b.c.d` (RFC 2765); IPv4-compatible: all of IPv4 in
 *                   one network. No client gets an address in here (RFC 4291, section 2.4)
 *   2001::/32  128  Teredo (RFC 4380): the first 64 bits name the server that its clients share
 *   2002::/16   48  6to4 (RFC 3056): a site behind one IPv4 address, which is bits 17 to 48
 *
 * ISATAP (RFC 5214) is no such kind: its IPv4 address is part of the interface's id, and the owner
 * of a /64 can choose as many of these ids as he likes.
 *
 * This machine's firewall sees the IPv6 addresses, which a gateway has made: a ban of the IPv4
 * address inside would stop nobody.
 */
export function clientBits(w0: number): number {
  if (w0 >>> 24 === 0 || w0 === TEREDO) return 128;
  return w0 >>> 16 === SIX_TO_FOUR ? 48 : 0;
}

const words = new Int32Array(ADDRESS_WORDS);

/** Reports whether the network of `length` bits around an address has unrelated clients. */
export function isOfStrangers(address: string, length: number): boolean {
  return length < clientBitsOf(address);
}

/** Returns `clientBits()` of a canonical address or network. */
export function clientBitsOf(address: string): number {
  if (!address.includes(":")) return 0;
  putAddress(address, words);
  return clientBits(words[0]!);
}

/**
 * Returns the client's IPv4 address in a canonical IPv6 address or the network of one client:
 * NAT64's well-known prefix, IPv4-translated and 6to4. Null for any other, also for Teredo's and
 * ISATAP's: there the sender may choose it.
 */
export function clientIPv4(address: string): string | null {
  if (!address.includes(":")) return null;
  const bits = putAddress(address, words);
  const [w0, w1, w2, w3] = words as unknown as [number, number, number, number];
  if (w0 >>> 16 === SIX_TO_FOUR) return bits < 48 ? null : ipv4Text(w0 << 16 | w1 >>> 16);
  const isTranslated = w0 === 0x64ff9b && w1 === 0 && w2 === 0 ||
    w0 === 0 && w1 === 0 && w2 >>> 0 === 0xffff0000;
  return isTranslated && bits === 128 ? ipv4Text(w3) : null;
}
