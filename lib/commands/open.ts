import { modules } from "../../modules/mod.ts";
import { now } from "../core/time.ts";
import type { Config } from "../config/types.ts";
import { type WhitelistFile, whitelistProblem } from "../config/whitelist_file.ts";
import { decodeCopy, type WhitelistContent } from "../config/whitelist_content.ts";
import { configOf, loadConfig, withPassword } from "../config/load.ts";
import { permissionProblem } from "../config/refusal.ts";
import { SHIPPED } from "../config/shipped.ts";
import { givenMembers, keptMembers, ownAddresses } from "../monitor/whitelist_entries.ts";
import { addressesByName } from "../monitor/whitelisting.ts";
import { Whitelist } from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";
import { UserError } from "../core/error.ts";
import { isAbsent } from "../core/file_identity.ts";
import { guardState } from "../core/state_files.ts";
import { type CommonOptions, CONFIG, printError } from "./output.ts";
import { inputName } from "./words.ts";

/**
 * Loads the configuration of the options, and guards the files of its state. Throws `UserError` (66,
 * 77, 78).
 */
export function openConfig({ config, state }: CommonOptions): Config {
  // Relative paths of a draft resolve as if it stood at the configuration's place.
  const loaded = config === "-"
    ? configOf(readDraft(), CONFIG, { known: modules, state, name: inputName(config) })
    : loadConfig(config, { known: modules, state });
  guardState(loaded.stateDirectory);
  return loaded;
}

/** Loads a configuration that a monitor can run by. Throws `UserError`, as `run` does. */
export function openUsableConfig(options: CommonOptions): Config {
  const config = withPassword(openConfig(options));
  requirePermissions(config);
  return config;
}

/** Throws `UserError` (78) if this program may not do all that `config` needs. */
export function requirePermissions(config: Config): void {
  const problem = permissionProblem(config);
  if (problem !== null) throw problem;
}

/** Throws `UserError` (78) if a whitelist file cannot be read and the state has no copy. */
export function requireWhitelist({ whitelist }: Config, state: State): void {
  const problem = whitelistProblem(whitelist, (path) => state.whitelistCopy(path) !== null);
  if (problem !== null) throw problem;
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
  return shippedConfig(options);
}

/** Loads the shipped configuration as if it stood at the place that the options name. */
export function shippedConfig({ config, state }: Pick<CommonOptions, "config" | "state">): Config {
  return configOf(SHIPPED, config, { known: modules, state });
}

/** Builds the whitelist as a monitor does, without a state from the configuration alone. */
export function knownWhitelist(
  { config, state }: { config: Config | null; state: State | null },
): Whitelist {
  const whitelist = new Whitelist();
  const time = now();
  const contents = config?.whitelist.files.map((file) => contentOf(file, state)) ?? [];
  const given = config === null ? null : givenMembers(config, { contents, state, now: time });
  if (given !== null) {
    whitelist.set("configuration", given.configured);
    whitelist.setAll("whitelist file", given.listed.map(({ set }) => set));
  }
  if (state === null) return whitelist;
  const named = state.whitelist("name", time);
  const byName = addressesByName(named);
  const kept = keptMembers(state, time, {
    // Without a configuration, the names of its entries are unknown, and all of the state count.
    name: given?.names.flatMap(({ address }) => byName.get(address) ?? []) ??
      named.map(({ address }) => address),
    machine: [...ownAddresses(), ...state.whitelist("machine", time).map(({ address }) => address)],
    ...config !== null && config.database === null ? { database: [] } : {},
  });
  for (const [origin, members] of kept) whitelist.set(origin, members);
  whitelist.set("open session", state.logins.sessions().map(({ address }) => address));
  return whitelist;
}

/** Returns the content of a whitelist file, or the copy in `state` if it cannot be read. */
function contentOf(file: WhitelistFile, state: State | null): WhitelistContent {
  return (state === null ? null : lastContentOf(file, state)) ?? file.read().content;
}

/** Returns what an unreadable whitelist file had, which counts on; null: it is readable or unknown. */
export function lastContentOf(
  file: WhitelistFile,
  state: Pick<State, "whitelistCopy">,
): WhitelistContent | null {
  const copy = file.read().error === null ? null : state.whitelistCopy(file.path);
  return copy === null ? null : decodeCopy(copy).content;
}
