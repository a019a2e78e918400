import { concatenated } from "./bytes.ts";
import { isShortage, messageOf, tried } from "./error.ts";
import type { Micros } from "./time.ts";
import { abortedWith, NEVER, pause } from "./async.ts";

/** Options of `Runner.run()`. */
export interface RunOptions {
  /** Longest run. Then the program is killed. */
  readonly timeout: Micros;
  readonly signal: AbortSignal;
  /**
   * Whether it leads a process group, which is killed with it. Deno then forks this process, ten
   * times as slow as a spawn: only for a program whose children this process may kill.
   */
  readonly leadsGroup?: boolean;
  /** Text for standard input; none without it. */
  readonly input?: string;
  /** Whether to keep standard output. */
  readonly output?: boolean;
}

/** Result of `Runner.run()`. */
export interface RunResult {
  /** Standard output if `output` was set. */
  readonly output: string;
  /** The failure; null: exit status 0. */
  readonly error: string | null;
  /** The end of standard error. */
  readonly words: string;
  /** Whether the program may have done its work despite the error, as nobody waited for its end. */
  readonly uncertain: boolean;
}

/** Second line of sudo about "no new privileges": advice that does not help in a unit. */
const ADVICE_OF_SUDO = /^sudo: If sudo is running in a container,/;

/** Returns the line of a program's words that tells the cause: the last one. Empty: it said nothing. */
export function causeIn(words: string): string {
  return words.split("\n").findLast((line) => line !== "" && !ADVICE_OF_SUDO.test(line)) ?? "";
}

/** Returns why a run failed, with the program's last words; null: it did not fail. */
export function whyFailed({ error, words }: Pick<RunResult, "error" | "words">): string | null {
  const last = causeIn(words).slice(0, 200);
  return error === null ? null : `${error}${last && `: ${last}`}`;
}

/** Program that kills process groups, see `permissionsFor()`. */
export const KILL = "kill";

/** Reports whether a program is sudo(8), whose children are root's: this process may not kill them. */
export function isSudo(program: string): boolean {
  return program.split("/").at(-1) === "sudo";
}

/**
 * Returns the signal that ends a program for certain, if this process may end it. sudo passes
 * SIGTERM on to the program that it started; SIGKILL would leave that running.
 */
export function endSignal(program: string): "SIGTERM" | "SIGKILL" {
  return isSudo(program) ? "SIGTERM" : "SIGKILL";
}

/** Runs programs without a shell for a bounded time. Counts those that it abandoned. */
export class Runner {
  readonly #abandoned = new Set<Deno.ChildProcess>();

  /** Number of abandoned programs that run, or whose children hold standard error open. */
  get abandoned(): number {
    return this.#abandoned.size;
  }

