/**
 * The command line: arguments become one command, signals reach it, and what it throws becomes one sentence and
 * an exit code (sysexits.h). No logic.
 */
import process from "node:process";
import { Command, CommanderError, Option } from "commander";
import project from "./deno.json" with { type: "json" };
import { banCommand, type BanOptions } from "./lib/commands/ban.ts";
import { bansCommand } from "./lib/commands/bans.ts";
import { bansExportCommand, EXPORT_FORMATS, type ExportFormat } from "./lib/commands/bans_export.ts";
import { bansImportCommand, type ImportOptions } from "./lib/commands/bans_import.ts";
import { checkCommand } from "./lib/commands/check.ts";
import { confirmCommand } from "./lib/commands/confirm.ts";
import {
  knockListCommand,
  knockNewCommand,
  type KnockNewOptions,
  knockRemoveCommand,
} from "./lib/commands/knock.ts";
import { matchCommand } from "./lib/commands/match.ts";
import { type CommonOptions, print } from "./lib/commands/output.ts";
import { replayCommand } from "./lib/commands/replay.ts";
import { runCommand, type RunSignals } from "./lib/commands/run.ts";
import { statusCommand } from "./lib/commands/status.ts";
import { unbanCommand } from "./lib/commands/unban.ts";
import {
  whitelistAddCommand,
  type WhitelistAddOptions,
  whitelistListCommand,
  whitelistRemoveCommand,
} from "./lib/commands/whitelist.ts";
import { openLog } from "./lib/core/log.ts";
import { printable } from "./lib/core/text.ts";
import { messageOf, UserError } from "./lib/core/error.ts";

const CONFIG = "/etc/strongmonitor/config.jsonc";
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

/** A subcommand with the options that every one takes; `act` gives the exit code. */
function subcommand(
  parent: Command,
  definition: { usage: string; summary: string; examples: readonly string[] },
): Command {
  const examples = definition.examples.map((example) => `  $ strongmonitor ${example}\n`).join("");
  return parent.command(definition.usage)
    .summary(definition.summary)
    .description(definition.summary)
    .option("-c, --config <file>", "configuration to read", CONFIG)
    .option("-s, --state <directory>", "state to use instead of the one that the configuration names")
    .addHelpText("after", `\nExamples:\n${examples}`);
}

/** What a command is given after its arguments. */
type Options = CommonOptions & Record<string, never>;

