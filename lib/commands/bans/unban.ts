import { banOf } from "../../config/firewalls.ts";
import { isOfPackets } from "../../core/scope.ts";
import { now } from "../../core/time.ts";
import { counted } from "../../core/text.ts";
import { enclosingNetworks } from "../../core/address.ts";
import { TABLE } from "../../firewall/nft_script.ts";
import { readReport } from "../../monitor/report.ts";
import { isLocked } from "../../state/lock.ts";
import type { State } from "../../state/state.ts";
import { type BanStatus, isObserved, nameOf } from "../../deciding/ban.ts";
import { UserError } from "../../core/error.ts";
import { banJson } from "./bans.ts";
import { liftHere } from "./lifting.ts";
import { forEach, outcome, patience, tellMonitor } from "../common/change.ts";
import { requireNetworks } from "../common/values.ts";
import { type CommandContext, withContext } from "../common/open_state.ts";
import { type CommonOptions, print, printResult } from "../common/output.ts";
import { strayText } from "../common/words.ts";

/** Options of `unban`. */
export interface UnbanOptions extends CommonOptions {
  /** Ends all bans in force. */
  readonly all?: boolean;
}

/**
 * `unban`: ends bans of addresses and networks, or all, and prints the firewall's result within 3 s.
 * Without a monitor, lifts them itself. Exit code 1: one has no ban of its own, or is still in the
 * firewall. Throws `UserError` (64, 69).
 */
export function unbanCommand(targets: readonly string[], options: UnbanOptions): Promise<number> {
  if (options.all && targets.length > 0) throw new UserError("Cannot take addresses and --all at once", 64);
  if (!options.all && targets.length === 0) {
    throw new UserError("Cannot unban: name addresses, or say --all", 64);
  }
  const addresses = requireNetworks(targets);
  return withContext(options, async (context) => {
    const { state } = context;
    if (options.all) return await unbanAll(context, options);
    const ended: BanStatus[] = [];
    const running = isLocked(state.directory);
    // Without a monitor, nobody else lifts what earlier commands have left in a firewall.
    const left = running ? [] : state.bans.lingering();
    const refused = await forEach(addresses, options, (address) => {
      const inForce = state.bans.inForceOf([address]);
      const found = inForce.length > 0 ? inForce : left.filter((ban) => ban.address === address);
      if (found.length === 0) throw new UserError(`Cannot unban ${address}: ${whyNot(state, address)}`, 1);
      ended.push(...found);
      return 0;
    });
    if (ended.length === 0) return refused;
    const names = new Set(ended.map(({ address }) => address));
    for (const address of names) state.bans.end(address, { reason: "unban", time: now() });
    state.notes.forget(names);
    tellMonitor(state, `unban ${[...names].join(" ")}`);
    if (!running) await liftHere(context, options);
    const failed = await tellEach(ended, { context, options });
    return refused || failed;
  });
}

async function unbanAll(context: CommandContext, options: UnbanOptions): Promise<number> {
  const { state } = context;
  const inForce = state.bans.inForce();
  if (inForce.length > 0) {
    state.bans.endNewer(0, { reason: "unban", time: now() });
    state.notes.forget(new Set(inForce.map(({ address }) => address)));
    tellMonitor(state, `unban --all: ${counted(inForce.length, "ban")}`);
  }
  if (!isLocked(state.directory)) await liftHere(context, options);
  if (options.json) return await tellEach(inForce, { context, options });
  const isStuck = (ban: BanStatus) => staysFor(ban, context.config);
  const left = (await leftInFirewall(state)).filter((ban) => !isStuck(ban));
  print(inForce.length === 0 ? "Nobody is banned." : `${counted(inForce.length, "ban")} ended`);
  if (left.length > 0) {
    const [verb, it] = left.length === 1 ? ["is", "it"] : ["are", "them"];
    const why = whyLeft(left[0]!, isLocked(state.directory), it);
    print(`${counted(left.length, "ban")} ${verb} still in the firewall. ${why}`);
  }
  const stuck = inForce.filter(isStuck).length;
  if (stuck > 0) print(`${counted(stuck, "ban stays", "bans stay")} in the firewall${NO_COMMAND}`);
  return left.length + stuck > 0 ? 1 : 0;
}

