/**
 * Reads the records of one source: finds the module of an entry of the journal, reads its message,
 * and tells whether it is trusted. `LineReader` reads lines of files through it. In: a record, or a
 * text and the modules to ask. Out: the event.
 */
import { type Bytes, endWithoutReturn, makeBytes } from "../core/bytes.ts";
import { NO_PID, type Records } from "../core/records.ts";
import type { Stamp } from "../core/stamp.ts";
import { type Micros, MILLISECOND } from "../core/time.ts";
import type { Zone } from "../core/zone.ts";
import type { LogEvent, RecordReader } from "./event.ts";
import { type Beginning, HeadReader } from "./head.ts";
import type { ModuleHealth } from "./health.ts";
import { MessagePlace } from "./message_reader.ts";
import {
  type Candidate,
  Candidates,
  isTextual,
  type Program,
  type ReadableModule,
  sentBy,
  writersOf,
} from "./candidates.ts";
import { DayResolver } from "./day_resolver.ts";
import { Placements } from "./placements.ts";
import { type Suppression, Suppressions } from "./suppressions.ts";

/** How a text is read. */
export interface ReadOptions {
  /** Whether only the text tells time and process: a line with a head, not an entry's message. */
  readonly isLine: boolean;
  /** See `MessageReader`; null also if nobody will be named. */
  readonly place: MessagePlace | null;
  /**
   * Whether modules remember nothing of the text, as it is also read by itself: here only for its
   * time, or for the line that repeats it.
   */
  readonly isStateless: boolean;
}

/** Candidates to ask: all, or those whose messages never or perhaps begin with a stranger's text. */
const [ALL, CLOSED, OPEN] = [0, 1, 2] as const;

/** A message that an open candidate understands. */
interface Open extends Beginning {
  readonly candidates: readonly Candidate[];
  readonly bytes: Bytes;
  readonly to: number;
  /** Whether a part of a head precedes it. */
  readonly isHeaded: boolean;
}

/** How an entry is read that journald did not split. */
const WHOLE_ENTRY: ReadOptions = { isLine: false, isStateless: false, place: null };

/** Reads entries of the journal, and texts. */
export class Reader implements RecordReader {
  /** The last text read. `setTime()` sets the time and `isAhead`. */
  readonly event: { -readonly [key in keyof LogEvent]: LogEvent[key] };
  /** Instants around the current text; whoever reads a text keeps them up to date. */
  readonly reference = { now: 0, before: NaN, zone: undefined as Zone | undefined };
  /** Whether the time of the last text depends on a zone that the text does not tell in figures. */
  isZoneless = false;
  readonly candidates: Candidates;
  /** Where the current message was written. */
  readonly place = new MessagePlace();
  /** How an entry is read that journald may have split. */
  readonly #entry: ReadOptions = { isLine: false, isStateless: false, place: this.place };
  readonly #placements: Placements;
  readonly #suppressions: Suppressions;
  /** When journald took over the current entry. */
  readonly #journald = { collected: NaN };
  readonly #health: ModuleHealth;
  readonly #heads: HeadReader<Program>;
  /** Resolver of times in messages. */
  readonly #times = new DayResolver(this.reference);
  /** Zone of lines that belong to no module. */
  readonly #zone: Zone | undefined;
  /** Whether an open candidate has understood a line without a head. */
  #isHeadless = false;
  /** Whether an open candidate has understood a line with a head that names no program. */
  #isTagless = false;
  /** Whether an open candidate has understood a line with a time that no word follows. */
  #isWordless = false;
  /** How the current text is read. */
  #isStateless = false;
  #placeOfText: ReadOptions["place"] = null;

