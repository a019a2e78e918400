import { canonicalAddress, NetworkSet } from "../lib/core/address.ts";
import type { Parsed, Parser } from "../lib/reading/module.ts";

/**
 * Reads messages as `parser` does, but names the client behind a trusted proxy: the last address in the field
 * `forwarded_for` that is no trusted proxy itself (X-Forwarded-For, as each proxy appends whom it was connected from).
 * Without the field the proxy stays named; what cannot be read names nobody.
 */
export function behindProxies(parser: Parser, trusted: readonly string[]): Parser {
  if (trusted.length === 0) return parser;
  const proxies = new NetworkSet(trusted);
  const reading = (message: string) => {
    const parsed = parser(message);
    if (parsed === null || parsed.address === null || !proxies.touches(parsed.address)) return parsed;
    const { forwarded_for: forwarded } = parsed.fields;
    return forwarded === undefined
      ? parsed
      : { ...parsed, address: clientOf(parsed, { forwarded, proxies }) };
  };
  return Object.assign(reading, { beginning: parser.beginning });
}

function clientOf(
  { address }: Parsed,
  { forwarded, proxies }: { forwarded: string; proxies: NetworkSet },
): string | null {
  for (const part of forwarded.split(",").reverse()) {
    const hop = canonicalAddress(withoutPort(part.trim()));
    if (hop === null || !proxies.touches(hop)) return hop;
  }
  return address;
}

/** `[2001:db8::1]:443` and `192.0.2.1:443` without what is not the address. */
function withoutPort(text: string): string {
  const match = /^\[(.+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(text);
  return match?.[1] ?? match?.[2] ?? text;
}
