import type { AST } from "@eslint-community/regexpp";
import { canonicalAddress } from "../../lib/core/address.ts";

const IPV6 = "[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[\\w.-]+)?";
/** Source of `<ADDR>`. The brackets around an IPv6 address belong to it. */
export const ADDRESS = `(?<address>\\d+\\.\\d+\\.\\d+\\.\\d+|\\[${IPV6}\\]|${IPV6})`;

/**
 * Port that a pattern has right behind the address. Without brackets, only this tells where an IPv6
 * address ends: `2001:db8::1:5834` as a whole is also an address.
 *
 *   always   `<ADDR>:\d+`       the last group is the port; also `<ADDR>\.\d+`, as tcpdump and pf write
 *   closed   `<ADDR>:\d+ `      the same, with fixed text behind it
 *   perhaps  `<ADDR>(?::\d+)?`  the last group is the port if it cannot belong to the address
 */
export type Port = "none" | "always" | "closed" | "perhaps";

/** Returns the port in the elements behind the address of a pattern. */
export function portOf(after: readonly AST.Element[]): Port {
  const [first, ...rest] = /^\\?\]\??$/.test(after[0]?.raw ?? "") ? after.slice(1) : after;
  if (first === undefined) return "none";
  const group = soleContent(first);
  if (group !== null) return portOf([...group, ...rest]);
  if (first.type === "Quantifier" && first.min === 0 && first.max === 1) {
    const inner = soleContent(first.element);
    return inner?.[0]?.raw === ":" && isNumber(inner[1]) && inner.length === 2 ? "perhaps" : "none";
  }
  if (!/^(?::|\\\.)$/.test(first.raw) || !isNumber(rest[0])) return "none";
  return rest[1]?.type === "Character" ? "closed" : "always";
}

function isNumber(element: AST.Element | undefined): boolean {
  if (element?.type === "Quantifier") return element.min > 0 && /^(?:\\d|\[0-9\])$/.test(element.element.raw);
  const inner = element === undefined ? null : soleContent(element);
  return inner?.length === 1 && isNumber(inner[0]);
}

/** Returns the elements of a group without alternatives; null for anything else. */
function soleContent(element: AST.Element): readonly AST.Element[] | null {
  if (element.type !== "Group" && element.type !== "CapturingGroup") return null;
  return element.alternatives.length === 1 ? element.alternatives[0]!.elements : null;
}

/**
 * Returns the canonical form of an address that a pattern has found before `rest`; null if it is
 * only the beginning of something longer, such as a host name or another address.
 */
export function wholeAddress(found: string, { rest, port }: { rest: string; port: Port }): string | null {
  const isBare = found.includes(":") && !found.startsWith("[");
  const hasPort = port === "always" || port === "closed";
  if (isBare && hasPort) {
    const behind = rest.replace(/^\]?[:.]\d+/, "");
    return port === "always" && goesOn(behind) ? null : canonicalAddress(found);
  }
  if (/^(?:[\w-]|[^\0-\x7f]|[.%]\w)/.test(hasPort ? rest.replace(/^\.\d+/, "") : rest)) return null;
  const longer = found + /^[0-9A-Fa-f:.]*/.exec(rest)![0];
  const address = addressOf(found) ??
    (port === "perhaps" ? canonicalAddress(found.replace(/:\d+$/, "")) : null);
  return isBare && longer !== found && addressOf(longer) !== address ? null : address;
}

/** Reports whether the digits of a port are only the beginning of something longer. */
function goesOn(behind: string): boolean {
  return /^(?:[\w-]|[^\0-\x7f]|[.:%]\w)/.test(behind);
}

/** Returns the canonical form of an address, perhaps before a full stop or a colon. */
export function addressOf(found: string): string | null {
  const bare = found.startsWith("[") ? found.slice(1, -1) : found;
  return canonicalAddress(bare) ?? canonicalAddress(bare.replace(/[.:]$/, ""));
}
