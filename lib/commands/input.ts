import { textLines } from "../sources/text.ts";
import { messageOf, UserError } from "../types.ts";

/** A text to be read, and how large it is. */
export interface Input {
  /** `-` for standard input. */
  readonly name: string;
  readonly file: Pick<Deno.FsFile, "read" | "close">;
  /** In bytes as stored; null when nobody knows. */
  readonly size: number | null;
}

/** Bytes that are read at a time. */
const CHUNK = 1 << 16;

/** Opens a file, unpacking it where its name ends in `.gz`, or standard input for `-`. Throws `UserError` (69). */
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

/** The lines of an input; `onBytes` is told how many stored bytes each chunk held. */
export async function* inputLines(
  input: Input,
  onBytes: (count: number) => void = () => {},
): AsyncGenerator<string[]> {
  const chunks = chunksOf(input.file, onBytes);
  const text = input.name.endsWith(".gz")
    ? ReadableStream.from(copiesOf(chunks)).pipeThrough(new DecompressionStream("gzip"))
    : chunks;
  try {
    yield* textLines(text);
  } catch (error) {
    throw unreadable(input.name, error);
  }
}

/** What a file holds. The next chunk is read while one is looked at; each is overwritten by the next but one. */
async function* chunksOf(
  file: Input["file"],
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let [buffer, other] = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
  const read = () => {
    const reading = file.read(buffer);
    // Nobody may be waiting yet, or any more.
    reading.catch(() => {});
    return reading;
  };
  let next = read();
  try {
    for (let count = await next; count !== null; count = await next) {
      const chunk = buffer.subarray(0, count);
      [buffer, other] = [other, buffer];
      next = read();
      onBytes(count);
      yield chunk;
    }
  } finally {
    file.close();
  }
}

async function* copiesOf(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of chunks) yield chunk.slice();
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
