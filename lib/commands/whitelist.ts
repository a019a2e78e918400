import { type Micros, now } from "../core/time.ts";
import type { Config, WhitelistMember } from "../config/types.ts";
import { longestOfEach } from "../config/whitelist.ts";
import { vastWarning } from "../config/warnings.ts";
import { rouseMonitor } from "../monitor/control.ts";
import type { State } from "../state/state.ts";
import { instantOf } from "../core/timestamp.ts";
import { UserError } from "../core/error.ts";
import { keptText } from "../deciding/ban.ts";
import { type Surrounding, SURROUNDINGS, type WhitelistEntry } from "../deciding/whitelist.ts";
import { requireNetwork, requireSpanOrForever, warnIfStopped } from "./change.ts";
import { openConfig, withState } from "./open.ts";
import {
  type CommonOptions,
  isoTimeOrNull,
  localTime,
  print,
  printError,
  printJson,
  printTable,
} from "./output.ts";

/** Options of `whitelist add`. */
export interface WhitelistAddOptions extends CommonOptions {
  readonly note?: string;
  /** A span, or `forever`, which is the default. */
  readonly for?: string;
  /** A date, or a date and a time; excludes `for`. */
  readonly until?: string;
}

/**
 * `whitelist add`: whitelists an address or network until an end, or for good, and lifts its bans.
 * Replaces note and end of an entry that exists. Throws `UserError` (64, 69, 78).
 */
export function whitelistAddCommand(target: string, options: WhitelistAddOptions): number {
  const address = requireNetwork(target);
  const since = now();
  const until = requireEnd(options, since);
  return withState(options, (state) => {
    const note = keptText(options.note ?? "");
    state.addToWhitelist("command", { address, note, until, since });
    rouseMonitor(state.directory);
    if (options.json) printJson({ address, note, until: isoTimeOrNull(until), done: "whitelisted" });
    else print(`${address} whitelisted${until === null ? "" : ` until ${localTime(until)}`}`);
    const warning = vastWarning(address);
    if (warning !== null) printError(`Warning: ${warning}`);
    warnIfStopped(state.directory);
    return 0;
  });
}

function requireEnd({ for: span, until }: WhitelistAddOptions, since: Micros): Micros | null {
  if (until === undefined) {
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
 * (64, 69, 78; 1: none).
 */
export function whitelistRemoveCommand(target: string, options: CommonOptions): number {
  const address = requireNetwork(target);
  return withState(options, (state) => {
    const removed = ["command", "knock"].filter((origin) => state.removeFromWhitelist(origin, address));
    if (removed.length === 0) {
      throw new UserError(`Cannot remove ${address}: neither command nor knock whitelisted it`, 1);
    }
    rouseMonitor(state.directory);
    if (options.json) printJson({ address, done: "removed" });
    else print(`${address} no longer whitelisted`);
    warnIfStopped(state.directory);
    return 0;
  });
}

/** A whitelist entry with its origin. */
interface Listed extends WhitelistEntry {
  readonly origin: "configuration" | "file" | "command" | "knock" | "database" | "open session" | Surrounding;
  /** Path of the whitelist file that holds the entry. */
  readonly file?: string;
}

/** `whitelist list`: prints all entries that have not ended, with origin, end and note. */
export function whitelistListCommand(options: CommonOptions): number {
  const config = openConfig(options);
  const listed = withState({ ...options, state: config.stateDirectory }, (state) => [
    ...configured(config),
    ...kept(state),
  ]);
  const time = now();
  const entries = listed.filter(({ until }) => until === null || until > time);
  if (options.json) entries.forEach((entry) => printJson(entryJson(entry)));
  else if (entries.length > 0) printTable(["ADDRESS", "BY", "UNTIL", "NOTE"], entries.map(row));
  else print("Nothing is whitelisted but loopback and this machine's own addresses.");
  for (const error of config.whitelist.files.flatMap((file) => file.problem() ?? [])) {
    printError(`Warning: ${error}`);
  }
  return 0;
}

function entryJson({ address, origin, file, until, note }: Listed): unknown {
  return { address, origin, file: file ?? null, until: isoTimeOrNull(until), note };
}

function row({ address, origin, file, until, note }: Listed): string[] {
  return [address, file ?? origin, until === null ? "for good" : localTime(until), note];
}

function configured({ whitelist: { members, files } }: Config): Listed[] {
  const plain = ({ address, note, until }: WhitelistMember) => ({ address, note, until });
  return [
    ...members.map((member) => ({ ...plain(member), origin: "configuration" as const })),
    ...files.filter((file) => file.problem() === null).flatMap((file) =>
      longestOfEach(file.members()).map((member) => ({
        ...plain(member),
        origin: "file" as const,
        file: file.path,
      }))
    ),
  ];
}

function kept(state: State): Listed[] {
  const open = new Set(state.logins.sessions().map(({ address }) => address));
  const sessions = [...open].map((address) => ({
    address,
    note: "",
    until: null,
    origin: "open session" as const,
  }));
  return [
    ...sessions,
    ...(["command", "knock", "database", ...SURROUNDINGS] as const).flatMap((origin) =>
      state.whitelist(origin, now()).map((entry) => ({ ...entry, origin }))
    ),
  ];
}
