import { textLines } from "../sources/text.ts";
import { messageOf, UserError } from "../core/error.ts";

/** A text to be read, and how large it is. */
export interface Input {
  /** `-` for standard input. */
  readonly name: string;
  readonly file: Pick<Deno.FsFile, "readSync" | "close">;
  /** In bytes as stored; null when nobody knows. */
  readonly size: number | null;
}

/** Bytes that are read at a time: what comes of them should not outlive a turn of the garbage collector. */
const CHUNK = 1 << 15;
/** How what gzip has packed begins. */
const GZIP = [0x1f, 0x8b];

/** Opens a file, or standard input for `-`. Throws `UserError` (69). */
export function openInput(name: string): Input {
  if (name === "-") return { name, file: Deno.stdin, size: null };
  try {
    const { size, isDirectory } = Deno.statSync(name);
    if (isDirectory) throw new Error("it is a directory");
    return { name, file: Deno.openSync(name), size };
  } catch (error) {
    throw unreadable(name, error);
  }
}

/**
 * The lines of an input, unpacked where it is packed by gzip (RFC 1952) or its name says so; `onBytes` is told how many stored bytes
 * each chunk held.
 */
export async function* inputLines(
  input: Input,
  onBytes: (count: number) => void = () => {},
): AsyncGenerator<string[]> {
  const chunks = chunksOf(input.file, onBytes);
  try {
    const first = chunks.next();
    const isPacked = input.name.endsWith(".gz") ||
      (!first.done && first.value[0] === GZIP[0] && first.value[1] === GZIP[1]);
    const all = behind(first, chunks);
    yield* textLines(
      isPacked ? ReadableStream.from(copiesOf(all)).pipeThrough(new DecompressionStream("gzip")) : all,
    );
  } catch (error) {
    throw unreadable(input.name, error);
  }
}

/** What a file holds; each chunk is overwritten by the next. */
function* chunksOf(
  file: Input["file"],
  onBytes: (count: number) => void,
): Generator<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(CHUNK);
  try {
    for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
      onBytes(count);
      yield buffer.subarray(0, count);
    }
  } finally {
    file.close();
  }
}

/** A chunk that was looked at, and those that follow. */
function* behind<T>(first: IteratorResult<T>, rest: Iterable<T>): Generator<T> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

function* copiesOf(chunks: Iterable<Uint8Array<ArrayBuffer>>): Generator<Uint8Array<ArrayBuffer>> {
  for (const chunk of chunks) yield chunk.slice();
}

function unreadable(name: string, error: unknown): UserError {
  return new UserError(`Cannot read ${name}: ${why(name, error)}`, 69);
}

function why(name: string, error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not";
  if (error instanceof Deno.errors.NotCapable) {
    // A program that may not look cannot tell one from the other.
    const remedy = name.endsWith(".gz") ? `zcat ${name} | strongmonitor … -` : `strongmonitor … - < ${name}`;
    return `there is no such file, or this program was built without the right to; if it exists: ${remedy}`;
  }
  return messageOf(error);
}
