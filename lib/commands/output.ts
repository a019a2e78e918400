import { jsonText, printable } from "../core/text.ts";
import { formatDuration, type Micros } from "../core/time.ts";

export { isoTime, isoTimeOrNull } from "../core/time.ts";

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
/** Tables of `top`. */
export const TOP_TABLES = ["address", "network", "user", "path", "rule", "module"] as const;
const encoder = new TextEncoder();

/** Writes a line to standard output; whatever in it could steer a terminal is escaped. */
export function print(line: string): void {
  printLines([line]);
}

/** Writes many lines as `print()` does, at once. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) write(lines.map(printable).join("\n") + "\n");
}

/** Writes lines for programs to standard output, which no terminal breaks. */
export function printData(lines: readonly string[]): void {
  if (lines.length > 0) write(lines.map(printable).join("\n") + "\n");
}

/** Writes a line to standard error as `print()` does. */
export function printError(line: string): void {
  console.error(printable(line));
}

/** Writes lines for a shell to standard error, which no terminal breaks. */
export function printErrorData(lines: readonly string[]): void {
  Deno.stderr.writeSync(encoder.encode(lines.map((line) => `${printable(line)}\n`).join("")));
}

/** Writes a question to standard error, and leaves the line open for the answer. */
export function promptError(question: string): void {
  Deno.stderr.writeSync(encoder.encode(printable(question)));
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
