/**
 * The command line: every command with its options and examples. A command's modules load when it
 * runs, so that `--help` and `status` load no others.
 */
import { Command } from "commander";
import { unknownCommand } from "./arguments.ts";
import { addHistory } from "./command_line/history.ts";
import { addInit, addNotify, addRun, addWatch } from "./command_line/monitoring.ts";
import { addBan, addBans, addFleet, addKnock, addWhitelist } from "./command_line/state.ts";
import { type CommandLineParts, examplesText, type ProgramParts } from "./command_line/subcommand.ts";
import { addChecks, addRehearsals, addWhatIf } from "./command_line/testing.ts";
import { printError, printLines } from "./output.ts";

/** Commands in the order in which `--help` lists them. */
const COMMANDS = [
  addInit,
  addRun,
  addHistory,
  addWatch,
  addNotify,
  addChecks,
  addRehearsals,
  addWhatIf,
  addBans,
  addBan,
  addWhitelist,
  addKnock,
  addFleet,
];

/** Returns the program with all its commands. */
export function commandLine({ version, exit, log, signals }: ProgramParts): Command {
  const program = new Command("strongmonitor")
    .description("Watches the logs of this machine, records who is named in them, and bans attackers.")
    .version(version, "-V, --version", "print the version")
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
      "\nExit codes: 0 done, 1 failed, 64 wrong usage, 69 something needed is\nunavailable, 78 wrong configuration\n" +
        "\nMessages name pages such as docs/installing.md: the Debian package has them in\n" +
        "/usr/share/doc/strongmonitor.",
    );
  program.on("command:*", ([name]: string[]) => {
    program.error(unknownCommand(program, name!), { code: "commander.unknownCommand" });
  });
  // Commander passes itself behind the options.
  const run: CommandLineParts["run"] = (load) => async (...given) =>
    exit(await (await load())(...given.slice(0, -1) as never[]));
  for (const add of COMMANDS) add(program, { run, log, signals });
  return program;
}
