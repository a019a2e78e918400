import { decode, makeBytes } from "../core/bytes.ts";
import { resolveStamp } from "../core/stamp.ts";
import { type Micros, MILLISECOND } from "../core/time.ts";
import type { LogEvent } from "./event.ts";
import type { ModuleHealth } from "./health.ts";
import { LINE, NO_PID, type Origin, type Records } from "../core/records.ts";
import { timeOfLine } from "./line_time.ts";
import { type Candidate, type ReadableModule, sentBy } from "./candidates.ts";
import type { Place } from "./message_reader.ts";
import { ModuleFinder, type ReadOptions } from "./module_finder.ts";
import { LastLines, type Line, mayRepeat, timesRepeated } from "./repetition.ts";
import { isJournalds, type Suppression, Suppressions } from "./suppressions.ts";
import { isOfUnit } from "./trust.ts";
import { type Writing, type ZoneShift, ZoneShifts } from "./zone_shift.ts";

/** Lines among which one should have a time. */
const TRIES = 10;
/** How to read an entry that journald did not split, and a line for its time alone. */
const WHOLE_ENTRY: ReadOptions = { isLine: false, isStateless: false, place: null };
const TIMED_LINE: ReadOptions = { isLine: true, isStateless: true, place: null };
/** Programs of journal entries that are remembered. */
const MAX_WRITERS = 256;

/** An origin and the modules that its entries may belong to. */
interface Placement {
  readonly origin: Origin;
  readonly candidates: readonly Candidate[];
  /** Whether the entries are journald's own. */
  readonly isJournalds: boolean;
  /**
   * Identifies the program in its unit and container; null: journald took each message as the
   * program sent it.
   */
  readonly stream: object | null;
}

/**
 * Finds the module of a record among the modules of one source. Reads the record's message and
 * time, and whether it is trusted.
 */
