/** Tells when nftables' table goes: a reload of nftables.service flushes everything, and no ban holds then. */
import { pause } from "../core/async.ts";
import { spawn } from "../core/child_process.ts";
import { TABLE } from "./nft_script.ts";

/** nft's arguments: deletions of whole tables alone, so that a flood of other changes costs next to nothing. */
const DELETED_TABLES = ["monitor", "destroy", "tables"];
const DELETED = `delete table ${TABLE}`;
/** Milliseconds until nft is started anew, doubled from try to try: where it may not run, sudo logs each. */
const [FIRST_WAIT, LAST_WAIT] = [1_000, 3_600_000];
/** Milliseconds that nft must have run to be started anew soon. */
const STEADY = 60_000;
/** Characters that are kept of a line without an end. */
const LONGEST_LINE = 4_096;

/** What `watchTable()` works with. */
export interface WatchOptions {
  /** Called when the table is gone, and when it may have gone unseen. */
  readonly lost: () => void;
  readonly signal: AbortSignal;
  /** Milliseconds until the first restart; a second unless told. */
  readonly wait?: number;
}

/**
 * Has nft tell of deleted tables until `signal` aborts. Never throws: what goes unseen, the next comparison finds.
 * @param command argv before nft's arguments
 */
export async function watchTable(command: readonly string[], options: WatchOptions): Promise<void> {
  const { lost, signal, wait: first = FIRST_WAIT } = options;
  for (let wait = first; !signal.aborted;) {
    const began = performance.now();
    await follow(command, options).catch(() => {});
    const isSteady = performance.now() - began >= STEADY;
    await pause(isSteady ? first : wait, signal);
    wait = isSteady ? first : Math.min(LAST_WAIT, 2 * wait);
    // Meanwhile nobody watched.
    if (isSteady && !signal.aborted) lost();
  }
}

/** Follows one nft to its end. */
async function follow(command: readonly string[], { lost, signal }: WatchOptions): Promise<void> {
  const child = spawn([...command, ...DELETED_TABLES], { output: true });
  child.stderr.cancel().catch(() => {});
  const output = child.stdout.pipeThrough(new TextDecoderStream());
  const reader = output.getReader();
  let isOurs = true;
  const end = () => {
    reader.cancel().catch(() => {});
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // Otherwise it has ended.
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
      if (lines.includes(DELETED)) lost();
    }
  } finally {
    signal.removeEventListener("abort", end);
    end();
    // What sudo started is root's. It ends with its next word, which nobody takes.
    if (isOurs) await child.status;
    else child.unref();
  }
}
