import type { Batch, Micros, Source, Start } from "../types.ts";
import { ExportParser, type JournalEntry } from "./export.ts";
import { isLate, Journalctl } from "./journalctl.ts";

/** Which entries to read, and how. */
export interface JournalOptions {
  /** Programs to read, by `SYSLOG_IDENTIFIER`. */
  readonly identifiers: readonly string[];
  /** systemd units to read, by `_SYSTEMD_UNIT`; an entry of a program or a unit is read. Without both, all are. */
  readonly units: readonly string[];
  /** False: end where the journal ends. */
  readonly follow?: boolean;
  /** Later entries are left out. */
  readonly until?: Micros;
  /** Directory of journal files in place of the machine's own. */
  readonly directory?: string;
  /** Program in place of `journalctl`. */
  readonly command?: string;
  /** After this long without an entry the journal is asked whether there is none. */
  readonly silence?: Micros;
}

/** Fields printed beside those that every exported entry begins with. */
const FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_SYSTEMD_UNIT";
const OWN_IDENTIFIER = "strongmonitor";
const OWN_UNIT = "strongmonitor.service";
const SECOND: Micros = 1_000_000;
/** Time that journald and journalctl take to hand over an entry already written. */
const GRACE: Micros = 5 * SECOND;

/**
 * The systemd journal by way of journalctl(1), without this program's own entries. A position is the cursor of an
 * entry; where the journal no longer has it, reading goes on with the next entry that is there. Its batches throw
 * `UserError` (69) when there is no journal or this user may not read it, and an `Error` when journalctl fails
 * or keeps back what the journal has.
 */
export function openJournal(options: JournalOptions): Source {
  return new Journal(options);
}

class Journal implements Source {
  readonly name = "journal";
  readonly #options: JournalOptions;
  readonly #matches: readonly string[];
  readonly #follow: boolean;
  readonly #silence: Micros;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#follow = options.follow ?? true;
    this.#silence = options.silence ?? 60 * SECOND;
    this.#matches = [
      ...options.identifiers.map((name) => `SYSLOG_IDENTIFIER=${name}`),
      ...(options.identifiers.length > 0 && options.units.length > 0 ? ["+"] : []),
      ...options.units.map((name) => `_SYSTEMD_UNIT=${name}`),
    ];
  }

  async *batches(start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
    try {
      await this.#requireReadable(signal);
      if (signal.aborted) return;
      // `--follow` implies `--boot`: what was written before a reboot is only to be had without it.
      let reached = start;
      for await (const batch of this.#read(start, { follow: false, signal })) {
        reached = { ...start, after: batch.position };
        yield batch;
      }
      if (this.#follow && !signal.aborted) yield* this.#read(reached, { follow: true, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async *#read(
    start: Start,
    { follow, signal }: { follow: boolean; signal: AbortSignal },
  ): AsyncGenerator<Batch> {
    await using journalctl = this.#run(
      [...(follow ? ["--follow", "--no-tail"] : []), ...this.#span(start)],
      signal,
    );
    const isNew = this.#filter(start);
    const parser = new ExportParser();
    let reached = start;
    let damaged = 0;
    for (;;) {
      const chunks = await this.#next(journalctl, { reached, signal });
      if (chunks.length === 0) break;
      const entries = chunks.flatMap((chunk) => parser.push(chunk)).filter(isNew);
      const position = parser.cursor;
      if (position === null) continue;
      reached = { ...start, after: position };
      if (entries.length === 0 && parser.damaged === damaged) continue;
      yield { entries, position, damaged: parser.damaged - damaged };
      damaged = parser.damaged;
    }
    await journalctl.finish();
    if (follow) throw new Error("journalctl ended, although it was to follow the journal");
  }

  /** What journalctl prints next; throws when it prints nothing although the journal has more than was `reached`. */
  async #next(
    journalctl: Journalctl,
    { reached, signal }: { reached: Start; signal: AbortSignal },
  ): Promise<Uint8Array[]> {
    const chunks = journalctl.read();
    while (this.#follow && await isLate(chunks, this.#silence)) {
      if (await this.#hasMore(reached, signal) && await isLate(chunks, GRACE)) {
        throw new Error("journalctl fell silent, although the journal has new entries");
      }
    }
    return await chunks;
  }

  async #hasMore(reached: Start, signal: AbortSignal): Promise<boolean> {
    await using journalctl = this.#run(["--lines=2", ...this.#span(reached)], signal);
    const parser = new ExportParser();
    for (let chunks = await journalctl.read(); chunks.length > 0; chunks = await journalctl.read()) {
      chunks.forEach((chunk) => parser.push(chunk));
    }
    await journalctl.finish();
    return parser.cursor !== null && (reached.after === null || !isSameEntry(parser.cursor, reached.after));
  }

  /** The program that follows is quiet about what it cannot see, so this one is asked first. */
  async #requireReadable(signal: AbortSignal): Promise<void> {
    await using journalctl = new Journalctl(this.#command, {
      args: ["--lines=0", "--no-pager", ...this.#directory],
      signal,
    });
    while ((await journalctl.read()).length > 0);
    await journalctl.finish();
  }

  #run(args: readonly string[], signal: AbortSignal): Journalctl {
    const format = ["--output=export", `--output-fields=${FIELDS}`, "--no-pager", "--quiet"];
    return new Journalctl(this.#command, {
      args: [...format, ...this.#directory, ...args, ...this.#matches],
      signal,
    });
  }

  /**
   * Begins at the entry that was reached, not after it: `--after-cursor` passes over two entries, and where the first
   * is no longer there, a new one would be lost.
   */
  #span({ after, since }: Start): string[] {
    const { until } = this.#options;
    return [
      after === null ? `--since=${instant(since)}` : `--cursor=${after}`,
      ...(until === undefined ? [] : [`--until=${instant(until)}`]),
    ];
  }

  /** Leaves out what was reached before, what is this program's own, and what a clock set back made too old. */
  #filter({ after, since }: Start): (entry: JournalEntry) => boolean {
    return ({ cursor, time, identifier, sender }) =>
      identifier !== OWN_IDENTIFIER && sender?.unit !== OWN_UNIT &&
      (after === null ? time >= since : !isSameEntry(cursor, after));
  }

  get #command(): string {
    return this.#options.command ?? "journalctl";
  }

  get #directory(): string[] {
    return this.#options.directory === undefined ? [] : [`--directory=${this.#options.directory}`];
  }
}

/**
 * Whether two cursors name the same entry. One that was copied to another file (`journalctl --flush`) has a new
 * number, behind `s=` and `i=`, but the same boot, times and hash.
 */
function isSameEntry(a: string, b: string): boolean {
  const [boot, fileOfB] = [b.indexOf(";b="), b.slice(0, b.indexOf(";"))];
  return a === b || (boot > 0 && a.endsWith(b.slice(boot)) && !a.startsWith(fileOfB));
}

/** An instant as systemd.time(7) writes it, to the microsecond. */
function instant(time: Micros): string {
  const past = Math.max(0, Math.round(time));
  return `@${Math.floor(past / SECOND)}.${String(past % SECOND).padStart(6, "0")}`;
}
