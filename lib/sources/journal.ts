import { type Batch, type Entry, type Micros, type Source, type Start, UserError } from "../types.ts";
import { ExportParser } from "./journal_export.ts";

/** Which entries to read, and how. */
export interface JournalOptions {
  /** Programs to read (`SYSLOG_IDENTIFIER`), and systemd units: an entry of either is read. */
  readonly identifiers: readonly string[];
  readonly units: readonly string[];
  /** Directory of journal files, in place of the machine's own. */
  readonly directory?: string;
  /** False: end where the journal ends. */
  readonly follow?: boolean;
  /** Entries after this are left out. */
  readonly until?: Micros;
  /** After this much silence journalctl is checked on. */
  readonly silence?: Micros;
}

const SILENCE: Micros = 60_000_000;
const FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_SYSTEMD_UNIT";
const OWN_UNIT = "strongmonitor.service";
const OWN_IDENTIFIER = "strongmonitor";

/**
 * The systemd journal as journalctl(1) exports it, this program's own entries left out. The position is the
 * journal's cursor; one that the journal no longer has is taken up at the nearest entry. Throws a `UserError`
 * (69) when there is no journal, or none that this user may read.
 */
export function openJournal(options: JournalOptions): Source {
  return { name: "journal", batches: (start, signal) => read(options, start, signal) };
}

async function* read(options: JournalOptions, start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
  await requireJournal(options);
  if (signal.aborted) return;
  const child = journalctl([...readArguments(options, start), ...matches(options)]);
  const stop = () => kill(child);
  signal.addEventListener("abort", stop, { once: true });
  const complaint = lastLine(child.stderr);
  const watch = new SilenceWatch(options, stop);
  try {
    const parser = new ExportParser(isOwn);
    const isWanted = wanted(options, start);
    let position = start.after;
    for await (const chunk of child.stdout) {
      const parsed = parser.feed(chunk);
      if (parsed.position === null) continue;
      watch.heard(position = parsed.position);
      yield { entries: parsed.entries.filter(isWanted), position, damaged: parsed.damaged };
    }
    const { success, code, signal: killer } = await child.status;
    if (signal.aborted || (success && options.follow === false)) return;
    if (watch.missed) throw new Error("journalctl fell silent while there were entries to read");
    const words = await complaint;
    throw new Error(`journalctl ended (${killer ?? `exit status ${code}`})${words && `: ${words}`}`);
  } finally {
    watch.end();
    signal.removeEventListener("abort", stop);
    kill(child);
    await child.status;
    await complaint;
  }
}

function readArguments({ follow }: JournalOptions, { after, since }: Start): string[] {
  return [
    ...(follow === false ? [] : ["--follow", "--no-tail"]),
    `--output-fields=${FIELDS}`,
    after === null ? `--since=@${Math.floor(since / 1e6)}` : `--after-cursor=${after}`,
  ];
}

/** Matches of the same field are alternatives; `+` makes alternatives of different fields. */
function matches({ identifiers, units, directory }: JournalOptions): string[] {
  const fields = [
    ...identifiers.map((name) => `SYSLOG_IDENTIFIER=${name}`),
    "+",
    ...units.map((name) => `_SYSTEMD_UNIT=${name}`),
  ];
  const terms = units.length === 0 ? fields.slice(0, -1) : fields;
  return [...(directory === undefined ? [] : [`--directory=${directory}`]), ...terms];
}

/** What journalctl's own options cannot say to the microsecond. */
function wanted({ until = Infinity }: JournalOptions, { after, since }: Start): (entry: Entry) => boolean {
  return ({ time }) => time <= until && (after !== null || time >= since);
}

function isOwn({ identifier, sender }: Entry): boolean {
  return sender?.unit === OWN_UNIT || identifier === OWN_IDENTIFIER;
}

function journalctl(args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command("journalctl", {
      args: ["--output=export", "--no-pager", ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "journalctl is not installed" : String(error);
    throw new UserError(`Cannot read the journal: ${why}`, 69);
  }
}

/** Throws a `UserError` (69) unless this user can read the entries of others, which journalctl says on the side. */
async function requireJournal({ directory }: JournalOptions): Promise<void> {
  const where = directory === undefined ? [] : [`--directory=${directory}`];
  const { stdout, stderr } = await journalctl(["--lines=1", "--output-fields=_UID", ...where]).output();
  const words = new TextDecoder().decode(stderr);
  if (/insufficient permissions|not seeing messages from other users/.test(words)) {
    throw new UserError(
      "Cannot read the journal: this user may not; let it with: sudo usermod -aG systemd-journal $USER, then log in again",
      69,
    );
  }
  if (stdout.length === 0) {
    throw new UserError(
      "Cannot read the journal: it is empty; is systemd-journald running, and is this user in the group systemd-journal?",
      69,
    );
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended by itself.
  }
}

/** Drains a stream and keeps the last line of its end. */
async function lastLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let tail = "";
  for await (
    const text of stream.pipeThrough(
      new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>,
    )
  ) {
    tail = (tail + text).slice(-1_000);
  }
  return tail.trim().split("\n").at(-1)!;
}

/** Checks after a span of silence whether there was anything to say, and stops a journalctl that has not said it. */
class SilenceWatch {
  readonly #options: JournalOptions;
  readonly #stop: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #heard = false;
  #position: string | null = null;
  missed = false;

  constructor(options: JournalOptions, stop: () => void) {
    this.#options = options;
    this.#stop = stop;
    this.#timer = setInterval(() => void this.#check().catch(() => {}), (options.silence ?? SILENCE) / 1_000);
  }

  /** Entries up to `position` have arrived. */
  heard(position: string): void {
    this.#heard = true;
    this.#position = position;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** A check that fails itself says nothing, and is made again after the next silence. */
  async #check(): Promise<void> {
    const position = this.#position;
    const quiet = !this.#heard;
    this.#heard = false;
    if (!quiet || position === null || this.#options.follow === false) return;
    const args = [
      "--lines=1",
      "--output-fields=_UID",
      `--after-cursor=${position}`,
      ...matches(this.#options),
    ];
    const { stdout } = await journalctl(args).output();
    // An entry that came just now is on its way: only one that stays away for another span is missed.
    if (stdout.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    if (this.#position !== position) return;
    this.missed = true;
    this.#stop();
  }
}
