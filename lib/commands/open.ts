import { modules } from "../../modules/mod.ts";
import { hasEnded, now } from "../core/time.ts";
import type { Config } from "../config/types.ts";
import type { WhitelistFile } from "../config/whitelist_file.ts";
import { isName, type WhitelistMember } from "../config/whitelist.ts";
import { decodeCopy, type WhitelistContent } from "../config/whitelist_content.ts";
import { configOf, loadConfig } from "../config/load.ts";
import { SHIPPED } from "../config/shipped.ts";
import { ownAddresses } from "../monitor/own_addresses.ts";
import { keptMembers } from "../monitor/whitelist_entries.ts";
import { addressesByName } from "../monitor/whitelisting.ts";
import { Whitelist } from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";
import { UserError } from "../core/error.ts";
import { isAbsent } from "../core/file_identity.ts";
import { guardState } from "../core/state_files.ts";
import { type CommonOptions, CONFIG, printError } from "./output.ts";
import { inputName } from "./words.ts";

/**
 * Loads the configuration of the options, and guards the files of its state; reads the password
 * only `withPassword`. Throws `UserError` (78).
 */
export function openConfig({ config, state }: CommonOptions, { withPassword = false } = {}): Config {
  const options = { known: modules, state, withPassword };
  // Relative paths of a draft resolve as if it stood at the configuration's place.
  const loaded = config === "-"
    ? configOf(readDraft(), CONFIG, { ...options, name: inputName(config) })
    : loadConfig(config, options);
  guardState(loaded.stateDirectory);
  return loaded;
}

/** Most bytes of a configuration on standard input. */
const MOST_INPUT = 1 << 20;

/** Reads a configuration from standard input. Throws `UserError` (78) above 1 MiB. */
function readDraft(): string {
  const text = readStdin(MOST_INPUT);
  if (text !== null) return text;
  throw new UserError("Cannot read the configuration: standard input has more than 1 MiB", 78);
}

/** Reads standard input to its end; null: it has more than `most` bytes. */
export function readStdin(most: number): string | null {
  const bytes = new Uint8Array(most + 1);
  let end = 0;
  for (let count; end < bytes.length && (count = Deno.stdin.readSync(bytes.subarray(end)));) end += count;
  return end > most ? null : new TextDecoder().decode(bytes.subarray(0, end));
}

/** Loads the configuration, or the shipped one if none was named and none exists. */
export function openConfigOrShipped(options: CommonOptions): Config {
  if (options.config !== CONFIG || !isAbsent(CONFIG)) return openConfig(options);
  printError(`Going by the shipped configuration: ${CONFIG} does not exist`);
  return configOf(SHIPPED, CONFIG, { known: modules, state: options.state, withPassword: false });
}

/** Builds the whitelist as a monitor does, without a state from the configuration alone. */
export function knownWhitelist(
  { config, state }: { config: Config | null; state: State | null },
): Whitelist {
  const whitelist = new Whitelist();
  if (config !== null) setConfigured(whitelist, config, state);
  if (state === null) return whitelist;
  const time = now();
  const kept = keptMembers(state, time, {
    name: addressesOfNames({ config, state }),
    machine: [...ownAddresses(), ...state.whitelist("machine", time).map(({ address }) => address)],
    ...config !== null && config.database === null ? { database: [] } : {},
  });
  for (const [origin, members] of kept) whitelist.set(origin, members);
  whitelist.set("open session", state.logins.sessions().map(({ address }) => address));
  return whitelist;
}

/**
 * Adds the addresses and networks of a configuration and its files that have not ended. Uses the
 * copy in `state` for a file that cannot be read.
 */
function setConfigured(
  whitelist: Whitelist,
  { whitelist: { members, files } }: Config,
  state: State | null,
): void {
  const inForce = (entry: Pick<WhitelistMember, "until">) => !hasEnded(entry, now());
  const networks = members.filter((member) => !member.isName && inForce(member));
  whitelist.set("configuration", networks.map(({ address }) => address));
  const listed = files.flatMap((file) => contentOf(file, state).networks);
  whitelist.setAll("whitelist file", listed.filter(inForce).map(({ set }) => set));
}

/** Returns the last addresses of whitelisted names; of all names if there is no configuration. */
function addressesOfNames({ config, state }: { config: Config | null; state: State }): string[] {
  const stored = state.whitelist("name", now());
  if (config === null) return stored.map(({ address }) => address);
  const { members, files } = config.whitelist;
  const names = [
    ...[...members, ...files.flatMap((file) => contentOf(file, state).names)].filter(({ isName }) => isName),
    ...state.whitelist("command", now()).filter(({ address }) => isName(address)),
  ];
  const addresses = addressesByName(stored);
  return names.flatMap(({ address }) => addresses.get(address) ?? []);
}

function contentOf(file: WhitelistFile, state: State | null): WhitelistContent {
  const { content, error } = file.read();
  const copy = error === null ? null : state?.whitelistCopy(file.path) ?? null;
  return copy === null ? content : decodeCopy(copy).content;
}
