import * as z from "zod/mini";
import { canonicalNetwork } from "../core/address.ts";
import { instantOf } from "../core/timestamp.ts";
import type { Micros } from "../core/time.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import { converted, described, DNS_NAME, section, text } from "./values.ts";

/** An address, a network or a DNS name that is never banned. */
export interface WhitelistMember extends WhitelistEntry {
  /** Whether `address` is a DNS name, in lower case without a final dot. */
  readonly isName: boolean;
}

const DATE = 'must be a date such as "2027-01-31" or "2027-01-31T12:00:00+01:00"';

/** Address, network or DNS name in its canonical spelling. */
type Target = Pick<WhitelistMember, "address" | "isName">;

/** Reports whether a target in its canonical spelling is a DNS name. */
export function isName(target: string): boolean {
  return canonicalNetwork(target) === null;
}

/** Reads an address, a network or a DNS name. Returns a complaint for any other text. */
export function readTarget(given: string): Target | string {
  const network = canonicalNetwork(given);
  if (network !== null) return { address: network, isName: false };
  const name = given.toLowerCase().replace(/\.$/, "");
  if (DNS_NAME.test(name)) return { address: name, isName: true };
  return given.includes("/")
    ? "must be a network such as 10.0.0.0/8 or 2001:db8::/32"
    : "must be an address, a network such as 10.0.0.0/8, or a DNS name";
}

const target = converted(text(), (given, complain): Target => {
  const target = readTarget(given);
  return typeof target === "string" ? complain(target) : target;
});

const until = converted(text(), (given, complain) => instantOf(given) ?? complain(DATE));

const member = converted(
  section({
    address: described(target, "Address, network or DNS name."),
    note: described(
      z._default(z.string("must be a string").check(z.maxLength(255, "must be at most 255 characters")), ""),
      "Who or what that is, for people to read.",
    ),
    until: described(
      z.optional(until),
      "End of the entry, after which it may be banned like others: a date, at whose start in local time the entry ends, or " +
        "a date and a time (ISO 8601).",
    ),
  }),
  ({ address, note, until }): WhitelistMember => ({ ...address, note, until: until ?? null }),
);

const MEMBERS =
  "must be an address, network or DNS name, an object with one as its address, or a list of these";
const bareMember = converted(target, (target): WhitelistMember => ({ ...target, note: "", until: null }));

/** One member or a list of them, as a list. */
export const whitelistMembers = converted(
  z.union([
    bareMember,
    member,
    z.array(z.union([bareMember, member], "must be a string or an object"), MEMBERS),
  ], MEMBERS),
  (given) => [given].flat(),
);

/**
 * Reads a line of a whitelist file: an address, a network or a DNS name, perhaps `until` and a
 * date, and a note after `#`. Returns null for a blank line or a comment, and a complaint for a
 * wrong line.
 */
export function readLine(line: string): WhitelistMember | string | null {
  const hash = line.indexOf("#");
  const words = (hash < 0 ? line : line.slice(0, hash)).trim();
  if (words === "") return null;
  const [given, keyword, ...date] = words.split(/\s+/);
  const target = readTarget(given!);
  if (typeof target === "string") return `${target}, got ${JSON.stringify(given!.slice(0, 80))}`;
  const note = hash < 0 ? "" : line.slice(hash + 1).trim();
  if (keyword === undefined) return { ...target, note, until: null };
  if (keyword !== "until") return `nothing but "until" and a date may follow, got "${keyword.slice(0, 80)}"`;
  const until = instantOf(date.join(" "));
  if (until === null) return `until ${DATE}, got ${JSON.stringify(date.join(" ").slice(0, 80))}`;
  return { ...target, note, until };
}

/** Returns each address of `entries` once, with its latest end, in the order of first mention. */
export function longestOfEach<T extends { readonly address: string; readonly until: Micros | null }>(
  entries: Iterable<T>,
): T[] {
  const byAddress = new Map<string, T>();
  for (const entry of entries) {
    const before = byAddress.get(entry.address);
    if (before === undefined || laterOf(entry.until, before.until) !== before.until) {
      byAddress.set(entry.address, entry);
    }
  }
  return [...byAddress.values()];
}

/** Returns the later of two ends; null is endless. */
export function laterOf(a: Micros | null, b: Micros | null): Micros | null {
  return a === null || b === null ? null : Math.max(a, b);
}

/** Reports whether a network is wider than registries assign: an IPv4 /8, an IPv6 /16. */
export function isWide(network: string): boolean {
  const [address, bits] = network.split("/");
  return bits !== undefined && Number(bits) < (address!.includes(":") ? 16 : 8);
}