  /**
   * Runs argv to its end. When its time is up or `signal` aborts, kills the program if this process
   * may, and abandons it. Never throws.
   */
  async run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
    const { timeout, signal } = options;
    const nothing = { output: "", words: "", uncertain: false };
    // Its end clears the timer, which would run on and keep a command alive for as long.
    using stop = abortedWith(signal);
    try {
      const child = spawn(argv, options);
      const said = tailOf(child.stderr);
      const output = options.output ? new Response(child.stdout).text().catch(() => "") : "";
      // A program may end without reading: its exit status tells.
      if (options.input !== undefined) {
        new Blob([options.input]).stream().pipeTo(child.stdin).catch(() => {});
      }
      const ended = Promise.all([child.status, output]);
      const result = await Promise.race([ended, pause(timeout / 1_000, stop.signal).then(() => null)]);
      const { leadsGroup = false } = options;
      if (result === null) {
        void this.#abandon(child, { said, leadsGroup, end: endSignal(argv[0]!) });
        const error = signal.aborted ? "stopped" : `still running after ${timeout / 1e6} s`;
        return { ...nothing, error, uncertain: true };
      }
      const [status, text] = result;
      const error = status.success ? null : status.signal ?? `exit status ${status.code}`;
      const words = error === null ? "" : await said.text();
      // A retry would leave as many children behind again.
      if (error !== null && leadsGroup && said.isOpen) endGroup(child);
      // A daemon that the program started may hold standard error open for hours.
      said.close();
      return { ...nothing, output: error === null ? text : "", error, words };
    } catch (error) {
      return { ...nothing, error: whyNotStarted(error, argv[0]!) };
    }
  }

  async #abandon(
    child: Deno.ChildProcess,
    { said, leadsGroup, end }: { said: Tail; leadsGroup: boolean; end: Deno.Signal },
  ): Promise<void> {
    this.#abandoned.add(child);
    Promise.all([child.status, said.ended]).finally(() => this.#abandoned.delete(child));
    child.unref();
    // The program may have ended, or belong to another user.
    tried(() => child.kill(end));
    // Its children may leave no process for kill(1).
    while (leadsGroup && this.#abandoned.has(child) && !endGroup(child)) await pause(AGAIN);
  }
}

/** Returns why a program could not be started, as a clause. */
function whyNotStarted(error: unknown, program: string): string {
  if (error instanceof Deno.errors.NotFound) return `${program} or its interpreter does not exist`;
  if (error instanceof Deno.errors.PermissionDenied) return `this user may not run ${program}`;
  if (error instanceof Deno.errors.NotCapable) return `this program may not run ${program}`;
  return messageOf(error);
}

/**
 * Kills the process group of a program; false: the machine lacks a resource for that. Deno sends
 * signals to groups only with permission to run everything; otherwise kill(1) does it, if permitted.
 */
function endGroup(child: Deno.ChildProcess): boolean {
  const maySignal = Deno.permissions.querySync({ name: "run" }).state === "granted";
  try {
    if (maySignal) Deno.kill(-child.pid, "SIGKILL");
    else {
      const kill = spawn([KILL, "-KILL", "--", `-${child.pid}`], {});
      kill.unref();
      kill.stderr.cancel().catch(() => {});
    }
    return true;
  } catch (error) {
    // Otherwise the group has ended, or belongs to another user.
    return !isShortage(error);
  }
}

/** PATH of programs that are run, if this process may not read its own. */
export const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Returns the environment for programs. Deno runs none if a variable `LD_…` is set, and their work
 * must not depend on the monitor's environment. `LC_ALL` makes messages English; they are parsed.
 */
export function childEnvironment(): { clearEnv: true; env: Record<string, string> } {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "PATH" });
  const path = state === "granted" ? Deno.env.get("PATH") : undefined;
  return { clearEnv: true, env: { PATH: path ?? SEARCH_PATH, LC_ALL: "C.UTF-8" } };
}

/**
 * Starts argv in `/` without a shell; `leadsGroup`: in a new session. Throws Deno's errors. No program
 * starts in a directory that its user may not enter, such as root's home for `sudo -u strongmonitor`.
 */
export function spawn(
  [program, ...args]: readonly string[],
  { input, output, leadsGroup = false }: Pick<RunOptions, "input" | "output" | "leadsGroup">,
): Deno.ChildProcess {
  return new Deno.Command(program!, {
    args,
    cwd: "/",
    detached: leadsGroup,
    ...childEnvironment(),
    stdin: input === undefined ? "null" : "piped",
    stdout: output ? "piped" : "null",
    stderr: "piped",
  }).spawn();
}

/** Bytes of standard error that are kept. */
const TAIL = 4_096;
/** Milliseconds to wait for the end of standard error: a child may hold it open. */
const GRACE = 200;
/** Milliseconds until a process group is killed again for which there was no process. */
const AGAIN = 1_000;

/** The end of a program's standard error. */
interface Tail {
  /** Resolves when the stream ends: the program and all children that held it open are gone. */
  readonly ended: Promise<void>;
  /** Whether some process holds the stream open. */
  readonly isOpen: boolean;
  /** The last `TAIL` bytes as text, soon after the program's end. */
  text(): Promise<string>;
  /** Stops reading. */
  close(): void;
}

/** Reads a stream to its end, so that no writer blocks or gets SIGPIPE; keeps its end. */
function tailOf(stream: ReadableStream<Uint8Array>): Tail {
  let tail = new Uint8Array(0);
  let isOpen = true;
  const reader = stream.getReader();
  const ended = (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      tail = concatenated([tail, read.value]).slice(-TAIL);
    }
  })().catch(() => {}).finally(() => isOpen = false);
  return {
    ended,
    get isOpen() {
      return isOpen;
    },
    async text() {
      using stop = abortedWith(NEVER);
      await Promise.race([ended, pause(GRACE, stop.signal)]);
      return new TextDecoder().decode(tail).trim();
    },
    close: () => void reader.cancel().catch(() => {}),
  };
}
