import type { TestPostgres } from "../support/postgres_server.ts";
import { inKernel } from "./kernel.ts";
import { fakeAttack, LIMIT, RULE, untilRunning } from "./scene.ts";
import type { Server } from "./server.ts";
import { type Daemon, until } from "./world.ts";

/** A program that connects a port of one network with a Unix socket of another. */
export const SOCAT = "/usr/bin/socat";
/** `max_bans` of the members. */
export const MOST_FOLLOWED = 5_000;

/** A server of a fleet with its monitor and, if another server has the database, a cable to it. */
export class Member implements AsyncDisposable {
  /** Time at which the test saw its kernel drop an address, in milliseconds of the wall clock. */
  readonly drops = new Map<string, number>();
  #monitor: Daemon | null = null;
  #cable: Deno.ChildProcess | null = null;
  #watch: Deno.ChildProcess | null = null;

  /** @param authority file of the certificate authority of the database; null: no encryption */
  constructor(
    readonly name: string,
    readonly server: Server,
    readonly database: TestPostgres,
    readonly authority: string | null = null,
  ) {}

  async start(): Promise<void> {
    const { world } = this.server;
    await world.sh("hostname", this.name);
    if (this.authority !== null) {
      await world.write("/etc/strongmonitor/db-ca.pem", await Deno.readTextFile(this.authority));
    }
    const encryption = this.authority === null ? {} : { sslmode: "verify-full", sslrootcert: "db-ca.pem" };
    await this.server.configure(JSON.stringify({
      DB: { host: "127.0.0.1", user: "strongmonitor", database: "strongmonitor", ...encryption },
      fleet: { share_bans: true, max_bans: MOST_FOLLOWED },
      firewall: "nftables",
      nft_command: "nft",
      modules: { SSHD: { rules: [RULE] } },
    }));
    this.#watchKernel();
    this.#monitor = this.server.startMonitor(this.server.plainUnit);
    await untilRunning(this.server);
  }

  /** Lets the server reach another server's database at its own 127.0.0.1:5432. */
  connect(): void {
    const socket = `UNIX-CONNECT:${this.database.directory}/.s.PGSQL.5432`;
    const listen = "TCP-LISTEN:5432,bind=127.0.0.1,fork,reuseaddr";
    this.#cable = this.#inNetwork([SOCAT, listen, socket], { stdout: "null", detached: true });
  }

  /** Cuts the cable and all connections through it. */
  async cut(): Promise<void> {
    const cable = this.#cable;
    this.#cable = null;
    if (cable === null) return;
    Deno.kill(-cable.pid, "SIGKILL");
    await cable.status;
  }

  /** Kills the monitor by SIGKILL. */
  async kill(): Promise<void> {
    this.#monitor!.kill("SIGKILL");
    await this.#monitor!.status;
  }

  /** Starts the monitor again. */
  restart(): void {
    this.#monitor = this.server.startMonitor(this.server.plainUnit);
  }

  attack(address: string): Promise<void> {
    return fakeAttack(this.server, address, LIMIT + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
    this.#watch?.kill();
    await this.#watch?.status;
  }

  /** Follows new elements by nft's monitor: repeated queries would load the measured machine. */
  #watchKernel(): void {
    const command = ["nft", "-n", "monitor", "new", "elements"];
    const watch = this.#watch = this.#inNetwork(command, { stdout: "piped" });
    const read = async () => {
      for await (const text of watch.stdout.pipeThrough(new TextDecoderStream())) {
        for (const [address] of text.matchAll(/\d+\.\d+\.\d+\.\d+(?= )/g)) {
          if (!this.drops.has(address)) this.drops.set(address, Date.now());
        }
      }
    };
    void read();
  }

  #inNetwork(
    command: readonly string[],
    options: { stdout: "null" | "piped"; detached?: boolean },
  ): Deno.ChildProcess {
    const [program, ...args] = [...this.server.world.network, ...command];
    return new Deno.Command(program!, { args, stderr: "null", ...options }).spawn();
  }
}

/** Waits until all members' kernels drop an address, perhaps among others. */
export async function untilAllDrop(members: readonly Member[], address: string): Promise<void> {
  for (const { name, server } of members) {
    await until(`${name} to drop ${address}`, async () => (await inKernel(server)).has(address) || undefined);
  }
}

/** Waits until all members' kernels drop exactly these addresses. */
export async function untilDropped(members: readonly Member[], addresses: readonly string[]): Promise<void> {
  const wanted = addresses.toSorted().join();
  for (const { name, server } of members) {
    await until(`${addresses.length} bans in the kernel of ${name}`, async () => {
      return [...(await inKernel(server)).keys()].sort().join() === wanted || undefined;
    });
  }
}
