/**
 * The program: arguments become one command, signals reach it, and what it throws becomes one sentence and an exit code
 * (sysexits.h). An error that is no `UserError` is a fault of the program: its stack follows.
 */
import process from "node:process";
import { ordered } from "./lib/commands/arguments.ts";
import { commandLine, usageProblem } from "./lib/commands/command_line.ts";
import { printError, printFailure } from "./lib/commands/output.ts";
import type { RunSignals } from "./lib/commands/run.ts";
import { linesOf, UserError } from "./lib/core/error.ts";
import { VERSION } from "./lib/core/version.ts";

const USAGE = 64;

/** Stop at the first SIGTERM or SIGINT, at once at the second; read the configuration anew at SIGHUP. */
function listenToSignals(): RunSignals {
  const stop = new AbortController();
  const onStop = () => {
    if (stop.signal.aborted) Deno.exit(1);
    stop.abort();
  };
  Deno.addSignalListener("SIGTERM", onStop);
  Deno.addSignalListener("SIGINT", onStop);
  let reload = () => {};
  Deno.addSignalListener("SIGHUP", () => reload());
  return { stop: stop.signal, onReload: (action) => reload = action };
}

/** Deno 2.4 warns of its own use of what Node.js has deprecated, which whoever runs this can do nothing about. */
function silenceDeprecations(): void {
  Object.assign(process, { noDeprecation: true });
}

/** Reports whether an error is one of commander's, which it marks so, as a bundler renames its class. */
function isCommanders(error: unknown): error is { message: string; exitCode: number } {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && code.startsWith("commander.");
}

/**
 * Says what went wrong: `run` says it to the journal with a priority, any command to people with the program's name. Returns
 * the exit code.
 */
function complain(error: unknown, [command, ...rest]: readonly string[]): number {
  const usage = isCommanders(error) ? usageProblem(error) : undefined;
  if (usage === null) return 0;
  const sentences = usage === undefined ? linesOf(error) : [usage];
  const code = usage !== undefined ? USAGE : error instanceof UserError ? error.code : 1;
  if (command === "run" && !Deno.stderr.isTerminal()) {
    for (const sentence of sentences) printError(`<3>${sentence}`);
  } else printFailure(sentences, { code, json: rest.includes("--json") });
  return code;
}

/** Runs the command line; returns the exit code. */
async function main(given: readonly string[]): Promise<number> {
  let code = 0;
  const program = commandLine({
    version: VERSION,
    exit: (result) => code = result,
    log: async (options) => (await import("./lib/core/log.ts")).openLog(options),
    signals: listenToSignals,
  });
  const args = ordered(program, given);
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return complain(error, args);
  }
}

if (import.meta.main) {
  silenceDeprecations();
  Deno.exit(await main(Deno.args));
}
