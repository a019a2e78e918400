/** Reads addresses, spans and times that arguments give. */
import { canonicalNetwork } from "../../core/address.ts";
import { UserError } from "../../core/error.ts";
import { type Micros, now, parseDuration } from "../../core/time.ts";
import { instantOf } from "../../core/timestamp.ts";

/** Returns each of `given` once, as a canonical address or network. Throws `UserError` (64). */
export function requireNetworks(given: readonly string[]): string[] {
  return [...new Set(given.map(requireNetwork))];
}

/** Returns a canonical address or network. Throws `UserError` (64). */
export function requireNetwork(text: string): string {
  const address = canonicalNetwork(text);
  if (address === null) {
    throw new UserError(`Cannot read "${text}": expected an address or a network such as 192.0.2.0/24`, 64);
  }
  return address;
}

/** Reads the span of `--for`; null: no end, the default. Throws `UserError` (64). */
export function requireSpanOrForever(text = "forever"): Micros | null {
  return text === "forever" ? null : requireSpan("--for", text, ", or forever");
}

/** Reads the span of an option; `or` names other valid values. Throws `UserError` (64). */
export function requireSpan(option: string, text: string, or = ""): Micros {
  const span = parseDuration(text);
  if (span !== null) return span;
  throw new UserError(
    `Cannot read ${option} "${text}": expected a time span such as 90s, 2h or 1d12h${or}`,
    64,
  );
}

/** A span before now, with or without a minus. */
const SPAN = /^-?(?<span>\w*[smhdw])$/;

/** Reads an option's local time, ISO 8601 time or span before now. Throws `UserError` (64). */
export function requireTime(text: string): Micros {
  const span = parseDuration(SPAN.exec(text)?.groups?.span ?? "");
  if (span !== null) return now() - span;
  const daysAgo = ["today", "yesterday"].indexOf(text);
  const time = daysAgo < 0 ? instantOf(text) : midnight(daysAgo);
  if (time !== null) return time;
  throw new UserError(
    `Cannot read the time "${text}": expected today, yesterday, 2h, or one such as "2026-01-31 12:00"`,
    64,
  );
}

/** Reads `--since`, the start of a period. Throws `UserError` (64), also if it is in the future. */
export function requireSince(text: string): Micros {
  const time = requireTime(text);
  if (time >= now()) throw new UserError(`Cannot begin at "${text}": that time is ahead`, 64);
  return time;
}

function midnight(daysAgo: number): Micros {
  const date = new Date();
  date.setHours(0, 0, 0, 0);
  date.setDate(date.getDate() - daysAgo);
  return date.getTime() * 1_000;
}
