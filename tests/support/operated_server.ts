/** A server as its operator meets it: two days of sshd are recorded, and a monitor runs. */
import { dirname, join } from "node:path";
import { loadConfig } from "../../lib/config/load.ts";
import { DAY, MINUTE, now, SECOND } from "../../lib/core/time.ts";
import { Logins } from "../../lib/deciding/logins.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import { Bans } from "../../lib/enforcing/bans.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { Pipeline } from "../../lib/monitor/pipeline.ts";
import { known, SHIPPED } from "./configs.ts";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { State } from "../../lib/state/state.ts";
import { BOOT, memoryLog } from "./helpers.ts";
import { MAIN } from "./program.ts";
import { recordsOf } from "./records.ts";

/** What sshd wrote, and how long ago. */
const MESSAGES: readonly (readonly [age: number, message: string])[] = [
  [2 * DAY, "Accepted publickey for alice from 203.0.113.77 port 50022 ssh2"],
  [2 * DAY - MINUTE, "Disconnected from user alice 203.0.113.77 port 50022"],
  ...tries(6, 50 * MINUTE, "Invalid user oracle from 203.0.113.5"),
  ...tries(9, 20 * MINUTE, "Failed password for carol from 198.51.100.140"),
  ...tries(3, 4 * MINUTE, "Invalid user admin from 198.51.100.9"),
  ...tries(4, 2 * MINUTE, "Invalid user alcie from 203.0.113.77"),
];

function tries(count: number, age: number, message: string): (readonly [number, string])[] {
  return Array.from({ length: count }, (_, i) => [age - i * SECOND, `${message} port ${40022 + i}`] as const);
}

/** The program, by the configuration and the state of this server where no others are named. */
const PROGRAM = `#!/bin/sh
case " $* " in *" --config "*) ;; *) set -- "$@" --config "$HERE/etc/config.jsonc" ;; esac
case " $* " in *" --state "*) ;; *) set -- "$@" --state "$HERE/state" ;; esac
case "$1" in what-if) set -- "$@" --against "$HERE/etc/config.jsonc" ;; esac
exec "$DENO" run --quiet --no-prompt --allow-all "$MAIN" "$@"
`;

/** What fail2ban says who is banned. */
const FAIL2BAN = `echo '192.0.2.81 \t2026-11-28 12:00:00 + 864000000 = 2054-04-15 12:00:00'
echo '192.0.2.82 \t2026-11-28 12:10:00 + 864000000 = 2054-04-15 12:10:00'
`;

/** Files of the server. Its programs stand before the machine's own. */
const FILES: readonly (readonly [path: string, mode: number, text: string])[] = [
  [
    "etc/config.jsonc",
    0o640,
    `{
  "ban_command": "./ban.sh add %s",
  "unban_command": "./ban.sh remove %s",
  "window": "10m",
  "ban_time": "1d",
  "trust_logins": {},
  "modules": { "SSHD": { "match": { "file": "/var/log/auth.log" } } }
}
`,
  ],
  ["etc/ban.sh", 0o755, "#!/bin/sh\nexit 0\n"],
  ["log/auth.log", 0o644, ""],
  ["desk/new.jsonc", 0o640, ""],
  ["bin/sudo", 0o755, '#!/bin/sh\nexec "$@"\n'],
  ["bin/systemctl", 0o755, '#!/bin/sh\nkill -s HUP "$(cat "$HERE/monitor.pid")"\n'],
  ["bin/getent", 0o755, `#!/bin/sh\necho "203.0.113.200 STREAM $2"\n`],
  ["bin/fail2ban-client", 0o755, "#!/bin/sh\n" + FAIL2BAN],
  ["bin/strongmonitor", 0o755, PROGRAM],
];

/** A server with a past; its monitor runs until the end of the scope. */
export interface OperatedServer extends AsyncDisposable {
  /**
   * Types commands into a shell in the operator's directory, in UTC, and returns all that they say. Paths below
   * /etc/strongmonitor, /var/log and /var/lib/strongmonitor stand for those of this server.
   */
  shell(commands: string): Promise<string>;
  /** Writes a file of the operator's, with such paths. */
  write(name: string, text: string): void;
}

