/** Reports the loss of nftables' table: a reload of nftables.service flushes all bans. */
import { pause } from "../core/async.ts";
import { endSignal, isSudo, spawn } from "../core/child_process.ts";
import { TABLE } from "./nft_script.ts";

/**
 * nft's arguments: only whole tables, so that a flood of other changes is cheap. nft 1.1.3 of
 * Debian 13 takes "monitor destroy tables" for a mistake.
 */
export const WATCHING = ["monitor", "tables"] as const;
const DELETED = `delete table ${TABLE}`;
/** Delay in milliseconds before nft restarts, doubled at each try, as sudo may log each. */
const [FIRST_WAIT, LAST_WAIT] = [1_000, 3_600_000];
/** Least run of nft in milliseconds before a quick restart. */
const STEADY = 60_000;
/** Characters kept of an endless line. */
const LONGEST_LINE = 4_096;

/** Options of `watchTable()`. */
export interface WatchOptions {
  /** Called when the table is gone, or may have gone unseen. */
  readonly lost: () => void;
  readonly signal: AbortSignal;
  /** Delay in milliseconds before the first restart. Default: 1,000. */
  readonly wait?: number;
}

/**
 * Watches for deleted tables until `signal` aborts. Never throws: the next comparison finds losses
 * that it misses.
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
    // Nobody watched in between.
    if (isSteady && !signal.aborted) lost();
  }
}

/** Reads one nft's output to its end. */
async function follow(command: readonly string[], { lost, signal }: WatchOptions): Promise<void> {
  const [program] = command;
  // Some versions of sudo ignore signals of their own process group.
  const bySudo = isSudo(program!);
  const child = spawn([...command, ...WATCHING], { output: true, leadsGroup: bySudo });
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
      if (lines.includes(DELETED)) lost();
    }
  } finally {
    signal.removeEventListener("abort", end);
    end();
    // Others are root's. If they miss the signal, they end at their next output, which nobody reads.
    if (isOurs) await child.status;
    else child.unref();
  }
}
