/** Runs fail2ban for comparison. */
import { Daemon, syslogLine, until, type Workshop } from "./workshop.ts";

/** Options of fail2ban. */
export interface Fail2banOptions {
  /** Its `action`, and the content of the action's file in `action.d`. */
  readonly action: { readonly name: string; readonly definition: string };
  /** Reports whether it has banned somebody. */
  readonly hasBanned: (address: string) => boolean | Promise<boolean>;
  /** Words of a command that runs another, as in a network namespace. */
  readonly prefix?: readonly string[];
}

/** Returns an action of Debian's package. */
export async function shippedAction(name: string): Promise<Fail2banOptions["action"]> {
  return { name, definition: await Deno.readTextFile(`/etc/fail2ban/action.d/${name.split("[")[0]}.conf`) };
}

/** Returns an action that bans by one command. */
export function commandAction(command: string): Fail2banOptions["action"] {
  const others = ["start", "stop", "check", "unban"].map((verb) => `action${verb} =\n`).join("");
  return { name: "bench", definition: `[Definition]\nactionban = ${command}\n${others}` };
}

/** Starts fail2ban with the same file, limit and span as ours. */
export async function startFail2ban(workshop: Workshop, options: Fail2banOptions): Promise<Daemon> {
  const { action, hasBanned, prefix = [] } = options;
  const directory = `${workshop.directory}/fail2ban`;
  const files: Record<string, string> = {
    "fail2ban.conf":
      `[Definition]\nloglevel = ERROR\nlogtarget = ${directory}/log\nsyslogsocket = auto\nsocket = ${directory}/socket\n` +
      `pidfile = ${directory}/pid\ndbfile = ${directory}/db\ndbmaxmatches = 10\ndbpurgeage = 1d\n`,
    "jail.conf":
      `[bench]\nenabled = true\nfilter = bench\nbackend = auto\nlogpath = ${workshop.followed}\nmaxretry = 2\n` +
      `findtime = 600\nbantime = 3600\naction = ${action.name}\nignoreself = false\n`,
    "filter.d/bench.conf": "[Definition]\nfailregex = Failed password for .* from <HOST> port \\d+ ssh2$\n",
    [`action.d/${action.name.split("[")[0]}.conf`]: action.definition,
  };
  await Deno.remove(directory, { recursive: true }).catch(() => {});
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(`${directory}/${name.replace(/[^/]*$/, "")}`, { recursive: true });
    await Deno.writeTextFile(`${directory}/${name}`, text);
  }
  const [program, ...args] = [
    ...prefix,
    "fail2ban-server",
    ...["-f", "-c", directory, "-s", `${directory}/socket`, "-p", `${directory}/pid`, "start"],
  ];
  const child = new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  const daemon = new Daemon(child);
  try {
    await untilItWatches(workshop, hasBanned);
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}

/** Waits until fail2ban watches the file and bans somebody. Throws after half a minute. */
async function untilItWatches(
  workshop: Workshop,
  hasBanned: Fail2banOptions["hasBanned"],
): Promise<void> {
  const somebody = "198.19.0.1";
  await until("fail2ban's first ban", async () => {
    await Deno.writeTextFile(workshop.followed, syslogLine(somebody).repeat(2), { append: true });
    await new Promise((resolve) => setTimeout(resolve, 500));
    return await hasBanned(somebody) || undefined;
  }, { seconds: 30 });
}
