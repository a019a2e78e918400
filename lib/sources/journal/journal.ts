import type { Batch, Source, Start } from "../source.ts";
import { UserError } from "../../core/error.ts";
import { type Micros, SECOND } from "../../core/time.ts";
import { ExportParser } from "./export.ts";
import { JournalRecords, NewRecords } from "./journal_records.ts";
import { GATHER, isLate } from "./journalctl.ts";
import { Printed } from "./proof.ts";
import { Queries, type Query, type Selection } from "./queries.ts";
import { type WakeOptions, Waker } from "./wake.ts";

/** Which entries to read, and how. */
export interface JournalOptions extends Selection {
  /** False: end where the journal ends. */
  readonly follow?: boolean;
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
  readonly #queries: Queries;
  readonly #waker: Waker;
  readonly #follow: boolean;
  readonly #silence: Micros;
  readonly #search: Micros;
  readonly #proof: Micros;
  /** By the journalctl that follows, or the last one that did. */
  #printed: Printed | null = null;

  constructor(options: JournalOptions) {
    const { follow = true, silence, answer = SEARCH_SILENCE, proof = 5 * SECOND, wake = null } = options;
    this.#queries = new Queries(options, follow ? answer : Infinity);
    this.#waker = new Waker(wake, options.problem ?? (() => {}));
    this.#follow = follow;
    this.#silence = silence ?? FOLLOWING_SILENCE;
    this.#search = silence ?? SEARCH_SILENCE;
    this.#proof = proof;
  }

  get delivery(): string {
    return this.#waker.delivery;
  }

  async *batches(start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
    if (signal.aborted) return;
    try {
      await this.#queries.requireReadable(signal);
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
    await this.#waker.start((directory) => this.#isShownIn(directory, signal), () => lost.abort());
    const { directory } = this.#waker;
    try {
      yield* this.#read(start, {
        follow: true,
        directory,
        signal: AbortSignal.any([signal, lost.signal]),
      });
    } catch (error) {
      if (directory === undefined || !(error instanceof UserError)) throw error;
      // The journal itself could be read a moment ago.
      this.#waker.giveUp("it cannot be read");
      throw new Error(error.message);
    } finally {
      this.#waker.stop();
    }
  }

  /** Whether a directory shows the newest entry of all programs; null: nobody knows. */
  async #isShownIn(directory: string, signal: AbortSignal): Promise<boolean | null> {
    try {
      return await this.#queries.isShownIn(directory, { matching: false, signal });
    } catch (error) {
      return error instanceof UserError ? false : null;
    }
  }

  async *#read(start: Start, query: Query): AsyncGenerator<JournalBatch> {
    const { follow = false, signal } = query;
    const silence = follow ? this.#silence : this.#search;
    await using journalctl = this.#queries.open(start, query);
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
      const hasMore = await this.#queries.hasMore(reached, signal);
      if ((follow && !hasMore) || !await isLate(arrival, GRACE)) continue;
      if (hasMore) await this.#giveUp(signal);
      throw new Error("journalctl does not come to its end");
    }
    return await arrival;
  }

  async #giveUp(signal: AbortSignal): Promise<never> {
    const { directory } = this.#waker;
    if (directory !== undefined) {
      const isShown = await this.#queries.isShownIn(directory, { matching: true, signal }).catch(() => false);
      // Otherwise journalctl has left the entry out, as any does now and then.
      if (isShown === false && !signal.aborted) this.#waker.giveUp("it does not show all of the journal");
    }
    throw new Error("journalctl fell silent, although the journal has new entries");
  }
}

const NO_RECORDS = new JournalRecords(0);

function nothingAt({ after }: Start): JournalBatch {
  return { records: NO_RECORDS, position: after!, damaged: 0 };
}
