import { messageOf, UserError } from "../core/error.ts";
import { jsonText, printable } from "../core/text.ts";
import type { Micros } from "../core/time.ts";
import { tableLines, WIDTH, wrap } from "./layout.ts";

/** Options of every command. */
export interface CommonOptions {
  /** Path of the configuration file. */
  readonly config: string;
  /** Directory of the state; replaces the one of the configuration. */
  readonly state?: string;
  /** Output for machines: one JSON object a line. */
  readonly json?: boolean;
}

/** Where the configuration is unless another one is named. */
export const CONFIG = "/etc/strongmonitor/config.jsonc";
/** Formats of `bans --export`. */
export const EXPORT_FORMATS = ["nft", "ipset", "plain", "json"] as const;
/** Tables of `top`. */
export const TOP_TABLES = ["address", "network", "user", "path", "rule", "module"] as const;
/** Characters of many lines that are written at once. */
const PIECE = 1 << 16;
const encoder = new TextEncoder();

/** Writes a line for people to standard output; whatever in it could steer a terminal is escaped. */
export function print(line: string): void {
  printLines([line]);
}

/** Lines for people that are kept back from the terminal: see `collectLines()`. */
let collected: string[] | null = null;

/**
 * Runs a command, and returns the lines for people that it would have printed on either stream, escaped, with its exit code. One
 * command at a time.
 */
export async function collectLines(
  command: () => number | Promise<number>,
): Promise<{ code: number; lines: readonly string[] }> {
  const lines: string[] = collected = [];
  try {
    return { code: await command(), lines };
  } finally {
    collected = null;
  }
}

/** Writes many lines as `print()` does, at once; a terminal breaks them between words. */
export function printLines(lines: readonly string[]): void {
  if (lines.length === 0) return;
  if (collected !== null) {
    for (const line of lines) collected.push(printable(line));
    return;
  }
  const width = widthOf(Deno.stdout);
  const shown = lines.values().map(printable);
  writeLines(width === null ? shown : shown.flatMap((line) => wrap(line, width)));
}

/** Writes lines for programs to standard output, which no terminal breaks. */
export function printData(lines: readonly string[]): void {
  writeLines(lines.values().map(printable));
}

/** Writes a line to standard error as `print()` does. */
export function printError(line: string): void {
  if (collected !== null) return printLines([line]);
  const width = widthOf(Deno.stderr);
  console.error(width === null ? printable(line) : wrap(printable(line), width).join("\n"));
}

/** Writes lines for a shell to standard error, which no terminal breaks. */
export function printErrorData(lines: readonly string[]): void {
  Deno.stderr.writeSync(encoder.encode(lines.map((line) => `${printable(line)}\n`).join("")));
}

/** Where nginx has its configuration, unless the user says otherwise. */
export const NGINX_CONF = "/etc/nginx/nginx.conf";

/** Writes a question to standard error, and leaves the line open for the answer. */
export function promptError(question: string): void {
  Deno.stderr.writeSync(encoder.encode(printable(question)));
}

/** Writes a line of the program's own that steers the terminal, as colours do. Nothing that others wrote may be in it. */
export function printSteering(line: string): void {
  write(line + "\n");
}

/** Columns of the terminal behind a stream; null: it is none. */
function widthOf(stream: { isTerminal(): boolean }): number | null {
  if (!stream.isTerminal()) return null;
  try {
    return Deno.consoleSize().columns || WIDTH;
  } catch {
    return WIDTH;
  }
}

/** Writes many lines, some at a time. */
function writeLines(lines: Iterable<string>): void {
  let text = "";
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < PIECE) continue;
    write(text);
    text = "";
  }
  if (text !== "") write(text);
}

/** Synchronous. Exits with 0 when the reader has closed the pipe. Throws `UserError` (1) where there is no room for it. */
function write(text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    throw new UserError(`Cannot write to standard output: ${messageOf(error)}`, 1);
  }
}

/** Tells why a command failed: on standard error in sentences, and with `--json` as an object on standard output too. */
export function printFailure(
  sentences: readonly string[],
  { code, json }: { code: number; json: boolean },
): void {
  for (const sentence of sentences) printError(`strongmonitor: ${sentence}`);
  if (json) printJson({ error: sentences.join("\n"), code });
}

/** Writes an object as one line of JSON. */
export function printJson(value: unknown): void {
  printObjects([value].values());
}

/** Writes objects, each as one line of JSON. */
export function printObjects(values: IteratorObject<unknown>): void {
  writeLines(values.map(jsonText));
}

/** Formats an instant for people: local time to the second. */
export function localTime(time: Micros): string {
  return new Date(time / 1_000).toLocaleString("sv-SE");
}

/** Formats an instant for a table: local time to the minute, `2026-11-28 22:05`. */
export function tableTime(time: Micros): string {
  return localTime(time).slice(0, -3);
}

/** The time zone of local times: `Europe/Berlin`. */
export function zoneName(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Names the time zone of the local times of a table. */
export function zoneText(): string {
  return `Times are of ${zoneName()}.`;
}

/** Prints rows in aligned columns under a heading. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  // Escaped before they are measured.
  const escaped = rows.map((row) => row.map(printable));
  printLines(tableLines(heading, escaped, widthOf(Deno.stdout) ?? Infinity));
}
