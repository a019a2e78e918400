/**
 * A Debian system that systemd-nspawn boots: with its own systemd, sshd and network, on this machine's
 * kernel. Boot one at a time: they share the control groups of their caller, and each systemd removes
 * those of a stopped service, from which another may be starting it.
 */
import { strict as assert } from "node:assert";
import { basename, parse } from "node:path";
import { pause } from "../../lib/core/async.ts";
import { type Bootable, Booted } from "./booted.ts";
import { type Output, run, System, SYSTEM_TOOLS } from "./debian.ts";

/** Debian suites to boot. */
export const BOOTED_SUITES = Deno.env.get("BOOTED_SUITES")?.split(",") ?? [];

const NSPAWN = "/usr/bin/systemd-nspawn";
/** Tools for a container, and /proc by which its first process is found. */
export const CONTAINER_TOOLS = [...SYSTEM_TOOLS, NSPAWN, "/usr/bin/nsenter"];
/** What a system needs to boot. */
const PACKAGES = ["systemd-sysv", "dbus"];
/** Works where no systemd runs, and with a network of its own. */
const OPTIONS = ["--quiet", "--register=no", "--keep-unit", "--private-network"];
const ENVIRONMENT = [
  "HOME=/root",
  "LC_ALL=C.UTF-8",
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
];

/** Seconds for a boot that starts nothing, and until an end is forced. */
const [PATIENCE, GRACE] = [120, 10];

/**
 * Reports whether systemd-nspawn can boot this machine's own systemd here: where it has few
 * privileges, it starts programs, and systemd then ends or hangs.
 */
export async function bootsContainers(options: readonly string[] = []): Promise<boolean> {
  const system = ["--directory=/", "--volatile=yes", "--console=pipe", "--boot"];
  const args = [...OPTIONS, ...system, ...options, "--", "--unit=exit.target"];
  try {
    const { code } = await run("timeout", [`--kill-after=${GRACE}`, String(PATIENCE), NSPAWN, ...args]);
    return code === 0;
  } catch {
    return false;
  }
}

/** Returns the suites that tests boot in containers on this machine. */
export async function bootedInContainers(): Promise<readonly string[]> {
  const isAsked = BOOTED_SUITES.length > 0 && Deno.env.get("BOOTED_BY") !== "qemu";
  return isAsked && await bootsContainers() ? BOOTED_SUITES : [];
}

/** The root directory of containers. */
export class Tree implements Bootable {
  private constructor(readonly system: System) {}

  /** Makes a Debian system with these packages besides; `prepare` adds what the test needs. */
  static async make(
    suite: string,
    packages: readonly string[],
    prepare: (system: System) => Promise<void>,
  ): Promise<Tree> {
    const system = await System.make(suite, [...PACKAGES, ...packages]);
    await prepare(system);
    return new Tree(system);
  }

  boot(): Promise<Container> {
    return Container.boot(this.system.root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.system[Symbol.asyncDispose]();
  }
}

/** A booted container. */
class Container extends Booted {
  readonly #nspawn: Deno.ChildProcess;
  readonly #console: string;
  readonly #end: Promise<unknown>;
  #hasEnded = false;
  /** Pid of its systemd on this machine. */
  #leader = 0;

  readonly #root: string;

  private constructor(root: string) {
    super();
    this.#root = root;
    this.#console = `${root}.console`;
    const args = [...OPTIONS, "--boot", `--machine=${basename(root)}`, `--directory=${root}`];
    this.#nspawn = new Deno.Command("/bin/sh", {
      // With a pipe for its output, systemd-nspawn would wait for the reader.
      args: ["-c", `exec ${NSPAWN} --console=passive "$@" > "$0" 2>&1`, this.#console, ...args],
      stdin: "null",
    }).spawn();
    this.#end = this.#nspawn.status.then(() => this.#hasEnded = true);
  }

  static async boot(root: string): Promise<Container> {
    const container = new Container(root);
    try {
      await container.#wait();
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
    return container;
  }

  async run(script: string): Promise<Output> {
    const enter = [`--target=${this.#leader}`, "--all", "--wdns=/", "/usr/bin/env", "-i", ...ENVIRONMENT];
    const { code, text } = await run("nsenter", [...enter, "/bin/bash", "-c", `exec 2>&1\n${script}`]);
    return { code, text: text.replace(/\n+$/, "") };
  }

  async shutDown(): Promise<void> {
    await this.run("systemctl poweroff --no-block");
    const { code } = await this.#nspawn.status;
    assert.equal(code, 0, this.#written());
  }

  /** Waits until systemd has started everything. systemd-nspawn has another child before. */
  async #wait(): Promise<void> {
    const { pid } = this.#nspawn;
    for (let tries = 0; tries < 1_200 && !this.#hasEnded; tries++) {
      await pause(500);
      const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
      this.#leader = Number(children.trim().split(" ").at(-1));
      if (this.#leader === 0) continue;
      const { code } = await this.run("systemctl is-system-running | grep -E 'running|degraded'");
      if (code === 0) return;
    }
    throw new Error(`The container does not boot: ${this.#written()}`);
  }

  #written(): string {
    return Deno.readTextFileSync(this.#console).slice(-2_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It halts the container at the first signal, ends it at the second, and cleans up behind it.
    while (!this.#hasEnded) {
      try {
        this.#nspawn.kill("SIGTERM");
      } catch {
        // It has ended already.
      }
      await Promise.race([this.#end, pause(1_000)]);
    }
    const { dir, base } = parse(this.#root);
    for (const path of [this.#console, `${dir}/.#${base}.lck`]) await Deno.remove(path).catch(() => {});
  }
}
