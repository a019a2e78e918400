/** Commands that prepare, run and view a monitor. */
import type { Command } from "commander";
import { CONFIG, NGINX_CONF } from "../output.ts";
import type { RunOptions } from "../run.ts";
import type { WatchOptions } from "../watch/watch.ts";
import { bareSubcommand, type CommandLineParts, subcommand } from "./subcommand.ts";

/** Adds `init`, which makes a configuration. */
export function addInit(program: Command, { run }: CommandLineParts): void {
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
    .action(run(async () => (await import("../init/init.ts")).initCommand));
}

/** Adds `run`, `status` and `confirm`. */
export function addRun(program: Command, { run, log, signals }: CommandLineParts): void {
  subcommand(program, {
    usage: "run",
    summary: "monitor until told to stop (the default)",
    examples: ["run --config ./config.jsonc", "run --trial 10m", "run --verbose"],
  })
    .option("-v, --verbose", "say what it reads, decides and tells the firewall, and show stacks of faults")
    .option("--trial <span>", "end the bans it makes, and stop, after this time unless `confirm` is given")
    .option(
      "--boot-id <id>",
      "id of the machine's boot, which systemd gives as %b: bans by a command end with it",
    )
    .action(run(async () => {
      const { runCommand } = await import("../run.ts");
      return async (options: RunOptions & { verbose?: boolean }) =>
        runCommand(options, { log: await log({ verbose: !!options.verbose }), signals: signals() });
    }));
  subcommand(program, {
    usage: "status",
    summary: "tell how the monitor is doing",
    examples: ["status", "status --json"],
  })
    .option("--json", "print JSON")
    .action(run(async () => (await import("../status.ts")).statusCommand));
  subcommand(program, {
    usage: "confirm",
    summary: "let the bans of `run --trial` hold",
    examples: ["confirm"],
  })
    .option("--json", "print JSON")
    .action(run(async () => (await import("../confirm.ts")).confirmCommand));
}

/** Adds `watch`, the live view. */
export function addWatch(program: Command, { run, signals }: CommandLineParts): void {
  subcommand(program, {
    usage: "watch",
    summary: "show live what comes in, who attacks and who is banned, with keys to act",
    examples: ["watch", "watch --ascii"],
  })
    .option("--ascii", "draw with characters of ASCII, for terminals without UTF-8")
    .action(run(async () => {
      const { watchCommand } = await import("../watch/watch.ts");
      return (options: WatchOptions) => watchCommand(options, signals);
    }));
}

/** Adds `notify`, which tests the hook. */
export function addNotify(program: Command, { run }: CommandLineParts): void {
  subcommand(program, {
    usage: "notify",
    summary: "send a test notice to the program of `notify`, and say whether it took it",
    examples: ["notify"],
  })
    .option("--json", "print JSON")
    .action(run(async () => (await import("../notify.ts")).notifyCommand));
}
