import { messageOf, type Micros } from "../types.ts";

/** How a program is run. */
export interface RunOptions {
  /** A program still running after this is killed and has failed. */
  readonly timeout: Micros;
  readonly signal: AbortSignal;
  /** What it reads on standard input; nothing unless told. */
  readonly input?: string;
  /** Keeps what it prints on standard output. */
  readonly withOutput?: boolean;
}

/** What became of a program. */
export interface Ending {
  /** Null: it ended with exit status 0. */
  readonly failure: string | null;
  /** Nobody waited for the end: it may have done its work all the same. */
  readonly isUncertain: boolean;
  readonly output: string;
  /** When it has really ended; at once unless that is uncertain. */
  readonly gone: Promise<unknown>;
}

const GONE = Promise.resolve();

/** Runs argv without a shell to its end, or until its time is up or `signal` aborts: then it is killed and left to itself. */
export async function runProgram(argv: readonly string[], options: RunOptions): Promise<Ending> {
  const { timeout, signal, input, withOutput = false } = options;
  const deadline = AbortSignal.timeout(timeout / 1_000);
  const failed = (why: string) => ({
    failure: `${argv.join(" ")}: ${why}`,
    isUncertain: false,
    output: "",
    gone: GONE,
  });
  try {
    const child = spawn(argv, { hasInput: input !== undefined, withOutput });
    const said = tailOf(child.stderr);
    const output = withOutput ? textOf(child.stdout) : Promise.resolve("");
    if (input !== undefined) void feed(child.stdin, input);
    const stopped = aborted(AbortSignal.any([deadline, signal]));
    const status = await Promise.race([child.status, stopped]);
    if (status === null) {
      abandon(child);
      const why = deadline.aborted ? `still running after ${timeout / 1e6} s` : "stopped";
      return { ...failed(why), isUncertain: true, gone: child.status };
    }
    const text = await Promise.race([output, stopped]);
    if (status.success) return { failure: null, isUncertain: false, output: text ?? "", gone: GONE };
    const words = await said.lastLine();
    return failed(`${status.signal ?? `exit status ${status.code}`}${words && `: ${words}`}`);
  } catch (error) {
    return failed(messageOf(error));
  }
}

function spawn(
  [program, ...args]: readonly string[],
  { hasInput, withOutput }: { hasInput: boolean; withOutput: boolean },
): Deno.ChildProcess {
  return new Deno.Command(program!, {
    args,
    stdin: hasInput ? "piped" : "null",
    stdout: withOutput ? "piped" : "null",
    stderr: "piped",
  }).spawn();
}

/** Writes all of a program's input; one that ends early is told of by how it ended. */
async function feed(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  try {
    const writer = stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    // Its exit status says why.
  }
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  try {
    return await new Response(stream).text();
  } catch {
    return "";
  }
}

/** sudo runs as root and may not be ours to kill. */
function abandon(child: Deno.ChildProcess): void {
  child.unref();
  try {
    child.kill("SIGKILL");
  } catch {
    // Already gone, or not ours.
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}

/** Bytes of a program's complaints that are kept. */
const TAIL = 4_096;
/** Milliseconds to wait for the rest of them once the program has ended: a child of its own may hold them open. */
const GRACE = 200;

/** Reads a stream to its end, so that nobody writing to it is held up or killed, and keeps the end of it. */
function tailOf(stream: ReadableStream<Uint8Array>): { lastLine: () => Promise<string> } {
  let tail = new Uint8Array(0);
  const ended = (async () => {
    for await (const chunk of stream) {
      const both = new Uint8Array(tail.length + chunk.length);
      both.set(tail);
      both.set(chunk, tail.length);
      tail = both.slice(-TAIL);
    }
  })().catch(() => {});
  return {
    async lastLine() {
      const timer = Promise.withResolvers<void>();
      const grace = setTimeout(timer.resolve, GRACE);
      await Promise.race([ended, timer.promise]);
      clearTimeout(grace);
      return new TextDecoder().decode(tail).trim().split("\n").at(-1)!.slice(0, 200);
    },
  };
}
