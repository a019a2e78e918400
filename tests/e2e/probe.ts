/**
 * Tries actions that the sandbox must forbid or allow. Prints the outcomes as JSON: "done" or the
 * error's name. Compiled with the permissions of the real program.
 */
import { connect } from "node:net";
import { DatabaseSync } from "node:sqlite";

const CONFIG = "/etc/strongmonitor";
const STATE = "/var/lib/strongmonitor";

/** Resolves if connected. Its error tells a port without listener from a forbidden one. */
async function dial(hostname: string, port: number): Promise<void> {
  try {
    (await Deno.connect({ hostname, port })).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
  }
}

function dialByNode(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
  });
}

async function run(program: string, ...args: string[]): Promise<void> {
  await new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).output();
}

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "read the configuration": () => Deno.readTextFileSync(`${CONFIG}/config.jsonc`),
  "write the state": () => Deno.writeTextFileSync(`${STATE}/probe`, ""),
  "open a database in the state": () => new DatabaseSync(`${STATE}/probe.db`).close(),
  "run journalctl": () => run("journalctl", "--version"),
  "run sudo": () => run("sudo", "--version"),
  "run nft": () => run("nft", "--version"),
  "run ip": () => run("ip", "-V"),
  "run getent": () => run("getent", "ahosts", "localhost"),
  "read a log": () => Deno.readTextFileSync("/var/log/probe.log"),
  "reach the database": () => dial("127.0.0.1", 5432),
  "know the host's name": () => Deno.hostname(),

  "read /etc/shadow": () => Deno.readTextFileSync("/etc/shadow"),
  "read /etc/shadow through the state": () => Deno.readTextFileSync(`${STATE}/../../../etc/shadow`),
  "read its own memory": () => Deno.readFileSync("/proc/self/maps"),
  "open a database elsewhere": () => new DatabaseSync("/tmp/probe.db"),
  "link /etc/shadow into the state": () => Deno.linkSync("/etc/shadow", `${STATE}/shadow`),
  "point from the state to /etc/shadow": () => Deno.symlinkSync("/etc/shadow", `${STATE}/shadow`),
  "write the configuration": () => Deno.writeTextFileSync(`${CONFIG}/config.jsonc`, "{}"),
  "write a log": () => Deno.writeTextFileSync("/var/log/probe.log", ""),
  "write into /tmp": () => Deno.writeTextFileSync("/tmp/probe", ""),
  "run sh": () => run("sh", "-c", "true"),
  "run /bin/sh": () => run("/bin/sh", "-c", "true"),
  "run the ban command itself": () => run("/opt/banIP.sh", "192.0.2.1"),
  "run itself": () => run(Deno.execPath()),
  "preload a library into journalctl": () =>
    new Deno.Command("journalctl", { env: { LD_PRELOAD: "/tmp/probe.so" } }).outputSync(),
  "reach sshd": () => dial("127.0.0.1", 22),
  "reach sshd by the database's name": () => dial("db", 22),
  "reach sshd by node:net": () => dialByNode(22),
  "reach the database's port elsewhere": () => dial("198.51.100.1", 5432),
  "fetch": () => fetch("http://198.51.100.1/"),
  "resolve a name": () => Deno.resolveDns("example.org", "A"),
  "listen": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  "read the environment": () => Deno.env.get("PATH"),
  "load a library": () => Deno.dlopen("libc.so.6", {}),
  "signal another process": () => Deno.kill(1, "SIGCONT"),
};

const outcomes: Record<string, string> = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  try {
    await attempt();
    outcomes[name] = "done";
  } catch (error) {
    outcomes[name] = error instanceof Error ? error.name : String(error);
  }
}
console.log(JSON.stringify(outcomes));
