import { ZERO } from "./ascii.ts";
import { AddressReader } from "./address_reader.ts";
import { addressOf, addressText } from "./address_text.ts";
import { Cache } from "./cache.ts";

/** Words of 32 bits that `putAddress()` writes. */
export const ADDRESS_WORDS = 4;
/** Bits before an IPv4 address that is mapped into IPv6. */
export const MAPPED = 96;
/** Most results of a cache. */
const REMEMBERED = 4_096;
/** Characters of the longest IPv6 address, with an IPv4 address in its end. */
const LONGEST = 45;

/**
 * Returns the one spelling of an address that is counted, stored and banned: IPv4, also mapped or
 * compatible, in dotted decimals; IPv6 after RFC 5952; no zone. Null: `text` is no address.
 */
export function canonicalAddress(text: string): string | null {
  const percent = text.indexOf("%");
  const bare = percent < 0 ? text : text.slice(0, percent);
  if (DOTTED_QUAD.test(bare)) return bare;
  if (percent === 0 || bare.length > LONGEST || !bare.includes(":")) return null;
  return canonical.of(bare, canonicalIPv6);
}

const canonical = new Cache<string, string | null>(REMEMBERED);
const reader = new AddressReader();

function canonicalIPv6(text: string): string | null {
  reader.readText(text);
  return addressOf(reader);
}

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
/** Four decimals without leading zeros: already canonical, so the common case costs one test. */
const DOTTED_QUAD = new RegExp(`^(?:${OCTET}\\.){3}${OCTET}$`);

/**
 * Returns the canonical form of an address or a network (`10.0.0.0/8`, host bits cleared; a
 * full-length prefix is an address). Null if `text` is neither.
 */
export function canonicalNetwork(text: string): string | null {
  const slash = text.indexOf("/");
  const address = canonicalAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null || slash < 0) return address;
  const prefix = text.slice(slash + 1);
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8
  const length = Number(prefix) - (text.includes(":") && !address.includes(":") ? MAPPED : 0);
  const isPossible = /^\d{1,3}$/.test(prefix) && length >= 0 && length <= prefixLength(address);
  return isPossible ? enclosing(address, length) : null;
}

const words = new Int32Array(ADDRESS_WORDS);

/** Returns the network of `length` bits around an address or network, or a wider argument. */
export function enclosing(address: string, length: number): string {
  const bits = address.includes(":") ? length : length + MAPPED;
  if (putAddress(address, words) <= bits) return address;
  for (let i = 0; i < ADDRESS_WORDS; i++) words[i]! &= maskOf(bits - 32 * i);
  return addressText(words, 0, bits);
}

/** Returns all canonical networks around a canonical address or network, the widest first. */
export function enclosingNetworks(address: string): string[] {
  return Array.from({ length: prefixLength(address) }, (_, length) => enclosing(address, length));
}

/**
 * Returns the common beginning of all canonical addresses and networks inside a canonical network,
 * up to a dot or colon, or a whole address; empty if there is none.
 */
export function beginningOf(network: string): string {
  const [address, length] = network.split("/") as [string, string?];
  if (length === undefined) return address;
  if (!network.includes(":")) {
    return address.split(".").slice(0, Math.floor(Number(length) / 8)).map((octet) => `${octet}.`).join("");
  }
  // From the first group of zeros on, RFC 5952 shortens addresses in different ways.
  const groups = address.split("::")[0]!.split(":").slice(0, Math.floor(Number(length) / 16));
  const zeros = groups.findIndex((group) => group === "0" || group === "");
  return groups.slice(0, zeros < 0 ? groups.length : zeros).map((group) => `${group}:`).join("");
}

/** Beginnings of the texts of canonical addresses and networks. */
export interface Beginnings {
  readonly texts: readonly string[];
  /** Whether no address outside has one of them. A network has one if its first address does. */
  readonly areExact: boolean;
}

/** Returns the beginnings that all addresses inside a canonical network have; at most 256. */
export function beginningsOf(network: string): Beginnings {
  const [common, length] = [beginningOf(network), prefixLength(network)];
  if (network.includes(":")) {
    return { texts: [common], areExact: 16 * (common.split(":").length - 1) === length };
  }
  if (length > 24) return { texts: [common], areExact: false };
  if (length % 8 === 0 && length > 0) return { texts: [common], areExact: true };
  const first = Number(network.split(/[./]/)[length >> 3]);
  const octets = Array.from({ length: 1 << 8 - length % 8 }, (_, i) => `${common}${first + i}.`);
  return { texts: octets, areExact: true };
}

/** Returns the length of a canonical address's or network's prefix, in bits. */
export function prefixLength(address: string): number {
  const slash = address.indexOf("/");
  if (slash >= 0) return Number(address.slice(slash + 1));
  return address.includes(":") ? 128 : 32;
}

/**
 * Writes a canonical address, or the first one of a network, into `words`; IPv4 is mapped into IPv6
 * (RFC 4291, section 2.5.5.2). Returns the length of the prefix there, 128 for an address.
 */
export function putAddress(address: string, words: Int32Array): number {
  const slash = address.indexOf("/");
  const bits = slash < 0 ? 128 : Number(address.slice(slash + 1));
  if (address.includes(":")) {
    words.set(known.of(slash < 0 ? address : address.slice(0, slash), wordsOfIPv6));
    return bits;
  }
  words[0] = words[1] = 0;
  words[2] = 0xffff;
  words[3] = ipv4Word(address, slash < 0 ? undefined : slash);
  return slash < 0 ? bits : bits + MAPPED;
}

/** Four words, IPv4 mapped into IPv6, and the length of the prefix there. */
export interface AddressWords {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly prefix: number;
}

/** Formats the address or network of `words`. */
export function textOfWords({ w0, w1, w2, w3, prefix }: AddressWords): string {
  return addressText([w0, w1, w2, w3], 0, prefix);
}

/** Reports whether words are those of an IPv4 address or network. */
export function isIPv4({ w0, w1, w2 }: AddressWords): boolean {
  return w0 === 0 && w1 === 0 && w2 === 0xffff;
}

/** Returns the words of an address or network in canonical form. */
export function wordsOf(address: string): AddressWords {
  const prefix = putAddress(address, words);
  return { w0: words[0]!, w1: words[1]!, w2: words[2]!, w3: words[3]!, prefix };
}

/** Returns the IPv4 address before `end` as a signed number. No parser: every hit needs it. */
export function ipv4Word(address: string, end = address.length): number {
  let word = 0;
  let part = 0;
  for (let i = 0; i < end; i++) {
    const digit = address.charCodeAt(i) - ZERO;
    if (digit >= 0) part = 10 * part + digit;
    else {
      word = word << 8 | part;
      part = 0;
    }
  }
  return word << 8 | part;
}

const known = new Cache<string, Int32Array>(REMEMBERED);

function wordsOfIPv6(address: string): Int32Array {
  reader.readText(address);
  return Int32Array.of(reader.w0, reader.w1, reader.w2, reader.w3);
}

/** Returns the mask of the first `bits` bits of a word; all bits from 32 on, none up to 0. */
export function maskOf(bits: number): number {
  return bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
}
