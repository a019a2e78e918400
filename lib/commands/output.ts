import { jsonText, printable } from "../core/text.ts";
import { formatDuration, type Micros } from "../core/time.ts";

/** Options of every command. */
export interface CommonOptions {
  /** Path of the configuration file. */
  readonly config: string;
  /** Directory of the state; replaces the one of the configuration. */
  readonly state?: string;
  /** Output for machines: one JSON object a line. */
  readonly json?: boolean;
}

/** Formats of `bans --export`. */
export const EXPORT_FORMATS = ["nft", "ipset", "plain", "json"] as const;
const encoder = new TextEncoder();

/** Writes a line to standard output; whatever in it could steer a terminal is escaped. */
export function print(line: string): void {
  printLines([line]);
}

/** Writes many lines as `print()` does, at once. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) write(lines.map(printable).join("\n") + "\n");
}

/** Writes a line to standard error as `print()` does. */
export function printError(line: string): void {
  console.error(printable(line));
}

/** Writes a line of the program's own that steers the terminal, as colours do. Nothing that others wrote may be in it. */
export function printSteering(line: string): void {
  write(line + "\n");
}

/** Synchronous. Exits with 0 when the reader has closed the pipe. */
function write(text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    throw error;
  }
}

/** Writes an object as one line of JSON. */
export function printJson(value: unknown): void {
  print(jsonText(value));
}

/** Formats an instant for people: local time to the second. */
export function localTime(time: Micros): string {
  return new Date(time / 1_000).toLocaleString("sv-SE");
}

/** Formats an instant for machines: ISO 8601 in UTC, to the microsecond. */
export function isoTime(time: Micros): string {
  const micros = String(time % 1_000).padStart(3, "0");
  return new Date(Math.floor(time / 1_000)).toISOString().replace("Z", `${micros}Z`);
}

/** `isoTime()` of an instant that may be null. */
export function isoTimeOrNull(time: Micros | null): string | null {
  return time === null ? null : isoTime(time);
}

/** Formats how long a ban lasts for people; null: it has no end. */
export function spanText(span: Micros | null): string {
  return span === null ? "for good" : `for ${formatDuration(span)}`;
}

/** Prints rows in aligned columns under a heading. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  // Escaped before they are measured.
  const lines = [heading, ...rows.map((row) => row.map(printable))];
  // `Math.max(...rows)` overflows the stack at 100,000 rows.
  const widths = heading.map((_, column) =>
    lines.reduce((most, line) => Math.max(most, line[column]!.length), 0)
  );
  printLines(
    lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()),
  );
}
