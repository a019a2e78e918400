import { modules } from "../../modules/mod.ts";
import { now } from "../core/time.ts";
import { buildHint } from "../config/build_hint.ts";
import type { Config, WhitelistFile, WhitelistMember } from "../config/types.ts";
import { decodeCopy, type WhitelistContent } from "../config/whitelist_content.ts";
import { loadConfig } from "../config/load.ts";
import { prepareStateDirectory } from "../monitor/control.ts";
import { addressesByName, ownAddresses } from "../monitor/whitelisting.ts";
import { refusals } from "../config/refusal.ts";
import { SURROUNDINGS, Whitelist } from "../deciding/whitelist.ts";
import { State } from "../state/state.ts";
import { denial } from "../core/denial.ts";
import { messageOf, UserError } from "../core/error.ts";
import type { CommonOptions } from "./output.ts";

/**
 * Loads the configuration that the options name; reads the password only `withPassword`. Throws
 * `UserError` (78).
 */
export function openConfig({ config, state }: CommonOptions, { withPassword = false } = {}): Config {
  return loadConfig(config, { known: modules, state, withPassword });
}

/**
 * Returns a `UserError` (78) that says which permissions this program lacks for `config`, and what to do;
 * null: it lacks none.
 */
export function permissionProblem(config: Config, { state }: CommonOptions): UserError | null {
  const sentences = refusals(config, state);
  return sentences.length === 0 ? null : new UserError(sentences, 78);
}

/**
 * Runs `work` on the state that the options name, and closes it. Throws `UserError` (69) when it
 * does not exist.
 */
export function withState<T>(options: CommonOptions, work: (state: State) => T): T {
  const state = openState(options);
  try {
    return work(state);
  } finally {
    state.close();
  }
}

/**
 * Opens the state that the options name; the caller closes it. Throws `UserError` (69) when it does
 * not exist.
 */
export function openState(options: CommonOptions): State {
  const directory = options.state ?? openConfig(options).stateDirectory;
  requireState(directory, options);
  return new State(directory);
}

/**
 * Makes the state's directory where it is missing, and closes it to others. Returns a sentence for
 * each path that was open to them. Throws `UserError` (69) where it cannot be made or used.
 */
export function makeStateDirectory(directory: string, options: CommonOptions): string[] {
  try {
    return prepareStateDirectory(directory);
  } catch (error) {
    throw new UserError(`Cannot use the state directory ${directory}: ${explain(error, options)}`, 69);
  }
}

/** Builds the whitelist of the configuration, the state and this machine, as a monitor would. */
export function knownWhitelist(config: Config, state: State): Whitelist {
  const whitelist = new Whitelist();
  const kept = (origin: string) => state.whitelist(origin, now()).map(({ address }) => address);
  setConfigured(whitelist, config, state);
  for (const origin of ["command", "knock"] as const) whitelist.set(origin, kept(origin));
  whitelist.set("database", config.database === null ? [] : kept("database"));
  whitelist.set("DNS name", addressesOfNames(config, state));
  whitelist.set("this machine", [...ownAddresses(), ...kept("machine")]);
  for (const origin of SURROUNDINGS) whitelist.set(origin, kept(origin));
  whitelist.set("open session", state.logins.sessions().map(({ address }) => address));
  return whitelist;
}

/**
 * Adds to `whitelist` the addresses and networks of a configuration and its files whose entries
 * have not ended. A file that cannot be read counts as `state` last knew it.
 */
export function setConfigured(
  whitelist: Whitelist,
  { whitelist: { members, files } }: Config,
  state?: State,
): void {
  const inForce = ({ until }: Pick<WhitelistMember, "until">) => until === null || until > now();
  const networks = members.filter((member) => !member.isName && inForce(member));
  whitelist.set("configuration", networks.map(({ address }) => address));
  const listed = files.flatMap((file) => contentOf(file, state).networks);
  whitelist.setAll("whitelist file", listed.filter(inForce).map(({ set }) => set));
}

/** Returns the addresses that the names of a configuration last had. */
function addressesOfNames({ whitelist: { members, files } }: Config, state: State): string[] {
  const listed = files.flatMap((file) => contentOf(file, state).names);
  const addresses = addressesByName(state.whitelist("name", now()));
  return [...members, ...listed].flatMap(({ address, isName }) => isName ? addresses.get(address) ?? [] : []);
}

function contentOf(file: WhitelistFile, state?: State): WhitelistContent {
  const { content, error } = file.read();
  const copy = error === null ? null : state?.whitelistCopy(file.path) ?? null;
  return copy === null ? content : decodeCopy(copy).content;
}

/**
 * Throws `UserError` (69) where no state exists. Commands do not make one: the monitor's user could
 * not write to it.
 */
function requireState(directory: string, options: CommonOptions): void {
  try {
    Deno.statSync(`${directory}/state.db`);
    // Readers need to write too: SQLite keeps its -shm file beside the database.
    const { state } = Deno.permissions.querySync({ name: "write", path: directory });
    if (state !== "granted") throw new Deno.errors.NotCapable();
  } catch (error) {
    const cause = error instanceof Deno.errors.NotFound
      ? "the monitor has not run yet"
      : explain(error, options);
    throw new UserError(`Cannot open the state ${directory}: ${cause}`, 69);
  }
}

function explain(error: unknown, { config, state }: CommonOptions): string {
  if (error instanceof Deno.errors.PermissionDenied) {
    return denial(
      "use it",
      () => "run the command as root or as the monitor's user: sudo -u strongmonitor …",
    );
  }
  if (error instanceof Deno.errors.NotCapable) {
    return `this program was built without the right to; ${buildHint({ config, state })}`;
  }
  return messageOf(error);
}