  /** @param modules at least one, in the order in which they are asked */
  constructor(modules: readonly ReadableModule[], health: ModuleHealth) {
    this.#health = health;
    this.#zone = modules[0]!.zone;
    this.candidates = new Candidates(modules);
    this.#suppressions = new Suppressions(modules.flatMap(({ units }) => units));
    this.#placements = new Placements(this.candidates, (unit) => this.#suppressions.addUnit(unit));
    this.#heads = new HeadReader({
      programOf: (identifier) => this.candidates.program(identifier),
      isKnown: (identifier) => this.candidates.isProgram(identifier),
      isObjectRead: this.candidates.all.some(isTextual),
      mayBegin: (text) => this.candidates.mayBegin(text),
      reference: this.reference,
    });
    this.event = {
      module: modules[0]!.index,
      reader: modules[0]!.reader,
      isUnderstood: false,
      bytes: makeBytes(0),
      from: 0,
      to: 0,
      time: 0,
      isAhead: false,
      pid: NO_PID,
      count: 1,
      isTrusted: true,
    };
  }

  /** Reads entry `i`. Returns false if it belongs to no module. */
  read(records: Records, i: number, now: Micros): boolean {
    const { bytes } = records;
    this.reference.now = now;
    const { candidates, isJournalds, stream } = this.#placements.of(records, i);
    const from = records.from[i]!;
    const to = records.to[i]!;
    if (isJournalds) this.#suppressions.read(bytes, from, to);
    if (candidates.length === 0) return false;
    this.event.pid = records.pids[i]!;
    if (stream !== null) {
      this.place.set(stream, { bytes, from, to });
      this.#journald.collected = records.times[i]!;
      this.place.collector = this.#journald;
    }
    const options = stream === null ? WHOLE_ENTRY : this.#entry;
    if (!this.readText(candidates, bytes, from, to, options)) return false;
    this.setTime(records.times[i]!);
    return true;
  }

  takeSuppressions(): Suppression[] {
    return this.#suppressions.take();
  }

  /**
   * Sets the event's time. Rules run on the times of lines, so a later time than now becomes now.
   * The clock has milliseconds, entries have microseconds.
   */
  setTime(time: Micros): void {
    const { now } = this.reference;
    this.event.isAhead = time >= now + MILLISECOND;
    this.event.time = this.event.isAhead ? now : time;
  }

  /**
   * Reads `bytes[from, to)` of the process `event.pid`. Returns false if it belongs to none of the
   * candidates. The event's time is NaN if the text has none.
   */
  readText(
    candidates: readonly Candidate[],
    bytes: Bytes,
    from: number,
    to: number,
    { isLine, isStateless, place }: ReadOptions,
  ): boolean {
    this.#isStateless = isStateless;
    this.#placeOfText = place;
    this.event.isUnderstood = false;
    this.event.time = NaN;
    this.event.count = 1;
    this.reference.zone = this.#zone;
    this.isZoneless = false;
    if (isLine && place !== null) place.collector = null;
    const end = endWithoutReturn(bytes, from, to);
    const isHeaded = isLine && this.#heads.isAt(bytes, from, end);
    const isFound = (!isHeaded && this.#isUnderstood(candidates, bytes, from, end, isLine ? CLOSED : ALL)) ||
      this.#readBehindHead(candidates, bytes, from, end, isLine);
    if (isLine && this.event.isUnderstood) this.#takeOwnTime();
    return isFound;
  }

  /**
   * Takes the head of a message or line off, part by part, until one of the candidates understands
   * the rest; a part may name another process. Returns false if the text belongs to no candidate;
   * if none understands it, the event is the first one's.
   *
   * An open candidate would take a head for a stranger's text. So it reads what is behind as much
   * of a line's head as possible. In a log with lines that have no head, the head may be a
   * stranger's, who dates his lines back: its time does not count.
   */
  #readBehindHead(
    candidates: readonly Candidate[],
    bytes: Bytes,
    from: number,
    to: number,
    isLine: boolean,
  ): boolean {
    const heads = this.#heads;
    const event = this.event;
    let isAnyones = isLine;
    let isTagged = false;
    let isForeign = false;
    if (heads.begin(bytes, from, to, isLine)) {
      this.#isUnderstood(candidates, bytes, heads.from, heads.to, isLine ? CLOSED : ALL);
    }
    if (isLine && this.#placeOfText !== null) this.#placeOfText.collector = heads;
    let open: Open | null = isLine && this.candidates.hasOpen
      ? { candidates, bytes, from, to, stamp: null, isHeaded: false }
      : null;
    while (!event.isUnderstood && heads.next()) {
      if (heads.pid !== NO_PID) event.pid = heads.pid;
      if (heads.isTag) {
        isTagged = true;
        const { identifier, candidates: named, isForeign: isOthers } = heads.program!;
        if (isAnyones) isForeign = isOthers;
        candidates = isAnyones ? named : writersOf(candidates, identifier);
        // A line of the kernel may contain another program's line.
        isAnyones &&= identifier === KERNEL;
        if (candidates.length === 0 && !isAnyones) break;
      }
      // A service that writes JSON may have a stranger's text in it.
      if (heads.isObject) candidates = candidates.filter(isTextual);
      if (heads.sender !== null) {
        candidates = sentBy(candidates.map(({ module }) => module), heads.sender);
      }
      this.#isUnderstood(candidates, heads.bytes, heads.from, heads.to, isLine ? CLOSED : ALL);
      if (open === null || event.isUnderstood) continue;
      const { bytes, to } = heads;
      const beginning = this.#beginningOfOpen(candidates);
      if (beginning !== null) open = { candidates, bytes, to, ...beginning, isHeaded: true };
    }
    const isOpen = open !== null && !event.isUnderstood &&
      this.#isUnderstood(open.candidates, open.bytes, open.from, open.to, OPEN);
    if (isOpen && !open!.isHeaded) return this.#isHeadless = true;
    event.count = heads.count;
    if (candidates.length > 0 && !event.isUnderstood) {
      this.#take(candidates[0]!, heads.bytes, heads.from, heads.to);
    }
    if (isOpen && this.#isHeadless) return true;
    event.time = heads.time;
    this.isZoneless = heads.isZoneless;
    if (isOpen && open!.stamp !== null) this.#takeTime(open!.stamp);
    this.#isTagless ||= isOpen && !isTagged;
    // In a log without tags a stranger's name may look like one. In a log that programs share, the
    // lines of others prove nothing about a module's format.
    const isOwn = candidates.length > 0 && (event.isUnderstood || !isForeign);
    return isOwn || (isOpen && this.#isTagless);
  }

  /**
   * Returns where an open candidate understands a message behind what was taken off; null: nowhere.
   * Words behind a time belong to the message if only that is understood, or if the log's times have
   * none.
   */
  #beginningOfOpen(candidates: readonly Candidate[]): Beginning | null {
    const heads = this.#heads;
    const [plain, wordless] = [heads.beginning(), heads.wordless()];
    const isUnderstood = (beginning: Beginning | null) =>
      beginning !== null && this.#isUnderstood(candidates, heads.bytes, beginning.from, heads.to, OPEN);
    const found = (this.#isWordless ? [wordless, plain] : [plain, wordless]).find(isUnderstood) ?? null;
    this.event.isUnderstood = false;
    this.#isWordless ||= found !== null && heads.isTime && wordless === null;
    return found;
  }

  /** Reports whether a candidate understands a message; the event is then that candidate's. */
  #isUnderstood(
    candidates: readonly Candidate[],
    bytes: Bytes,
    from: number,
    to: number,
    which: typeof ALL | typeof CLOSED | typeof OPEN,
  ): boolean {
    for (let i = 0; i < candidates.length; i++) {
      const { module, firstBytes, isOpen } = candidates[i]!;
      if (which !== ALL && isOpen !== (which === OPEN)) continue;
      if (from < to && firstBytes[bytes.array[from]!] === 0) continue;
      if (!this.#ask(module, bytes, from, to)) continue;
      this.#take(candidates[i]!, bytes, from, to);
      this.event.isUnderstood = true;
      return true;
    }
    return false;
  }

  #ask({ index, reader }: ReadableModule, bytes: Bytes, from: number, to: number): boolean {
    if (this.#health.isGivenUp(index)) return false;
    try {
      const pid = this.#isStateless ? NO_PID : this.event.pid;
      const isUnderstood = reader.read(bytes, from, to, pid, this.#placeOfText);
      this.#health.worked(index);
      return isUnderstood;
    } catch (error) {
      this.#health.failed(index, error);
      return false;
    }
  }

  #take({ module, isTrusted }: Candidate, bytes: Bytes, from: number, to: number): void {
    const event = this.event;
    this.reference.zone = module.zone;
    event.module = module.index;
    event.reader = module.reader;
    event.bytes = bytes;
    event.from = from;
    event.to = to;
    event.isTrusted = isTrusted;
  }

  /**
   * Replaces the time of the head by the message's own time, if it has one; by one without a zone
   * only if the head has no time.
   */
  #takeOwnTime(): void {
    const { time, stamp } = this.event.reader;
    if (!Number.isNaN(time)) {
      this.event.time = time;
      this.isZoneless = false;
    } else if (stamp !== null && (stamp.offset !== null || Number.isNaN(this.event.time))) {
      this.#takeTime(stamp);
    }
  }

  #takeTime(stamp: Stamp): void {
    this.#times.begin(stamp);
    this.#times.resolve(stamp.minute, stamp.second, stamp.fraction, stamp);
    this.event.time = this.#times.time;
    this.isZoneless = stamp.offset === null;
  }
}

/** Program name of the kernel's lines. */
const KERNEL = "kernel";
