import type { Batch, Source, Start } from "../source.ts";
import { messageOf, UserError } from "../../core/error.ts";
import { type Micros, SECOND } from "../../core/time.ts";
import { isSameEntry } from "./cursor.ts";
import { ExportParser } from "./export.ts";
import { JournalRecords, NewRecords } from "./journal_records.ts";
import { type WakeOptions, Waker } from "./wake.ts";
import { GATHER, isLate, Journalctl } from "./journalctl.ts";
import { Printed } from "./proof.ts";

/** Which entries to read, and how. */
export interface JournalOptions {
  /** Programs to read, by `SYSLOG_IDENTIFIER`. */
  readonly identifiers: readonly string[];
  /**
   * systemd units to read, by `_SYSTEMD_UNIT`; an entry of a program or a unit is read. Without
   * both, all are.
   */
  readonly units: readonly string[];
  /** True: also what journald says of messages that it dropped, as a service wrote too many. */
  readonly suppressions?: boolean;
  /** False: end where the journal ends. */
  readonly follow?: boolean;
  /** Later entries are left out. */
  readonly until?: Micros;
  /** At most so many entries are read, the newest ones. */
  readonly newest?: number;
  /** Directory of journal files in place of the machine's own. */
  readonly directory?: string;
  /** Program in place of `journalctl`. */
  readonly command?: string;
  /** After this long without an entry the journal is asked whether there is none. */
  readonly silence?: Micros;
  /** How long one that is asked what there is may be silent; a minute unless told. */
  readonly answer?: Micros;
  /** This long after entries were printed the journal is asked whether some before them were left out. */
  readonly proof?: Micros;
  /** How to have entries at once; null: as journald announces them, up to half a second late. */
  readonly wake?: WakeOptions | null;
  /** Told in a sentence why `wake` does not work; entries then come as journald announces them. */
  readonly problem?: (sentence: string) => void;
}

/** A batch as this source gives it. */
interface JournalBatch extends Batch {
  readonly records: JournalRecords;
}

/** Where an entry is looked for, and which. */
interface Query {
  readonly follow?: boolean;
  readonly args?: readonly string[];
  /** In place of the journal's own. */
  readonly directory?: string;
  /** False: entries of all programs. */
  readonly matching?: boolean;
  readonly signal: AbortSignal;
}

/** Fields printed beside those that every exported entry begins with. */
const FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_SYSTEMD_UNIT";
/** `SD_MESSAGE_JOURNAL_DROPPED`; nobody but journald can write by this transport. */
const SUPPRESSIONS = ["_TRANSPORT=driver", "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e"];
/**
 * How long journalctl may be silent before the journal is asked: while it follows, and while it
 * looks for where to begin.
 */
const [FOLLOWING_SILENCE, SEARCH_SILENCE] = [10 * SECOND, 60 * SECOND];
/** Time that journald and journalctl take to hand over an entry already written. */
const GRACE: Micros = 3 * SECOND;

