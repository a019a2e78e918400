/** A machine that boots a Debian system with a kernel of its own, in qemu: emulated where there is no KVM. */
import { strict as assert } from "node:assert";
import { Buffer } from "node:buffer";
import { type Bootable, Booted } from "./booted.ts";
import { type Output, run, System, SYSTEM_TOOLS } from "./debian.ts";

/** What it takes to make and to run a machine. */
export const MACHINE_TOOLS = [...SYSTEM_TOOLS, "/usr/sbin/mke2fs", "/usr/bin/qemu-system-x86_64"];
/** What a system needs to boot. */
const PACKAGES = ["systemd-sysv", "udev", "dbus", "linux-image-cloud-amd64", "initramfs-tools"];
/** Size of the file system; its file has holes. */
const DISK = "3G";
/** The first of these that works. KVM inside a virtual machine may start and then halt: tcg does without. */
const ACCELERATORS = Deno.env.get("BOOTED_ACCELERATORS") ?? "kvm:tcg";
/** Where nothing but the emulation is slow, systemd's own patience must not end a start. */
const PATIENT = "systemd.default_timeout_start_sec=3600";

/**
 * Runs each line of Base64 as a script of bash. Answers each by a line: the exit status and, as Base64, the output
 * without its last line feeds.
 */
const AGENT = `
while read -r line; do
  text=$(bash -c "$(base64 -d <<< "$line")" 2>&1 < /dev/null)
  echo "$? $(printf %s "$text" | base64 -w 0)"
done
`;
/** The port is there once udev has seen it; until then the agent is started again. */
const AGENT_UNIT = `
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/bash /opt/agent
StandardInput=file:/dev/virtio-ports/agent
StandardOutput=file:/dev/virtio-ports/agent
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
`;

/** The disk and the kernel of a machine, in a directory that goes with it. */
export class Disk implements Bootable {
  private constructor(readonly directory: string) {}

  /** Makes a Debian system with these packages besides; `prepare` adds to it what the test needs. */
  static async make(
    suite: string,
    packages: readonly string[],
    prepare: (system: System) => Promise<void>,
  ): Promise<Disk> {
    await using system = await System.make(suite, [...PACKAGES, ...packages]);
    await Deno.writeTextFile(`${system.root}/opt/agent`, AGENT);
    await Deno.writeTextFile(`${system.root}/etc/systemd/system/agent.service`, AGENT_UNIT);
    await system.sh("systemctl enable agent.service");
    await prepare(system);
    const disk = new Disk(await Deno.makeTempDir({ prefix: "strongmonitor-machine-" }));
    const args = ["-q", "-t", "ext4", "-d", system.root, `${disk.directory}/disk`, DISK];
    const { code, text } = await run("mke2fs", args);
    assert.equal(code, 0, text);
    for (const file of ["vmlinuz", "initrd.img"]) {
      await Deno.copyFile(`${system.root}/${file}`, `${disk.directory}/${file}`);
    }
    return disk;
  }

  boot(): Promise<Machine> {
    return Promise.resolve(new Machine(this));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/**
 * A running machine, without a network to the outside. Its agent is reached by qemu's standard input and output: a
 * socket that is opened for each script would lose those that come while the agent starts again.
 */
class Machine extends Booted {
  readonly #disk: Disk;
  readonly #qemu: Deno.ChildProcess;
  readonly #scripts: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;

  /** Starts a machine that boots what is on the disk. */
  constructor(disk: Disk) {
    super();
    const { directory } = disk;
    this.#disk = disk;
    this.#qemu = new Deno.Command("qemu-system-x86_64", {
      args: [
        ...["-nodefaults", "-no-reboot", "-display", "none", "-machine", `accel=${ACCELERATORS}`],
        ...["-cpu", "max", "-smp", "2", "-m", "1024"],
        ...["-kernel", `${directory}/vmlinuz`, "-initrd", `${directory}/initrd.img`],
        ...["-append", `root=/dev/vda rw quiet console=ttyS0 ${PATIENT}`],
        ...["-drive", `file=${directory}/disk,format=raw,if=virtio,cache=unsafe`],
        ...["-serial", `file:${directory}/console`, "-device", "virtio-serial-pci"],
        ...["-chardev", "stdio,id=agent,signal=off", "-device", "virtserialport,chardev=agent,name=agent"],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#scripts = this.#qemu.stdin.getWriter();
    this.#answers = this.#qemu.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async run(script: string): Promise<Output> {
    await this.#send(script);
    let answer = "";
    while (!answer.endsWith("\n")) {
      const { done, value } = await this.#answers.read();
      if (done) throw new Error(`The machine has ended: ${this.#console()}`);
      answer += value;
    }
    const [code, text = ""] = answer.trimEnd().split(" ");
    return { code: Number(code), text: Buffer.from(text, "base64").toString() };
  }

  /** Shuts down in order, the agent too, so that no answer can be relied on. */
  async shutDown(): Promise<void> {
    await this.#send("systemctl poweroff");
    const { code } = await this.#qemu.status;
    assert.equal(code, 0, this.#console());
  }

  async #send(script: string): Promise<void> {
    await this.#scripts.write(Buffer.from(`${Buffer.from(script).toString("base64")}\n`));
  }

  #console(): string {
    return Deno.readTextFileSync(`${this.#disk.directory}/console`).slice(-2_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#qemu.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#qemu.status;
    await this.#scripts.close().catch(() => {});
    await this.#answers.cancel();
  }
}
