/** Parts of the commands that change the state. */
import { pause } from "../../core/async.ts";
import { SUDOER } from "../../config/permissions.ts";
import { userName } from "../../core/denial.ts";
import { now } from "../../core/time.ts";
import { wakeMonitor } from "../../monitor/control.ts";
import { isLocked } from "../../state/lock.ts";
import type { State } from "../../state/state.ts";
import type { BanStatus } from "../../deciding/ban.ts";
import { tried, UserError } from "../../core/error.ts";
import { oneLine } from "../../core/text.ts";
import { folded } from "./layout.ts";
import { type CommonOptions, printError, printFailure } from "./output.ts";

/** Milliseconds that a command waits for the firewall, and between two checks. */
const [PATIENCE, BETWEEN_LOOKS] = [3_000, 50];

/** Characters of a change in a line of the monitor's log. */
const LINE = 1_000;

/**
 * Tells the monitor of a change, for its log, which names the user. A change of many addresses
 * becomes several lines, so that the log names each of them.
 */
export function tellMonitor(state: State, what: string): void {
  const parts = folded(oneLine(what, Infinity), "", LINE);
  const by = { time: now(), who: whoRuns() };
  const change = (part: string, index: number) =>
    (index === 0 ? "" : "… ") + part + (index === parts.length - 1 ? "" : " …");
  state.manualChanges.add(parts.map((part, index) => ({ ...by, what: change(part, index) })));
  wakeMonitor(state.directory);
}

/** Runs `work` for each target, and prints its error. Returns the first exit code that is not 0. */
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

/** Warns on standard error if no monitor runs, so that the change waits. */
export function warnIfStopped(state: string): void {
  if (!isLocked(state)) printError("The monitor is not running: this takes effect when it starts.");
}

/** Returns the deadline of a command that waits for the firewall, by `performance.now()`. */
export function patience(): number {
  return performance.now() + PATIENCE;
}

/**
 * Returns a ban once `settled` or failed, the monitor has stopped or `deadline` has passed. Asks for the
 * monitor only while the ban waits: each answer opens a database, and there may be thousands of bans.
 */
export async function outcome(
  state: State,
  { id, settled, deadline }: { id: number; settled: (ban: BanStatus) => boolean; deadline: number },
): Promise<BanStatus> {
  const ban = () => state.bans.get(id)!;
  const isOver = (ban: BanStatus) => settled(ban) || ban.error !== null || !isLocked(state.directory);
  await waitUntil(() => isOver(ban()), deadline);
  return ban();
}

/** Waits until `isDone` or until `deadline`, by `performance.now()`. Reports whether it is done. */
export async function waitUntil(isDone: () => boolean, deadline: number): Promise<boolean> {
  while (!isDone()) {
    if (performance.now() >= deadline) return false;
    await pause(BETWEEN_LOOKS);
  }
  return true;
}

/** Names who runs this command, for the monitor's log: `root (uid 0), by sudo from anna`. */
function whoRuns(): string {
  const sudoer = tried(() => Deno.env.get(SUDOER));
  const uid = tried(() => Deno.uid());
  const name = userName();
  return `${name}${uid === null ? "" : ` (uid ${uid})`}${sudoer ? `, by sudo from ${sudoer}` : ""}`;
}
