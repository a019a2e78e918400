import { messageOf, tried, UserError } from "../../core/error.ts";
import { jsonText, printable } from "../../core/text.ts";
import { localTime, type Micros } from "../../core/time.ts";
import { tableLines, WIDTH, wrap } from "./layout.ts";

/** Options of every command. */
export interface CommonOptions {
  /** Path of the configuration file. */
  readonly config: string;
  /** Directory of the state; overrides the configuration. */
  readonly state?: string;
  /** Output for machines: one JSON object a line. */
  readonly json?: boolean;
}

/** Default path of the configuration. */
export const CONFIG = "/etc/strongmonitor/config.jsonc";
/** Default path of nginx's configuration. */
export const NGINX_CONF = "/etc/nginx/nginx.conf";
/** Formats of `bans --export`. */
export const EXPORT_FORMATS = ["nft", "ipset", "plain", "json"] as const;
/** Subjects of counts: names that attackers choose, and the rules and modules that saw them. */
export const SUBJECTS = ["address", "network", "user", "path", "rule", "module"] as const;
/** A counted subject. */
export type Subject = typeof SUBJECTS[number];
/** Characters in one write of many lines. */
const PIECE = 1 << 16;
const encoder = new TextEncoder();

/** Writes a line for people to standard output, with control characters escaped. */
export function print(line: string): void {
  printLines([line]);
}

/** Lines that `collectLines()` keeps back from the terminal, for this width; null: none. */
let collected: { readonly lines: string[]; readonly width: number } | null = null;

/**
 * Runs a command and returns its exit code and its lines for people from both streams, escaped.
 * Runs one command at a time.
 * @param width columns of the place where the lines will be shown
 */
export async function collectLines(
  command: () => number | Promise<number>,
  width: number,
): Promise<{ code: number; lines: readonly string[] }> {
  const lines: string[] = [];
  collected = { lines, width };
  try {
    return { code: await command(), lines };
  } finally {
    collected = null;
  }
}

/** Returns the columns for lines of a command's output; null: they have no limit. */
export function outputWidth(): number | null {
  return collected?.width ?? columnsOf(Deno.stdout);
}

/** Writes many lines as `print()` does; on a terminal, breaks them between words. */
export function printLines(lines: readonly string[]): void {
  if (lines.length === 0) return;
  if (collected !== null) {
    for (const line of lines) collected.lines.push(printable(line));
    return;
  }
  const width = columnsOf(Deno.stdout);
  const shown = lines.values().map(printable);
  writeLines(width === null ? shown : shown.flatMap((line) => wrap(line, width)));
}

/** Writes lines for programs to standard output, unbroken. */
export function printData(lines: readonly string[]): void {
  writeLines(lines.values().map(printable));
}

/** Writes a line to standard error as `print()` does. */
export function printError(line: string): void {
  if (collected !== null) return printLines([line]);
  const width = columnsOf(Deno.stderr);
  console.error(width === null ? printable(line) : wrap(printable(line), width).join("\n"));
}

/** Writes lines for a shell to standard error, unbroken. */
export function printErrorData(lines: readonly string[]): void {
  Deno.stderr.writeSync(encoder.encode(lines.map((line) => `${printable(line)}\n`).join("")));
}

/** Writes a question to standard error without a line end. */
export function promptError(question: string): void {
  Deno.stderr.writeSync(encoder.encode(printable(question)));
}

/** Writes a line with the program's own control sequences. It must hold no foreign text. */
export function printSteering(line: string): void {
  write(line + "\n");
}

/** Returns the width of a stream's terminal in columns; null: it is no terminal. */
export function columnsOf(stream: { isTerminal(): boolean }): number | null {
  if (!stream.isTerminal()) return null;
  try {
    return Deno.consoleSize().columns || WIDTH;
  } catch {
    return WIDTH;
  }
}

/** Writes many lines in pieces. */
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

/** Called when the reader of standard output has closed the pipe. */
let whenUnread: () => void = () => Deno.exit(0);

/**
 * Lets a command go on when nobody reads its output: its exit code is a verdict, which `head` must
 * not turn into success.
 */
export function finishUnread(): void {
  whenUnread = () => {};
}

/** Writes synchronously. Throws `UserError` (1). */
function write(text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return whenUnread();
    throw new UserError(`Cannot write to standard output: ${messageOf(error)}`, 1);
  }
}

/**
 * Prints why a command failed to standard error; with `--json` also to standard output, unless that
 * takes no text.
 */
export function printFailure(
  sentences: readonly string[],
  { code, json }: { code: number; json: boolean },
): void {
  for (const sentence of sentences) printError(`strongmonitor: ${sentence}`);
  if (json) tried(() => printJson({ error: sentences.join("\n"), code }));
}

/** Writes an object as one line of JSON. */
export function printJson(value: unknown): void {
  printObjects([value].values());
}

/** Prints a command's result: `value` as JSON with `--json`, otherwise `lines` for people. */
export function printResult(
  { json }: Pick<CommonOptions, "json">,
  value: unknown,
  ...lines: readonly string[]
): void {
  if (json) printJson(value);
  else printLines(lines);
}

/** Writes objects, each as one line of JSON. */
export function printObjects(values: IteratorObject<unknown>): void {
  writeLines(values.map(jsonText));
}

/** Formats an instant for a table: local time to the minute, `2026-11-28 22:05`. */
export function tableTime(time: Micros): string {
  return localTime(time).slice(0, -3);
}

/** Formats the end of a ban for a table. */
export function tableEnd(until: Micros | null): string {
  return until === null ? "for good" : tableTime(until);
}

/** The time zone of local times: `Europe/Berlin`. With an unknown `TZ`, local times are of UTC. */
export function zoneName(): string {
  // Most servers are of UTC, and a format takes 25 ms, a tenth of a command's time.
  if (String(new Date()).endsWith("(Coordinated Universal Time)")) return "UTC";
  const name: string | undefined = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === undefined || name === "Etc/Unknown" ? "UTC" : name;
}

/** Returns the sentence about a table's time zone. */
export function zoneText(): string {
  return `Times are of ${zoneName()}.`;
}

/** Prints rows in aligned columns under a heading. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  // Escape before measuring.
  const escaped = rows.map((row) => row.map(printable));
  printLines(tableLines(heading, escaped, outputWidth() ?? Infinity));
}
