/** Makes the manual page and shell completions from the command line's definition. */
import type { Command } from "commander";
import { examplesOf, EXIT_CODES } from "../../lib/commands/command_line/command_line.ts";
import { modules } from "../../modules/mod.ts";
import { pattern } from "../../modules/pattern/pattern.ts";

/** Returns the commands below `command` without subcommands, depth first, with full names. */
function commandsOf(
  command: Command,
  path: readonly string[] = [],
): { path: readonly string[]; command: Command }[] {
  return command.commands.flatMap((sub) => {
    const own = [...path, sub.name()];
    return sub.commands.length > 0 ? commandsOf(sub, own) : [{ path: own, command: sub }];
  });
}

/** Escapes text for roff(7): no line begins with a command, and hyphens are minus signs. */
function roff(text: string): string {
  return text.replace(/\\/g, "\\e").replace(/-/g, "\\-").replace(/^([.'])/gm, "\\&$1");
}

/** Makes strongmonitor(8). `date` is ISO 8601. */
export function manPage(program: Command, { version, date }: { version: string; date: string }): string {
  const help = program.createHelp();
  const lines = [
    `.TH STRONGMONITOR 8 "${date}" "StrongMonitor ${version}"`,
    ".SH NAME",
    `strongmonitor \\- watch the logs of this machine and ban attackers`,
    ".SH SYNOPSIS",
    ".B strongmonitor",
    "[\\fIcommand\\fR] [\\fIoptions\\fR]",
    ".SH DESCRIPTION",
    roff(program.description()),
    ".SH COMMANDS",
  ];
  for (const { path, command } of commandsOf(program)) {
    const words = command.registeredArguments.map((argument) => {
      const name = argument.variadic ? `${argument.name()}...` : argument.name();
      return argument.required ? `<${name}>` : `[${name}]`;
    });
    lines.push(
      ".SS",
      `\\fBstrongmonitor ${roff([...path, ...words].join(" "))}\\fR`,
      roff(command.summary()),
      ".RS",
    );
    for (const option of command.options) {
      lines.push(".TP", `\\fB${roff(option.flags)}\\fR`, roff(help.optionDescription(option)));
    }
    for (const example of examplesOf(command)) {
      lines.push(".PP", `\\fB$ ${roff(`strongmonitor ${example}`)}\\fR`);
    }
    lines.push(".RE");
  }
  lines.push(
    ".SH FILES",
    ".TP",
    "/etc/strongmonitor/config.jsonc",
    "the configuration",
    ".TP",
    "/etc/strongmonitor/db_password.secret",
    "the password of the database's user",
    ".TP",
    "/var/lib/strongmonitor",
    "the state",
    ".TP",
    "/usr/share/doc/strongmonitor/docs",
    "the pages that messages name, such as docs/installing.md, if the program came by a Debian package",
    ".SH EXIT STATUS",
    EXIT_CODES,
    ".SH SEE ALSO",
    ".BR journalctl (1),",
    ".BR nft (8)",
  );
  return lines.join("\n") + "\n";
}

/** Words that may follow a command: subcommands with summaries, and options. */
interface Choice {
  /** Words of the command, without the program's name. */
  readonly path: readonly string[];
  readonly words: readonly {
    readonly word: string;
    readonly about: string;
    readonly values: readonly string[];
  }[];
}

/** Prints the banned addresses, one a line: values for `unban`. */
const BANNED = "strongmonitor bans --export plain 2>/dev/null";

/** Values to offer of options that take others too. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "--module": modules.filter((kind) => kind !== pattern).map(({ name }) => name),
};

function choices(program: Command): Choice[] {
  const of = (command: Command, path: readonly string[]): Choice[] => [
    {
      path,
      words: [
        ...command.commands.map((sub) => ({ word: sub.name(), about: sub.summary(), values: [] })),
        ...command.options.map(({ long, description, argChoices }) => ({
          word: long!,
          about: description,
          values: argChoices ?? VALUES[long!] ?? [],
        })),
      ],
    },
    ...command.commands.flatMap((sub) => of(sub, [...path, sub.name()])),
  ];
  return of(program, []);
}

/** Returns all commands between bars, for shells: `|run|whitelist|whitelist add|`. */
function commandPaths(program: Command): string {
  return `|${choices(program).slice(1).map(({ path }) => path.join(" ")).join("|")}|`;
}

/** Returns options with fixed values, by command and name: `top --by`. */
function fixedValues(program: Command): { readonly key: string; readonly values: readonly string[] }[] {
  return choices(program).flatMap(({ path, words }) =>
    words.filter(({ values }) => values.length > 0).map(({ word, values }) => ({
      key: [...path, word].join(" "),
      values,
    }))
  );
}

/** Makes the completion of bash(1), which lacks IPv6 addresses: bash splits words at colons. */
export function bashCompletion(program: Command): string {
  const cases = choices(program).map(({ path, words }) =>
    `    "${path.join(" ")}") words="${words.map(({ word }) => word).join(" ")}" ;;`
  );
  const values = fixedValues(program).map(({ key, values }) =>
    `    "${key}") COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$current")); return ;;`
  );
  return `# bash completion for strongmonitor
_strongmonitor() {
  local current=\${COMP_WORDS[COMP_CWORD]} path="" next word words=""
  local commands="${commandPaths(program)}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="$path\${path:+ }$word"
    [[ $commands != *"|$next|"* ]] || path=$next
  done
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join("\n")}
  esac
  case $path in
${cases.join("\n")}
  esac
  [[ $path != unban ]] || words+=" $(${BANNED} | grep -x '[0-9./]*')"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $current == -* || -n $words && \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY+=($(compgen -f -- "$current"))
}
complete -F _strongmonitor strongmonitor
`;
}

/** Makes the completion of zsh(1). */
export function zshCompletion(program: Command): string {
  const quoted = (text: string) => text.replace(/[\\'":[\]]/g, "");
  const cases = choices(program).map(({ path, words }) =>
    `    "${path.join(" ")}") choices=(${
      words.map(({ word, about }) => `'${word}:${quoted(about)}'`).join(" ")
    }) ;;`
  );
  const values = fixedValues(program).map(({ key, values }) =>
    `    "${key}") compadd -- ${values.join(" ")}; return ;;`
  );
  return `#compdef strongmonitor
_strongmonitor() {
  local key="" next word commands="${commandPaths(program)}"
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="$key\${key:+ }$word"
    [[ $commands != *"|$next|"* ]] || key=$next
  done
  case "$key $words[CURRENT-1]" in
${values.join("\n")}
  esac
  [[ $key != unban ]] || compadd -- \${(f)"$(${BANNED})"}
  case $key in
${cases.join("\n")}
  esac
  _describe command choices || _files
}
_strongmonitor "$@"
`;
}

/** Makes the completion of fish(1). */
export function fishCompletion(program: Command): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const lines = choices(program).flatMap(({ path, words }) => {
    const siblings = words.filter(({ word }) => !word.startsWith("-")).map(({ word }) => word).join(" ");
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ") || "true";
    const condition = siblings === "" ? seen : `${seen}; and not __fish_seen_subcommand_from ${siblings}`;
    return words.map(({ word, about, values }) => {
      const what = word.startsWith("--")
        ? `--long-option ${word.slice(2)}${
          values.length > 0 ? ` --exclusive --arguments ${quoted(values.join(" "))}` : ""
        }`
        : `--arguments ${word} --no-files`;
      return `complete --command strongmonitor --condition ${quoted(condition)} ${what} --description ${
        quoted(about)
      }`;
    });
  });
  const banned =
    `complete --command strongmonitor --condition '__fish_seen_subcommand_from unban' --no-files ` +
    `--arguments '(${BANNED})'`;
  return `# fish completion for strongmonitor\n${[...lines, banned].join("\n")}\n`;
}
