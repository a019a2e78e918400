/** A server for an operator: its state has two days of sshd's lines, and a monitor runs. */
import { dirname, join } from "node:path";
import { DAY, type Micros, MINUTE, now, SECOND } from "../../lib/core/time.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { State } from "../../lib/state/state.ts";
import { live, type Said } from "./history.ts";
import { MAIN } from "./program.ts";

/** sshd's lines until `now`. */
function said(now: Micros): Said[] {
  const say = (age: Micros, address: string, message: string): Said => ({
    ...{ time: now - age, service: "sshd", address, message },
  });
  const tries = (count: number, age: Micros, { address, message }: { address: string; message: string }) =>
    Array.from(
      { length: count },
      (_, i) => say(age - i * SECOND, address, `${message} from ${address} port ${40022 + i}`),
    );
  const alice = "203.0.113.77";
  return [
    say(2 * DAY, alice, `Accepted publickey for alice from ${alice} port 50022 ssh2`),
    say(2 * DAY - MINUTE, alice, `Disconnected from user alice ${alice} port 50022`),
    ...tries(6, 50 * MINUTE, { address: "203.0.113.5", message: "Invalid user oracle" }),
    ...tries(9, 20 * MINUTE, { address: "198.51.100.140", message: "Failed password for carol" }),
    ...tries(3, 4 * MINUTE, { address: "198.51.100.9", message: "Invalid user admin" }),
    ...tries(4, 2 * MINUTE, { address: alice, message: "Invalid user alcie" }),
  ];
}

/** Runs the program, by default with the server's configuration and state. */
const PROGRAM = `#!/bin/sh
case " $* " in *" --config "*) ;; *) set -- "$@" --config "$HERE/etc/config.jsonc" ;; esac
case " $* " in *" --state "*) ;; *) set -- "$@" --state "$HERE/state" ;; esac
case "$1" in what-if) set -- "$@" --against "$HERE/etc/config.jsonc" ;; esac
exec "$DENO" run --quiet --no-prompt --allow-all "$MAIN" "$@"
`;

/** fail2ban's list of banned addresses. */
const FAIL2BAN = `echo '192.0.2.81 \t2026-11-28 12:00:00 + 864000000 = 2054-04-15 12:00:00'
echo '192.0.2.82 \t2026-11-28 12:10:00 + 864000000 = 2054-04-15 12:10:00'
`;

/** Files of the server. Its programs precede the machine's in PATH. */
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

/** A server with a history. Its monitor runs until the end of the scope. */
export interface OperatedServer extends AsyncDisposable {
  /**
   * Types commands into a shell in the operator's directory, in UTC, and returns their output. Paths
   * in /etc/strongmonitor, /var/log and /var/lib/strongmonitor mean this server's.
   */
  shell(commands: string): Promise<string>;
  /** Writes a file of the operator's, with the same meaning of paths. */
  write(name: string, text: string): void;
}

/** Makes a server whose monitor has put all bans into the firewall. */
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
  prepareStateDirectory(`${here}/state`);
  const state = new State(`${here}/state`);
  await live(state, said(now()), { now: now(), firewall: new ObserveFirewall() });
  state.close();
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

/** Directory and environment for the server's programs. */
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
