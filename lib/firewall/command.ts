import type { Ban, Firewall, Micros, Outcome } from "../types.ts";

/** How the commands run. */
export interface CommandOptions {
  /** argv with `%s` in one word for the address. */
  readonly ban: readonly string[];
  /** The same for lifting; null: bans stay in the firewall. */
  readonly unban: readonly string[] | null;
  /** A command still running after this is killed and has failed. */
  readonly timeout: Micros;
  /** Commands that run at the same time. */
  readonly concurrency: number;
}

/** Bans by running a command for each address, without a shell. Exit status 0 means done. */
export class CommandFirewall implements Firewall {
  readonly name = "command";
  readonly #options: CommandOptions;

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  get canUnban(): boolean {
    return this.#options.unban !== null;
  }

  /** As many as run at once: a slow command holds up no ban but its own. */
  get batch(): number {
    return this.#options.concurrency;
  }

  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return this.#each(this.#options.ban, bans, signal);
  }

  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return this.#each(this.#options.unban ?? [], bans, signal);
  }

  #each(argv: readonly string[], bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return Promise.all(bans.map(async ({ address }) => ({
      address,
      error: await this.#run(argv.map((word) => word.replace("%s", address)), signal),
    })));
  }

  /** Why the command failed, in one line; null when it did not. */
  async #run(argv: readonly string[], signal: AbortSignal): Promise<string | null> {
    const deadline = AbortSignal.timeout(this.#options.timeout / 1_000);
    const status = await runCommand(argv, AbortSignal.any([deadline, signal]));
    if (status === null) return null;
    const why = deadline.aborted ? `still running after ${this.#options.timeout / 1e6} s` : status;
    return `${argv.join(" ")}: ${why}`;
  }
}

/** Runs argv to its end; returns null on exit status 0, otherwise why not. An abort kills it and returns at once. */
async function runCommand(
  [program, ...args]: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const child = new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "piped" })
      .spawn();
    const said = tailOf(child.stderr);
    const status = await Promise.race([child.status, aborted(signal)]);
    if (status === null) {
      kill(child);
      return "stopped";
    }
    if (status.success) return null;
    const words = await said.lastLine();
    return `${status.signal ?? `exit status ${status.code}`}${words && `: ${words}`}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}

/** sudo runs as root and may not be ours to kill: then it is left to itself, and has failed all the same. */
function kill(child: Deno.ChildProcess): void {
  child.unref();
  try {
    child.kill("SIGKILL");
  } catch {
    // Already gone, or not ours.
  }
}

/** Bytes of a command's complaints that are kept. */
const TAIL = 4_096;
/** Milliseconds to wait for the rest of them once the command has ended: a child of its own may hold them open. */
const GRACE = 200;

/** Reads a stream to its end, so that nobody writing to it is held up or killed, and keeps the end of it. */
function tailOf(stream: ReadableStream<Uint8Array>): { lastLine: () => Promise<string> } {
  let tail = new Uint8Array(0);
  const ended = (async () => {
    for await (const chunk of stream) {
      const both = new Uint8Array(tail.length + chunk.length);
      both.set(tail);
      both.set(chunk, tail.length);
      tail = both.slice(-TAIL);
    }
  })().catch(() => {});
  return {
    async lastLine() {
      const timer = Promise.withResolvers<void>();
      const grace = setTimeout(timer.resolve, GRACE);
      await Promise.race([ended, timer.promise]);
      clearTimeout(grace);
      return new TextDecoder().decode(tail).trim().split("\n").at(-1)!.slice(0, 200);
    },
  };
}