/** Waits a little for the firewall, and returns the ended bans that it still has. */
async function leftInFirewall(state: State): Promise<BanStatus[]> {
  for (const deadline = patience();;) {
    // One answer for all: asking for 100,000 bans one by one takes seconds.
    const left = state.bans.lingering();
    const last = left.findLast(({ error }) => error === null);
    if (last === undefined) return left;
    const isSettled = isLifted(await outcome(state, { id: last.id, settled: isLifted, deadline }));
    if (!isSettled && (performance.now() > deadline || !isLocked(state.directory))) {
      return state.bans.lingering();
    }
  }
}

function whyLeft(ban: BanStatus, running: boolean, it: string): string {
  const { error } = ban;
  const failure = error === null ? "" : `: ${error}`;
  if (!running) {
    return `The monitor is not running, and will lift ${it} when it starts${untilThen(ban)}${failure || "."}`;
  }
  return error === null ? `The monitor lifts ${it}.` : `The monitor keeps trying to lift ${it}${failure}`;
}

/** Names the command that lets everybody in while no monitor runs, for bans of nftables. */
function untilThen({ appliedBy }: BanStatus): string {
  return appliedBy === "nftables" ? `; until then \`nft delete table ${TABLE}\` lifts all bans` : "";
}

/** Reports whether no firewall has a ban: one that was only noted is in none. */
function isLifted(ban: BanStatus): boolean {
  return ban.appliedBy === null || isObserved(ban);
}

/** Prints each ban that was ended; returns the exit code. */
function tellEach(
  ended: readonly BanStatus[],
  { context: { config, state }, options }: { context: CommandContext; options: UnbanOptions },
): Promise<number> {
  const deadline = patience();
  const running = isLocked(state.directory);
  const observes = running && readReport(state.report())?.firewall === "observe";
  return forEach(ended, options, async (before) => {
    const ban = await outcome(state, { id: before.id, settled: isLifted, deadline });
    const stays = staysFor(before, config);
    const network = networkOf(state, ban.address);
    const lines = [
      `${nameOf(ban)} unbanned`,
      stays ? `It stays in the firewall${NO_COMMAND}` : liftText(ban, { before, running, observes }),
      ...network === null ? [] : [`It is still banned with the network ${network}.`],
    ];
    const lifted = isLifted(ban) && !stays;
    printResult(options, { ...banJson(ban), done: "unbanned", lifted, running, network }, ...lines);
    return lifted ? 0 : 1;
  });
}

/** Ends the sentence about a ban that stays in the firewall. */
const NO_COMMAND = ": without an unban_command nothing can lift it.";

/** Reports whether no command lifts a ban from the firewall. */
function staysFor({ scope, appliedBy }: BanStatus, config: CommandContext["config"]): boolean {
  const module = isOfPackets(scope) ? null : scope.module;
  return config !== null && appliedBy === "command" && banOf(config, module).unban === null;
}

/** Says why `address` has no ban to end, and what to do. */
function whyNot(state: State, address: string): string {
  const network = networkOf(state, address);
  if (network !== null) return `it is banned with the network ${network}, unban that`;
  const ban = state.bans.latest(address);
  if (!ban || isLifted(ban)) {
    if (state.isInMemory) {
      return "the monitor has newer bans in its memory alone; make room on the state's disk";
    }
    return strayText(address, readReport(state.report())) ?? "it is not banned";
  }
  const why = ban.error ? `: ${ban.error}` : "";
  return `its ban has ended, and the monitor is to lift it from the firewall${why}`;
}

/** Returns the banned network around `address`, of several the oldest ban's; null: none. */
function networkOf(state: State, address: string): string | null {
  const around = state.bans.inForceOf(enclosingNetworks(address));
  return around.toSorted((a, b) => a.start - b.start)[0]?.address ?? null;
}

/**
 * Says how far the firewall is with the end of a ban. `observes`: the monitor uses none, and lifts no
 * earlier ban.
 */
function liftText(
  ban: BanStatus,
  { before, running, observes }: { before: BanStatus; running: boolean; observes: boolean },
): string {
  if (isLifted(ban)) {
    if (isObserved(before)) return "It was noted only: nobody was really banned.";
    return before.appliedBy === null ? "The firewall never had it." : "The firewall has lifted it.";
  }
  if (observes) {
    return `It is still in the firewall (${ban.appliedBy}), which the monitor no longer uses: ` +
      "docs/firewalls.md tells how to lift it.";
  }
  if (!running) {
    return `It is still in the firewall. ${whyLeft(ban, running, "it")}`;
  }
  if (ban.error !== null) {
    return `It is still in the firewall, the monitor keeps trying to lift it: ${ban.error}`;
  }
  return "It is still in the firewall, which has not answered yet.";
}
