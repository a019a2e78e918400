import { isoTimeOrNull, localTime, type Micros, now } from "../../core/time.ts";
import { wideWarning } from "../../config/warnings.ts";
import { isName, readTarget } from "../../config/whitelist.ts";
import { NetworkSet, Target } from "../../core/network_set.ts";
import { isLocked } from "../../state/lock.ts";
import { addressesByName } from "../../monitor/whitelisting.ts";
import type { State } from "../../state/state.ts";
import { listed } from "../../core/text.ts";
import { instantOf } from "../../core/timestamp.ts";
import { UserError } from "../../core/error.ts";
import { keptText } from "../../deciding/ban.ts";
import type { WhitelistEntry } from "../../deciding/whitelist.ts";
import { forEach, patience, tellMonitor, waitUntil, warnIfStopped } from "../common/change.ts";
import { requireSpanOrForever } from "../common/values.ts";
import { withContext, withState } from "../common/open_state.ts";
import { type CommonOptions, printError, printResult } from "../common/output.ts";
import { nameText, otherPlaces } from "./list.ts";
import { untilText } from "../common/words.ts";

/** Options of `whitelist add`. */
export interface WhitelistAddOptions extends CommonOptions {
  readonly note?: string;
  /** A span, or `forever`, the default of a new entry. */
  readonly for?: string;
  /** A date, or a date and a time; excludes `for`. */
  readonly until?: string;
}

/** An entry that the command wrote. */
interface Added extends WhitelistEntry {
  /** The entry existed before. */
  readonly isKnown: boolean;
  /** Banned addresses and networks that overlap it: the monitor lifts these bans. */
  readonly lifts: readonly string[];
}

/**
 * `whitelist add`: whitelists addresses, networks and DNS names until an end or forever, and lifts
 * their bans. An existing entry keeps its note or end unless given. Throws `UserError` (64, 69).
 */
export function whitelistAddCommand(
  targets: readonly string[],
  options: WhitelistAddOptions,
): Promise<number> {
  const since = now();
  const until = requireEnd(options, since);
  const note = options.note === undefined ? undefined : keptText(options.note);
  const wanted = requireTargets(targets);
  return withState(options, async (state) => {
    const added = wanted.map((address) => add(state, { address, note, until, since }));
    tellMonitor(
      state,
      `whitelist add ${added.map((entry) => `${entry.address} ${untilText(entry)}`).join(", ")}`,
    );
    const deadline = patience();
    for (const entry of added) {
      const { address, note, until, lifts } = entry;
      const result = { address, note, until: isoTimeOrNull(until), done: "whitelisted", lifts };
      printResult(options, result, ...addedLines(entry));
      if (isName(address)) await tellAddresses(state, { name: address, deadline });
      else {
        const warning = wideWarning(address);
        if (warning !== null) printError(`Warning: ${warning}`);
      }
    }
    warnIfStopped(state.directory);
    return 0;
  });
}

/** Returns each of `given` once, in its canonical spelling. Throws `UserError` (64). */
function requireTargets(given: readonly string[]): string[] {
  return [
    ...new Set(given.map((text) => {
      const target = readTarget(text);
      if (typeof target === "string") throw new UserError(`Cannot whitelist "${text}": it ${target}`, 64);
      return target.address;
    })),
  ];
}

function add(
  state: State,
  { address, since, ...given }: {
    address: string;
    since: Micros;
    note: string | undefined;
    until: Micros | null | undefined;
  },
): Added {
  const before = state.whitelist("command", since).find((entry) => entry.address === address);
  const note = given.note ?? before?.note ?? "";
  const until = given.until === undefined ? before?.until ?? null : given.until;
  state.addToWhitelist("command", { address, note, until, since });
  return { address, note, until, isKnown: before !== undefined, lifts: bansAround(state, address) };
}

/** Returns banned addresses and networks that overlap an address or network. */
function bansAround({ bans }: State, address: string): string[] {
  if (isName(address)) return [];
  const [set, target] = [new NetworkSet([address]), new Target()];
  return bans.addresses({ after: 0, upTo: bans.lastId() }).filter((banned) =>
    set.touches(target.read(banned))
  );
}

/** Most lifted bans that are named. */
const NAMED = 3;

function addedLines(entry: Added): string[] {
  const { address, note, isKnown, lifts } = entry;
  const verb = isKnown ? "was whitelisted already, now" : "whitelisted";
  return [
    `${address} ${verb} ${untilText(entry)}${note === "" ? "" : `: ${note}`}`,
    ...lifts.length === 0
      ? []
      : [`This lifts ${lifts.length === 1 ? "the ban" : "the bans"} of ${listed(lifts, NAMED)}.`],
  ];
}

/** Prints a name's addresses to standard error once the monitor knows them. */
async function tellAddresses(
  state: State,
  { name, deadline }: { name: string; deadline: number },
): Promise<void> {
  const known = () => addressesByName(state.whitelist("name", now())).get(name);
  await waitUntil(() => known() !== undefined || !isLocked(state.directory), deadline);
  const addresses = known() ?? [];
  if (addresses.length > 0 || isLocked(state.directory)) printError(nameText(name, addresses));
}

/** Reads the end; undefined: none was given. */
function requireEnd({ for: span, until }: WhitelistAddOptions, since: Micros): Micros | null | undefined {
  if (until === undefined) {
    if (span === undefined) return undefined;
    const micros = requireSpanOrForever(span);
    return micros === null ? null : since + micros;
  }
  if (span !== undefined) throw new UserError("Cannot take --for and --until at once: give one of them", 64);
  const end = instantOf(until);
  if (end === null) {
    throw new UserError(
      `Cannot read --until "${until}": expected a date such as 2027-01-31 or 2027-01-31T12:00:00+01:00`,
      64,
    );
  }
  if (end <= since) throw new UserError(`Cannot whitelist until ${localTime(end)}: that is past`, 64);
  return end;
}

/**
 * `whitelist remove`: removes the entries that `whitelist add` or a knock made. Throws `UserError`
 * (64, 69; 1: none).
 */
export function whitelistRemoveCommand(targets: readonly string[], options: CommonOptions): Promise<number> {
  const wanted = requireTargets(targets);
  return withContext(options, async (context) => {
    const { state } = context;
    const others = otherPlaces(wanted, context);
    const removed: string[] = [];
    const code = await forEach(wanted, options, (address) => {
      const origins = (["command", "knock"] as const).filter((origin) =>
        state.removeFromWhitelist(origin, address)
      );
      const places = [...others.get(address)!].join(" and in ");
      if (origins.length === 0) {
        const why = places === ""
          ? "neither command nor knock whitelisted it"
          : `it stands in ${places}: remove it there`;
        throw new UserError(`Cannot remove ${address}: ${why}`, 1);
      }
      removed.push(address);
      const by = places === "" ? "" : " by command or knock";
      printResult(options, { address, done: "removed" }, `${address} no longer whitelisted${by}`);
      if (places !== "") printError(`Warning: ${address} stays whitelisted: it stands in ${places}`);
      return 0;
    });
    if (removed.length > 0) {
      tellMonitor(state, `whitelist remove ${removed.join(" ")}`);
      warnIfStopped(state.directory);
    }
    return code;
  });
}
