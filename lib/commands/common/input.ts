/** Reads files and standard input as batches of lines, unpacking gzip. */
import { fstatSync } from "node:fs";
import { LINE_FEED } from "../../core/ascii.ts";
import { decode } from "../../core/bytes.ts";
import { now } from "../../core/time.ts";
import { denial } from "../../core/denial.ts";
import { messageOf, tried, UserError } from "../../core/error.ts";
import { gunzip } from "../../core/gzip.ts";
import { shellWord } from "../../core/text.ts";
import { LineSplitter, PAGE } from "../../sources/line_splitter.ts";
import { RecordBuffer } from "../../core/record_buffer.ts";
import type { Batch } from "../../sources/source.ts";

/** An open file or standard input. */
export interface Input {
  /** `-` for standard input. */
  readonly name: string;
  /** Name of the command that reads it, for errors: `replay`. */
  readonly command: string;
  readonly file: Pick<Deno.FsFile, "readSync" | "close">;
  /** Stored bytes; null: unknown. */
  readonly size: number | null;
}

/** Bytes of one read, and of a file's end. */
const [CHUNK, END] = [1 << 17, 1 << 18];
/** First bytes of gzip data (RFC 1952). */
const GZIP = [0x1f, 0x8b];
/** First bytes of data that other programs compress, and the programs that unpack it. */
const COMPRESSED: readonly (readonly [program: string, first: readonly number[]])[] = [
  ["xzcat", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstdcat", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzcat", [0x42, 0x5a, 0x68]],
];
/** UTF-8 byte order mark, skipped before the first line. */
const MARK = [0xef, 0xbb, 0xbf];
/** Beginnings of the first line of each output form of journalctl that is no log. */
const JOURNAL_FORMS: readonly (readonly [form: string, beginning: RegExp])[] = [
  ["export", /^__CURSOR=/],
  ["json-pretty", /^\{$/],
  ["json-sse", /^data: \{/],
  ["verbose", /^[A-Z][a-z]{2} [\d-]{10} [\d:.]+ \S+ \[s=/],
  ["with-unit", /^[A-Z][a-z]{2} [\d-]{10} [\d:.]+ \S+ \S+ \S+\.(?:service|scope)[[:/]/],
];

/** Returns the input, or `-`. Throws `UserError` (64) if no input is given on a terminal. */
export function inputOrStdin(input?: string): string {
  if (input === undefined && Deno.stdin.isTerminal()) {
    throw new UserError("Cannot read lines from a terminal: name a file, or say - to type them", 64);
  }
  return input ?? "-";
}

/** Opens a file, or standard input for `-`. Throws `UserError` (69). */
export function openInput(name: string, command: string): Input {
  if (name === "-") return { name, command, file: Deno.stdin, size: sizeOfStdin() };
  try {
    const { size, isDirectory } = Deno.statSync(name);
    if (isDirectory) throw new Error("it is a directory");
    return { name, command, file: Deno.openSync(name), size };
  } catch (error) {
    throw unreadable({ name, command }, error);
  }
}

/** Returns the bytes of a file behind standard input; null: it is no file. Needs no permission. */
function sizeOfStdin(): number | null {
  const stat = tried(() => fstatSync(0));
  return stat?.isFile() ? stat.size : null;
}

/** Opens the last `END` bytes of a file, from the first whole line on. Throws Deno's errors. */
export function openEnd(name: string): Input {
  const file = Deno.openSync(name);
  const { size } = file.statSync();
  if (size > END) {
    file.seekSync(-END, Deno.SeekMode.End);
    const chunk = new Uint8Array(END);
    const count = file.readSync(chunk) ?? 0;
    // Bytes before the first line break are the rest of a line.
    file.seekSync(chunk.subarray(0, count).indexOf(LINE_FEED) + 1 - count, Deno.SeekMode.Current);
  }
  return { name, command: "replay", file, size: Math.min(size, END) };
}

/**
 * Yields the lines of an input in batches. Unpacks gzip, known by its first bytes or a name in
 * `.gz`. Calls `onBytes` with the stored bytes of each read. Throws `UserError` (69).
 */
export async function* readInput(
  input: Input,
  onBytes: (count: number) => void = () => {},
): AsyncGenerator<Batch> {
  const buffer = new RecordBuffer(2 * CHUNK);
  const lines = new LineSplitter();
  let last = 0;
  const read = (into: Uint8Array) => {
    last = input.file.readSync(into) ?? 0;
    onBytes(last);
    return last;
  };
  try {
    const first = new Uint8Array(CHUNK);
    const count = read(first);
    const isPacked = input.name.endsWith(".gz") || startsWith(first, GZIP);
    const beginning = first.subarray(0, count);
    refuseCompressed(beginning, input);
    const chunks = isPacked ? gunzip(packed(beginning, read)) : plain(buffer, beginning, read);
    lines.begin(buffer);
    // Somebody may wait for the result of each line.
    const isLive = input.name === "-" && input.command === "match" && !isPacked;
    let isBegun = false;
    const taken = (damaged: number): Batch[] => {
      if (buffer.length === 0) return [];
      if (!isBegun) refuseJournalForms(decode(buffer.bytes, buffer.from[0]!, buffer.to[0]!));
      isBegun = true;
      return [{ records: buffer, position: "", damaged }];
    };
    for await (const chunk of chunks) {
      if (chunk !== null) buffer.put(chunk);
      yield* taken(lines.take(buffer, now(), !isLive || mayGoOn(buffer, last)));
      lines.begin(buffer);
    }
    yield* taken(lines.finish(buffer, now()));
  } catch (error) {
    throw unreadable(input, error);
  } finally {
    input.file.close();
  }
}

/**
 * Reports whether the rest of what a program wrote may follow `count` bytes at the end of a buffer:
 * they end within a line, or like the pages of a pipe or file.
 */
function mayGoOn({ bytes: { array }, end }: RecordBuffer, count: number): boolean {
  return count % PAGE === 0 || array[end - 1] !== LINE_FEED;
}

/** Yields the lines of an input as text, one array for each read. See `readInput()`. */
export async function* inputLines(input: Input, onBytes?: (count: number) => void): AsyncGenerator<string[]> {
  for await (const { records: { bytes, from, to, length } } of readInput(input, onBytes)) {
    yield Array.from({ length }, (_, i) => decode(bytes, from[i]!, to[i]!));
  }
}

/** Yields a first chunk to fill the buffer, then null for each read into the buffer. */
function* plain(
  buffer: RecordBuffer,
  beginning: Uint8Array,
  read: (into: Uint8Array) => number,
): Generator<Uint8Array | null> {
  const isMarked = startsWith(beginning, MARK);
  yield isMarked ? beginning.subarray(MARK.length) : beginning;
  for (let count = read(buffer.room(CHUNK)); count > 0; count = read(buffer.room(CHUNK))) {
    buffer.took(count);
    yield null;
  }
}

/** Yields chunks of a first one and of each read. */
function* packed(beginning: Uint8Array, read: (into: Uint8Array) => number): Generator<Uint8Array> {
  yield beginning;
  for (let chunk = new Uint8Array(CHUNK), count = read(chunk); count > 0; count = read(chunk)) {
    yield chunk.subarray(0, count);
    chunk = new Uint8Array(CHUNK);
  }
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

/** Throws for data that something else than gzip compressed. */
function refuseCompressed(beginning: Uint8Array, { name, command }: Input): void {
  const program = COMPRESSED.find(([, first]) => startsWith(beginning, first))?.[0];
  if (program === undefined) return;
  const pipe = name === "-" ? `… | ${program}` : `${program} ${shellWord(name)}`;
  throw new Error(`only gzip is unpacked: ${pipe} | ${dashed({ name, command })}`);
}

/** Throws for the first line of a form that journalctl writes and nobody here reads. */
function refuseJournalForms(line: string): void {
  const form = JOURNAL_FORMS.find(([, beginning]) => beginning.test(line))?.[0];
  if (form === undefined) return;
  throw new Error(`it is a journal as journalctl -o ${form} writes it: write it with -o short-iso instead`);
}

/** Returns this command line for a shell, with `-` in place of a file; without that file, only `command`. */
export function dashed({ name, command }: Pick<Input, "name" | "command">): string {
  const { args } = Deno;
  if (!args.includes(name)) return `strongmonitor ${command} -`;
  return ["strongmonitor", ...args.map((word) => word === name ? "-" : shellWord(word))].join(" ");
}

function unreadable(input: Pick<Input, "name" | "command">, error: unknown): UserError {
  return new UserError(`Cannot read ${input.name}: ${why(input, error)}`, 69);
}

function why(input: Pick<Input, "name" | "command">, error: unknown): string {
  const { name } = input;
  const piped = (reader: string) => `${reader} ${shellWord(name)} | ${dashed(input)}`;
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return denial("read it", () => piped("sudo cat"));
  if (error instanceof Deno.errors.NotCapable) {
    // A program without read permission cannot tell the two apart.
    const remedy = name.endsWith(".gz") ? piped("zcat") : `${dashed(input)} < ${shellWord(name)}`;
    return `there is no such file, or this program may not read it; if it exists: ${remedy}`;
  }
  return messageOf(error);
}
