/** Parts of the commands that change the state. */
import { type Micros, parseDuration } from "../core/time.ts";
import { canonicalNetwork } from "../core/address.ts";
import { isLocked } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import type { BanStatus } from "../deciding/ban.ts";
import { UserError } from "../core/error.ts";
import { printError } from "./output.ts";

/** Milliseconds that a command waits for the firewall, and between two looks. */
const PATIENCE = 3_000;
const BETWEEN_LOOKS = 50;

/** A canonical address or network; throws `UserError` (64). */
export function requireNetwork(text: string): string {
  const address = canonicalNetwork(text);
  if (address === null) {
    throw new UserError(`Cannot read "${text}": expected an address or a network such as 192.0.2.0/24`, 64);
  }
  return address;
}

/** The span of an option `--for`; null: for good, as without it. Throws `UserError` (64). */
export function requireSpanOrForever(text = "forever"): Micros | null {
  return text === "forever" ? null : requireSpan("--for", text, ", or forever");
}

/** The span that an option is given, `or` telling what else it takes; throws `UserError` (64). */
export function requireSpan(option: string, text: string, or = ""): Micros {
  const span = parseDuration(text);
  if (span !== null) return span;
  throw new UserError(
    `Cannot read ${option} "${text}": expected a time span such as 90s, 2h or 1d12h${or}`,
    64,
  );
}

/** Says on standard error that what a command asked for waits until the monitor runs. */
export function warnIfStopped(state: string): void {
  if (!isLocked(state)) printError("The monitor is not running: this takes effect when it starts.");
}

/**
 * A ban as soon as it is `settled` or failed, or as it is when the monitor does not run or takes longer than three seconds.
 */
export async function outcome(
  state: State,
  { id, settled }: { id: number; settled: (ban: BanStatus) => boolean },
): Promise<BanStatus> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const isLastLook = performance.now() > deadline || !isLocked(state.directory);
    const ban = state.bans.get(id)!;
    if (isLastLook || settled(ban) || ban.error !== null) return ban;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS));
  }
}
