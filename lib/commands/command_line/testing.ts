/** Commands that test a machine and a configuration, and ban nobody. */
import { CONFIG } from "../common/output.ts";
import { type Definition, option } from "./definition.ts";

/** Commands for tests, in the order of `--help`. */
export const TESTING: readonly Definition[] = [
  {
    usage: "doctor",
    summary: "examine everything that monitoring and banning need, and say what to do",
    examples: ["doctor", "doctor --json"],
    json: "print one JSON object for each part",
    load: async () => (await import("../doctor/doctor.ts")).doctorCommand,
  },
  {
    usage: "check",
    summary: "check the configuration and say what it means",
    examples: [
      "check --rules",
      "check --quiet",
      "check --syntax --quiet && systemctl reload strongmonitor",
      "check --config - < draft.jsonc",
    ],
    options: () => [
      option("-q, --quiet", "say only what is wrong, or probably not meant"),
      option("--rules", "explain each rule"),
      option("--syntax", "look at the configuration alone, and at nothing else of this machine"),
    ],
    load: async () => (await import("../check/check.ts")).checkCommand,
  },
  {
    usage: "match [input]",
    summary: "show what the rules make of a line, or of each line of a file or of standard input",
    examples: [
      "match 'Invalid user admin from 192.0.2.7 port 4711'",
      "match - < /var/log/auth.log",
      "match --module SSHD --json - < lines.txt",
    ],
    options: () => [option("-m, --module <name>", "module that reads all lines; otherwise each line's own")],
    json: "print one JSON object a line, and a summary",
    load: async () => (await import("../match.ts")).matchCommand,
  },
  {
    usage: "replay [files...]",
    summary: "show whom the rules would have banned in the past; bans nobody",
    examples: [
      "replay - < /var/log/auth.log",
      "replay /var/log/auth.log.2.gz /var/log/auth.log.1",
      "replay --since 12h",
      "replay --since 2026-01-31 --until '2026-02-01 12:00'",
    ],
    options: () => [
      option("--since <time>", "read the journal from this time on: a time, or a span before now"),
      option("--until <time>", "read the journal up to this time"),
    ],
    json: "print one JSON object a ban, and a summary",
    load: async () => (await import("../rehearsal/replay.ts")).replayCommand,
  },
  {
    usage: "what-if [files...]",
    summary: "show whom a new configuration would have banned otherwise than the present one",
    examples: [
      "what-if --config - < new.jsonc",
      "what-if --config - --since 30d --json < new.jsonc",
      "what-if --config - --journal --since yesterday < new.jsonc",
      "what-if --config - /var/log/auth.log.1.gz < new.jsonc",
      "what-if --config /etc/strongmonitor/new.jsonc - < auth.log",
    ],
    options: () => [
      option("--against <file>", "configuration to compare it with", CONFIG),
      option("--since <time>", "count bans from this time on: a time, or a span before now"),
      option("--journal", "read the journal, not the lines that the state has recorded"),
      option("-a, --all", "list all differences, not the first 20 of each kind"),
    ],
    json: "print one JSON object a difference, and a summary",
    load: async () => (await import("../rehearsal/what_if.ts")).whatIfCommand,
  },
];
