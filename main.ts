/**
 * The program: arguments become one command, signals reach it, and what it throws becomes one sentence and an exit code
 * (sysexits.h). An error that is no `UserError` is a fault of the program: its stack follows.
 */
import { print, printError } from "./lib/commands/output.ts";
import type { RunSignals } from "./lib/commands/run.ts";
import { linesOf, UserError } from "./lib/core/error.ts";
import { VERSION } from "./lib/core/version.ts";

const USAGE = 64;
/** Arguments that ask for the version. */
const VERSION_OPTIONS = ["-V", "--version"];

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

/** The command line with `run` put in where it names no command. */
function withDefault(args: readonly string[]): string[] {
  const first = args[0] ?? "";
  const isGlobal = ["-h", "--help", ...VERSION_OPTIONS].includes(first);
  return (first === "" || first.startsWith("-")) && !isGlobal ? ["run", ...args] : [...args];
}

/** Deno 2.4 warns of its own use of what Node.js has deprecated, which whoever runs this can do nothing about. */
async function silenceDeprecations(): Promise<void> {
  const { default: process } = await import("node:process");
  Object.assign(process, { noDeprecation: true });
}

/** The exit code for an error of commander's, which it marks so, as a bundler renames its class; null for any other error. */
function usageCode(error: unknown): number | null {
  const { code, exitCode } = error as { code?: unknown; exitCode?: unknown };
  if (typeof code !== "string" || !code.startsWith("commander.")) return null;
  return exitCode === 0 ? 0 : USAGE;
}

/** Says what went wrong on standard error: to the journal with a priority, to people with the program's name. */
function complain(error: unknown, command: string | undefined): void {
  const prefix = command === "run" && !Deno.stderr.isTerminal() ? "<3>" : "strongmonitor: ";
  for (const line of linesOf(error)) printError(prefix + line);
}

/** Runs the command line; returns the exit code. */
async function main(given: readonly string[]): Promise<number> {
  const args = withDefault(given);
  // Scripts ask for it: they wait for no other module, and for nothing of Node.js.
  if (VERSION_OPTIONS.includes(args[0]!)) {
    print(VERSION);
    return 0;
  }
  await silenceDeprecations();
  const { commandLine } = await import("./lib/commands/command_line.ts");
  let code = 0;
  const program = commandLine({
    version: VERSION,
    exit: (result) => code = result,
    log: async (options) => (await import("./lib/core/log.ts")).openLog(options),
    signals: listenToSignals,
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    const usage = usageCode(error);
    if (usage !== null) return usage;
    complain(error, args[0]);
    return error instanceof UserError ? error.code : 1;
  }
}

if (import.meta.main) {
  Deno.exit(await main(Deno.args));
}
