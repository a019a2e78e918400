/**
 * The command line. A command's modules load when it runs, so that `--help` and `status` load no
 * others.
 */
import { Command } from "commander";
import { capitalized } from "../../core/text.ts";
import { unknownCommand } from "./arguments.ts";
import { type CommandParts, type Definition, nameOf, optionsOf } from "./definition.ts";
import { MONITORING } from "./monitoring.ts";
import { CHANGING } from "./state.ts";
import { TESTING } from "./testing.ts";
import { printError, printLines } from "../common/output.ts";

/** The exit codes of all commands, in lines for 80 columns behind `Exit codes: `. */
export const EXIT_CODES = "0 done, 1 failed, 64 wrong usage, 66 the configuration cannot be\n" +
  "read, 69 something needed is unavailable, 77 the program was built without the\n" +
  "right to read the configuration, 78 wrong configuration";

/** The program's callbacks. */
export interface ProgramParts extends CommandParts {
  readonly version: string;
  /** Called with the exit code of the command that ran. */
  exit(code: number): void;
}

/** All commands, in the order of `--help`. */
export const COMMANDS: readonly Definition[] = [...MONITORING, ...TESTING, ...CHANGING];

/**
 * Returns the program with the command `name` alone, as making all takes a fifteenth of a start; with
 * all commands if none has this name.
 */
export function commandLine(parts: ProgramParts, name?: string): Command {
  const program = new Command("strongmonitor")
    .description("Watches the logs of this machine, records who is named in them, and bans attackers.")
    .version(parts.version, "-V, --version", "print the version")
    .configureOutput({
      writeOut: (text) => printLines(text.trimEnd().split("\n")),
      writeErr: (text) => text.trimEnd().split("\n").forEach(printError),
      // The program prints the errors that it catches.
      outputError: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .addHelpText("after", examplesText(["run --trial 10m", "status", "why 192.0.2.7"]))
    .addHelpText(
      "after",
      `\nExit codes: ${EXIT_CODES}\n` +
        "\nMessages name pages such as docs/installing.md: the Debian package has them in\n" +
        "/usr/share/doc/strongmonitor.",
    );
  program.on("command:*", ([name]: string[]) => {
    program.error(unknownCommand(program, name!), { code: "commander.unknownCommand" });
  });
  const named = COMMANDS.filter((definition) => nameOf(definition) === name);
  for (const definition of named.length > 0 ? named : COMMANDS) add(program, definition, parts);
  return program;
}

/** Examples of each command, which commander keeps only as part of a help text. */
const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Returns the examples of a command, without the program's name. */
export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}

function add(parent: Command, definition: Definition, parts: ProgramParts): void {
  const { usage, summary, examples } = definition;
  const command = parent.command(usage).summary(summary)
    .description(`${capitalized(summary)}.`)
    .hook("preAction", refuseEmptyPaths)
    .addHelpText("after", examplesText(examples));
  EXAMPLES.set(command, examples);
  if ("commands" in definition) {
    for (const inner of definition.commands) add(command, inner, parts);
    return;
  }
  optionsOf(definition).forEach((option) => command.addOption(option));
  // Commander passes itself behind the options.
  command.action(async (...given) => {
    const run = await definition.load(parts);
    parts.exit(await run(...given.slice(0, -1) as never[]));
  });
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
function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ strongmonitor ${example}\n`).join("")}`;
}
