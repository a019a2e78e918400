/**
 * The command line: every command with its options and examples. The modules of a command are loaded when it runs, so that
 * `--help` and `status` evaluate none of the others'.
 */
import { Command, Option } from "commander";
import { UserError } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { unknownCommand } from "./arguments.ts";
import type { InitOptions } from "./init/init.ts";
import type { BanOptions } from "./ban.ts";
import type { CheckOptions } from "./check.ts";
import type { ExportFormat } from "./bans_export.ts";
import type { ImportOptions } from "./bans_import.ts";
import type { KnockNewOptions } from "./knock.ts";
import {
  type CommonOptions,
  CONFIG,
  EXPORT_FORMATS,
  NGINX_CONF,
  printError,
  printLines,
  TOP_TABLES,
} from "./output.ts";
import type { RunOptions, RunSignals } from "./run.ts";
import type { UnbanOptions } from "./unban.ts";
import type { ReportOptions } from "./report/report.ts";
import type { TopOptions } from "./top.ts";
import type { WatchOptions } from "./watch/watch.ts";
import type { WhatIfOptions } from "./what_if.ts";
import type { WhitelistAddOptions } from "./whitelist.ts";

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
type Options = CommonOptions & Record<string, never>;

/** The program with all of its commands, to be given arguments. */
export function commandLine(parts: CommandLineParts): Command {
  const { exit } = parts;
  const program = new Command("strongmonitor")
    .description("Watches the logs of this machine, records who is named in them, and bans attackers.")
    .version(parts.version, "-V, --version", "print the version")
    .configureOutput({
      writeOut: (text) => printLines(text.trimEnd().split("\n")),
      writeErr: (text) => text.trimEnd().split("\n").forEach(printError),
      // The program tells what it catches.
      outputError: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .addHelpText("after", examplesText(["run --trial 10m", "status", "why 192.0.2.7"]))
    .addHelpText(
      "after",
      "Exit codes: 0 done, 1 failed, 64 wrong usage, 69 something needed is\nunavailable, 78 wrong configuration",
    );
  program.on("command:*", ([name]: string[]) => {
    program.error(unknownCommand(program, name!), { code: "commander.unknownCommand" });
  });
  addInit(program, exit);
  addRun(program, parts);
  addHistory(program, exit);
  addWatch(program, parts);
  addNotify(program, exit);
  addTrials(program, exit);
  addWhatIf(program, exit);
  addBans(program, exit);
  addWhitelist(program, exit);
  addKnock(program, exit);
  addFleet(program, exit);
  return program;
}

/** What a subcommand is called, and how it is explained. */
interface Definition {
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
}

/** A subcommand with the options that every one takes. */
function subcommand(parent: Command, definition: Definition): Command {
  return bareSubcommand(parent, definition)
    .option("-c, --config <file>", "configuration to read", CONFIG)
    .option("-s, --state <directory>", "state to use instead of the one that the configuration names");
}

/** A subcommand that reads no configuration and no state, or that has subcommands of its own. */
function bareSubcommand(parent: Command, { usage, summary, examples }: Definition): Command {
  return parent.command(usage).summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .addHelpText("after", examplesText(examples));
}

function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ strongmonitor ${example}\n`).join("")}`;
}

function addInit(program: Command, exit: CommandLineParts["exit"]): void {
  bareSubcommand(program, {
    usage: "init",
    summary: "make a configuration for this machine, and say what root has to do",
    examples: ["init", "init --yes > config.jsonc", "init --yes --install"],
  })
    .option("-c, --config <file>", "where root is to put the configuration", CONFIG)
    .option("-y, --yes", "ask nothing, and take what is proposed")
    .option("--install", "do what root has to do, by sudo")
    .option("--force", "replace a configuration that is there already")
    .option("--nginx-conf <file>", "where nginx.conf is", NGINX_CONF)
    .option("--json", "print JSON; asks nothing")
    .action(async (options: InitOptions) =>
      exit(await (await import("./init/init.ts")).initCommand(options))
    );
}

function addRun(program: Command, { exit, log, signals }: CommandLineParts): void {
  subcommand(program, {
    usage: "run",
    summary: "monitor until told to stop (the default)",
    examples: ["run --config ./config.jsonc --state ./state", "run --trial 10m", "run --verbose"],
  })
    .option("-v, --verbose", "say what it reads, decides and tells the firewall, and show stacks of faults")
    .option("--trial <span>", "end the bans it makes, and stop, after this time unless `confirm` is given")
    .option(
      "--boot-id <id>",
      "id of the machine's boot, which systemd gives as %b: bans by a command end with it",
    )
    .action(async (options: Options & RunOptions & { verbose?: boolean }) => {
      const { runCommand } = await import("./run.ts");
      exit(await runCommand(options, { log: await log({ verbose: !!options.verbose }), signals: signals() }));
    });
  subcommand(program, {
    usage: "status",
    summary: "tell how the monitor is doing",
    examples: ["status", "status --json"],
  })
    .option("--json", "print JSON")
    .action(async (options: Options) => exit((await import("./status.ts")).statusCommand(options)));
  subcommand(program, {
    usage: "confirm",
    summary: "let the bans of `run --trial` hold",
    examples: ["confirm"],
  })
    .option("--json", "print JSON")
    .action(async (options: Options) => exit((await import("./confirm.ts")).confirmCommand(options)));
}

/** The commands that tell what has been. */
function addHistory(program: Command, exit: CommandLineParts["exit"]): void {
  subcommand(program, {
    usage: "why <address>",
    summary: "tell why an address or a network is banned, or why it is not",
    examples: ["why 192.0.2.7", "why 2001:db8::/64", "why 192.0.2.0/24 --json"],
  })
    .option("--json", "print JSON")
    .action(async (address: string, options: Options) =>
      exit(await (await import("./why.ts")).whyCommand(address, options))
    );
  subcommand(program, {
    usage: "top",
    summary: "show who attacks most, what they try and which rules they hit",
    examples: [
      "top",
      "top --since 7d --by network",
      "top --since yesterday --by user",
      "top --by rule --json",
    ],
  })
    .option("--since <time>", "count from the hour of this time on", "24h")
    .addOption(new Option("--by <what>", "show this table alone, with more rows").choices(TOP_TABLES))
    .option("--json", "print JSON")
    .action(async (options: Options & TopOptions) => exit((await import("./top.ts")).topCommand(options)));
  subcommand(program, {
    usage: "report",
    summary: "tell of a week: who attacked, when, how, and what became of it, as text or as a page",
    examples: ["report", "report --html - > report.html", "report --since 30d --json"],
  })
    .option("--since <time>", "tell of the time from the hour of this time on", "7d")
    .addOption(
      new Option(
        "--html [file]",
        "make one page that needs no network and no script (-, or no file: on standard output)",
      ).conflicts("json"),
    )
    .option("--json", "print JSON")
    .action(async (options: Options & ReportOptions) =>
      exit((await import("./report/report.ts")).reportCommand(options))
    );
}

/** The command that shows how all is going. */
function addWatch(program: Command, { exit, signals }: CommandLineParts): void {
  subcommand(program, {
    usage: "watch",
    summary: "show live what comes in, who attacks and who is banned, with keys to act",
    examples: ["watch", "watch --ascii"],
  })
    .option("--ascii", "draw with characters of ASCII, for terminals without UTF-8")
    .action(async (options: Options & WatchOptions) =>
      exit(await (await import("./watch/watch.ts")).watchCommand(options, signals))
    );
}

/** The command that tries the hook. */
function addNotify(program: Command, exit: CommandLineParts["exit"]): void {
  subcommand(program, {
    usage: "notify",
    summary: "have the program of `notify` told a test, and say whether it took that",
    examples: ["notify"],
  })
    .action(async (options: Options) => exit(await (await import("./notify.ts")).notifyCommand(options)));
}

/** The commands that try a configuration. */
function addTrials(program: Command, exit: CommandLineParts["exit"]): void {
  subcommand(program, {
    usage: "doctor",
    summary: "look at everything that monitoring and banning take, and say what to do",
    examples: ["doctor", "doctor --json"],
  })
    .option("--json", "print one JSON object a look")
    .action(async (options: Options) =>
      exit(await (await import("./doctor/doctor.ts")).doctorCommand(options))
    );
  subcommand(program, {
    usage: "check",
    summary: "check the configuration and say what it means",
    examples: [
      "check --config ./config.jsonc",
      "check --quiet",
      "check --syntax --quiet && systemctl reload strongmonitor",
      "check --config - < draft.jsonc",
    ],
  })
    .option("-q, --quiet", "say only what is wrong")
    .option("--syntax", "look at the configuration alone, and at nothing else of this machine")
    .option("--json", "print JSON")
    .action(async (options: Options & CheckOptions) =>
      exit(await (await import("./check.ts")).checkCommand(options))
    );
  subcommand(program, {
    usage: "match [input]",
    summary: "show what the rules make of a line, or of each line of a file or of standard input",
    examples: [
      "match 'Invalid user admin from 192.0.2.7 port 4711'",
      "match - < /var/log/auth.log",
      "match --module SSHD --json lines.txt",
    ],
  })
    .option("-m, --module <name>", "module that reads the lines; each line's own without")
    .option("--json", "print one JSON object a line, and a summary")
    .action(async (input: string | undefined, options: Options & { module?: string }) =>
      exit(await (await import("./match.ts")).matchCommand(requireInput(input), options))
    );
  subcommand(program, {
    usage: "replay [files...]",
    summary: "show whom the rules would have banned in the past; bans nobody",
    examples: [
      "replay - < /var/log/auth.log",
      "replay --since 12h",
      "replay --since 2026-01-31 --until '2026-02-01 12:00'",
    ],
  })
    .option("--since <time>", "read the journal from this time on: a time, or a span before now")
    .option("--until <time>", "read the journal up to this time")
    .option("--json", "print one JSON object a ban, and a summary")
    .action(async (files: string[], options: Options & { since?: string; until?: string }) => {
      const isOfJournal = options.since !== undefined || options.until !== undefined;
      const inputs = files.length > 0 || isOfJournal ? files : [requireInput(undefined)];
      exit(await (await import("./replay.ts")).replayCommand(inputs, options));
    });
}

/** An input that was named, or standard input: a terminal there would be waited for in silence. */
function requireInput(input: string | undefined): string {
  if (input === undefined && Deno.stdin.isTerminal()) {
    throw new UserError("Cannot read lines from a terminal: name a file, or say - to type them", 64);
  }
  return input ?? "-";
}

/** The command that compares two configurations. */
function addWhatIf(program: Command, exit: CommandLineParts["exit"]): void {
  subcommand(program, {
    usage: "what-if [files...]",
    summary: "show whom a new configuration would have banned otherwise than the present one",
    examples: [
      "what-if --config new.jsonc",
      "what-if --config new.jsonc --since 30d --json",
      "what-if --config new.jsonc --journal --since yesterday",
      "what-if --config new.jsonc /var/log/auth.log.1.gz",
      "what-if --config new.jsonc --against old.jsonc - < auth.log",
    ],
  })
    .option("--against <file>", "configuration to compare it with", CONFIG)
    .option("--since <time>", "count bans from this time on: a time, or a span before now")
    .option("--journal", "read the journal, not the lines that the state has recorded")
    .option("-a, --all", "list all differences, not the first 20 of each kind")
    .option("--json", "print one JSON object a difference, and a summary")
    .action(async (files: string[], options: Options & WhatIfOptions) =>
      exit(await (await import("./what_if.ts")).whatIfCommand(files, options))
    );
}

/** What the options of `bans` may hold. */
type BansOptions = Options & ImportOptions & { all?: boolean; export?: ExportFormat; import?: string };

function addBans(program: Command, exit: CommandLineParts["exit"]): void {
  subcommand(program, {
    usage: "bans",
    summary: "list the bans in force and those to be lifted yet, export them, or import others",
    examples: [
      "bans --all --json",
      "bans --export nft | ssh root@other nft -f -",
      "bans --export json > bans.json",
      "bans --import bans.json",
      "bans --import - --for 7d --reason scanners < list.txt",
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
    .action(async (options: BansOptions) => exit(await runBans(options)));
  subcommand(program, {
    usage: "ban <addresses...>",
    summary: "ban addresses and networks",
    examples: ["ban 192.0.2.7 --for 2h --reason 'port scan'", "ban 192.0.2.8 2001:db8::/64"],
  })
    .option("--for <span>", "how long, such as 90s, 2h or 1d12h", "forever")
    .option("--reason <text>", "reason to keep with it")
    .option("--json", "print JSON")
    .action(async (addresses: string[], options: Options & BanOptions) =>
      exit(await (await import("./ban.ts")).banCommand(addresses, options))
    );
  subcommand(program, {
    usage: "unban [addresses...]",
    summary: "lift bans",
    examples: ["unban 192.0.2.7 192.0.2.8", "unban --all"],
  })
    .option("--all", "lift all bans")
    .option("--json", "print one JSON object a ban")
    .action(async (addresses: string[], options: Options & UnbanOptions) =>
      exit(await (await import("./unban.ts")).unbanCommand(addresses, options))
    );
}

async function runBans(options: BansOptions): Promise<number> {
  if (options.export !== undefined) {
    return (await import("./bans_export.ts")).bansExportCommand(options.export, options);
  }
  if (options.import !== undefined) {
    return await (await import("./bans_import.ts")).bansImportCommand(options.import, options);
  }
  return (await import("./bans.ts")).bansCommand(options);
}

function addWhitelist(program: Command, exit: CommandLineParts["exit"]): void {
  const whitelist = bareSubcommand(program, {
    usage: "whitelist",
    summary: "list and change who is never banned",
    examples: ["whitelist", "whitelist add 192.0.2.7 --for 8h", "whitelist remove 192.0.2.7"],
  });
  subcommand(whitelist, {
    usage: "add <targets...>",
    summary: "never ban an address, a network or a DNS name, and lift their bans",
    examples: [
      "whitelist add 198.51.100.0/24 --note office",
      "whitelist add 192.0.2.7 192.0.2.8 --for 8h",
      "whitelist add home.example.org",
      "whitelist add 192.0.2.7 --until 2027-01-31",
    ],
  })
    .option("--for <span>", "how long, such as 90s, 2h or 1d12h; a new entry without lasts forever")
    .option("--until <date>", "the day at whose start it ends, or a date and a time (ISO 8601)")
    .option("--note <text>", "note to keep with it")
    .option("--json", "print JSON")
    .action(async (targets: string[], options: Options & WhitelistAddOptions) =>
      exit(await (await import("./whitelist.ts")).whitelistAddCommand(targets, options))
    );
  subcommand(whitelist, {
    usage: "remove <targets...>",
    summary: "end entries that `whitelist add` or a knock made",
    examples: ["whitelist remove 198.51.100.0/24"],
  })
    .option("--json", "print JSON")
    .action(async (targets: string[], options: Options) =>
      exit(await (await import("./whitelist.ts")).whitelistRemoveCommand(targets, options))
    );
  subcommand(whitelist, {
    usage: "list",
    summary: "list who is never banned (the default)",
    examples: ["whitelist list", "whitelist list --json"],
  })
    .option("--json", "print one JSON object an entry")
    .action(async (options: Options) =>
      exit((await import("./whitelist_list.ts")).whitelistListCommand(options))
    );
}

function addKnock(program: Command, exit: CommandLineParts["exit"]): void {
  const knock = bareSubcommand(program, {
    usage: "knock",
    summary: "list and change the keys by which a login name or a path whitelists its sender",
    examples: ["knock", "knock new phone", "knock remove phone"],
  });
  subcommand(knock, {
    usage: "new [name]",
    summary: "make a key and show it once: one-time codes, or a plain secret",
    examples: ["knock new phone", "knock new script --plain", "knock new script --secret-stdin < secret"],
  })
    .option("--plain", "a secret that is the same every time, in place of one-time codes")
    .option("--secret-stdin", "such a secret of your own, read from standard input")
    .option("--json", "print JSON")
    .action(async (name: string | undefined, options: Options & KnockNewOptions) =>
      exit((await import("./knock.ts")).knockNewCommand(name ?? "owner", options))
    );
  subcommand(knock, {
    usage: "list",
    summary: "list the keys, and when each was used last (the default)",
    examples: ["knock list --json"],
  })
    .option("--json", "print one JSON object a key")
    .action(async (options: Options) => exit((await import("./knock.ts")).knockListCommand(options)));
  subcommand(knock, {
    usage: "remove <name>",
    summary: "let nobody in by a key any more",
    examples: ["knock remove phone"],
  })
    .option("--json", "print JSON")
    .action(async (name: string, options: Options) =>
      exit((await import("./knock.ts")).knockRemoveCommand(name, options))
    );
}

function addFleet(program: Command, exit: CommandLineParts["exit"]): void {
  const fleet = bareSubcommand(program, {
    usage: "fleet",
    summary: "show the servers that share this one's database, and their bans",
    examples: ["fleet", "fleet bans", "fleet remove web3"],
  });
  subcommand(fleet, {
    usage: "list",
    summary: "list the servers (the default)",
    examples: ["fleet list --json"],
  })
    .option("--json", "print one JSON object a server")
    .action(async (options: Options) => exit(await (await import("./fleet.ts")).fleetCommand(options)));
  subcommand(fleet, {
    usage: "bans",
    summary: "list the bans in force of all servers",
    examples: ["fleet bans", "fleet bans --json"],
  })
    .option("--json", "print one JSON object a ban")
    .action(async (options: Options) => exit(await (await import("./fleet.ts")).fleetBansCommand(options)));
  subcommand(fleet, {
    usage: "remove <server>",
    summary: "cut a server off: the others lift what it alone banned",
    examples: ["fleet remove web3"],
  })
    .option("--json", "print JSON")
    .action(async (server: string, options: Options) =>
      exit(await (await import("./fleet.ts")).fleetRemoveCommand(server, options))
    );
}
