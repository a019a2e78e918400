import { spawn } from "../../core/child_process.ts";
import { denial, joining } from "../../core/denial.ts";
import { isShortage, messageOf, tried, UserError } from "../../core/error.ts";
import { EntryReader } from "./export.ts";

/** Milliseconds that a program may take to exit after it has closed its output. */
const LINGER = 1_000;
/** Characters of complaints that are kept. */
const MAX_COMPLAINTS = 4_096;

/** One run of journalctl(1): its entries and its end. Disposal certainly ends it. */
export class Journalctl implements AsyncDisposable {
  readonly entries: EntryReader;
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamBYOBReader;
  readonly #errors: ReadableStreamDefaultReader<Uint8Array>;
  readonly #drained: Promise<void>;
  readonly #signal: AbortSignal;
  readonly #kill = () => this.#end();
  #complaints = "";

  /**
   * Starts `command`; an abort of `signal` kills it. Throws `UserError` (69) if it cannot be
   * started, and an `Error` if the machine lacks a resource for it.
   */
  constructor(command: string, { args, signal }: { args: readonly string[]; signal: AbortSignal }) {
    this.#child = start(command, args);
    this.#output = this.#child.stdout.getReader({ mode: "byob" });
    this.entries = new EntryReader(this.#output);
    this.#errors = this.#child.stderr.getReader();
    this.#drained = this.#drain();
    this.#signal = signal;
    signal.addEventListener("abort", this.#kill, { once: true });
    if (signal.aborted) this.#kill();
  }

  /**
   * Waits for its end. Throws `UserError` (69) if it complained that there is no journal or none
   * that this user may see, and an `Error` if it failed otherwise.
   */
  async finish(): Promise<void> {
    const timer = setTimeout(this.#kill, LINGER);
    const { success, code, signal } = await this.#child.status;
    await this.#drained;
    clearTimeout(timer);
    const found = REMEDIES.find(([complaint]) => complaint.test(this.#complaints));
    if (found !== undefined) {
      const [, remedy, errorOf] = found;
      throw errorOf(remedy());
    }
    if (success) return;
    const last = this.#complaints.trim().split("\n").at(-1);
    throw new Error(`journalctl failed (${signal ?? `exit status ${code}`})${last && `: ${last}`}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#kill);
    this.#end();
    await this.#child.status;
    await this.#drained;
  }

  /** Kills it, even if stopped, and stops reading: its own children may hold its output open. */
  #end(): void {
    // It may have ended by itself.
    tried(() => this.#child.kill("SIGKILL"));
    this.#output.cancel().catch(() => {});
    this.#errors.cancel().catch(() => {});
  }

  /** Reads its complaints as they come, so that it never waits for a reader. */
  async #drain(): Promise<void> {
    const decoder = new TextDecoder();
    for (let { value } = await this.#errors.read(); value; { value } = await this.#errors.read()) {
      this.#complaints = (this.#complaints + decoder.decode(value, { stream: true })).slice(-MAX_COMPLAINTS);
    }
  }
}

/** There is no journal on this machine. */
export class NoJournalError extends UserError {
  constructor(cause: string) {
    super(`Cannot read the journal: ${cause}`, 69);
  }
}

function unreadable(cause: string): UserError {
  return new UserError(`Cannot read the journal: ${cause}`, 69);
}

/** Remedies for root, whom a container may limit, and for a member of the group, which files may lack. */
const ROOT = "give it CAP_DAC_READ_SEARCH, which this container or unit withholds";
const GROUP = "give the files their group with: " +
  "sudo systemd-tmpfiles --create --prefix=/run/log/journal --prefix=/var/log/journal";

/** Complaints of journalctl that the user must mend, and how. */
const REMEDIES: readonly (readonly [RegExp, () => string, (cause: string) => UserError])[] = [
  [
    /not seeing messages from other users|Permission denied/,
    () => denial("see what others write", Deno.uid() === 0 ? () => ROOT : joining("systemd-journal")),
    unreadable,
  ],
  [
    // To root and to the group's members journalctl gives no hint.
    /insufficient permissions/,
    () => denial("read its files", () => Deno.uid() === 0 ? ROOT : GROUP),
    unreadable,
  ],
  [
    // A link to a missing directory is another matter.
    /No journal files were found|Failed to open \S+: No such file or directory/,
    () =>
      "there is none; let systemd-journald run, with Storage= in journald.conf not none; " +
      "or let each module match a log file alone: docs/configuration.md",
    (cause) => new NoJournalError(cause),
  ],
];

function start(command: string, args: readonly string[]): Deno.ChildProcess {
  try {
    return spawn([command, ...args], { output: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new NoJournalError(`${command} is not installed; it comes with systemd`);
    }
    if (error instanceof Deno.errors.NotCapable) throw unreadable(`this program may not run ${command}`);
    const failure = unreadable(`${command} cannot be run: ${messageOf(error)}`);
    throw isShortage(error) ? new Error(failure.message) : failure;
  }
}
