import { now } from "../core/time.ts";
import { rouseMonitor } from "../monitor/control.ts";
import { NetworkSet } from "../core/network_set.ts";
import { isLocked } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import { type BanStatus, nameOf } from "../deciding/ban.ts";
import { UserError } from "../core/error.ts";
import { banJson } from "./bans.ts";
import { outcome, requireNetwork } from "./change.ts";
import { openConfig, openState } from "./open.ts";
import { type CommonOptions, print, printJson } from "./output.ts";

/** Outcome of `unban` for one ban. */
interface Result {
  readonly ban: BanStatus;
  /** Nothing can lift it: the firewall keeps what it has. */
  readonly stays: boolean;
  readonly running: boolean;
  /** Banned network that the address is in all the same. */
  readonly network: string | null;
}

/**
 * `unban`: ends all bans of an address or network and tells of each what the firewall made of it within three seconds.
 * Throws `UserError` (64, 69, 78; 1 when there is no ban of just that).
 */
export async function unbanCommand(target: string, options: CommonOptions): Promise<number> {
  const address = requireNetwork(target);
  const config = openConfig(options);
  const state = openState({ ...options, state: config.stateDirectory });
  try {
    const before = state.bans.standing(address);
    if (before.length === 0) throw new UserError(`Cannot unban ${address}: ${whyNot(state, address)}`, 1);
    state.bans.end(address, { reason: "unban", time: now() });
    state.notes.forget(address);
    rouseMonitor(state.directory);
    const network = networkOf(state, address);
    for (const { id, appliedBy } of before) {
      const ban = await outcome(state, { id, settled: ({ appliedBy }) => appliedBy === null });
      const stays = config.ban.unban === null && appliedBy === "command";
      const result = { ban, stays, running: isLocked(state.directory), network };
      if (options.json) printJson(resultJson(result));
      else resultLines(result).forEach(print);
    }
    if (network !== null && !options.json) print(`It is still banned with the network ${network}.`);
    return 0;
  } finally {
    state.close();
  }
}

/** Why there is no ban of `address` to be ended, and what can be done. */
function whyNot(state: State, address: string): string {
  const network = networkOf(state, address);
  if (network !== null) return `it is banned with the network ${network}, unban that`;
  const ban = state.bans.latest(address);
  if (!ban || ban.appliedBy === null) return "it is not banned";
  return `its ban has ended, and the monitor is to lift it from the firewall${
    ban.error ? `: ${ban.error}` : ""
  }`;
}

/** The banned network that `address` lies in; null when there is none. */
function networkOf(state: State, address: string): string | null {
  const networks = state.bans.networks().map(({ address }) => address);
  return networks.find((network) => network !== address && new NetworkSet([network]).covers(address)) ?? null;
}

function resultJson({ ban, stays, running, network }: Result): unknown {
  const lifted = ban.appliedBy === null && !stays;
  return { ...banJson(ban), done: "unbanned", lifted, running, network };
}

function resultLines(result: Result): string[] {
  return [`${nameOf(result.ban)} unbanned`, fate(result)];
}

/** What the firewall made of the end of a ban so far. */
function fate({ ban, stays, running }: Result): string {
  if (stays) return "It stays in the firewall: without an unban_command nothing can lift it.";
  if (ban.appliedBy === null) return "The firewall does not have it.";
  if (!running) {
    return "It is still in the firewall: the monitor is not running, and will lift it when it starts.";
  }
  if (ban.error !== null) return `It is still in the firewall, the monitor keeps trying: ${ban.error}`;
  return "It is still in the firewall, which has not answered yet.";
}
