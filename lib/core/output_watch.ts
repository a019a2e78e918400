/** Follows the output of programs that tell of changes, such as `nft monitor`, while this one runs. */
import { pause } from "./async.ts";
import { endSignal, isSudo, spawn } from "./child_process.ts";

/** Delay in milliseconds before the program restarts, doubled at each try, as sudo may log each. */
const [FIRST_WAIT, LAST_WAIT] = [1_000, 3_600_000];
/** Least run of the program in milliseconds before a quick restart. */
const STEADY = 60_000;
/** Characters kept of an endless line. */
const LONGEST_LINE = 4_096;

/** Options of `watchOutput()`. */
export interface OutputWatch {
  /** Receives complete lines. */
  readonly told: (lines: readonly string[]) => void;
  /** Called when the program runs again after it ended: lines may have been missed. */
  readonly missed: () => void;
  readonly signal: AbortSignal;
  /** Delay in milliseconds before the first restart. Default: 1,000. */
  readonly wait?: number | undefined;
}

/** Runs argv, again when it ends, until `signal` aborts. Never throws. */
export async function watchOutput(argv: readonly string[], options: OutputWatch): Promise<void> {
  const { missed, signal, wait: first = FIRST_WAIT } = options;
  for (let wait = first; !signal.aborted;) {
    const began = performance.now();
    await follow(argv, options).catch(() => {});
    const isSteady = performance.now() - began >= STEADY;
    await pause(isSteady ? first : wait, signal);
    wait = isSteady ? first : Math.min(LAST_WAIT, 2 * wait);
    if (isSteady && !signal.aborted) missed();
  }
}

/** Reads the output of one run to its end. */
async function follow(argv: readonly string[], { told, signal }: OutputWatch): Promise<void> {
  const [program] = argv;
  // Some versions of sudo ignore signals of their own process group.
  const bySudo = isSudo(program!);
  const child = spawn(argv, { output: true, leadsGroup: bySudo });
  child.stderr.cancel().catch(() => {});
  const output = child.stdout.pipeThrough(new TextDecoderStream());
  const reader = output.getReader();
  let isOurs = !bySudo;
  const end = () => {
    reader.cancel().catch(() => {});
    try {
      child.kill(endSignal(program!));
    } catch (error) {
      // Any other error: it has ended.
      if (error instanceof Deno.errors.PermissionDenied) isOurs = false;
    }
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    if (signal.aborted) end();
    let rest = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const lines = (rest + read.value).split("\n");
      rest = lines.pop()!.slice(-LONGEST_LINE);
      told(lines);
    }
  } finally {
    signal.removeEventListener("abort", end);
    end();
    // Others are root's. If they miss the signal, they end at their next output, which nobody reads.
    if (isOurs) await child.status;
    else child.unref();
  }
}
