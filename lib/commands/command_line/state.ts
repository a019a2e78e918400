/** Commands that list and change bans, whitelist, knocks and fleet. */
import { Option } from "commander";
import { UserError } from "../../core/error.ts";
import type { ExportFormat } from "../bans/export.ts";
import type { ImportOptions } from "../bans/import.ts";
import { EXPORT_FORMATS } from "../common/output.ts";
import { type Definition, option } from "./definition.ts";

/** Commands for changes, in the order of `--help`. */
export const CHANGING: readonly Definition[] = [
  {
    usage: "bans",
    summary: "list the bans in force and those still to be lifted, or export or import bans",
    examples: [
      "bans --all --json",
      "bans --export nft | ssh root@other nft -f -",
      "bans --export json > bans.json",
      "bans --import - < bans.json",
      "bans --import - --for 7d --reason scanners < list.txt",
    ],
    options: () => [
      option("-a, --all", "list the newest thousand bans, ended ones included"),
      new Option(
        "--export <format>",
        "print the bans in force: for nft -f, for ipset restore, one address a line, or for --import",
      )
        .choices(EXPORT_FORMATS).conflicts(["all", "import", "json", "for", "reason"]),
      new Option("--import <file>", "ban who is listed in a file, one a line, or in standard input (-)")
        .conflicts("all"),
      option("--for <span>", "how long, where the imported list does not say (default: forever)"),
      option("--reason <text>", "reason, where the imported list gives none (default: [IMPORT] file)"),
    ],
    json: "print one JSON object a ban, or what was imported",
    load: () => Promise.resolve(runBans),
  },
  {
    usage: "ban <addresses...>",
    summary: "ban addresses and networks",
    examples: ["ban 192.0.2.7 --for 2h --reason 'port scan'", "ban 192.0.2.8 2001:db8::/64"],
    options: () => [
      option("--for <span>", "how long, such as 90s, 2h or 1d12h", "forever"),
      option("--reason <text>", "reason to keep with it"),
    ],
    load: async () => (await import("../bans/ban.ts")).banCommand,
  },
  {
    usage: "unban [addresses...]",
    summary: "lift bans",
    examples: ["unban 192.0.2.7 192.0.2.8", "unban --all"],
    options: () => [option("--all", "lift all bans")],
    json: "print one JSON object a ban",
    load: async () => (await import("../bans/unban.ts")).unbanCommand,
  },
  {
    usage: "whitelist",
    summary: "list and change who is never banned",
    examples: ["whitelist", "whitelist add 192.0.2.7 --for 8h", "whitelist remove 192.0.2.7"],
    commands: [{
      usage: "add <targets...>",
      summary: "never ban an address, a network or a DNS name, and lift their bans",
      examples: [
        "whitelist add 198.51.100.0/24 --note office",
        "whitelist add 192.0.2.7 192.0.2.8 --for 8h",
        "whitelist add home.example.org",
        "whitelist add 192.0.2.7 --until 2030-12-31",
      ],
      options: () => [
        option("--for <span>", "how long, such as 90s, 2h or 1d12h; otherwise a new entry has no end"),
        option("--until <date>", "the day at whose start it ends, or a date and a time (ISO 8601)"),
        option("--note <text>", "note to keep with it"),
      ],
      load: async () => (await import("../whitelist/whitelist.ts")).whitelistAddCommand,
    }, {
      usage: "remove <targets...>",
      summary: "end entries that `whitelist add` or a knock made",
      examples: ["whitelist remove 198.51.100.0/24"],
      load: async () => (await import("../whitelist/whitelist.ts")).whitelistRemoveCommand,
    }, {
      usage: "list",
      summary: "list who is never banned (the default)",
      examples: ["whitelist list", "whitelist list --json"],
      json: "print one JSON object an entry",
      load: async () => (await import("../whitelist/list.ts")).whitelistListCommand,
    }],
  },
  {
    usage: "knock",
    summary: "list and change the keys by which a login name or a path whitelists its sender",
    examples: ["knock", "knock new phone", "knock remove phone"],
    commands: [{
      usage: "new [name]",
      summary: "make a key and show it once: one-time codes, or a plain secret",
      examples: ["knock new phone", "knock new script --plain", "knock new script --secret-stdin < secret"],
      options: () => [
        option("--plain", "a secret that is the same every time, in place of one-time codes"),
        option("--secret-stdin", "a plain secret of your own, read from standard input"),
      ],
      load: async () => (await import("../knock.ts")).knockNewCommand,
    }, {
      usage: "list",
      summary: "list the keys, and when each was used last (the default)",
      examples: ["knock list --json"],
      json: "print one JSON object a key",
      load: async () => (await import("../knock.ts")).knockListCommand,
    }, {
      usage: "remove <name>",
      summary: "remove a key, which then lets nobody in",
      examples: ["knock remove phone"],
      load: async () => (await import("../knock.ts")).knockRemoveCommand,
    }],
  },
  {
    usage: "fleet",
    summary: "show the servers that share this one's database, and their bans",
    examples: ["fleet", "fleet bans", "fleet remove web3"],
    commands: [{
      usage: "list",
      summary: "list the servers (the default)",
      examples: ["fleet list --json"],
      json: "print one JSON object a server",
      load: async () => (await import("../fleet.ts")).fleetCommand,
    }, {
      usage: "bans",
      summary: "list the bans in force of all servers",
      examples: ["fleet bans", "fleet bans --json"],
      json: "print one JSON object a ban",
      load: async () => (await import("../fleet.ts")).fleetBansCommand,
    }, {
      usage: "remove <server>",
      summary: "cut a server off: the others lift what it alone banned",
      examples: ["fleet remove web3"],
      load: async () => (await import("../fleet.ts")).fleetRemoveCommand,
    }],
  },
];

type BansOptions = ImportOptions & { all?: boolean; export?: ExportFormat; import?: string };

async function runBans(options: BansOptions): Promise<number> {
  if (options.export !== undefined) {
    return (await import("../bans/export.ts")).bansExportCommand(options.export, options);
  }
  if (options.import !== undefined) {
    return await (await import("../bans/import.ts")).bansImportCommand(options.import, options);
  }
  for (const name of ["for", "reason"] as const) {
    if (options[name] !== undefined) throw new UserError(`Cannot use --${name} without --import`, 64);
  }
  return (await import("../bans/bans.ts")).bansCommand(options);
}
