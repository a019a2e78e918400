import { type Micros, now } from "../core/time.ts";
import { rouseMonitor } from "../monitor/control.ts";
import { isLocked } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import { type BanStatus, isInForce, keptText } from "../deciding/ban.ts";
import { UserError } from "../core/error.ts";
import { banJson } from "./bans.ts";
import { outcome, requireNetwork, requireSpanOrForever } from "./change.ts";
import { knownWhitelist, openConfig, openState } from "./open.ts";
import { type CommonOptions, localTime, print, printJson } from "./output.ts";

/** Reason of a ban where none is given. */
const BY_HAND = "[MANUAL] ban";

/** Options of `ban`. */
export interface BanOptions extends CommonOptions {
  /** A span, or `forever`, which is meant without. */
  readonly for?: string;
  readonly reason?: string;
}

/** Outcome of `ban`. */
interface Result {
  readonly done: "banned" | "extended" | "unchanged";
  /** The ban in force now. */
  readonly ban: BanStatus;
  readonly running: boolean;
}

/**
 * `ban`: puts a ban into the state and tells what stands now, and what the firewall made of it within three seconds.
 * It is a ban of all traffic: one that is in force already keeps its reason, and the later of the two ends. Throws `UserError` (1, 64, 69, 78).
 */
export async function banCommand(target: string, options: BanOptions): Promise<number> {
  const address = requireNetwork(target);
  const span = requireSpanOrForever(options.for);
  const config = openConfig(options);
  const state = openState({ ...options, state: config.stateDirectory });
  try {
    const origin = knownWhitelist(config, state).covering(address);
    if (origin !== null) throw new UserError(`Cannot ban ${address}: it is whitelisted (${origin})`, 1);
    const reason = options.reason === undefined ? null : keptText(options.reason);
    const result = await ban(state, { address, span, reason: reason || BY_HAND });
    if (options.json) printJson(resultJson(result));
    else resultLines(result, reason).forEach(print);
    return 0;
  } finally {
    state.close();
  }
}

async function ban(
  state: State,
  { address, span, reason }: { address: string; span: Micros | null; reason: string },
): Promise<Result> {
  const known = { address, scope: "all" } as const;
  const before = state.bans.find(known);
  const start = now();
  state.bans.add({
    ...known,
    provenance: { kind: "manual", name: "" },
    reason,
    count: 0,
    start,
    until: span === null ? null : start + span,
  });
  const { id } = state.bans.find(known)!;
  rouseMonitor(state.directory);
  const settled = ({ appliedAt, ended }: BanStatus) => appliedAt !== null || ended !== null;
  const ban = await outcome(state, { id, settled });
  if (ban.ended !== null) {
    throw new UserError(`Cannot ban ${address}: the monitor ended the ban at once (${ban.endReason})`, 1);
  }
  const done = before?.id !== ban.id ? "banned" : before.until !== ban.until ? "extended" : "unchanged";
  return { done, ban, running: isLocked(state.directory) };
}

function resultJson({ done, ban, running }: Result): unknown {
  return { ...banJson(ban), done, running };
}

function resultLines({ done, ban, running }: Result, reason: string | null): string[] {
  const until = ban.until === null ? "for good" : `until ${localTime(ban.until)}`;
  const verb =
    { banned: "banned", extended: "was banned already, now", unchanged: "was banned already" }[done];
  const lines = [`${ban.address} ${verb} ${until}: ${ban.reason}`, fate(ban, running)];
  if (reason !== null && reason !== ban.reason) {
    lines.push(`The reason "${reason}" is not kept: a ban keeps the one that it began with.`);
  }
  return lines;
}

/** What the firewall made of a ban so far. */
function fate(ban: BanStatus, running: boolean): string {
  if (isInForce(ban)) return "It is in force.";
  if (ban.appliedAt !== null) return "It is noted only: without a firewall nobody is really banned.";
  if (!running) return "It is not in force: the monitor is not running, and will see to it when it starts.";
  if (ban.error !== null) return `It is not in force yet, the monitor keeps trying: ${ban.error}`;
  return "It is not in force yet: the firewall has not answered.";
}
