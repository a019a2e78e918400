/** Opens the state for commands, also where the configuration cannot be used. */
import { buildHint } from "../../config/build_hint.ts";
import { stateDirectoryOf } from "../../config/load.ts";
import type { Config } from "../../config/types.ts";
import { denial, isDenial } from "../../core/denial.ts";
import { messageOf, UserError } from "../../core/error.ts";
import { databaseOf } from "../../core/state_files.ts";
import { prepareStateDirectory } from "../../monitor/control.ts";
import { State } from "../../state/state.ts";
import { openConfig } from "./open_config.ts";
import { type CommonOptions, printError } from "./output.ts";
import { mistakesText } from "./words.ts";

/** State and configuration for commands that must work even with a broken configuration. */
export interface CommandContext {
  /** Null: the configuration cannot be used. */
  readonly config: Config | null;
  /** Why the configuration cannot be used. */
  readonly configError: string | null;
  readonly state: State;
}

/** The configuration of the options, or the error for which it cannot be used. */
export type Loaded =
  | { readonly config: Config; readonly error: null }
  | { readonly config: null; readonly error: UserError };

/**
 * Runs `work` on the state of the options; `loaded` returns the configuration, which is read at most
 * once. Throws `UserError` (69) if the state does not exist.
 */
export function withState<T>(options: CommonOptions, work: (state: State, loaded: () => Loaded) => T): T {
  let known: Loaded | null = null;
  const loaded = () => known ??= load(options);
  const directory = options.state ?? directoryOf(loaded(), options);
  return onState(directory, options, (state) => work(state, loaded));
}

/** Runs `work` as `withState()` does, with the configuration if it can be used. */
export function withContext<T>(options: CommonOptions, work: (context: CommandContext) => T): T {
  const loaded = load(options);
  const { config, error } = loaded;
  const configError = error?.message ?? null;
  return onState(directoryOf(loaded, options), options, (state) => work({ config, configError, state }));
}

/** Closes the state when `work` is done. */
function onState<T>(directory: string, options: CommonOptions, work: (state: State) => T): T {
  requireState(directory, options);
  const state = new State(directory);
  let isPending = false;
  try {
    const result = work(state);
    isPending = result instanceof Promise;
    return isPending ? (result as Promise<unknown>).finally(() => state.close()) as T : result;
  } finally {
    if (!isPending) state.close();
  }
}

function load(options: CommonOptions): Loaded {
  try {
    return { config: openConfig(options), error: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { config: null, error };
  }
}

/** Returns the state's directory; without a configuration, warns why and names the state used. */
function directoryOf({ config, error }: Loaded, options: CommonOptions): string {
  if (config !== null) return config.stateDirectory;
  const directory = options.state ?? stateDirectoryOf(options.config);
  // A user who may not open the state either gets that error alone: its remedy serves both.
  if (!isDenial(error.message) || !isDenied(directory, options)) {
    printError(`Warning: ${mistakesText(error)}; going by the state ${directory} alone`);
  }
  return directory;
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
      ? "the monitor has not run yet: start it, and name addresses that it must not ban in its configuration"
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
