import { formatDuration, parseDuration } from "../duration.ts";
import { rouseMonitor } from "../control.ts";
import { canonicalNetwork } from "../ip.ts";
import { isLocked } from "../state/database.ts";
import { type BanStatus, type Micros, UserError } from "../types.ts";
import { knownWhitelist, openConfig, withState } from "./open.ts";
import {
  type CommonOptions,
  isoTime,
  isoTimeOrNull,
  localTime,
  print,
  printJson,
  printTable,
} from "./output.ts";

/** Reason of a ban that a person gave none for. */
const BY_HAND = "[MANUAL] ban";
/** Bans that `bans --all` shows. */
const HISTORY = 1_000;

/** `bans`: the bans in force, or with `all` the newest thousand of the past as well. */
export function bansCommand(options: CommonOptions & { all?: boolean }): number {
  const bans = withState(
    options,
    (state) => options.all ? state.bans.history(HISTORY) : state.bans.inForce(),
  );
  if (options.json) bans.forEach((ban) => printJson(banJson(ban)));
  else if (bans.length === 0) print(options.all ? "No bans yet." : "No bans in force.");
  else printTable(["ADDRESS", "SINCE", "UNTIL", "FIREWALL", "REASON"], bans.map(banRow));
  return 0;
}

/** A ban as machines read it. */
export function banJson(ban: BanStatus): Record<string, unknown> {
  return {
    address: ban.address,
    reason: ban.reason,
    count: ban.count,
    start: isoTime(ban.start),
    until: isoTimeOrNull(ban.until),
    ended: isoTimeOrNull(ban.ended),
    end_reason: ban.endReason,
    firewall: ban.appliedAt === null ? null : ban.appliedBy,
    attempts: ban.attempts,
    error: ban.error,
  };
}

function banRow(ban: BanStatus): string[] {
  const until = ban.ended !== null
    ? `${localTime(ban.ended)} (${ban.endReason})`
    : ban.until === null
    ? "for good"
    : localTime(ban.until);
  const holder = ban.appliedAt === null ? null : ban.appliedBy;
  const firewall = ban.error !== null
    ? `failed ${ban.attempts} times`
    : holder ?? (ban.ended ? "-" : "waiting");
  return [ban.address, localTime(ban.start), until, firewall, ban.reason];
}

/** `ban`: puts a ban into the state; the monitor brings it into force at once, or when it starts. */
export function banCommand(
  target: string,
  options: CommonOptions & { for?: string; reason?: string },
): number {
  const address = requireNetwork(target);
  const span = options.for === undefined ? null : requireDuration(options.for);
  const config = openConfig(options);
  return withState({ ...options, state: config.stateDirectory }, (state) => {
    const origin = knownWhitelist(config, state).covering(address);
    if (origin !== null) throw new UserError(`Cannot ban ${address}: it is whitelisted (${origin})`, 1);
    const start = Date.now() * 1_000;
    state.bans.add({
      address,
      reason: options.reason ?? BY_HAND,
      count: 0,
      start,
      until: span === null ? null : start + span,
    });
    rouseMonitor(state.directory);
    report(options, {
      address,
      done: `banned ${span === null ? "for good" : `for ${formatDuration(span)}`}`,
    });
    warnIfStopped(state.directory);
    return 0;
  });
}

/** `unban`: ends the ban of an address; exit code 1 when it has none. */
export function unbanCommand(target: string, options: CommonOptions): number {
  const address = requireNetwork(target);
  return withState(options, (state) => {
    if (!state.bans.end(address, { reason: "unban", time: Date.now() * 1_000 })) {
      throw new UserError(`Cannot unban ${address}: it is not banned`, 1);
    }
    state.dropHits(address);
    rouseMonitor(state.directory);
    report(options, { address, done: "unbanned" });
    warnIfStopped(state.directory);
    return 0;
  });
}

/** Prints that something was done to an address. */
export function report(options: CommonOptions, { address, done }: { address: string; done: string }): void {
  if (options.json) printJson({ address, done });
  else print(`${address} ${done}`);
}

/** Says on standard error that what a command asked for waits until the monitor runs. */
export function warnIfStopped(state: string): void {
  if (isLocked(state)) return;
  console.error("The monitor is not running: this takes effect when it starts.");
}

/** A canonical address or network; throws `UserError` (64). */
export function requireNetwork(text: string): string {
  const address = canonicalNetwork(text);
  if (address === null) {
    throw new UserError(`Cannot read "${text}": expected an address or a network such as 192.0.2.0/24`, 64);
  }
  return address;
}

function requireDuration(text: string): Micros {
  const span = parseDuration(text);
  if (span === null) {
    throw new UserError(`Cannot read --for "${text}": expected a time span such as 90s, 2h or 1d12h`, 64);
  }
  return span;
}
