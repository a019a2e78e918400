/** Commands that list and change bans, whitelist, knocks and fleet. */
import { type Command, Option } from "commander";
import { UserError } from "../../core/error.ts";
import type { ExportFormat } from "../bans_export.ts";
import type { ImportOptions } from "../bans_import.ts";
import { EXPORT_FORMATS } from "../output.ts";
import { bareSubcommand, type CommandLineParts, subcommand } from "./subcommand.ts";

type BansOptions = ImportOptions & { all?: boolean; export?: ExportFormat; import?: string };

/** Adds `bans` with its export and import. */
export function addBans(program: Command, { run }: CommandLineParts): void {
  subcommand(program, {
    usage: "bans",
    summary: "list the bans in force and those to be lifted yet, export them, or import others",
    examples: [
      "bans --all --json",
      "bans --export nft | ssh root@other nft -f -",
      "bans --export json > bans.json",
      "bans --import - < bans.json",
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
    .action(run(() => Promise.resolve(runBans)));
}

/** Adds `ban` and `unban`. */
export function addBan(program: Command, { run }: CommandLineParts): void {
  subcommand(program, {
    usage: "ban <addresses...>",
    summary: "ban addresses and networks",
    examples: ["ban 192.0.2.7 --for 2h --reason 'port scan'", "ban 192.0.2.8 2001:db8::/64"],
  })
    .option("--for <span>", "how long, such as 90s, 2h or 1d12h", "forever")
    .option("--reason <text>", "reason to keep with it")
    .option("--json", "print JSON")
    .action(run(async () => (await import("../ban.ts")).banCommand));
  subcommand(program, {
    usage: "unban [addresses...]",
    summary: "lift bans",
    examples: ["unban 192.0.2.7 192.0.2.8", "unban --all"],
  })
    .option("--all", "lift all bans")
    .option("--json", "print one JSON object a ban")
    .action(run(async () => (await import("../unban.ts")).unbanCommand));
}

async function runBans(options: BansOptions): Promise<number> {
  if (options.export !== undefined) {
    return (await import("../bans_export.ts")).bansExportCommand(options.export, options);
  }
  if (options.import !== undefined) {
    return await (await import("../bans_import.ts")).bansImportCommand(options.import, options);
  }
  for (const name of ["for", "reason"] as const) {
    if (options[name] !== undefined) throw new UserError(`Cannot use --${name} without --import`, 64);
  }
  return (await import("../bans.ts")).bansCommand(options);
}

/** Adds `whitelist` and its commands. */
export function addWhitelist(program: Command, { run }: CommandLineParts): void {
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
      "whitelist add 192.0.2.7 --until 2030-12-31",
    ],
  })
    .option("--for <span>", "how long, such as 90s, 2h or 1d12h; otherwise a new entry has no end")
    .option("--until <date>", "the day at whose start it ends, or a date and a time (ISO 8601)")
    .option("--note <text>", "note to keep with it")
    .option("--json", "print JSON")
    .action(run(async () => (await import("../whitelist.ts")).whitelistAddCommand));
  subcommand(whitelist, {
    usage: "remove <targets...>",
    summary: "end entries that `whitelist add` or a knock made",
    examples: ["whitelist remove 198.51.100.0/24"],
  })
    .option("--json", "print JSON")
    .action(run(async () => (await import("../whitelist.ts")).whitelistRemoveCommand));
  subcommand(whitelist, {
    usage: "list",
    summary: "list who is never banned (the default)",
    examples: ["whitelist list", "whitelist list --json"],
  })
    .option("--json", "print one JSON object an entry")
    .action(run(async () => (await import("../whitelist_list.ts")).whitelistListCommand));
}

/** Adds `knock` and its commands. */
export function addKnock(program: Command, { run }: CommandLineParts): void {
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
    .option("--secret-stdin", "a plain secret of your own, read from standard input")
    .option("--json", "print JSON")
    .action(run(async () => (await import("../knock.ts")).knockNewCommand));
  subcommand(knock, {
    usage: "list",
    summary: "list the keys, and when each was used last (the default)",
    examples: ["knock list --json"],
  })
    .option("--json", "print one JSON object a key")
    .action(run(async () => (await import("../knock.ts")).knockListCommand));
  subcommand(knock, {
    usage: "remove <name>",
    summary: "let nobody in by a key any more",
    examples: ["knock remove phone"],
  })
    .option("--json", "print JSON")
    .action(run(async () => (await import("../knock.ts")).knockRemoveCommand));
}

/** Adds `fleet` and its commands. */
export function addFleet(program: Command, { run }: CommandLineParts): void {
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
    .action(run(async () => (await import("../fleet.ts")).fleetCommand));
  subcommand(fleet, {
    usage: "bans",
    summary: "list the bans in force of all servers",
    examples: ["fleet bans", "fleet bans --json"],
  })
    .option("--json", "print one JSON object a ban")
    .action(run(async () => (await import("../fleet.ts")).fleetBansCommand));
  subcommand(fleet, {
    usage: "remove <server>",
    summary: "cut a server off: the others lift what it alone banned",
    examples: ["fleet remove web3"],
  })
    .option("--json", "print JSON")
    .action(run(async () => (await import("../fleet.ts")).fleetRemoveCommand));
}
