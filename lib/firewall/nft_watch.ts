/** Reports the loss of nftables' table: a reload of nftables.service flushes all bans. */
import { watchOutput } from "../core/output_watch.ts";
import { TABLE } from "./nft_script.ts";

/**
 * nft's arguments: only whole tables, so that a flood of other changes is cheap. nft 1.1.3 of
 * Debian 13 takes "monitor destroy tables" for a mistake.
 */
export const WATCHING = ["monitor", "tables"] as const;
const DELETED = `delete table ${TABLE}`;

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
export async function watchTable(
  command: readonly string[],
  { lost, signal, wait }: WatchOptions,
): Promise<void> {
  const told = (lines: readonly string[]) => lines.includes(DELETED) && lost();
  await watchOutput([...command, ...WATCHING], { told, missed: lost, signal, wait });
}
