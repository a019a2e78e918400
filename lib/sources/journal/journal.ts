import type { Batch, Source, Start } from "../source.ts";
import { abortedWith, isLate, Settling } from "../../core/async.ts";
import { UserError } from "../../core/error.ts";
import { HOUR, type Micros, MINUTE, SECOND } from "../../core/time.ts";
import { GATHER } from "./export.ts";
import { JournalRecords, NewRecords } from "./journal_records.ts";
import { omittedAmong, readPosition, type Unproved } from "./position.ts";
import { PrintedEntries } from "./proof.ts";
import { type JournalSelection, Queries, type Query } from "./queries.ts";
import { Quiet } from "./quiet.ts";
import { type WakeOptions, Waker } from "./wake.ts";

/** Which entries to read, and how. */
export interface JournalOptions extends JournalSelection {
  /** False: end at the journal's end. */
  readonly follow?: boolean;
  /** How long without an entry until the journal is asked for one; the default is ten seconds. */
  readonly silence?: Micros;
  /** How long journalctl may seek an answer, or its start; the default is a minute. */
  readonly answer?: Micros;
  /** How long after printed entries until the journal is asked for omitted ones before them. */
  readonly proof?: Micros;
  /** How long no program may write until this one tries; the default is an hour. Infinite: never. */
  readonly quiet?: Micros;
  /** How to get entries at once; null: as journald announces them, up to half a second late. */
  readonly wake?: WakeOptions | null;
  /**
   * Called with a sentence on why `wake` fails, as entries then come as journald announces them, and
   * on a quiet journal: it must reach that journal.
   */
  readonly problem?: (sentence: string) => void;
}

interface JournalBatch extends Batch {
  readonly records: JournalRecords;
}

/** Time that journald and journalctl take to hand over an entry already written. */
const GRACE: Micros = 3 * SECOND;

/**
 * Opens the systemd journal by journalctl(1), without this program's own entries. Reading begins
 * behind the entry of a position (position.ts); if the journal no longer has it, with the next entry
 * that exists. Batches throw `UserError` (69) if there is no journal or the user may not read it,
 * and an `Error` if journalctl fails or holds back entries of the journal.
 */
export function openJournal(options: JournalOptions): Source {
  return new Journal(options);
}

class Journal implements Source {
  readonly name = "journal";
  readonly #queries: Queries;
  readonly #waker: Waker;
  readonly #quiet: Quiet;
  readonly #follow: boolean;
  readonly #silence: Micros;
  readonly #answer: Micros;
  readonly #proof: Micros;
  /** Entries of the journalctl that follows, or of the last one that did. */
  #printed: PrintedEntries | null = null;

  constructor(options: JournalOptions) {
    const { follow = true, wake = null, problem = () => {} } = options;
    const { silence = 10 * SECOND, answer = MINUTE, proof = 5 * SECOND, quiet = HOUR } = options;
    this.#queries = new Queries(options, follow ? answer : Infinity);
    this.#waker = new Waker(wake, problem);
    this.#quiet = new Quiet(quiet, problem);
    this.#follow = follow;
    this.#silence = silence;
    this.#answer = answer;
    this.#proof = proof;
  }

  get delivery(): string {
    return this.#waker.delivery;
  }

  get problems(): readonly string[] {
    const { problem } = this.#quiet;
    return problem === null ? [] : [problem];
  }

