/** Defines a subcommand: usage, summary, examples and common options. */
import type { Command } from "commander";
import type { Log } from "../../core/log.ts";
import { capitalized } from "../../core/text.ts";
import { CONFIG } from "../output.ts";
import type { RunSignals } from "../run.ts";

/** The program's callbacks for the command line. */
export interface ProgramParts {
  readonly version: string;
  /** Called with the exit code of the command that ran. */
  exit(code: number): void;
  /** Opens the log of `run`. */
  log(options: { verbose: boolean }): Promise<Log>;
  signals(): RunSignals;
}

/** The program's callbacks for its commands. */
export interface CommandLineParts extends Pick<ProgramParts, "log" | "signals"> {
  /** Returns an action that loads a command, runs it, and passes its exit code on. */
  run(load: () => Promise<Run>): (...given: unknown[]) => Promise<void>;
}

/** Runs a command and returns its exit code. */
export type Run = (...given: never[]) => number | Promise<number>;

/** Name and help of a subcommand. */
interface Definition {
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
}

/** Adds a subcommand with the options of configuration and state. */
export function subcommand(parent: Command, definition: Definition): Command {
  return bareSubcommand(parent, definition)
    .option("-c, --config <file>", "configuration to read", CONFIG)
    .option("-s, --state <directory>", "state to use instead of the one that the configuration names");
}

/** Adds a subcommand without these options: it reads neither, or has subcommands of its own. */
export function bareSubcommand(parent: Command, { usage, summary, examples }: Definition): Command {
  const command = parent.command(usage).summary(summary)
    .description(`${capitalized(summary)}.`)
    .hook("preAction", refuseEmptyPaths)
    .addHelpText("after", examplesText(examples));
  EXAMPLES.set(command, examples);
  return command;
}

/** Examples of each subcommand, which commander keeps only as part of a help text. */
const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Returns the examples of a subcommand, without the program's name. */
export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}

/** Refuses empty paths, which a shell makes of variables that are not set. */
function refuseEmptyPaths(command: Command): void {
  for (const option of command.options) {
    const path = /[<[](file|directory)[\]>]$/.exec(option.flags)?.[1];
    if (path !== undefined && command.getOptionValue(option.attributeName()) === "") {
      command.error(`${option.long} needs <${path}>`, { code: "commander.optionMissingArgument" });
    }
  }
  if (/\[files\.\.\.\]/.test(command.usage()) && command.args.includes("")) {
    command.error("[files...] has an empty name", { code: "commander.missingArgument" });
  }
}

/** Formats the examples at the end of a help text. */
export function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ strongmonitor ${example}\n`).join("")}`;
}
