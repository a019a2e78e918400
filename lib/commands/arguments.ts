/** What people type, and what they mean by it: options before a command, no command, and commands that do not exist. */
import { nearest } from "../config/suggest.ts";
import { counted } from "../core/text.ts";

/** A program or command with its commands and options. */
interface Command {
  name(): string;
  readonly commands: readonly Command[];
  readonly options: readonly {
    readonly short?: string;
    readonly long?: string;
    /** It takes a value. */
    readonly required: boolean;
  }[];
}

/** Commander's hint: what stands before is one line, whatever the arguments hold that it quotes. */
const HINT = /\n\(Did you mean ([^\n]*)\?\)$/;

/** Commander's sentences about arguments, by its codes, and what they become. They end with a reference to the help. */
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
    (name, value, choices) => `${name} is one of ${choices}, got '${value}'`,
  ],
};
const HELP = ["-h", "--help"];
const GLOBAL = [...HELP, "-V", "--version"];
/** The command that is meant where none is named, and that of a command which has some of its own. */
const DEFAULT = "run";
const INNER_DEFAULT = "list";

/** Words of other programs for what a command does, or for what another program does. */
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

/** The arguments with a command first, the default where none is named, and all options behind it. */
export function ordered(program: Command, args: readonly string[]): string[] {
  if (GLOBAL.includes(args[0] ?? "")) return [...args];
  const named = (name: string | undefined) => program.commands.find((command) => command.name() === name);
  const valued = named(DEFAULT)!.options.filter(({ required }) => required)
    .flatMap(({ short, long }) => [short, long]);
  let at = 0;
  while (args[at]?.startsWith("-")) at += valued.includes(args[at]) ? 2 : 1;
  if (at >= args.length) return [DEFAULT, ...args];
  const [command, inner] = args.slice(at);
  if (command === "help") return named(inner) ? [...args.slice(at + 1), "--help"] : args.slice(at + 1);
  // The help of the program is no answer to a question about a command that does not exist.
  if (!named(command)) return args.slice(at).filter((word) => !HELP.includes(word));
  const hasCommands = !!named(command)?.commands.length;
  const isInner = hasCommands && inner !== undefined && (HELP.includes(inner) || !inner.startsWith("-"));
  const words = hasCommands ? [command!, isInner ? inner : INNER_DEFAULT] : [command!];
  return [...words, ...args.slice(0, at), ...args.slice(at + (isInner ? 2 : 1))];
}

/** Says that there is no command `name`, and which one is probably meant. */
export function unknownCommand(program: Command, name: string): string {
  const synonym = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name]! : null;
  const meant = synonym ?? nearest(name, program.commands.map((command) => command.name()));
  const hint = meant === null ? "see strongmonitor --help" : `did you mean '${meant}'?`;
  return `unknown command '${name}': ${hint}`;
}

/**
 * What an error of commander's, which it marks so as a bundler renames its class, tells about the arguments: what is wrong in
 * one sentence, with what was probably meant or where the help is, or that they asked for help. Undefined for any other error.
 * @param args the arguments with the command first
 */
export function readUsage(
  error: unknown,
  [command = ""]: readonly string[],
): { isHelp: boolean; problem: string } | undefined {
  const { code, exitCode, message } = error as { code?: unknown; exitCode?: unknown; message: string };
  if (typeof code !== "string" || !code.startsWith("commander.")) return undefined;
  const told = message.replace(/^error: /, "");
  const meant = told.replace(HINT, ": did you mean $1?");
  const isAnswered = meant !== told || /: (?:see|did you mean) /.test(told);
  return {
    isHelp: exitCode === 0,
    problem: isAnswered ? meant : `${sentenceOf(code, told)}: see strongmonitor ${command} --help`,
  };
}

function sentenceOf(code: string, message: string): string {
  const [pattern, sentence] = SENTENCES[code.slice("commander.".length)] ?? [];
  const found = pattern?.exec(message);
  return found ? sentence!(...found.slice(1)) : message;
}
