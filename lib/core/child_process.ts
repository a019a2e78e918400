import { messageOf } from "./error.ts";
import type { Micros } from "./time.ts";
import { untilAborted } from "./async.ts";

/** How a program is run. */
export interface RunOptions {
  /** One still running after this is ended. */
  readonly timeout: Micros;
  readonly signal: AbortSignal;
  /**
   * It leads a process group, which is ended with it. Deno then forks this whole process where it otherwise starts the program
   * right away, which takes ten times as long: only for a program whose children are ours to end.
   */
  readonly leadsGroup?: boolean;
  /** What it reads; without it, nothing. */
  readonly input?: string;
  /** Its output is wanted. */
  readonly output?: boolean;
}

/** What became of it. */
export interface RunResult {
  /** What it wrote, where that was wanted. */
  readonly output: string;
  /** Null: exit status 0. */
  readonly error: string | null;
  /** The end of what it complained of. */
  readonly words: string;
  /** Nobody waited for the end: it may have done its work all the same. */
  readonly uncertain: boolean;
}

/** The program that ends process groups, see `permissionsFor()`. */
export const KILL = "kill";

/** Reports whether the children of a program are ours to end: what sudo starts is root's. */
export function hasOwnChildren(program: string): boolean {
  return program.split("/").at(-1) !== "sudo";
}

/** Runs programs without a shell and bounded in time, and knows those that it had to give up on. */
export class Runner {
  readonly #abandoned = new Set<Deno.ChildProcess>();

  /** Programs that were given up on, of which they themselves or children that can still complain run on. */
  get abandoned(): number {
    return this.#abandoned.size;
  }

  /**
   * Runs argv to its end, or until its time is up or `signal` aborts: then it is ended, as far as it is ours to end, and left to
   * itself. Never throws.
   */
  async run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
    const { timeout, signal } = options;
    const nothing = { output: "", words: "", uncertain: false };
    const deadline = AbortSignal.timeout(timeout / 1_000);
    try {
      const child = spawn(argv, options);
      const said = tailOf(child.stderr);
      const output = options.output ? new Response(child.stdout).text().catch(() => "") : "";
      if (options.input !== undefined) write(child.stdin, options.input);
      const ended = Promise.all([child.status, output]);
      const result = await Promise.race([ended, untilAborted(AbortSignal.any([deadline, signal]))]);
      if (result === null) {
        this.#abandon(child, { said, leadsGroup: options.leadsGroup ?? false });
        const error = deadline.aborted ? `still running after ${timeout / 1e6} s` : "stopped";
        return { ...nothing, error, uncertain: true };
      }
      const [status, text] = result;
      const error = status.success ? null : status.signal ?? `exit status ${status.code}`;
      const words = error === null ? "" : await said.text();
      // A child that stays behind on purpose may hold it open for hours.
      said.close();
      return { ...nothing, output: error === null ? text : "", error, words };
    } catch (error) {
      return { ...nothing, error: messageOf(error) };
    }
  }

  #abandon(child: Deno.ChildProcess, { said, leadsGroup }: { said: Tail; leadsGroup: boolean }): void {
    this.#abandoned.add(child);
    Promise.all([child.status, said.ended]).finally(() => this.#abandoned.delete(child));
    child.unref();
    if (leadsGroup) endGroup(child);
    try {
      child.kill("SIGKILL");
    } catch {
      // Already gone, or not ours.
    }
  }
}

/**
 * Ends the process group that a program leads. Deno sends signals to groups only for a process that may run everything;
 * others let kill(1) do it, where they may run that.
 */
function endGroup(child: Deno.ChildProcess): void {
  try {
    if (Deno.permissions.querySync({ name: "run" }).state === "granted") Deno.kill(-child.pid, "SIGKILL");
    else endGroupByKill(child.pid);
  } catch {
    // Already gone, or not ours.
  }
}

function endGroupByKill(group: number): void {
  const kill = spawn([KILL, "-KILL", "--", `-${group}`], {});
  kill.unref();
  kill.stderr.cancel().catch(() => {});
}

/** Where programs are looked for that are named without a directory, unless this process may read its own PATH. */
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The whole environment of a program that is run. Nothing else is handed on: Deno runs nothing where any variable `LD_…` is, and
 * what a program does must not depend on who started the monitor. Complaints are to be read: in English, whatever the user speaks.
 */
export function childEnvironment(): { clearEnv: true; env: Record<string, string> } {
  return { clearEnv: true, env: { PATH: ownPath() ?? SEARCH_PATH, LC_ALL: "C.UTF-8" } };
}

/** This process's PATH; null where it may not read it or has none. */
export function ownPath(): string | null {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "PATH" });
  return state === "granted" ? Deno.env.get("PATH") ?? null : null;
}

/** Starts argv without a shell, in `childEnvironment()`, with `leadsGroup` in a session of its own. Throws as Deno does. */
export function spawn(
  [program, ...args]: readonly string[],
  { input, output, leadsGroup = false }: Pick<RunOptions, "input" | "output" | "leadsGroup">,
): Deno.ChildProcess {
  return new Deno.Command(program!, {
    args,
    detached: leadsGroup,
    ...childEnvironment(),
    stdin: input === undefined ? "null" : "piped",
    stdout: output ? "piped" : "null",
    stderr: "piped",
  }).spawn();
}

/** A program that ends without reading is told of by its exit status. */
function write(stdin: WritableStream<Uint8Array>, text: string): void {
  new Blob([text]).stream().pipeTo(stdin).catch(() => {});
}

/** Bytes of a command's complaints that are kept. */
const TAIL = 4_096;
/** Milliseconds to wait for the rest of them once the command has ended: a child of its own may hold them open. */
const GRACE = 200;

/** What a program complains of. */
interface Tail {
  /** Resolves when nobody can complain any more: the program and all of its children that hold the stream are gone. */
  readonly ended: Promise<void>;
  /** The end of it, soon after the program has ended. */
  text(): Promise<string>;
  /** Listens no more. */
  close(): void;
}

/** Reads a stream to its end, so that nobody writing to it is held up or killed, and keeps the end of it. */
function tailOf(stream: ReadableStream<Uint8Array>): Tail {
  let tail = new Uint8Array(0);
  const reader = stream.getReader();
  const ended = (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const both = new Uint8Array(tail.length + read.value.length);
      both.set(tail);
      both.set(read.value, tail.length);
      tail = both.slice(-TAIL);
    }
  })().catch(() => {});
  return {
    ended,
    async text() {
      const timer = Promise.withResolvers<void>();
      const grace = setTimeout(timer.resolve, GRACE);
      await Promise.race([ended, timer.promise]);
      clearTimeout(grace);
      return new TextDecoder().decode(tail).trim();
    },
    close: () => void reader.cancel().catch(() => {}),
  };
}
