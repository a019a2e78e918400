/** Reads lines of files: learns the zone of their times, and reads a line again that is repeated. */
import { decode } from "../core/bytes.ts";
import { LINE, NO_PID, type Records } from "../core/records.ts";
import { resolveStamp } from "../core/stamp.ts";
import type { Micros } from "../core/time.ts";
import type { ReadableModule } from "./candidates.ts";
import type { LogEvent, RecordReader } from "./event.ts";
import type { ModuleHealth } from "./health.ts";
import { timeOfLine } from "./line_time.ts";
import { Reader, type ReadOptions } from "./reader.ts";
import { LastLines, type Line, mayRepeat, timesRepeated } from "./repetition.ts";
import type { Suppression } from "./suppressions.ts";
import { type Writing, type ZoneShift, ZoneShifts } from "./zone_shift.ts";

/** Lines among which one should have a time. */
const TRIES = 10;
/** How a line is read for its time alone. */
const TIMED_LINE: ReadOptions = { isLine: true, isStateless: true, place: null };

/** Reads lines of files, and entries. */
export class LineReader implements RecordReader {
  readonly #reader: Reader;
  readonly #lines = new LastLines();
  readonly #zoneShifts: ZoneShifts;
  /** Shift of the current file. */
  #zoneShift: ZoneShift;
  /** How lines are read, and those that another line repeats. */
  readonly #line: ReadOptions;
  readonly #repeatedLine: ReadOptions;

  /**
   * @param modules of the source, at least one, in the order in which they are asked
   * @param otherZone is called once for each shift that is found, see `ZoneShift`
   */
  constructor(
    modules: readonly ReadableModule[],
    health: ModuleHealth,
    otherZone: (shift: Micros) => void = () => {},
  ) {
    this.#reader = new Reader(modules, health);
    const { place } = this.#reader;
    this.#line = { isLine: true, isStateless: false, place };
    this.#repeatedLine = { isLine: true, isStateless: true, place };
    this.#zoneShifts = new ZoneShifts(otherZone);
    this.#zoneShift = this.#zoneShifts.of(this);
  }

  get event(): LogEvent {
    return this.#reader.event;
  }

  read(records: Records, i: number, now: Micros): boolean {
    if (records.origin[i] !== LINE) return this.#reader.read(records, i, now);
    this.#reader.reference.now = now;
    return this.#readLine(records, i);
  }

  takeSuppressions(): Suppression[] {
    return this.#reader.takeSuppressions();
  }

  /** Returns when `line` of the file `stream` was written, by its own time; NaN if it has none. */
  timeOf(line: Line, { stream, now }: { stream?: object | null; now: Micros }): Micros {
    this.#reader.reference.now = now;
    const time = this.#peekTime(line);
    return this.#reader.isZoneless ? time + this.#zoneShifts.of(stream ?? this).shift : time;
  }

  /**
   * Learns the zone of a file's times from one of its last lines, before the first ones are read.
   * Returns false if the line has no time: then try one before it.
   */
  learnZone(
    line: Line,
    { stream, now, ...writing }: { stream?: object | null; now: Micros } & Writing,
  ): boolean {
    this.#reader.reference.now = now;
    return this.#learnFrom(line, this.#zoneShifts.of(stream ?? this), writing);
  }

  #learnFrom(line: Line, shift: ZoneShift, writing: Writing): boolean {
    const time = this.#peekTime(line);
    if (Number.isNaN(time)) return false;
    if (this.#reader.isZoneless) shift.learn(time, writing);
    return true;
  }

  /**
   * Returns a line's own time without the shift; NaN if it has none. Nothing remembers the line.
   */
  #peekTime(line: Line): Micros {
    const reader = this.#reader;
    const { event, reference } = reader;
    const { before } = reference;
    reference.before = NaN;
    this.#readStateless(line, TIMED_LINE);
    let { time } = event;
    // If a module understands a line, only the module tells its time.
    if (Number.isNaN(time) && !event.isUnderstood) {
      const stamp = timeOfLine(decode(line.bytes, line.from, line.to));
      reader.isZoneless = stamp !== null && stamp.offset === null;
      if (stamp !== null) time = resolveStamp(stamp, reference);
    }
    reference.before = before;
    return time;
  }

  /** Reads a line, or again the line before if this one only reports its repetition. */
  #readLine(records: Records, i: number): boolean {
    const { bytes, length } = records;
    const from = records.from[i]!;
    const to = records.to[i]!;
    const reader = this.#reader;
    const { event } = reader;
    const mustTeachZone = i === 0 && this.#beginLines(records);
    event.pid = NO_PID;
    reader.place.set(records.stream ?? this, { bytes, from, to });
    const isFound = reader.readText(reader.candidates.all, bytes, from, to, this.#line);
    const isRepetition = !event.isUnderstood && mayRepeat(bytes, from, to) && this.#readAgain(records, i);
    this.#lines.passed(records, i, isRepetition);
    const shift = this.#zoneShift;
    let { time } = event;
    if (Number.isNaN(time)) time = records.times[i]!;
    else {
      if (i === length - 1) shift.isNeeded = reader.isZoneless;
      if (mustTeachZone && reader.isZoneless) shift.learn(time, records);
      if (reader.isZoneless) time += shift.shift;
    }
    reader.reference.before = time;
    reader.setTime(time);
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
    const reader = this.#reader;
    const { event, isZoneless } = reader;
    const { time } = event;
    reader.place.set(records.stream ?? this, before!, true);
    this.#readStateless(before!, this.#repeatedLine);
    event.count = count;
    if (!Number.isNaN(time)) {
      event.time = time;
      reader.isZoneless = isZoneless;
    }
    return true;
  }

  #readStateless({ bytes, from, to }: Line, options: ReadOptions): void {
    const reader = this.#reader;
    reader.event.pid = NO_PID;
    reader.readText(reader.candidates.all, bytes, from, to, options);
  }
}
