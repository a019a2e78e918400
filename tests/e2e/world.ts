import { fileURLToPath } from "node:url";

const INIT = fileURLToPath(new URL("init.sh", import.meta.url));
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" };
const NAMESPACES = ["--mount", "--pid", "--net", "--uts", "--ipc"];

/** What a command that ended left behind. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An executable file outside a world, and the absolute path that it has inside. */
export interface Program {
  readonly file: string;
  readonly place: string;
}

/**
 * A machine inside this one: own processes, mounts, host name and network, over a copy-on-write view of the real
 * root directory. Nothing done inside is seen outside, any number stand side by side, and the kernel takes
 * everything away (processes, mounts, network namespaces, users) once the world is disposed of or its maker dies.
 * Making one takes root.
 */
export class World implements AsyncDisposable {
  readonly #init: Deno.ChildProcess;
  readonly #pid: number;
  readonly #daemons: Daemon[] = [];

  private constructor(init: Deno.ChildProcess) {
    this.#init = init;
    this.#pid = onlyChild(init.pid);
  }

  /** Whether this machine lets us make namespaces and mount in them: many containers do not. */
  static async allowed(): Promise<boolean> {
    const args = [...NAMESPACES, "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    const { success } = await new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).output();
    return success;
  }

  /** Makes a world with `program` in it. @throws {Error} when the machine does not allow it */
  static async start(program: Program): Promise<World> {
    const init = new Deno.Command("unshare", {
      args: [...NAMESPACES, "--fork", "--kill-child", "bash", INIT, program.file, program.place],
      env: ENVIRONMENT,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = init.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    if (!done) return new World(init);
    await init.stdin.close();
    const { code } = await init.status;
    throw new Error(`Cannot make a world: ${INIT} ended with code ${code}`);
  }

  /** Where the file at the absolute path `inside` the world is seen from outside. */
  path(inside: string): string {
    return `/proc/${this.#pid}/root${inside}`;
  }

  /** Writes a file inside the world with exactly the permissions `mode`. */
  async write(inside: string, text: string, mode = 0o644): Promise<void> {
    await Deno.writeTextFile(this.path(inside), text);
    await Deno.chmod(this.path(inside), mode);
  }

  /** The words that, put before a command, give it the world's network and nothing else of it. */
  get network(): string[] {
    return ["nsenter", `--target=${this.#pid}`, "--net", "--"];
  }

  /** Runs a command as root inside the world until it ends, whatever its exit code. */
  async run(command: readonly string[], stdin = ""): Promise<Output> {
    const child = this.#command(command, "piped").spawn();
    const writer = child.stdin.getWriter();
    // A program that ends before it has read everything is none of the writer's business.
    const written = writer.write(new TextEncoder().encode(stdin)).then(() => writer.close()).catch(() => {});
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), written]);
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Like `run()`, giving standard output. @throws {Error} when the command fails */
  async sh(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    if (code === 0) return stdout;
    throw new Error(`Cannot run ${command.join(" ")}: code ${code}: ${stderr.trim()}`);
  }

  /** Starts a command as root inside the world; what it prints is lost. It ends with the world. */
  spawn(...command: string[]): Daemon {
    const daemon = new Daemon(this.#command(command, "null").spawn());
    this.#daemons.push(daemon);
    return daemon;
  }

  #command(command: readonly string[], stdio: "piped" | "null"): Deno.Command {
    return new Deno.Command("nsenter", {
      args: [`--target=${this.#pid}`, ...NAMESPACES, "--", ...command],
      env: ENVIRONMENT,
      clearEnv: true,
      cwd: "/",
      stdin: stdio,
      stdout: stdio,
      stderr: stdio,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#init.stdin.close();
    await this.#init.status;
    await Promise.all(this.#daemons.map((daemon) => daemon.status));
  }
}

/** A process inside a world. */
export class Daemon {
  readonly #nsenter: Deno.ChildProcess;
  /** Settles when the process has ended. */
  readonly status: Promise<Deno.CommandStatus>;

  /** `nsenter` has the process as its only child and ends as it does. */
  constructor(nsenter: Deno.ChildProcess) {
    this.#nsenter = nsenter;
    this.status = nsenter.status;
  }

  /** Sends it `signal`. @throws {Error} when it has ended */
  kill(signal: Deno.Signal): void {
    Deno.kill(onlyChild(this.#nsenter.pid), signal);
  }
}

function onlyChild(pid: number): number {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  const child = Number.parseInt(children);
  if (Number.isNaN(child)) throw new Error(`Cannot find the child of process ${pid}: it has none`);
  return child;
}

/** Seconds that `until()` tries: a stop for what would hang, not a measure of speed. */
const PATIENCE = 120;

/** Asks `probe` again and again until it gives something other than `undefined`. @throws {Error} naming `what` */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  patience = PATIENCE,
): Promise<T> {
  const deadline = Date.now() + 1_000 * patience;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`Waited ${patience} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
