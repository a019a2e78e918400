import { UserError } from "../core/error.ts";
import { type Micros, now, parseDuration } from "../core/time.ts";

/** A span before now, with or without a minus. */
const SPAN = /^-?(?<span>\w*[smhdw])$/;

/** Reads an option's local time, ISO 8601 time or span before now. Throws `UserError` (64). */
export function requireTime(text: string): Micros {
  const span = parseDuration(SPAN.exec(text)?.groups?.span ?? "");
  if (span !== null) return now() - span;
  const day = { today: 0, yesterday: -1 }[text];
  const date = day === undefined
    ? new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text)
    : midnight(day);
  if (!Number.isNaN(date.getTime())) return date.getTime() * 1_000;
  throw new UserError(
    `Cannot read the time "${text}": expected today, yesterday, 2h, or one such as "2026-01-31 12:00"`,
    64,
  );
}

function midnight(days: number): Date {
  const date = new Date();
  date.setHours(0, 0, 0, 0);
  date.setDate(date.getDate() + days);
  return date;
}
