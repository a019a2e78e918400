import { type Ban, type Firewall, messageOf, type Micros, type Outcome } from "../types.ts";

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
  readonly #abandoned = new Set<Deno.ChildProcess>();

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  get canUnban(): boolean {
    return this.#options.unban !== null;
  }

  /** One at a time in each slot: a slow command holds up no ban but its own. */
  readonly batch = 1;
  readonly keepsTime = false;
  readonly takesOver = true;

  /** Slots, less those whose command was given up on and still runs. */
  get parallel(): number {
    return this.#options.concurrency - this.#abandoned.size;
  }

  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return this.#each(this.#options.ban, bans, signal);
  }

  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return this.#each(this.#options.unban ?? [], bans, signal);
  }

  /** A command cannot tell what its firewall has. */
  inspect(): Promise<null> {
    return Promise.resolve(null);
  }

  #each(argv: readonly string[], bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return Promise.all(
      bans.map(({ address }) =>
        this.#run(address, { argv: argv.map((word) => word.replace("%s", address)), signal })
      ),
    );
  }

  /** Runs argv to its end, or until its time is up or `signal` aborts: then it is killed and left to itself. */
  async #run(
    address: string,
    { argv, signal }: { argv: readonly string[]; signal: AbortSignal },
  ): Promise<Outcome> {
    const { timeout } = this.#options;
    const deadline = AbortSignal.timeout(timeout / 1_000);
    const failed = (why: string) => ({ address, error: `${argv.join(" ")}: ${why}` });
    try {
      const child = spawn(argv);
      const said = tailOf(child.stderr);
      const status = await Promise.race([child.status, aborted(AbortSignal.any([deadline, signal]))]);
      if (status === null) {
        this.#abandon(child);
        return {
          ...failed(deadline.aborted ? `still running after ${timeout / 1e6} s` : "stopped"),
          uncertain: true,
        };
      }
      if (status.success) return { address, error: null };
      const words = await said.lastLine();
      return failed(`${status.signal ?? `exit status ${status.code}`}${words && `: ${words}`}`);
    } catch (error) {
      return failed(messageOf(error));
    }
  }

  /** sudo runs as root and may not be ours to kill: its slot is free again when it has ended. */
  #abandon(child: Deno.ChildProcess): void {
    this.#abandoned.add(child);
    child.status.finally(() => this.#abandoned.delete(child));
    child.unref();
    try {
      child.kill("SIGKILL");
    } catch {
      // Already gone, or not ours.
    }
  }
}

function spawn([program, ...args]: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
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