function build(exit: (code: number) => void): Command {
  const program = new Command("strongmonitor")
    .description("Watches the logs of this machine, records who is named in them, and bans attackers.")
    .version(project.version, "-V, --version", "print the version")
    .configureOutput({
      writeOut: (text) => print(text.trimEnd()),
      writeErr: (text) => console.error(text.trimEnd()),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 64 wrong usage, 69 something needed is unavailable, 78 wrong configuration",
    );

  subcommand(program, {
    usage: "run",
    summary: "monitor until told to stop (the default)",
    examples: ["run --config ./config.jsonc --state ./state", "run --trial 10m"],
  })
    .option("-v, --verbose", "say more")
    .option("--trial <span>", "end the bans it makes, and stop, after this time unless `confirm` is given")
    .option(
      "--boot-id <id>",
      "id of the machine's boot, which systemd gives as %b: bans by a command end with it",
    )
    .action(async (options: Options & { verbose?: boolean; trial?: string; bootId?: string }) =>
      exit(
        await runCommand(options, {
          log: openLog({ verbose: !!options.verbose }),
          signals: listenToSignals(),
        }),
      )
    );

  subcommand(program, {
    usage: "check",
    summary: "check the configuration and say what it means",
    examples: ["check --config ./config.jsonc"],
  }).option("--json", "print JSON").action((options: Options) => exit(checkCommand(options)));

  subcommand(program, {
    usage: "match [file]",
    summary: "show what the rules make of each line of a file, or of standard input",
    examples: ["match --module SSHD - < /var/log/auth.log", "match --module SSHD --json - < lines"],
  })
    .requiredOption("-m, --module <name>", "module that reads the lines")
    .option("--json", "print one JSON object a line")
    .action(async (file: string | undefined, options: Options & { module: string }) =>
      exit(await matchCommand(file ?? "-", options))
    );

  subcommand(program, {
    usage: "replay [files...]",
    summary: "show whom the rules would have banned in the past; bans nobody",
    examples: [
      "replay - < /var/log/auth.log",
      "replay --since -12h",
      "replay --since 2026-01-31 --until '2026-02-01 12:00'",
    ],
  })
    .option("--since <time>", "read the journal from this time on")
    .option("--until <time>", "read the journal up to this time")
    .option("--json", "print one JSON object a ban, and a summary")
    .action(async (files: string[], options: Options & { since?: string; until?: string }) =>
      exit(await replayCommand(files, options))
    );

  subcommand(program, {
    usage: "status",
    summary: "tell how the monitor is doing",
    examples: ["status --json"],
  })
    .option("--json", "print JSON")
    .action((options: Options) => exit(statusCommand(options)));

  buildBans(program, exit);

  subcommand(program, {
    usage: "ban <address>",
    summary: "ban an address or a network",
    examples: ["ban 192.0.2.7 --for 2h --reason 'port scan'", "ban 2001:db8::/64"],
  })
    .option("--for <span>", "how long, such as 90s, 2h or 1d12h", "forever")
    .option("--reason <text>", "reason to keep with it")
    .option("--json", "print JSON")
    .action(async (address: string, options: Options & BanOptions) =>
      exit(await banCommand(address, options))
    );

  subcommand(program, { usage: "unban <address>", summary: "lift a ban", examples: ["unban 192.0.2.7"] })
    .option("--json", "print JSON")
    .action(async (address: string, options: Options) => exit(await unbanCommand(address, options)));

  subcommand(program, {
    usage: "confirm",
    summary: "let the bans of `run --trial` hold",
    examples: ["confirm"],
  })
    .option("--json", "print JSON")
    .action((options: Options) => exit(confirmCommand(options)));

  buildWhitelist(program, exit);
  buildKnock(program, exit);
  return program;
}

/** What the options of `bans` may hold. */
type BansOptions = Options & ImportOptions & { all?: boolean; export?: ExportFormat; import?: string };

function buildBans(program: Command, exit: (code: number) => void): void {
  subcommand(program, {
    usage: "bans",
    summary: "list the bans in force and those to be lifted yet, export them, or import others",
    examples: [
      "bans --all --json",
      "bans --export nft | ssh root@other nft -f -",
      "bans --export json > bans.json",
      "bans --import bans.json",
      "bans --import - --for 7d --reason 'a list of scanners' < scanners.txt",
    ],
  })
    .option("-a, --all", "the newest thousand, those that have ended as well")
    .addOption(
      new Option(
        "--export <format>",
        "write those in force for nft -f, for ipset restore, one a line, or for --import",
      )
        .choices(EXPORT_FORMATS).conflicts(["all", "import", "json", "for", "reason"]),
    )
    .addOption(
      new Option("--import <file>", "ban who is listed in a file, one a line, or in standard input (-)")
        .conflicts("all"),
    )
    .option("--for <span>", "how long, where the imported list does not say (default: forever)")
    .option("--reason <text>", "reason, where the imported list gives none (default: [IMPORT] file)")
    .option("--json", "print one JSON object a ban, or what was imported")
    .action(async (options: BansOptions) => {
      if (options.export !== undefined) return exit(bansExportCommand(options.export, options));
      if (options.import !== undefined) return exit(await bansImportCommand(options.import, options));
      exit(bansCommand(options));
    });
}

function buildWhitelist(program: Command, exit: (code: number) => void): void {
  const whitelist = program.command("whitelist").summary("say who is never banned").description(
    "Says who is never banned.",
  );
  subcommand(whitelist, {
    usage: "add <address>",
    summary: "never ban an address or network, and lift what stands against it",
    examples: [
      "whitelist add 198.51.100.0/24 --note office",
      "whitelist add 192.0.2.7 --for 8h",
      "whitelist add 192.0.2.7 --until 2027-01-31",
    ],
  })
    .option("--for <span>", "how long, such as 90s, 2h or 1d12h (default: forever)")
    .option("--until <date>", "the day at whose start it ends, or a date and a time (ISO 8601)")
    .option("--note <text>", "note to keep with it")
    .option("--json", "print JSON")
    .action((address: string, options: Options & WhitelistAddOptions) =>
      exit(whitelistAddCommand(address, options))
    );
  subcommand(whitelist, {
    usage: "remove <address>",
    summary: "take back what `whitelist add` did",
    examples: ["whitelist remove 198.51.100.0/24"],
  })
    .option("--json", "print JSON")
    .action((address: string, options: Options) => exit(whitelistRemoveCommand(address, options)));
  subcommand(whitelist, {
    usage: "list",
    summary: "list who is never banned",
    examples: ["whitelist list --json"],
  })
    .option("--json", "print one JSON object an entry")
    .action((options: Options) => exit(whitelistListCommand(options)));
}

function buildKnock(program: Command, exit: (code: number) => void): void {
  const knock = program.command("knock").summary("let yourself in from any address").description(
    "Makes keys by which a login name or a path whitelists whoever tries it.",
  );
  subcommand(knock, {
    usage: "new [name]",
    summary: "make a key and show it once: one-time codes, or a plain secret",
    examples: ["knock new phone", "knock new script --plain", "knock new script --secret-stdin < secret"],
  })
    .option("--plain", "a secret that is the same every time, in place of one-time codes")
    .option("--secret-stdin", "such a secret of your own, read from standard input")
    .option("--json", "print JSON")
    .action((name: string | undefined, options: Options & KnockNewOptions) =>
      exit(knockNewCommand(name ?? "owner", options))
    );
  subcommand(knock, {
    usage: "list",
    summary: "list the keys, and when each was used last",
    examples: ["knock list --json"],
  })
    .option("--json", "print one JSON object a key")
    .action((options: Options) => exit(knockListCommand(options)));
  subcommand(knock, {
    usage: "remove <name>",
    summary: "let nobody in by a key any more",
    examples: ["knock remove phone"],
  })
    .option("--json", "print JSON")
    .action((name: string, options: Options) => exit(knockRemoveCommand(name, options)));
}

/** The command line with `run` put in where it names no command. */
function withDefault(args: readonly string[]): string[] {
  const first = args[0] ?? "";
  const isGlobal = ["-h", "--help", "-V", "--version"].includes(first);
  return (first === "" || first.startsWith("-")) && !isGlobal ? ["run", ...args] : [...args];
}

/** Deno 2.4 warns of its own use of what Node.js has deprecated, which whoever runs this can do nothing about. */
function silenceDeprecations(): void {
  Object.assign(process, { noDeprecation: true });
}

/** Runs the command line; returns the exit code. */
async function main(given: readonly string[]): Promise<number> {
  const args = withDefault(given);
  let code = 0;
  try {
    await build((result) => code = result).parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    // The journal reads priorities; whoever typed a command does not.
    const prefix = args[0] === "run" && !Deno.stderr.isTerminal() ? "<3>" : "strongmonitor: ";
    for (const line of messageOf(error).split("\n")) console.error(prefix + printable(line));
    return error instanceof UserError ? error.code : 1;
  }
}

if (import.meta.main) {
  silenceDeprecations();
  Deno.exit(await main(Deno.args));
}
