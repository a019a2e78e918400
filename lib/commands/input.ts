import { textLines } from "../sources/text.ts";
import { messageOf, UserError } from "../types.ts";

/** A text to be read, and how large it is. */
export interface Input {
  /** `-` for standard input. */
  readonly name: string;
  readonly stream: ReadableStream<Uint8Array>;
  /** In bytes as stored; null when nobody knows. */
  readonly size: number | null;
}

/** Opens a file, unpacking it where its name ends in `.gz`, or standard input for `-`. Throws `UserError` (69). */
export function openInput(name: string): Input {
  if (name === "-") return { name, stream: Deno.stdin.readable, size: null };
  try {
    const { size, isDirectory } = Deno.statSync(name);
    if (isDirectory) throw new Error("it is a directory");
    return { name, stream: Deno.openSync(name).readable, size };
  } catch (error) {
    throw unreadable(name, error);
  }
}

/** The lines of an input; `onBytes` is told how many stored bytes each chunk held. */
export async function* inputLines(
  input: Input,
  onBytes: (count: number) => void = () => {},
): AsyncGenerator<string[]> {
  const counted = input.stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        onBytes(chunk.length);
        controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      },
    }),
  );
  const text = input.name.endsWith(".gz") ? counted.pipeThrough(new DecompressionStream("gzip")) : counted;
  try {
    yield* textLines(text);
  } catch (error) {
    throw unreadable(input.name, error);
  }
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