export class Reader {
  readonly #finder: ModuleFinder;
  readonly #suppressions: Suppressions;
  readonly #lines = new LastLines();
  readonly #zoneShifts: ZoneShifts;
  /** Shift of the current file. */
  #zoneShift: ZoneShift;
  /** Placements by the indexes of the records' origins. */
  readonly #placements: Placement[] = [];
  /** Programs in units and containers, by the names of all three; they outlive the records' origins. */
  readonly #writers = new Map<string, object>();
  /** Where the current message was written. */
  readonly #place: { -readonly [key in keyof Place]: Place[key] } = {
    stream: this,
    bytes: makeBytes(0),
    from: 0,
    to: 0,
    isAgain: false,
    collector: null,
  };
  /** When journald took over the current entry. */
  readonly #journald = { collected: NaN };
  /** How entries are read that journald may have split, lines, and those that another line repeats. */
  readonly #entry: ReadOptions = { isLine: false, isStateless: false, place: this.#place };
  readonly #line: ReadOptions = { isLine: true, isStateless: false, place: this.#place };
  readonly #repeatedLine: ReadOptions = { isLine: true, isStateless: true, place: this.#place };

  /**
   * @param modules of the source, at least one, in the order in which they are asked
   * @param otherZone is called once for each shift that is found, see `ZoneShift`
   */
  constructor(
    modules: readonly ReadableModule[],
    health: ModuleHealth,
    otherZone: (shift: Micros) => void = () => {},
  ) {
    this.#finder = new ModuleFinder(modules, health);
    this.#zoneShifts = new ZoneShifts(otherZone);
    this.#zoneShift = this.#zoneShifts.of(this);
    this.#suppressions = new Suppressions(modules.flatMap(({ units }) => units));
  }

  /** The event of the last record for which `read()` returned true; good until its next call. */
  get event(): LogEvent {
    return this.#finder.event;
  }

  /**
   * Reads record `i`; `now` is the reference for the time of a line. Returns false if the record
   * belongs to no module.
   */
  read(records: Records, i: number, now: Micros): boolean {
    const { bytes } = records;
    const origin = records.origin[i]!;
    this.#finder.reference.now = now;
    if (origin === LINE) return this.#readLineOf(records, i);
    const { candidates, isJournalds, stream } = this.#placementOf(records.origins[origin]!, origin);
    if (isJournalds) this.#suppressions.read(bytes, records.from[i]!, records.to[i]!);
    if (candidates.length === 0) return false;
    this.#finder.event.pid = records.pids[i]!;
    const from = records.from[i]!;
    const to = records.to[i]!;
    if (stream !== null) {
      this.#setPlace(stream, { bytes, from, to });
      this.#journald.collected = records.times[i]!;
      this.#place.collector = this.#journald;
    }
    const options = stream === null ? WHOLE_ENTRY : this.#entry;
    if (!this.#finder.read(candidates, bytes, from, to, options)) return false;
    this.#setTime(records.times[i]!);
    return true;
  }

  /** Takes journald's reports of dropped messages since the last call. */
  takeSuppressions(): Suppression[] {
    return this.#suppressions.take();
  }

  /**
   * Sets the event's time. Rules run on the times of lines, so a later time than now becomes now.
   * The clock has milliseconds, entries have microseconds.
   */
  #setTime(time: Micros): void {
    const { now } = this.#finder.reference;
    this.#finder.event.isAhead = time >= now + MILLISECOND;
    this.#finder.event.time = this.#finder.event.isAhead ? now : time;
  }

  /** Returns when `line` of the file `stream` was written, by its own time; NaN if it has none. */
  timeOf(line: Line, { stream, now }: { stream?: object | null; now: Micros }): Micros {
    this.#finder.reference.now = now;
    const time = this.#peekTime(line);
    return this.#finder.isZoneless ? time + this.#zoneShifts.of(stream ?? this).shift : time;
  }

  /**
   * Learns the zone of a file's times from one of its last lines, before the first ones are read.
   * Returns false if the line has no time: then try one before it.
   */
  learnZone(
    line: Line,
    { stream, now, ...writing }: { stream?: object | null; now: Micros } & Writing,
  ): boolean {
    this.#finder.reference.now = now;
    return this.#learnFrom(line, this.#zoneShifts.of(stream ?? this), writing);
  }

  #learnFrom(line: Line, shift: ZoneShift, writing: Writing): boolean {
    const time = this.#peekTime(line);
    if (Number.isNaN(time)) return false;
    if (this.#finder.isZoneless) shift.learn(time, writing);
    return true;
  }

  /**
   * Returns a line's own time without the shift; NaN if it has none. Nothing remembers the line.
   */
  #peekTime(line: Line): Micros {
    const { before } = this.#finder.reference;
    this.#finder.reference.before = NaN;
    this.#readStateless(line, TIMED_LINE);
    let { time } = this.#finder.event;
    // If a module understands a line, only the module tells its time.
    if (Number.isNaN(time) && !this.#finder.event.isUnderstood) {
      const stamp = timeOfLine(decode(line.bytes, line.from, line.to));
      this.#finder.isZoneless = stamp !== null && stamp.offset === null;
      if (stamp !== null) time = resolveStamp(stamp, this.#finder.reference);
    }
    this.#finder.reference.before = before;
    return time;
  }

  /** Reads a line, or again the line before if this one only reports its repetition. */
  #readLineOf(records: Records, i: number): boolean {
    const { bytes, length } = records;
    const from = records.from[i]!;
    const to = records.to[i]!;
    const mustTeachZone = i === 0 && this.#beginLines(records);
    this.#finder.event.pid = NO_PID;
    this.#setPlace(records.stream ?? this, { bytes, from, to });
    const isFound = this.#finder.read(this.#finder.candidates.all, bytes, from, to, this.#line);
    const isRepetition = !this.#finder.event.isUnderstood && mayRepeat(bytes, from, to) &&
      this.#readAgain(records, i);
    this.#lines.passed(records, i, isRepetition);
    const shift = this.#zoneShift;
    let { time } = this.#finder.event;
    if (Number.isNaN(time)) time = records.times[i]!;
    else {
      if (i === length - 1) shift.isNeeded = this.#finder.isZoneless;
      if (mustTeachZone && this.#finder.isZoneless) shift.learn(time, records);
      if (this.#finder.isZoneless) time += shift.shift;
    }
    this.#finder.reference.before = time;
    this.#setTime(time);
    return isFound || isRepetition;
  }

  /**
   * Begins the lines of a batch: learns the zone of their times from the last one with a time.
   * Returns whether the first line has to teach it.
   */
  #beginLines({ bytes, from, to, length, stream, written, isLive }: Records): boolean {
    const shift = this.#zoneShift = this.#zoneShifts.of(stream ?? this);
    if (Number.isNaN(written) || !shift.isNeeded) return false;
    for (let last = length - 1; last > 0; last--) {
      if (length - last > TRIES) return false;
      const line = { bytes, from: from[last]!, to: to[last]! };
      if (this.#learnFrom(line, shift, { written, isLive })) return false;
    }
    return true;
  }

  /** Reads the line before again if line `i` reports its repetition; returns whether it does. */
  #readAgain(records: Records, i: number): boolean {
    const before = this.#lines.before(records, i);
    const line = { bytes: records.bytes, from: records.from[i]!, to: records.to[i]! };
    const count = before === null ? 0 : timesRepeated(line, before);
    if (count === 0) return false;
    const { time } = this.#finder.event;
    const isZoneless = this.#finder.isZoneless;
    this.#setPlace(records.stream ?? this, before!, true);
    this.#readStateless(before!, this.#repeatedLine);
    this.#finder.event.count = count;
    if (!Number.isNaN(time)) {
      this.#finder.event.time = time;
      this.#finder.isZoneless = isZoneless;
    }
    return true;
  }

  #readStateless({ bytes, from, to }: Line, options: ReadOptions): void {
    this.#finder.event.pid = NO_PID;
    this.#finder.read(this.#finder.candidates.all, bytes, from, to, options);
  }

  #setPlace(stream: object, { bytes, from, to }: Line, isAgain = false): void {
    const place = this.#place;
    place.stream = stream;
    place.bytes = bytes;
    place.from = from;
    place.to = to;
    place.isAgain = isAgain;
  }

  #placementOf(origin: Origin, index: number): Placement {
    const known = this.#placements[index];
    if (known?.origin === origin) return known;
    const { identifier, sender } = origin;
    const ofUnit = () =>
      this.#finder.candidates.ofAnyProgram.filter(({ units }) => isOfUnit(sender.unit, units));
    const modules = this.#finder.candidates.named(identifier) ?? ofUnit();
    const candidates = sentBy(modules, sender);
    if (candidates.length > 0) this.#suppressions.addUnit(sender.unit);
    const stream = origin.isWhole
      ? null
      : this.#writerOf(`${identifier}\n${sender.unit}\n${origin.container ?? ""}`);
    return this.#placements[index] = { origin, candidates, isJournalds: isJournalds(origin), stream };
  }

  #writerOf(name: string): object {
    const writer = this.#writers.get(name) ?? {};
    this.#writers.delete(name);
    this.#writers.set(name, writer);
    if (this.#writers.size > MAX_WRITERS) this.#writers.delete(this.#writers.keys().next().value!);
    return writer;
  }
}
