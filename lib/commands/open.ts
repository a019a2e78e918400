import { modules } from "../../modules/mod.ts";
import { now } from "../core/time.ts";
import { buildHint } from "../config/build_hint.ts";
import type { Config } from "../config/types.ts";
import type { WhitelistFile } from "../config/whitelist_file.ts";
import { decodeCopy, type WhitelistContent } from "../config/whitelist_content.ts";
import { configOf, loadConfig, stateDirectoryOf } from "../config/load.ts";
import { SHIPPED } from "../config/shipped.ts";
import { prepareStateDirectory } from "../monitor/control.ts";
import { ownAddresses } from "../monitor/own_addresses.ts";
import { givenMembers, keptMembers } from "../monitor/whitelist_entries.ts";
import { addressesByName } from "../monitor/whitelisting.ts";
import { Whitelist } from "../deciding/whitelist.ts";
import { State } from "../state/state.ts";
import { denial, isDenial } from "../core/denial.ts";
import { messageOf, UserError } from "../core/error.ts";
import { isAbsent } from "../core/file_identity.ts";
import { databaseOf, guardState } from "../core/state_files.ts";
import { counted } from "../core/text.ts";
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

/** State and configuration for commands that must work even with a broken configuration. */
export interface CommandContext {
  /** Null: the configuration cannot be used. */
  readonly config: Config | null;
  /** Why the configuration cannot be used. */
  readonly configError: string | null;
  readonly state: State;
}

/** Runs `work` on the state of the options. Throws `UserError` (69) if it does not exist. */
export function withState<T>(options: CommonOptions, work: (state: State) => T): T {
  return closing(openState(options), work);
}

/** Runs `work` as `withState()` does, with the configuration if it can be used. */
export function withContext<T>(options: CommonOptions, work: (context: CommandContext) => T): T {
  const { directory, ...context } = contextOf(options);
  return closing(openStateOf(directory, options), (state) => work({ ...context, state }));
}

/** Opens the options' state, to be closed by the caller. Throws `UserError` (69) if none exists. */
export function openState(options: CommonOptions): State {
  return openStateOf(options.state ?? contextOf(options).directory, options);
}

function openStateOf(directory: string, options: CommonOptions): State {
  requireState(directory, options);
  return new State(directory);
}

/** Closes the state when `work` is done. */
function closing<T>(state: State, work: (state: State) => T): T {
  let isPending = false;
  try {
    const result = work(state);
    isPending = result instanceof Promise;
    return isPending ? (result as Promise<unknown>).finally(() => state.close()) as T : result;
  } finally {
    if (!isPending) state.close();
  }
}

/** Warns why the configuration cannot be used, and names the state used without it. */
function contextOf(options: CommonOptions): Omit<CommandContext, "state"> & { readonly directory: string } {
  try {
    const config = openConfig(options);
    return { config, configError: null, directory: config.stateDirectory };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const directory = options.state ?? stateDirectoryOf(options.config);
    const more = error.sentences.length > 1
      ? ` and ${counted(error.sentences.length - 1, "more mistake")}`
      : "";
    // Who may not open the state either is told of that alone: its remedy serves both.
    if (!isDenial(error.message) || !isDenied(directory, options)) {
      printError(`Warning: ${error.sentences[0]}${more}; going by the state ${directory} alone`);
    }
    return { config: null, configError: error.message, directory };
  }
}

/**
 * Creates the state's directory if missing, and closes it to other users. Returns a sentence for
 * each path that was open to them. Throws `UserError` (69) if this fails.
 */
export function makeStateDirectory(directory: string, options: CommonOptions): string[] {
  try {
    return prepareStateDirectory(directory);
  } catch (error) {
    throw new UserError(`Cannot use the state directory ${directory}: ${explain(error, options)}`, 69);
  }
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
  const { content, error } = file.read();
  const copy = error === null ? null : state?.whitelistCopy(file.path) ?? null;
  return copy === null ? content : decodeCopy(copy).content;
}

/** Reports whether the system denies this user the state. */
function isDenied(directory: string, options: CommonOptions): boolean {
  try {
    requireState(directory, options);
    return false;
  } catch (error) {
    return isDenial(messageOf(error));
  }
}

/** Throws `UserError` (69) without a state: the monitor could not use one that a command makes. */
function requireState(directory: string, options: CommonOptions): void {
  try {
    Deno.statSync(databaseOf(directory));
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
    return `this program may not use it; ${buildHint({ config, state })}`;
  }
  return messageOf(error);
}
