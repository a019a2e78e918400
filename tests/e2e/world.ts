import { fileURLToPath } from "node:url";

const INIT = fileURLToPath(new URL("init.sh", import.meta.url));
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" };
const NAMESPACES = ["--mount", "--pid", "--net", "--uts", "--ipc"];

/** Output and exit code of a command. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An executable file outside of a world, and its absolute path inside. */
export interface Program {
  readonly file: string;
  readonly place: string;
}

/**
 * A machine inside this one, with its own processes, mounts, host name and network over a
 * copy-on-write view of the real root directory. The outside sees no change, and worlds do not
 * affect each other. When a world is disposed of or its maker dies, the kernel removes its processes,
 * mounts, network namespaces and users. Only root can make one.
 */
export class World implements AsyncDisposable {
  readonly #init: Deno.ChildProcess;
  readonly #pid: number;
  readonly #daemons: Daemon[] = [];

  private constructor(init: Deno.ChildProcess) {
    this.#init = init;
    this.#pid = onlyChild(init.pid);
  }

  /** Reports whether this machine allows namespaces with mounts: many containers do not. */
  static async allowed(): Promise<boolean> {
    const args = [...NAMESPACES, "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    const { success } = await new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).output();
    return success;
  }

  /** Makes a world with `program` in it. @throws {Error} if the machine does not allow it */
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

  /** Returns the outside path of the file at the absolute path `inside` the world. */
  path(inside: string): string {
    return `/proc/${this.#pid}/root${inside}`;
  }

  /** Writes a file in the world with exactly the permissions `mode`. */
  async write(inside: string, text: string, mode = 0o644): Promise<void> {
    await Deno.writeTextFile(this.path(inside), text);
    await Deno.chmod(this.path(inside), mode);
  }

  /** Words before a command that give it the world's network and nothing else of the world. */
  get network(): string[] {
    return ["nsenter", `--target=${this.#pid}`, "--net", "--"];
  }

  /** Runs a command as root inside the world until it ends, whatever its exit code. */
  async run(command: readonly string[], stdin = ""): Promise<Output> {
    const child = this.#command(command, "piped").spawn();
    const writer = child.stdin.getWriter();
    // A program may end before it has read everything.
    const written = writer.write(new TextEncoder().encode(stdin)).then(() => writer.close()).catch(() => {});
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), written]);
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Like `run()`, but returns standard output. @throws {Error} if the command fails */
  async sh(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    if (code === 0) return stdout;
    throw new Error(`Cannot run ${command.join(" ")}: code ${code}: ${stderr.trim()}`);
  }

  /** Starts a command as root inside the world, without output. It ends with the world. */
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

  /** @param nsenter has the process as its only child, and ends with the same code */
  constructor(nsenter: Deno.ChildProcess) {
    this.#nsenter = nsenter;
    this.status = nsenter.status;
  }

  /** Sends it `signal`. @throws {Error} if it has ended */
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

/** Seconds that `until()` tries: they stop a hang and measure no speed. */
const PATIENCE = 120;

/** Repeats `probe` until it returns something other than `undefined`. @throws {Error} naming `what` */
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
