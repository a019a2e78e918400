/**
 * The program: runs the command in the arguments, passes it signals, and prints errors as sentences
 * with an exit code (sysexits.h). Any other than a `UserError` is a bug: its stack follows.
 */
import { print, printError, printFailure } from "./lib/commands/common/output.ts";
import type { RunSignals } from "./lib/commands/run.ts";
import { linesOf, UserError } from "./lib/core/error.ts";
import { VERSION } from "./lib/core/program.ts";

const USAGE = 64;
const VERSION_OPTIONS = ["-V", "--version"];

/**
 * Stops at the first SIGTERM or SIGINT, exits at the second; reloads at SIGHUP. Remembers a SIGHUP
 * that comes before `onReload()`: the configuration may have been read already.
 */
export function listenToSignals(): RunSignals {
  const stop = new AbortController();
  const onStop = () => {
    if (stop.signal.aborted) Deno.exit(1);
    stop.abort();
  };
  Deno.addSignalListener("SIGTERM", onStop);
  Deno.addSignalListener("SIGINT", onStop);
  let isAsked = false;
  let reload = () => {
    isAsked = true;
  };
  Deno.addSignalListener("SIGHUP", () => reload());
  const onReload = (action: () => void) => {
    reload = action;
    if (isAsked) action();
  };
  return { stop: stop.signal, onReload };
}

/**
 * Prints what went wrong and returns the exit code. `run` prints for the journal, with a priority;
 * any other command for people, with the program's name.
 * @param usage the complaint about the arguments; null: they are right
 */
function complain(error: unknown, { args: [command, ...rest], usage }: {
  args: readonly string[];
  usage: string | null;
}): number {
  const sentences = usage === null ? linesOf(error) : [usage];
  const code = usage !== null ? USAGE : error instanceof UserError ? error.code : 1;
  if (command === "run" && !Deno.stderr.isTerminal()) {
    for (const sentence of sentences) printError(`<3>${sentence}`);
  } else printFailure(sentences, { code, json: rest.includes("--json") });
  return code;
}

/** Runs the command line; returns the exit code. */
async function main(given: readonly string[]): Promise<number> {
  // Scripts ask for the version: load no other module, and nothing of Node.js.
  if (VERSION_OPTIONS.includes(given[0]!)) return printVersion();
  // A SIGHUP that comes while modules load must not end a monitor.
  const early = (given[0] ?? "run") === "run" ? listenToSignals() : null;
  // Hides Deno 2.4's warnings about its own use of deprecated Node.js APIs.
  Object.assign((await import("node:process")).default, { noDeprecation: true });
  const { COMMANDS, commandLine } = await import("./lib/commands/command_line/command_line.ts");
  const { ordered, readUsage } = await import("./lib/commands/command_line/arguments.ts");
  const args = ordered(COMMANDS, given);
  let code = 0;
  const program = commandLine({
    version: VERSION,
    exit: (result) => code = result,
    log: async (options) => (await import("./lib/core/log.ts")).openLog(options),
    signals: () => early ?? listenToSignals(),
  }, args[0]);
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    const usage = readUsage(error, { program, args });
    return usage?.isHelp ? 0 : complain(error, { args, usage: usage?.problem ?? null });
  }
}

function printVersion(): number {
  try {
    print(VERSION);
    return 0;
  } catch (error) {
    return complain(error, { args: [], usage: null });
  }
}

if (import.meta.main) {
  Deno.exit(await main(Deno.args));
}