/**
 * The systemd journal by way of journalctl(1), without this program's own entries. A position is
 * the cursor of an entry; where the journal no longer has it, reading goes on with the next entry
 * that is there. Its batches throw `UserError` (69) when there is no journal or the user may not
 * read it, and an `Error` when journalctl fails or keeps back what the journal has.
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
  readonly #search: Micros;
  readonly #proof: Micros;
  #wake: WakeOptions | null;
  #waker: Waker | null = null;
  /** By the journalctl that follows, or the last one that did. */
  #printed: Printed | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#follow = options.follow ?? true;
    this.#silence = options.silence ?? FOLLOWING_SILENCE;
    this.#search = options.silence ?? SEARCH_SILENCE;
    this.#proof = options.proof ?? 5 * SECOND;
    this.#wake = options.wake ?? null;
    this.#matches = [
      ...options.identifiers.map((name) => `SYSLOG_IDENTIFIER=${name}`),
      ...(options.identifiers.length > 0 && options.units.length > 0 ? ["+"] : []),
      ...options.units.map((name) => `_SYSTEMD_UNIT=${name}`),
      ...(options.suppressions ? ["+", ...SUPPRESSIONS] : []),
    ];
  }

  get delivery(): string {
    return this.#waker === null
      ? "as journald announces them"
      : `at once, woken every ${this.#waker.interval / 1_000} ms`;
  }

  async *batches(start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
    if (signal.aborted) return;
    try {
      await this.#requireReadable(signal);
      if (signal.aborted) return;
      const leftOut = await this.#leftOutBefore(start, signal);
      if (leftOut.length > 0) yield { records: leftOut, position: start.after!, damaged: 0 };
      // `--follow` implies `--boot`: what was written before a reboot is only to be had without it.
      let reached = start;
      for await (const batch of this.#read(start, { signal })) {
        reached = { ...start, after: batch.position };
        yield batch;
      }
      if (this.#follow && !signal.aborted) yield* this.#followFrom(reached, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async *#followFrom(start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
    // Without its directory journalctl would find no file that journald begins.
    const lost = new AbortController();
    using waker = await this.#startWaker(signal, () => lost.abort());
    this.#waker = waker;
    try {
      yield* this.#read(start, {
        follow: true,
        directory: waker?.directory,
        signal: AbortSignal.any([signal, lost.signal]),
      });
    } catch (error) {
      if (waker === null || !(error instanceof UserError)) throw error;
      // The journal itself could be read a moment ago.
      this.#sleep("it cannot be read");
      throw new Error(error.message);
    } finally {
      this.#waker = null;
    }
  }

  /** Null where entries can only be had as journald announces them. */
  async #startWaker(signal: AbortSignal, lost: () => void): Promise<Waker | null> {
    if (this.#wake === null) return null;
    try {
      const waker = new Waker(this.#wake, (error) => {
        this.#sleep(messageOf(error));
        lost();
      });
      if (await this.#isShownIn(waker.directory, { matching: false, signal }).catch(() => false)) {
        return waker;
      }
      waker[Symbol.dispose]();
      if (!signal.aborted) this.#sleep("it does not show this machine's journal");
    } catch (error) {
      this.#sleep(messageOf(error));
    }
    return null;
  }

  /** Gives up waking for good. */
  #sleep(reason: string): void {
    if (this.#wake === null) return;
    const { directory } = this.#wake;
    this.#wake = this.#waker = null;
    this.#options.problem?.(
      `Cannot wake journalctl by ${directory}: ${reason}. Entries come as journald announces them, up to half a second late`,
    );
  }

  /**
   * Whether a directory holds the journal that is written now: it has the newest entry, or the
   * newest of those to be read.
   */
  async #isShownIn(
    directory: string,
    { matching, signal }: { matching: boolean; signal: AbortSignal },
  ): Promise<boolean> {
    const newest = await this.#last({ args: ["--lines=1"], matching, signal });
    if (newest === null) return false;
    const query = { args: ["--lines=1", `--cursor=${newest}`], matching, directory, signal };
    const shown = await this.#last(query);
    return shown !== null && isSameEntry(shown, newest);
  }

  async *#read(start: Start, query: Query): AsyncGenerator<JournalBatch> {
    const { follow = false, signal } = query;
    const silence = follow ? this.#silence : this.#search;
    await using journalctl = this.#run({
      ...query,
      args: [...(follow ? ["--follow", "--no-tail"] : []), ...this.#span(start)],
    });
    const isNew = new NewRecords(start);
    const parser = new ExportParser();
    const printed = follow ? this.#printed = new Printed(start, this.#proof) : null;
    let reached = start;
    let damaged = 0;
    let isMore = false;
    for (;;) {
      const arrival = journalctl.read();
      // What was promised did not come.
      if (isMore && await isLate(arrival, GATHER)) {
        yield nothingAt(reached);
        isMore = false;
      }
      if (printed !== null && await printed.isDueBefore(arrival)) {
        // To prove takes longer than may be promised.
        if (isMore) yield nothingAt(reached);
        isMore = false;
        const { leftOut, hasMore } = await this.#prove(printed, signal);
        if (leftOut.length > 0) yield { records: leftOut, position: reached.after!, damaged: 0 };
        if (hasMore && await isLate(arrival, GRACE)) await this.#giveUp(signal);
      }
      const chunk = await this.#awaited(arrival, { reached, follow, signal, silence });
      if (chunk.length === 0) break;
      const records = parser.push(chunk);
      isNew.drop(records);
      const position = parser.cursor;
      if (position === null) continue;
      reached = { ...start, after: position };
      printed?.add(records);
      if (records.length === 0 && parser.damaged === damaged && !isMore) continue;
      isMore = journalctl.hasMore;
      yield { records, position, damaged: parser.damaged - damaged, isMore };
      damaged = parser.damaged;
    }
    if (isMore) yield nothingAt(reached);
    await journalctl.finish();
    if (follow) throw new Error("journalctl ended, although it was to follow the journal");
  }

  /** What the journalctl that followed up to here left out and was not asked for any more. */
  async #leftOutBefore({ after }: Start, signal: AbortSignal): Promise<JournalRecords> {
    const printed = this.#printed;
    this.#printed = null;
    if (after === null || !printed?.isUnprovedUpTo(after)) return new JournalRecords(0);
    return (await this.#prove(printed, signal)).leftOut;
  }

  /**
   * Asks the journal what was left out before the last entry that was printed, and whether there
   * are later ones.
   */
  async #prove(
    printed: Printed,
    signal: AbortSignal,
  ): Promise<{ leftOut: JournalRecords; hasMore: boolean }> {
    const { since } = printed;
    const leftOut = new JournalRecords(0);
    let isReached = false;
    for await (const { records } of this.#read(since, { signal })) {
      for (let i = 0; i < records.length; i++) {
        if (isReached) {
          printed.prove();
          return { leftOut, hasMore: true };
        }
        const mark = records.mark(i);
        isReached = printed.endsWith(mark);
        if (!printed.has(mark)) leftOut.copy(records, i);
      }
    }
    printed.prove();
    // Where the journal has already deleted the last one, it does not tell what was before it and what after.
    return { leftOut: isReached ? leftOut : new JournalRecords(0), hasMore: false };
  }

  /**
   * What journalctl prints next. Throws when it prints nothing although the journal has more than
   * was `reached`, or when one that is to end by itself does not.
   */
  async #awaited(
    arrival: Promise<Uint8Array>,
    { reached, follow, signal, silence }: {
      reached: Start;
      follow: boolean;
      signal: AbortSignal;
      silence: Micros;
    },
  ): Promise<Uint8Array> {
    while (this.#follow && await isLate(arrival, silence)) {
      const hasMore = await this.#hasMore(reached, signal);
      if ((follow && !hasMore) || !await isLate(arrival, GRACE)) continue;
      if (hasMore) await this.#giveUp(signal);
      throw new Error("journalctl does not come to its end");
    }
    return await arrival;
  }

  async #giveUp(signal: AbortSignal): Promise<never> {
    const directory = this.#waker?.directory;
    if (directory !== undefined) {
      const isShown = await this.#isShownIn(directory, { matching: true, signal }).catch(() => false);
      // Otherwise journalctl has left the entry out, as any does now and then.
      if (!isShown && !signal.aborted) this.#sleep("it does not show all of the journal");
    }
    throw new Error("journalctl fell silent, although the journal has new entries");
  }

  async #hasMore(reached: Start, signal: AbortSignal): Promise<boolean> {
    const last = await this.#last({ args: ["--lines=2", ...this.#span(reached)], signal });
    return last !== null && (reached.after === null || !isSameEntry(last, reached.after));
  }

  /** Cursor of the last entry that is printed; null when none is. */
  async #last(query: Query): Promise<string | null> {
    await using journalctl = this.#run(query);
    const parser = new ExportParser();
    await this.#readToEnd(journalctl, (chunk) => void parser.push(chunk));
    return parser.cursor;
  }

  /** Reads a journalctl that ends by itself. Throws where it says nothing for too long, as a source is held up meanwhile. */
  async #readToEnd(journalctl: Journalctl, take: (chunk: Uint8Array) => void): Promise<void> {
    for (;;) {
      const arrival = journalctl.read();
      if (this.#follow && await isLate(arrival, this.#options.answer ?? SEARCH_SILENCE)) {
        throw new Error("journalctl does not answer");
      }
      const chunk = await arrival;
      if (chunk.length === 0) break;
      take(chunk);
    }
    await journalctl.finish();
  }

  /** The program that follows is quiet about what it cannot see, so this one is asked first. */
  async #requireReadable(signal: AbortSignal): Promise<void> {
    await using journalctl = new Journalctl(this.#command, {
      args: ["--lines=0", "--no-pager", ...directoryArgs(this.#options.directory)],
      signal,
    });
    await this.#readToEnd(journalctl, () => {});
  }

  #run({ args = [], directory = this.#options.directory, matching = true, signal }: Query): Journalctl {
    const format = ["--output=export", `--output-fields=${FIELDS}`, "--no-pager", "--quiet"];
    return new Journalctl(this.#command, {
      args: [...format, ...directoryArgs(directory), ...args, ...(matching ? this.#matches : [])],
      signal,
    });
  }

  /**
   * Begins at the entry that was reached, not after it: `--after-cursor` passes over two entries,
   * and where the first is no longer there, a new one would be lost.
   */
  #span({ after, since }: Start): string[] {
    const { until, newest } = this.#options;
    return [
      after === null ? `--since=${instant(since)}` : `--cursor=${after}`,
      ...(until === undefined ? [] : [`--until=${instant(until)}`]),
      ...(newest === undefined ? [] : [`--lines=${newest}`]),
    ];
  }

  get #command(): string {
    return this.#options.command ?? "journalctl";
  }
}

const NO_RECORDS = new JournalRecords(0);

function nothingAt({ after }: Start): JournalBatch {
  return { records: NO_RECORDS, position: after!, damaged: 0 };
}

function directoryArgs(directory: string | undefined): string[] {
  return directory === undefined ? [] : [`--directory=${directory}`];
}

/** An instant as systemd.time(7) writes it, to the microsecond. */
function instant(time: Micros): string {
  const past = Math.max(0, Math.round(time));
  return `@${Math.floor(past / SECOND)}.${String(past % SECOND).padStart(6, "0")}`;
}