/** Sets a server up, on which a monitor runs and has put all bans into the firewall. */
export async function operatedServer(): Promise<OperatedServer> {
  const here = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  const paths = [["/etc/strongmonitor", "etc"], ["/var/log", "log"], ["/var/lib/strongmonitor", "state"]]
    .map(([path, folder]) => [path!, `${here}/${folder}`] as const);
  const toHere = (text: string) =>
    paths.reduce((said, [path, folder]) => said.replaceAll(path, folder), text);
  const fromHere = (text: string) =>
    paths.reduce((said, [path, folder]) => said.replaceAll(folder, path), text);
  for (const [path, mode, text] of FILES) {
    Deno.mkdirSync(join(here, dirname(path)), { recursive: true });
    Deno.writeTextFileSync(join(here, path), toHere(text), { mode });
  }
  await live(`${here}/state`);
  const shell = async (commands: string) => fromHere(await typed(here, toHere(`exec 2>&1\n${commands}`)));
  const monitor = new Deno.Command(`${here}/bin/strongmonitor`, {
    ...{ ...surroundings(here), args: ["run"], stdout: "null", stderr: "null" },
  }).spawn();
  Deno.writeTextFileSync(`${here}/monitor.pid`, `${monitor.pid}`);
  await shell(
    "until test $(strongmonitor bans | grep -c ' command ') = 2 || ! kill -0 $(cat $HERE/monitor.pid); do :; done",
  );
  return {
    shell,
    write: (name, text) => Deno.writeTextFileSync(`${here}/desk/${name}`, toHere(text)),
    async [Symbol.asyncDispose]() {
      monitor.kill("SIGTERM");
      await monitor.status;
      Deno.removeSync(here, { recursive: true });
    },
  };
}

/** Where programs of the server run. */
function surroundings(here: string) {
  const env = { HERE: here, DENO: Deno.execPath(), MAIN, TZ: "UTC", NO_COLOR: "1" };
  return {
    cwd: `${here}/desk`,
    env: { ...env, PATH: `${here}/bin:${Deno.env.get("PATH")}` },
    stdin: "null",
  } as const;
}

async function typed(here: string, commands: string): Promise<string> {
  const command = new Deno.Command("sh", { ...surroundings(here), args: ["-c", commands] });
  return new TextDecoder().decode((await command.output()).stdout);
}

/** Has a monitor by the shipped rules read all messages. */
async function live(directory: string): Promise<void> {
  prepareStateDirectory(directory);
  const state = new State(directory);
  const { modules, ipv6Prefix, trust, networkBans: networks } = loadConfig(SHIPPED, {
    known,
    state: directory,
  });
  const logins = new Logins(trust);
  const bans = new Bans({
    ...{ state, logins, networks, whitelist: new Whitelist(), firewall: new ObserveFirewall() },
    log: memoryLog(),
    known: () => ({ logins: state.logins.logins(), sessions: state.logins.sessions() }),
    clock: now,
    boot: () => BOOT,
  });
  const batches = state.batches(modules.map(({ module }) => module.name));
  const pipeline = new Pipeline(modules, {
    store: batches,
    judge: bans,
    log: memoryLog(),
    counting: { ipv6Prefix, lenience: (address, time) => logins.lenience(address, time) },
  });
  const feed = { name: "journal", reader: pipeline.readers.of(modules) };
  const sender = { uid: 0, unit: "ssh.service" };
  for (const [age, message] of MESSAGES) {
    const records = recordsOf([{ time: now() - age, identifier: "sshd", pid: 1, message, sender }]);
    pipeline.process({ records, position: "p", damaged: 0 }, feed, now());
  }
  batches.flush({ isLast: true });
  await bans.stop(AbortSignal.timeout(5_000));
  state.close();
}
