import { ZERO } from "./ascii.ts";
import ipaddr from "ipaddr.js";
import { Cache } from "./cache.ts";

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

function canonicalIPv6(text: string): string | null {
  if (!ipaddr.IPv6.isValid(text)) return null;
  // ipaddr.js accepts leading zeros in octets, `::ffff:192.0.2.010`; others read them as octal.
  const last = text.slice(text.lastIndexOf(":") + 1);
  if (last.includes(".") && !DOTTED_QUAD.test(last)) return null;
  const address = ipaddr.IPv6.parse(text);
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  const { parts } = address;
  // ::c000:201 is the old ::192.0.2.1, but `::` and `::1` stay as they are.
  const isCompatible = parts.slice(0, 6).every((part) => part === 0) && parts[6]! > 0xff;
  return isCompatible
    ? ipaddr.fromByteArray(address.toByteArray().slice(12)).toString()
    : address.toRFC5952String();
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
  if (slash < 0) return canonicalAddress(text);
  const address = canonicalAddress(text.slice(0, slash));
  const prefix = text.slice(slash + 1);
  if (address === null || !/^\d{1,3}$/.test(prefix)) return null;
  const { kind, bytes } = parse(address);
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8
  const bits = Number(prefix) - (kind === "ipv4" && text.includes(":") ? 96 : 0);
  if (bits < 0 || bits > bytes.length * 8) return null;
  if (bits === bytes.length * 8) return address;
  const masked = bytes.map((byte, i) => byte & ~hostBits(bits, i));
  const network = ipaddr.fromByteArray(masked);
  return `${network.kind() === "ipv6" ? (network as ipaddr.IPv6).toRFC5952String() : network}/${bits}`;
}

/** Returns the network of `length` bits around an address or network, or a wider argument. */
export function enclosing(address: string, length: number): string {
  const slash = address.indexOf("/");
  if (slash >= 0 && Number(address.slice(slash + 1)) <= length) return address;
  const end = slash < 0 ? address.length : slash;
  if (address.includes(":")) return canonicalNetwork(`${address.slice(0, end)}/${length}`)!;
  // A start asks for the network of each recently banned IPv4 address: this skips the parser.
  const word = ipv4Word(address, end) & (length === 0 ? 0 : -1 << 32 - length);
  return `${word >>> 24}.${word >>> 16 & 255}.${word >>> 8 & 255}.${word & 255}/${length}`;
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

/** Returns the length of a canonical address's or network's prefix, in bits. */
export function prefixLength(address: string): number {
  const slash = address.indexOf("/");
  if (slash >= 0) return Number(address.slice(slash + 1));
  return address.includes(":") ? 128 : 32;
}

/** Words of 32 bits that `putAddress()` writes. */
export const ADDRESS_WORDS = 4;
/** Bits before an IPv4 address that is mapped into IPv6. */
export const MAPPED = 96;

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
  const { bytes } = parse(address);
  const view = new DataView(Uint8Array.from(bytes).buffer);
  return Int32Array.from({ length: ADDRESS_WORDS }, (_, i) => view.getInt32(4 * i));
}

function parse(address: string): { kind: "ipv4" | "ipv6"; bytes: number[] } {
  const parsed = ipaddr.parse(address);
  return { kind: parsed.kind(), bytes: parsed.toByteArray() };
}

/** Returns the mask of the host bits in the byte at `index`, for a prefix of `bits` bits. */
function hostBits(bits: number, index: number): number {
  return 0xff >> Math.min(8, Math.max(0, bits - 8 * index));
}
