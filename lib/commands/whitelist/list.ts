import type { Config } from "../../config/types.ts";
import { isName, longestOfEach, type WhitelistMember } from "../../config/whitelist.ts";
import type { WhitelistFile } from "../../config/whitelist_file.ts";
import { counted } from "../../core/text.ts";
import { hasEnded, isoTimeOrNull, localTime, now } from "../../core/time.ts";
import {
  KEPT_ORIGINS,
  type KeptOrigin,
  SURROUNDINGS,
  type WhitelistEntry,
} from "../../deciding/whitelist.ts";
import { addressesByName } from "../../monitor/whitelisting.ts";
import type { State } from "../../state/state.ts";
import { lastContentOf } from "./known.ts";
import { type CommandContext, withContext } from "../common/open_state.ts";
import { type CommonOptions, print, printError, printJson, printTable, zoneText } from "../common/output.ts";

/** A whitelist entry with its origin. */
export interface ListedEntry extends WhitelistEntry {
  /** In words for people. */
  readonly origin: string;
  /** Path of the whitelist file that holds the entry; null: none does. */
  readonly file: string | null;
}

/** Origins of the entries that people make, and of those that are replaced as a whole. */
const LISTED: readonly KeptOrigin[] = ["command", "knock", "database", ...SURROUNDINGS];

/** `whitelist list`: prints all entries that have not ended, and the addresses of names. */
export function whitelistListCommand(options: CommonOptions): number {
  const { listed, names, problems, isKnown } = withContext(options, (context) => ({
    isKnown: context.config !== null,
    listed: [
      ...context.config === null ? [] : configuredEntries(context.config),
      ...sessionEntries(context.state),
      ...keptEntries(context.state, LISTED),
    ],
    names: addressesByName(context.state.whitelist("name", now())),
    problems: context.config?.whitelist.files.flatMap((file) => problemOf(file, context.state) ?? []) ?? [],
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
  } else if (isKnown) print("Nothing is whitelisted but loopback and this machine's own addresses.");
  if (!isKnown) {
    printError(
      "Entries of the configuration and of its files are missing here, but count in a monitor that runs.",
    );
  }
  for (const error of problems) {
    printError(`Warning: ${error}`);
  }
  return 0;
}

/**
 * Returns, by address or name, the other places with an entry of exactly that target, which a
 * person can remove there: the configuration, its files and the database.
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

/** Returns an entry as JSON. */
export function entryJson({ address, origin, file, until, note }: ListedEntry) {
  return { address, origin, file, until: isoTimeOrNull(until), note };
}

/** Returns why a whitelist file cannot be read, and how many entries of it count on; null: it can. */
function problemOf(file: WhitelistFile, state: State): string | null {
  const problem = file.problem();
  const last = problem === null ? null : lastContentOf(file, state);
  if (last === null) return problem;
  return `${problem}; its last ${counted(last.entries, "entry stays", "entries stay")} whitelisted, ` +
    "and `why` finds them";
}

/** Says which addresses the monitor last found for a name. */
export function nameText(name: string, addresses: readonly string[]): string {
  return addresses.length > 0
    ? `${name} is ${addresses.join(", ")} now.`
    : `No address of ${name} is known: the monitor resolves it, and logs why it cannot.`;
}

function row({ address, origin, file, until, note }: ListedEntry): string[] {
  return [address, file ?? origin, until === null ? endless(origin) : localTime(until), note];
}

/** Returns how long an entry without an end holds. */
function endless(origin: string): string {
  if (origin === "open session") return "it is closed";
  return SURROUNDINGS.some((each) => each === origin) ? "it is replaced" : "for good";
}

/**
 * Returns the entries of a configuration and of its readable whitelist files.
 * @param isAsked reports whether to return an entry
 * @param isIn reports whether a file may have such an entry; other files are not searched
 */
export function configuredEntries(
  { whitelist: { members, files } }: Config,
  isAsked: (member: WhitelistMember) => boolean = () => true,
  isIn: (file: WhitelistFile) => boolean = () => true,
): ListedEntry[] {
  const listed = (origin: string, file: string | null) => (member: WhitelistMember): ListedEntry => ({
    ...member,
    origin,
    file,
  });
  return [
    ...members.filter(isAsked).map(listed("configuration", null)),
    ...files.filter((file) => file.problem() === null && isIn(file)).flatMap((file) =>
      longestOfEach(Iterator.from(file.members()).filter(isAsked)).map(listed("file", file.path))
    ),
  ];
}

/** Returns the addresses with open sessions. */
export function sessionEntries(state: State): ListedEntry[] {
  const addresses = new Set(state.logins.sessions().map(({ address }) => address));
  return [...addresses].map((address) => lastingEntry(address, "open session"));
}

/** Returns the present entries of some origins that the state keeps. */
export function keptEntries(state: State, origins: readonly KeptOrigin[]): ListedEntry[] {
  return origins.flatMap((origin) =>
    state.whitelist(origin, now()).map((entry) => ({ ...entry, origin: KEPT_ORIGINS[origin], file: null }))
  );
}

/** Makes an entry without a note and an end. */
export function lastingEntry(address: string, origin: string): ListedEntry {
  return { address, origin, file: null, note: "", until: null };
}
