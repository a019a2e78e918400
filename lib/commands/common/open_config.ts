import { modules } from "../../../modules/mod.ts";
import type { Config } from "../../config/types.ts";
import { whitelistProblem } from "../../config/whitelist_file.ts";
import { configOf, loadConfig, withPassword } from "../../config/load.ts";
import { permissionProblem } from "../../config/refusal.ts";
import { SHIPPED } from "../../config/shipped.ts";
import type { State } from "../../state/state.ts";
import { UserError } from "../../core/error.ts";
import { isAbsent } from "../../core/file_identity.ts";
import { guardState } from "../../core/state_files.ts";
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

/**
 * Loads a configuration that a monitor can run by. Without a state, leaves whitelist files for later.
 * Throws `UserError` with all reasons against it.
 */
export function openUsableConfig(options: CommonOptions, state: State | null): Config {
  const found = refusalsOf(openConfig(options), state === null ? () => true : hasCopyIn(state));
  const refusal = refusalOf(found);
  if (refusal !== null) throw refusal;
  return found.config;
}

/** Returns a function that reports whether a state has a copy of a whitelist file. */
export function hasCopyIn(state: State): (path: string) => boolean {
  return (path) => state.whitelistCopy(path) !== null;
}

/** Errors for which `run` refuses a configuration. */
export interface Refusals {
  /** About the database's password and whitelist files. */
  readonly files: readonly UserError[];
  /** About what this program may not do. */
  readonly permissions: UserError | null;
  /** The configuration with the database's password, if that can be read. */
  readonly config: Config;
}

/** Finds all errors for which `run` refuses `given`. `isKnown`: the state has a copy of a whitelist file. */
export function refusalsOf(given: Config, isKnown: (path: string) => boolean): Refusals {
  const files: UserError[] = [];
  let config = given;
  try {
    config = withPassword(given);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    files.push(error);
  }
  const whitelist = whitelistProblem(given.whitelist, isKnown);
  if (whitelist !== null) files.push(whitelist);
  return { files, permissions: permissionProblem(given), config };
}

/** Makes one error of all; null: there is none. */
export function refusalOf({ files, permissions }: Omit<Refusals, "config">): UserError | null {
  const errors = permissions === null ? files : [...files, permissions];
  if (errors.length === 0) return null;
  return new UserError(errors.flatMap(({ sentences }) => sentences), 78, { advice: permissions?.advice });
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
