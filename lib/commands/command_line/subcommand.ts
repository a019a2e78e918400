/** How a subcommand is defined: its usage, summary and examples, and the options that nearly every one takes. */
import type { Command } from "commander";
import type { Log } from "../../core/log.ts";
import { type CommonOptions, CONFIG } from "../output.ts";
import type { RunSignals } from "../run.ts";

/** What the command line is given by the program. */
export interface CommandLineParts {
  readonly version: string;
  /** Told the exit code of the command that ran. */
  exit(code: number): void;
  /** How `run` says what it does, and how signals reach it. */
  log(options: { verbose: boolean }): Promise<Log>;
  signals(): RunSignals;
}

/** What a command is given after its arguments. */
export type Options = CommonOptions & Record<string, never>;

/** What a subcommand is called, and how it is explained. */
interface Definition {
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
}

/** Adds a subcommand that takes the options of the configuration and the state. */
export function subcommand(parent: Command, definition: Definition): Command {
  return bareSubcommand(parent, definition)
    .option("-c, --config <file>", "configuration to read", CONFIG)
    .option("-s, --state <directory>", "state to use instead of the one that the configuration names");
}

/** Adds a subcommand that reads no configuration and no state, or that has subcommands of its own. */
export function bareSubcommand(parent: Command, { usage, summary, examples }: Definition): Command {
  return parent.command(usage).summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .addHelpText("after", examplesText(examples));
}

/** The examples at the end of a help. */
export function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ strongmonitor ${example}\n`).join("")}`;
}
