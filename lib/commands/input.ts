import { textLines } from "../sources/text.ts";
import { UserError } from "../types.ts";

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
    throw new UserError(`Cannot read ${name}: ${why(error)}`, 69);
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
    throw new UserError(`Cannot read ${input.name}: ${why(error)}`, 69);
  }
}

function why(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.NotCapable) {
    return "this program was built without the right to; give it on standard input, as in: strongmonitor … - < FILE";
  }
  return error instanceof Error ? error.message : String(error);
}
