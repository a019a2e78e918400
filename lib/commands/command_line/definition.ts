import { Option } from "commander";
import type { Log } from "../../core/log.ts";
import { CONFIG } from "../common/output.ts";
import type { RunSignals } from "../run.ts";

/** The program's callbacks for its commands. */
export interface CommandParts {
  /** Opens the log of `run`. */
  log(options: { verbose: boolean }): Promise<Log>;
  signals(): RunSignals;
}

/** Runs a command and returns its exit code. */
export type Run = (...given: never[]) => number | Promise<number>;

/** Name and help of a command, or of a group of commands. */
interface Help {
  readonly usage: string;
  readonly summary: string;
  /** Without the program's name. */
  readonly examples: readonly string[];
}

interface CommandDefinition extends Help {
  /** Has no options of configuration and state. */
  readonly isBare?: boolean;
  /** Makes its options: to make those of all commands would take a start some milliseconds. */
  readonly options?: () => readonly Option[];
  /** Help of `--json`, "print JSON" by default; false: the command has no such option. */
  readonly json?: string | false;
  /** Loads the command's modules. */
  load(parts: CommandParts): Promise<Run>;
}

/** A command, or a group of commands. */
export type Definition = CommandDefinition | Help & { readonly commands: readonly CommandDefinition[] };

/** Returns the word that calls a command. */
export function nameOf({ usage }: Pick<Help, "usage">): string {
  return usage.split(" ", 1)[0]!;
}

/** Returns the options of a command, also those that most commands have; a group has none. */
export function optionsOf(definition: Definition): Option[] {
  if ("commands" in definition) return [];
  const { isBare, options, json = "print JSON" } = definition;
  return [
    ...isBare ? [] : [
      option("-c, --config <file>", "configuration to read", CONFIG),
      option("-s, --state <directory>", "state to use instead of the one that the configuration names"),
    ],
    ...options?.() ?? [],
    ...json === false ? [] : [option("--json", json)],
  ];
}

/** Makes an option; `standard` is its value by default. */
export function option(flags: string, about: string, standard?: string): Option {
  return new Option(flags, about).default(standard);
}
