import { modules } from "../../modules/mod.ts";
import { type Config, loadConfig } from "../config.ts";
import { prepareStateDirectory } from "../control.ts";
import { Whitelist } from "../rules/whitelist.ts";
import { State } from "../state/state.ts";
import { UserError } from "../types.ts";
import type { CommonOptions } from "./output.ts";

/** The configuration that the options name, without its password. */
export function openConfig({ config, state }: CommonOptions): Config {
  return loadConfig(config, { known: modules, state, withPassword: false });
}

/** Runs `work` on the state that the options name and closes it. Throws `UserError` (69) when there is none. */
export function withState<T>(options: CommonOptions, work: (state: State) => T): T {
  const directory = options.state ?? openConfig(options).stateDirectory;
  requireState(directory);
  const state = new State(directory);
  try {
    return work(state);
  } finally {
    state.close();
  }
}

/** Makes the state's directory where it is missing. Throws `UserError` (69). */
export function makeStateDirectory(directory: string): void {
  try {
    prepareStateDirectory(directory);
  } catch (error) {
    throw new UserError(`Cannot make the state directory ${directory}: ${why(error)}`, 69);
  }
}

/** The addresses that the configuration and the state never ban, this machine's own left to the monitor. */
export function knownWhitelist(config: Config, state: State): Whitelist {
  const whitelist = new Whitelist();
  whitelist.set("configuration", config.whitelist.networks);
  whitelist.set("command", state.whitelist("command").map(({ address }) => address));
  whitelist.set("database", state.whitelist("database").map(({ address }) => address));
  return whitelist;
}

/** A state is made by the monitor alone: what another user made would stand in its way. */
function requireState(directory: string): void {
  try {
    Deno.statSync(`${directory}/state.db`);
  } catch (error) {
    const remedy = error instanceof Deno.errors.NotFound ? "the monitor has not run yet" : why(error);
    throw new UserError(`Cannot open the state ${directory}: ${remedy}`, 69);
  }
}

function why(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
