/** Orders the program's arguments and words errors about them. */
import type { Command } from "commander";
import { nearest } from "../../config/suggest.ts";
import { counted } from "../../core/text.ts";

/** Commander's hint behind its one-line sentence. Quoted arguments may hold line breaks. */
const HINT = /\n\(Did you mean ([^\n]*)\?\)$/;

/** This program's sentences for commander's, by error code. A reference to the help follows. */
const SENTENCES: Readonly<
  Record<string, readonly [pattern: RegExp, sentence: (...parts: string[]) => string]>
> = {
  excessArguments: [
    /^too many arguments for '(.*)'\. Expected (\d+) arguments? but got (\d+)\.$/,
    (name, most, got) =>
      `${name} takes ${most === "0" ? "no argument" : counted(Number(most), "argument")}, got ${got}`,
  ],
  missingArgument: [/^missing required argument '(.*)'$/, (name) => `<${name}> is missing`],
  optionMissingArgument: [
    /^option '(?:.*, )?(.*) (<.*>)' argument missing$/,
    (name, value) => `${name} needs ${value}`,
  ],
  invalidArgument: [
    /^option '(?:.*, )?(--[\w-]+) .*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s,
    (name, value, choices) => {
      const meant = nearest(value!, choices!.split(", "));
      const hint = meant === null ? "" : `: did you mean ${meant}?`;
      return `${name} is one of ${choices}, got '${value}'${hint}`;
    },
  ],
};
const HELP = ["-h", "--help"];
const GLOBAL = [...HELP, "-V", "--version"];
/** Command that runs when the arguments name none, also among subcommands. */
const DEFAULT = "run";
const INNER_DEFAULT = "list";

/** Words that other programs use, and the command that does the same here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  start: "run",
  monitor: "run",
  list: "bans",
  banned: "bans",
  banip: "ban",
  block: "ban",
  unbanip: "unban",
  unblock: "unban",
  allow: "whitelist add",
  addignoreip: "whitelist add",
  ignore: "whitelist add",
  test: "check",
  validate: "check",
  stop: "systemctl stop strongmonitor",
  restart: "systemctl restart strongmonitor",
  reload: "systemctl reload strongmonitor",
};

/** Returns the arguments with the command first, the default if none is named, then all options. */
export function ordered(program: Command, args: readonly string[]): string[] {
  if (GLOBAL.includes(args[0] ?? "")) return [...args];
  const named = (name: string | undefined) => program.commands.find((command) => command.name() === name);
  const valued = named(DEFAULT)!.options.filter(({ required }) => required)
    .flatMap(({ short, long }) => [short, long]);
  let at = 0;
  while (args[at]?.startsWith("-")) at += valued.includes(args[at]) ? 2 : 1;
  if (at >= args.length) return [DEFAULT, ...args];
  const [command, inner] = args.slice(at);
  if (command === "help") {
    const asked = args.slice(at + 1);
    return inner === undefined || named(inner) ? [...asked, "--help"] : asked;
  }
  // The program's help does not answer a question about an unknown command.
  if (!named(command)) return args.slice(at).filter((word) => !HELP.includes(word));
  const hasCommands = !!named(command)?.commands.length;
  const isInner = hasCommands && inner !== undefined && (HELP.includes(inner) || !inner.startsWith("-"));
  const words = hasCommands ? [command!, isInner ? inner : INNER_DEFAULT] : [command!];
  return [...words, ...args.slice(0, at), ...args.slice(at + (isInner ? 2 : 1))];
}

/** Returns the complaint about an unknown command `name`, with the nearest known one. */
export function unknownCommand(program: Command, name: string): string {
  const synonym = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name]! : null;
  const meant = synonym ?? nearest(name, program.commands.map((command) => command.name()));
  const hint = meant === null ? "see strongmonitor --help" : `did you mean '${meant}'?`;
  return `unknown command '${name}': ${hint}`;
}

/**
 * Reads an error of commander: the complaint in one sentence with a hint, or a request for help.
 * Returns undefined for other errors. Reads `code`, because a bundler renames the class.
 * @param args the arguments with the command first
 */
export function readUsage(
  error: unknown,
  { program, args }: { program: Command; args: readonly string[] },
): { isHelp: boolean; problem: string } | undefined {
  const { code, exitCode, message } = error as { code?: unknown; exitCode?: unknown; message: string };
  if (typeof code !== "string" || !code.startsWith("commander.")) return undefined;
  const told = sentenceOf(code, message.replace(/^error: /, "")).replace(HINT, ": did you mean $1?");
  const isAnswered = /: (?:see|did you mean) [^\n]*$/.test(told);
  const help = `see strongmonitor ${[...pathOf(program, args), "--help"].join(" ")}`;
  return { isHelp: exitCode === 0, problem: isAnswered ? told : `${told}: ${help}` };
}

/** Returns the words of the command, and of the command inside of it, that arguments name. */
function pathOf({ commands }: Command, [word, ...others]: readonly string[]): string[] {
  const command = commands.find((command) => command.name() === word);
  return command === undefined ? [] : [command.name(), ...pathOf(command, others)];
}

function sentenceOf(code: string, message: string): string {
  const [pattern, sentence] = SENTENCES[code.slice("commander.".length)] ?? [];
  const found = pattern?.exec(message);
  return found ? sentence!(...found.slice(1)) : message;
}
