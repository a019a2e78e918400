/** Commands that print history. */
import { type Command, Option } from "commander";
import { TOP_TABLES } from "../output.ts";
import { type CommandLineParts, subcommand } from "./subcommand.ts";

/** Adds `why`, `top` and `report`. */
export function addHistory(program: Command, { run }: CommandLineParts): void {
  subcommand(program, {
    usage: "why <address>",
    summary: "tell why an address or a network is banned, or why it is not",
    examples: ["why 192.0.2.7", "why 2001:db8::/64", "why 192.0.2.0/24 --json"],
  })
    .option("--json", "print JSON")
    .action(run(async () => (await import("../why.ts")).whyCommand));
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
    .action(run(async () => (await import("../top.ts")).topCommand));
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
    .action(run(async () => (await import("../report/report.ts")).reportCommand));
}
