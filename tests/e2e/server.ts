import { fileURLToPath } from "node:url";
import { readUnit, type Unit } from "./unit.ts";
import { type Daemon, type Output, until, World } from "./world.ts";

const CONFIG_DIRECTORY = "/etc/strongmonitor";
/** Path of the monitor's configuration inside the world. */
export const CONFIG_PATH = `${CONFIG_DIRECTORY}/config.jsonc`;
const PASSWORD_PATH = `${CONFIG_DIRECTORY}/db_password.secret`;
/** Name in the configuration for the password of the database's user. */
export const DATABASE_PASSWORD = "let me in";
/** The server's addresses for clients. */
export const SERVER = { ipv4: "198.51.100.1", ipv6: "2001:db8:51::1" };
/** The clients' addresses. The configuration whitelists `friend`. */
export const CLIENTS = {
  one: "198.51.100.21",
  two: "198.51.100.22",
  six: "2001:db8:51::23",
  friend: "198.51.100.24",
};
/** A user who may log in. */
export const LOGIN = { user: "resident", password: "correct horse" };

/** Units of the repository, which have the same user and directories. */
const UNITS = {
  sudo: new URL("../../strongmonitor-sudo.service", import.meta.url),
  plain: new URL("../../strongmonitor.service", import.meta.url),
};
const CONFIG = new URL("config.jsonc", import.meta.url);

/** Specifiers of units (systemd.unit(5)). */
async function specifiers(): Promise<Record<string, string>> {
  const id = async (file: string) => (await Deno.readTextFile(file)).trim().replaceAll("-", "");
  return {
    "%S": "/var/lib",
    "%t": "/run",
    "%m": await id(fileURLToPath(new URL("root/etc/machine-id", import.meta.url))),
    "%b": await id("/proc/sys/kernel/random/boot_id"),
  };
}

/** A server in a world: journald, sshd, nft, clients that reach it, and StrongMonitor by its unit. */
export class Server implements AsyncDisposable {
  /**
   * @param unit the unit that bans through sudo
   * @param plainUnit the unit that bans by nft alone
   */
  private constructor(readonly world: World, readonly unit: Unit, readonly plainUnit: Unit) {}

  /** Sets up everything but StrongMonitor itself, whose executable is `binary`. */
  static async start(binary: string): Promise<Server> {
    const names = { name: "strongmonitor", specifiers: await specifiers() };
    const [unit, plainUnit] = [UNITS.sudo, UNITS.plain].map((file) =>
      readUnit(Deno.readTextFileSync(file), names)
    ) as [Unit, Unit];
    const world = await World.start({ file: binary, place: unit.program });
    try {
      const server = new Server(world, unit, plainUnit);
      await server.#addUsers();
      await server.#addNetwork();
      await server.#startJournald();
      await server.#startSshd();
      await server.#install();
      return server;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #addUsers(): Promise<void> {
    const { user } = this.unit;
    if ((await this.world.run(["id", user])).code !== 0) {
      await this.world.sh("useradd", "--system", "--user-group", "--shell", "/usr/sbin/nologin", user);
    }
    await this.world.sh("useradd", "--home-dir", "/", "--shell", "/bin/sh", LOGIN.user);
    await this.world.run(["chpasswd"], `${LOGIN.user}:${LOGIN.password}\n`);
    await this.world.sh("visudo", "--check", "--quiet", "--file=/etc/sudoers.d/strongmonitor");
  }

  /** Makes a cable to a namespace of all clients. */
  async #addNetwork(): Promise<void> {
    const ip = (command: string) => this.world.sh("ip", ...command.split(" "));
    await ip("netns add outside");
    await ip("link add cable type veth peer name cable netns outside");
    await ip(`address add ${SERVER.ipv4}/24 dev cable`);
    await ip(`address add ${SERVER.ipv6}/64 dev cable nodad`);
    for (const address of Object.values(CLIENTS)) {
      const range = address.includes(":") ? "64 dev cable nodad" : "24 dev cable";
      await ip(`-netns outside address add ${address}/${range}`);
    }
    await ip("link set cable up");
    await ip("-netns outside link set cable up");
    await this.world.sh("nft", "--file", "/etc/nftables.conf");
  }

  async #startJournald(): Promise<void> {
    await this.world.sh("install", "-d", "-m", "2755", "-g", "systemd-journal", "/var/log/journal");
    await this.world.write("/run/systemd/journal/flushed", "");
    this.world.spawn("/lib/systemd/systemd-journald");
    await until("journald", async () => {
      const { code } = await this.world.run(["logger", "--tag=world", "journald is there"]);
      return code === 0 && (await this.journal("world")).length > 0 ? true : undefined;
    });
  }

  async #startSshd(): Promise<void> {
    await this.world.sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/world_host_key");
    this.world.spawn("/usr/sbin/sshd", "-D");
    await until("sshd", async () => {
      const { code } = await this.world.run(["bash", "-c", ": < /dev/tcp/127.0.0.1/22"]);
      return code === 0 ? true : undefined;
    });
  }

  /** Makes the configuration, its password and the state directory as the unit expects them. */
  async #install(): Promise<void> {
    const { user, group, stateDirectory, stateMode, runtimeDirectory, prepare } = this.unit;
    await this.world.sh("install", "-d", "-o", user, "-g", group, "-m", stateMode, stateDirectory);
    await this.world.sh("install", "-d", "-o", user, "-g", group, "-m", "700", runtimeDirectory);
    await this.world.sh("install", "-d", "-o", user, "-g", group, "-m", "750", CONFIG_DIRECTORY);
    await this.#entrust(PASSWORD_PATH, `${DATABASE_PASSWORD}\n`);
    await this.configure(await Deno.readTextFile(CONFIG));
    for (const command of prepare) await this.world.sh(...command);
  }

  /** Replaces StrongMonitor's configuration. */
  configure(text: string): Promise<void> {
    return this.#entrust(CONFIG_PATH, text);
  }

  /** Writes a file that only the unit's user and group may read. */
  async #entrust(path: string, text: string): Promise<void> {
    await this.world.write(path, text, 0o640);
    await this.world.sh("chown", `${this.unit.user}:${this.unit.group}`, path);
  }

  /** Starts StrongMonitor by a unit, as systemd does. Its output goes to the journal as `strongmonitor`. */
  startMonitor(unit = this.unit): Daemon {
    return this.world.spawn("systemd-cat", "--identifier=strongmonitor", ...unit.start);
  }

  /** Runs a StrongMonitor command with the unit's configuration as root, like an administrator. */
  cli(...words: string[]): Promise<Output> {
    return this.world.run([this.unit.program, ...words]);
  }

  /** Returns a program's messages in the journal, in order. */
  async journal(identifier: string): Promise<string[]> {
    const lines = await this.world.sh("journalctl", "--quiet", "--output=cat", `--identifier=${identifier}`);
    return lines.split("\n").slice(0, -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}
