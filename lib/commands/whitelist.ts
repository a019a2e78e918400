import { now } from "../clock.ts";
import { vastWarning } from "../config.ts";
import { rouseMonitor } from "../control.ts";
import { UserError, type WhitelistEntry } from "../types.ts";
import { report, requireNetwork, warnIfStopped } from "./change.ts";
import { openConfig, withState } from "./open.ts";
import { type CommonOptions, print, printJson, printTable } from "./output.ts";

/** `whitelist add`: never bans an address or network again, and lifts what stands against it. */
export function whitelistAddCommand(target: string, options: CommonOptions & { note?: string }): number {
  const address = requireNetwork(target);
  return withState(options, (state) => {
    state.addToWhitelist("command", { address, note: options.note ?? "", until: null, since: now() });
    rouseMonitor(state.directory);
    report(options, { address, done: "whitelisted" });
    const warning = vastWarning(address);
    if (warning !== null) console.error(`Warning: ${warning}`);
    warnIfStopped(state.directory);
    return 0;
  });
}

/** `whitelist remove`: takes back what `whitelist add` or a knock did. */
export function whitelistRemoveCommand(target: string, options: CommonOptions): number {
  const address = requireNetwork(target);
  return withState(options, (state) => {
    const removed = ["command", "knock"].filter((origin) => state.removeFromWhitelist(origin, address));
    if (removed.length === 0) {
      throw new UserError(`Cannot remove ${address}: neither command nor knock whitelisted it`, 1);
    }
    rouseMonitor(state.directory);
    report(options, { address, done: "no longer whitelisted" });
    warnIfStopped(state.directory);
    return 0;
  });
}

/** `whitelist list`: everything whitelisted, and by whom. */
export function whitelistListCommand(options: CommonOptions): number {
  const { whitelist, stateDirectory } = openConfig(options);
  const entries = withState({ ...options, state: stateDirectory }, (state) => [
    ...[...whitelist.networks, ...whitelist.names].map((address) => ({
      address,
      note: "",
      until: null,
      origin: "configuration",
    })),
    ...["command", "knock", "database"].flatMap((origin) =>
      state.whitelist(origin, now()).map((entry: WhitelistEntry) => ({ ...entry, origin }))
    ),
  ]);
  if (options.json) entries.forEach((entry) => printJson(entry));
  else if (entries.length === 0) {
    print("Nothing is whitelisted but loopback and this machine's own addresses.");
  } else {printTable(
      ["ADDRESS", "BY", "NOTE"],
      entries.map(({ address, origin, note }) => [address, origin, note]),
    );}
  return 0;
}
