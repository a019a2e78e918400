import { UserError } from "../../core/error.ts";
import { type Micros, now, parseDuration } from "../../core/time.ts";
import { instantOf } from "../../core/timestamp.ts";

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