  async *batches(start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
    if (signal.aborted) return;
    try {
      await this.#queries.requireReadable(signal);
      if (signal.aborted) return;
      let { start: reached, unproved } = readPosition(start);
      if (unproved !== null) {
        const printed = this.#printed;
        const leftOut = printed?.positionAt(reached.after!) === start.after
          ? (await this.#prove(printed!, signal)).leftOut
          : await this.#leftOutOf(unproved, signal);
        if (leftOut.length > 0) yield { records: leftOut, position: reached.after!, damaged: 0 };
      }
      // `--follow` implies `--boot`: only a run without it prints entries from before a reboot.
      for await (const batch of this.#read(reached, { signal }, this.#answer)) {
        reached = { ...start, after: batch.position };
        yield batch;
      }
      if (this.#follow && !signal.aborted) yield* this.#followFrom(reached, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async *#followFrom(start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
    // Without its directory, journalctl would not see the files that journald creates.
    using stop = abortedWith(signal);
    await this.#waker.start((directory) => this.#isShownIn(directory, signal), () => stop.abort());
    const { directory } = this.#waker;
    try {
      yield* this.#read(start, { follow: true, directory, signal: stop.signal });
    } catch (error) {
      if (directory === undefined || !(error instanceof UserError)) throw error;
      // The journal itself was readable a moment ago.
      this.#waker.giveUp("it cannot be read");
      throw new Error(error.message);
    } finally {
      this.#waker.stop();
    }
  }

  /** Reports whether a directory shows the newest entry of all programs; null: unknown. */
  async #isShownIn(directory: string, signal: AbortSignal): Promise<boolean | null> {
    try {
      return await this.#queries.isShownIn(directory, { matching: false, signal });
    } catch (error) {
      return error instanceof UserError ? false : null;
    }
  }

  async *#read(start: Start, query: Query, silence = this.#silence): AsyncGenerator<JournalBatch> {
    const { follow = false, signal } = query;
    await using journalctl = this.#queries.open(start, query);
    const { entries } = journalctl;
    const isNew = new NewRecords(start);
    const printed = follow ? this.#printed = new PrintedEntries(start, this.#proof) : null;
    let reached = start;
    const position = () => printed?.positionAt(reached.after!) ?? reached.after!;
    let damaged = 0;
    let isMore = false;
    for (;;) {
      const arrival = entries.read();
      // The promised entries did not come.
      if (isMore && await isLate(arrival, GATHER)) {
        yield nothingAt(position());
        isMore = false;
      }
      if (printed !== null && await printed.isDueBefore(arrival)) {
        // A proof takes longer than `isMore` promises.
        if (isMore) yield nothingAt(position());
        isMore = false;
        const { leftOut, hasMore } = await this.#prove(printed, signal);
        if (leftOut.length > 0) yield { records: leftOut, position: position(), damaged: 0 };
        if (hasMore && await isLate(arrival, GRACE)) await this.#giveUp(signal);
      }
      const records = await this.#awaited(arrival, { reached, follow, signal, silence });
      if (records === null) break;
      isNew.drop(records);
      if (entries.cursor === null) continue;
      reached = { ...start, after: entries.cursor };
      printed?.add(records);
      if (records.length === 0 && entries.damaged === damaged && !isMore) continue;
      isMore = entries.hasMore;
      yield { records, position: position(), damaged: entries.damaged - damaged, isMore };
      damaged = entries.damaged;
    }
    if (isMore) yield nothingAt(position());
    await journalctl.finish();
    if (follow) throw new Error("journalctl ended, although it was to follow the journal");
  }

  /** Asks the journal for entries that a journalctl of an earlier run of the program omitted. */
  async #leftOutOf(unproved: Unproved, signal: AbortSignal): Promise<JournalRecords> {
    const marks = new Set<number>();
    const { isReached } = await this.#reread(unproved, signal, (mark) => {
      marks.add(mark);
      return false;
    });
    const omitted = new Set(isReached ? omittedAmong([...marks], unproved) : []);
    if (omitted.size === 0) return NO_RECORDS;
    return (await this.#reread(unproved, signal, (mark) => omitted.delete(mark))).records;
  }

  /** Asks the journal for entries omitted before the last printed one, and whether more came. */
  async #prove(
    printed: PrintedEntries,
    signal: AbortSignal,
  ): Promise<{ leftOut: JournalRecords; hasMore: boolean }> {
    const { records: leftOut, hasMore } = await this.#reread(printed, signal, (mark) => !printed.has(mark));
    printed.prove();
    return { leftOut, hasMore };
  }

  /**
   * Reads entries again, from behind `since` to the one with the mark `last`. Returns those whose
   * marks `isWanted`, whether the last one was found, and whether the journal has more behind it.
   */
  async #reread(
    { since, last }: Pick<Unproved, "since" | "last">,
    signal: AbortSignal,
    isWanted: (mark: number) => boolean,
  ): Promise<{ records: JournalRecords; isReached: boolean; hasMore: boolean }> {
    const wanted = new JournalRecords(0);
    let isReached = false;
    for await (const { records } of this.#read(since, { signal })) {
      for (let i = 0; i < records.length; i++) {
        if (isReached) return { records: wanted, isReached, hasMore: true };
        const mark = records.mark(i);
        isReached = mark === last;
        if (isWanted(mark)) wanted.copy(records, i);
      }
    }
    // If the journal has deleted the last printed entry, entries before and after it look alike.
    return { records: isReached ? wanted : NO_RECORDS, isReached, hasMore: false };
  }

  /**
   * Returns the next entries of journalctl; null: it has ended. Throws if it prints nothing although
   * the journal has more than `reached`, or if one that should end does not.
   */
  async #awaited(
    arrival: Promise<JournalRecords | null>,
    { reached, follow, signal, silence }: {
      reached: Start;
      follow: boolean;
      signal: AbortSignal;
      silence: Micros;
    },
  ): Promise<JournalRecords | null> {
    const settling = new Settling(arrival);
    while (this.#follow && await settling.isLate(silence)) {
      const hasMore = await this.#queries.hasMore(reached, signal);
      if (follow && !hasMore && this.#quiet.isDue) {
        this.#quiet.look(await this.#queries.newest({ matching: false, signal }));
      }
      if ((follow && !hasMore) || !await isLate(arrival, GRACE)) continue;
      if (hasMore) await this.#giveUp(signal);
      throw new Error("journalctl does not come to its end");
    }
    const records = await arrival;
    if (records !== null) {
      this.#quiet.end();
      this.#waker.heard();
    }
    return records;
  }

  async #giveUp(signal: AbortSignal): Promise<never> {
    const { directory } = this.#waker;
    if (directory !== undefined) {
      const isShown = await this.#queries.isShownIn(directory, { matching: true, signal }).catch(() => false);
      // Otherwise journalctl has omitted the entry, as happens now and then.
      if (isShown === false && !signal.aborted) this.#waker.giveUp("it does not show all of the journal");
    }
    throw new Error("journalctl fell silent, although the journal has new entries");
  }
}

const NO_RECORDS = new JournalRecords(0);

function nothingAt(position: string): JournalBatch {
  return { records: NO_RECORDS, position, damaged: 0 };
}
