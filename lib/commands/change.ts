/** Parts of the commands that change the state. */
import { type Micros, now, parseDuration } from "../core/time.ts";
import { canonicalNetwork } from "../core/address.ts";
import { rouseMonitor } from "../monitor/control.ts";
import { isLocked } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import { type BanStatus, keptText } from "../deciding/ban.ts";
import { UserError } from "../core/error.ts";
import { type CommonOptions, printError, printFailure } from "./output.ts";
import { whoRuns } from "./who.ts";

/** Milliseconds that a command waits for the firewall, and between two looks. */
const PATIENCE = 3_000;
const BETWEEN_LOOKS = 50;

/** Each of `given` as a canonical address or network, once; throws `UserError` (64). */
export function requireNetworks(given: readonly string[]): string[] {
  return [...new Set(given.map(requireNetwork))];
}

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

/** Tells the monitor of a change by a command, and its log in the command's own words who made it. */
export function tellMonitor(state: State, what: string): void {
  state.deeds.add({ time: now(), who: whoRuns(), what: keptText(what) });
  rouseMonitor(state.directory);
}

/**
 * Does `work` for each target, which gives an exit code. Where that fails, it is told why, and the others have their turn all
 * the same. Returns the first exit code that is not 0.
 */
export async function forEach<T>(
  targets: readonly T[],
  { json = false }: Pick<CommonOptions, "json">,
  work: (target: T) => number | Promise<number>,
): Promise<number> {
  let first = 0;
  for (const target of targets) {
    try {
      const code = await work(target);
      first = first || code;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      printFailure(error.sentences, { code: error.code, json });
      first = first || error.code;
    }
  }
  return first;
}

/** Says on standard error that what a command asked for waits until the monitor runs. */
export function warnIfStopped(state: string): void {
  if (!isLocked(state)) printError("The monitor is not running: this takes effect when it starts.");
}

/** When a command that waits for the firewall gives up, by `performance.now()`. */
export function patience(): number {
  return performance.now() + PATIENCE;
}

/** A ban as soon as it is `settled` or failed, or as it is when the monitor does not run or `deadline` has come. */
export async function outcome(
  state: State,
  { id, settled, deadline }: { id: number; settled: (ban: BanStatus) => boolean; deadline: number },
): Promise<BanStatus> {
  for (;;) {
    const isLastLook = performance.now() > deadline || !isLocked(state.directory);
    const ban = state.bans.get(id)!;
    if (isLastLook || settled(ban) || ban.error !== null) return ban;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS));
  }
}
