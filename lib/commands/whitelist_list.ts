import type { Config } from "../config/types.ts";
import { isName, longestOfEach, type WhitelistMember } from "../config/whitelist.ts";
import { hasEnded, isoTimeOrNull, localTime, now } from "../core/time.ts";
import { type Surrounding, SURROUNDINGS, type WhitelistEntry } from "../deciding/whitelist.ts";
import { addressesByName } from "../monitor/whitelisting.ts";
import type { State } from "../state/state.ts";
import { type CommandContext, withContext } from "./open.ts";
import { type CommonOptions, print, printError, printJson, printTable, zoneText } from "./output.ts";

/** A whitelist entry with its origin. */
interface Listed extends WhitelistEntry {
  readonly origin: "configuration" | "file" | "command" | "knock" | "database" | "open session" | Surrounding;
  /** Path of the whitelist file that holds the entry. */
  readonly file?: string;
}

/**
 * `whitelist list`: prints all entries that have not ended, with origin, end and note, and the
 * addresses of names.
 */
export function whitelistListCommand(options: CommonOptions): number {
  const { listed, names, problems } = withContext(options, (context) => ({
    listed: listedBy(context),
    names: addressesByName(context.state.whitelist("name", now())),
    problems: context.config?.whitelist.files.flatMap((file) => file.problem() ?? []) ?? [],
  }));
  const time = now();
  const entries = listed.filter((entry) => !hasEnded(entry, time));
  const addressesOf = (address: string) => isName(address) ? names.get(address) ?? [] : null;
  if (options.json) {
    entries.forEach((entry) => printJson({ ...entryJson(entry), addresses: addressesOf(entry.address) }));
  } else if (entries.length > 0) {
    printTable(["ADDRESS", "BY", "UNTIL", "NOTE"], entries.map(row));
    for (const name of new Set(entries.map(({ address }) => address).filter(isName))) {
      print(nameText(name, addressesOf(name)!));
    }
    if (entries.some(({ until }) => until !== null)) print(zoneText());
  } else print("Nothing is whitelisted but loopback and this machine's own addresses.");
  for (const error of problems) {
    printError(`Warning: ${error}`);
  }
  return 0;
}

/**
 * Returns, by address or name, the places where a change by hand could take a present entry of
 * exactly that away, other than those of commands and knocks.
 */
export function otherPlaces(
  targets: readonly string[],
  { config, state }: Pick<CommandContext, "config" | "state">,
): Map<string, ReadonlySet<string>> {
  const time = now();
  const places = new Map(targets.map((target) => [target, new Set<string>()]));
  const note = (place: string, entries: Iterable<Pick<WhitelistMember, "address" | "until">>) => {
    for (const entry of entries) if (!hasEnded(entry, time)) places.get(entry.address)?.add(place);
  };
  if (config !== null) {
    note(config.path, config.whitelist.members);
    for (const file of config.whitelist.files) if (file.problem() === null) note(file.path, file.members());
  }
  note("the database", state.whitelist("database", time));
  return places;
}

function listedBy({ config, state }: Pick<CommandContext, "config" | "state">): Listed[] {
  return [...config === null ? [] : configured(config), ...kept(state)];
}

/** Says which addresses the monitor last found for a name. */
export function nameText(name: string, addresses: readonly string[]): string {
  return addresses.length > 0
    ? `${name} is ${addresses.join(", ")} now.`
    : `No address of ${name} is known: the monitor resolves it, and logs why it cannot.`;
}

function entryJson({ address, origin, file, until, note }: Listed) {
  return { address, origin, file: file ?? null, until: isoTimeOrNull(until), note };
}

function row({ address, origin, file, until, note }: Listed): string[] {
  return [address, file ?? origin, until === null ? endless(origin) : localTime(until), note];
}

/** Returns how long an entry without an end holds. */
function endless(origin: Listed["origin"]): string {
  if (origin === "open session") return "it is closed";
  return SURROUNDINGS.some((each) => each === origin) ? "it is replaced" : "for good";
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
