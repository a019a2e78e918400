/** Commands that prepare, run and view a monitor, and tell of what it has seen. */
import { Option } from "commander";
import { CONFIG, NGINX_CONF, SUBJECTS } from "../common/output.ts";
import type { RunOptions } from "../run.ts";
import type { WatchOptions } from "../watch/watch.ts";
import { type Definition, option } from "./definition.ts";

/** Commands of a monitor, in the order of `--help`. */
export const MONITORING: readonly Definition[] = [
  {
    usage: "init",
    summary: "make a configuration for this machine, and say what root has to do",
    examples: ["init", "init --yes > config.jsonc", "init --yes --install"],
    isBare: true,
    options: () => [
      option("-c, --config <file>", "where root is to put the configuration", CONFIG),
      option("-y, --yes", "ask nothing, and take what is proposed"),
      option("--install", "do what root has to do, by sudo"),
      option("--force", "replace a configuration that is there already"),
      option("--nginx-conf <file>", "where nginx.conf is", NGINX_CONF),
    ],
    json: "print JSON; asks nothing",
    load: async () => (await import("../init/init.ts")).initCommand,
  },
  {
    usage: "run",
    summary: "monitor until told to stop (the default)",
    examples: ["run --config /etc/strongmonitor/new.jsonc", "run --trial 10m", "run --verbose"],
    options: () => [
      option("-v, --verbose", "say what it reads, decides and tells the firewall, and show stacks of faults"),
      option("--trial <span>", "stop after this time and end the bans made since, unless `confirm` is given"),
      option(
        "--boot-id <id>",
        "id of the machine's boot, which systemd gives as %b: bans by a command end with it",
      ),
    ],
    json: false,
    load: async ({ log, signals }) => {
      const { runCommand } = await import("../run.ts");
      return async (options: RunOptions & { verbose?: boolean }) =>
        runCommand(options, { log: await log({ verbose: !!options.verbose }), signals: signals() });
    },
  },
  {
    usage: "status",
    summary: "tell how the monitor is doing",
    examples: ["status", "status --json"],
    load: async () => (await import("../status/status.ts")).statusCommand,
  },
  {
    usage: "confirm",
    summary: "let the bans of `run --trial` hold",
    examples: ["confirm"],
    load: async () => (await import("../confirm.ts")).confirmCommand,
  },
  {
    usage: "why [address]",
    summary: "tell why an address or a network is banned, or why it is not",
    examples: ["why 192.0.2.7", "why 2001:db8::/64", "why 192.0.2.0/24 --json", "why --user carol"],
    options: () => [option("--user <name>", "tell from which addresses a user came, and which are banned")],
    load: async () => (await import("../why/why.ts")).whyCommand,
  },
  {
    usage: "top",
    summary: "show who attacks most, what they try and which rules they hit",
    examples: [
      "top",
      "top --since 7d --by network",
      "top --since yesterday --until today --by user",
      "top --by rule --json",
    ],
    options: () => [
      option("--since <time>", "count from the hour of this time on", "24h"),
      option("--until <time>", "count the hours that begin before this time"),
      new Option("--by <what>", "show this table alone, with more rows").choices(SUBJECTS),
    ],
    load: async () => (await import("../top.ts")).topCommand,
  },
  {
    usage: "report",
    summary: "tell of a week: who attacked, when, how, and what became of it, as text or as a page",
    examples: ["report", "report --html - > report.html", "report --since 30d --json"],
    options: () => [
      option("--since <time>", "tell of the time from the hour of this time on", "7d"),
      new Option(
        "--html [file]",
        "make one page that needs no network and no script, in a file that this program may write (-, or no file: on standard output)",
      ).conflicts("json"),
    ],
    load: async () => (await import("../report/report.ts")).reportCommand,
  },
  {
    usage: "watch",
    summary: "show live what comes in, who attacks and who is banned, with keys to act",
    examples: ["watch", "watch --ascii"],
    options: () => [option("--ascii", "draw with characters of ASCII, for terminals without UTF-8")],
    json: false,
    load: async ({ signals }) => {
      const { watchCommand } = await import("../watch/watch.ts");
      return (options: WatchOptions) => watchCommand(options, signals);
    },
  },
  {
    usage: "notify",
    summary: "send a test notice to the program of `notify`, and say whether it took it",
    examples: ["notify"],
    load: async () => (await import("../notify.ts")).notifyCommand,
  },
];
