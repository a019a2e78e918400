import { AT, COLON, COMMA, LEFT_BRACKET, LESS, POINT } from "../core/ascii.ts";
import { type Bytes, decode, endOfDigits, isDigit, numberOf, twoDigits } from "../core/bytes.ts";
import { NO_PID } from "../core/records.ts";
import type { Reference, Stamp } from "../core/stamp.ts";
import type { Micros } from "../core/time.ts";
import { readHeadTime, readWholeTime, type TimePart } from "./head_text.ts";
import { gapAt, type Hour, Hours, wordsIn } from "./hours.ts";
import { DayResolver, type StampZone } from "./day_resolver.ts";

/** Most digits of a fraction that are read from bytes. */
const MAX_DIGITS = 9;
/** Bytes that hold any time and its gap. */
const LONGEST = 160;
/** So many digits in a row may be a date, or seconds since the epoch. */
const DATE_DIGITS = 8;
const UTC: StampZone = { offset: 0 };

/** Bytes of minute and second, `04:05`. */
const CLOCK_LENGTH = 5;
/** Ends of minutes, and of seconds with a leap second. */
const [MINUTES, SECONDS] = [60, 61];

/**
 * Reads the times at the start of a line, with what collectors write around them. Lines of a log
 * share their hours, so a time is first compared with those of earlier lines.
 */
export class HeadTimes {
  /** Process before the time, if there is one. */
  pid = NO_PID;
  isIso = false;
  /** False: a priority without a time behind it. */
  isTime = true;
  /** Whether the last time is the line's first one that is an instant. */
  isFirst = false;
  /** Where the text behind the time begins. */
  end = 0;
  /** Where words begin that were taken for the zone or the half of a day; -1: there are none. */
  words = -1;
  /** The line's time without the word behind it, which names its zone; null if none does. */
  nameless: Stamp | null = null;
  /** Resolver of the line's first time that is an instant; null: none yet. */
  #first: DayResolver | null = null;
  #minute = 0;
  #second = 0;
  #fraction: Micros = 0;
  #zone: StampZone = UTC;
  /** Resolver of times that cannot be compared. */
  readonly #others: DayResolver;
  readonly #hours: Hours;
  /** Hours of times that are wholes: no gap ends these. */
  readonly #wholes: Hours;

  /** @param mayBegin see `TagOptions` */
  constructor(reference: Reference, mayBegin: (text: string) => boolean) {
    this.#hours = new Hours(reference, mayBegin);
    this.#wholes = new Hours(reference, mayBegin);
    this.#others = new DayResolver(reference);
  }

  /**
   * When the line was written: its first time that is an instant, by the reference as it is now,
   * since a program's zone is only known with the program. NaN if there is none.
   */
  get time(): Micros {
    this.#first?.resolve(this.#minute, this.#second, this.#fraction, this.#zone);
    return this.#first?.time ?? NaN;
  }

  /** Whether that time does not tell in figures how far its clock is ahead of UTC. */
  get isZoneless(): boolean {
    return this.#first !== null && this.#zone.offset === null;
  }

  /** Begins another line. */
  begin(): void {
    this.#first = null;
    this.isFirst = false;
  }

  /** Reports whether `bytes[from, to)` begins like the last hour, and no message does. */
  areAt(bytes: Bytes, from: number, to: number): boolean {
    const hour = this.#hours.list[0];
    return hour !== undefined && !hour.mayBeMessage && hour.literal.isWithin(bytes, from, to);
  }

  /** Reads the time at the start of `bytes[from, to)` if it is of an earlier line's hour. */
  readKnown(bytes: Bytes, from: number, to: number, hours = this.#hours): boolean {
    const { array } = bytes;
    const { list } = hours;
    for (let i = 0; i < list.length; i++) {
      const hour = list[i]!;
      let at = from + hour.literal.length;
      if (at + CLOCK_LENGTH >= to || !hour.literal.isAt(bytes, from)) continue;
      const minute = twoDigits(array, at, MINUTES);
      const second = twoDigits(array, at + 3, SECONDS);
      if (minute < 0 || second < 0 || array[at + 2] !== COLON) return false;
      at += CLOCK_LENGTH;
      let fraction = 0;
      if (array[at] === POINT || array[at] === COMMA) {
        const end = endOfDigits(array, at + 1);
        if (end === at + 1 || end - at - 1 > MAX_DIGITS) return false;
        fraction = microsOf(array, at + 1, end);
        at = end;
      }
      const gap = gapAt(hour, bytes, at, to);
      if (gap === null) continue;
      this.#put(hour, minute, second, fraction, gap);
      this.end = at + gap.literal.length;
      this.words = gap.words < 0 ? -1 : at + gap.words;
      this.nameless = null;
      hours.use(i);
      return true;
    }
    return false;
  }

  #put(
    { part, times, exists }: Hour,
    minute: number,
    second: number,
    fraction: Micros,
    zone: StampZone,
  ): void {
    this.isFirst = false;
    if (exists && minute < MINUTES && second < SECONDS) this.#setFirst(times, minute, second, fraction, zone);
    this.pid = part.pid ?? NO_PID;
    this.isIso = part.isIso;
    this.isTime = true;
  }

  #setFirst(times: DayResolver, minute: number, second: number, fraction: Micros, zone: StampZone): void {
    this.isFirst = this.#first === null;
    if (!this.isFirst) return;
    this.#first = times;
    this.#minute = minute;
    this.#second = second;
    this.#fraction = fraction;
    this.#zone = zone;
  }

  /**
   * Reads the time at the start of `bytes[from, to)`, which `readKnown()` does not know. Returns
   * false if there is none.
   */
  readNew(bytes: Bytes, from: number, to: number): boolean {
    return mayBeTime(bytes.array, from, to) && this.#readBy(readHeadTime, this.#hours, bytes, from, to);
  }

  /** Reads the time that `bytes[from, to)` is as a whole, before another byte; false: it is none. */
  readWhole(bytes: Bytes, from: number, to: number): boolean {
    if (this.readKnown(bytes, from, to + 1, this.#wholes) && this.end === to) return true;
    this.begin();
    return this.#readBy(readWholeTime, this.#wholes, bytes, from, to);
  }

  #readBy(
    read: (text: string) => TimePart | null,
    hours: Hours,
    bytes: Bytes,
    from: number,
    to: number,
  ): boolean {
    const text = decode(bytes, from, Math.min(to, from + LONGEST));
    const part = read(text);
    if (part === null) return false;
    const { stamp, length } = part;
    const own = text.slice(0, length);
    this.end = from + bytesOf(own);
    const words = wordsIn(own);
    this.words = words < 0 ? -1 : from + words;
    if (stamp !== null && part.minute !== null) {
      this.#put(hours.learn(text, part), stamp.minute, stamp.second, stamp.fraction, stamp);
    } else {
      if (stamp !== null) this.take(stamp);
      this.pid = NO_PID;
      this.isIso = part.isIso;
      this.isTime = part.isTime;
    }
    const isBehind = this.isFirst && stamp?.name !== undefined && !own.includes(stamp.name);
    this.nameless = isBehind ? { ...stamp, name: undefined } : null;
    return true;
  }

  /** Takes a time that stands elsewhere than at the start of the line. */
  take(stamp: Stamp): void {
    this.isFirst = false;
    if (this.#first !== null) return;
    this.#others.begin(stamp);
    const { minute, second, fraction } = stamp;
    this.#others.resolve(minute, second, fraction, stamp);
    if (!Number.isNaN(this.#others.time)) this.#setFirst(this.#others, minute, second, fraction, stamp);
  }
}

const encoder = new TextEncoder();

/** Returns the bytes of a time: names of months in other languages are not ASCII. */
function bytesOf(time: string): number {
  return /^[\0-\x7f]*$/.test(time) ? time.length : encoder.encode(time).length;
}

/** Returns the microseconds of the digits behind the point of a second. */
function microsOf(array: Uint8Array, from: number, to: number): Micros {
  const digits = Math.min(to - from, 6);
  return numberOf(array, from, from + digits) * 10 ** (6 - digits);
}

/**
 * Reports whether `array[from, to)` may begin with a time; if not, no expression is needed. A time
 * begins with a digit or an opening bracket, or has digits around a colon, or of a date in a row.
 */
function mayBeTime(array: Uint8Array, from: number, to: number): boolean {
  if (from >= to) return false;
  const first = array[from]!;
  if (isDigit(first) || first === LESS || first === AT || first === LEFT_BRACKET) return true;
  const end = Math.min(to, from + LONGEST);
  let digits = 0;
  for (let at = from + 1; at < end; at++) {
    const byte = array[at]!;
    if (isDigit(byte)) digits++;
    else if (byte === COLON && digits > 0 && isDigit(array[at + 1]!)) return true;
    else digits = 0;
    if (digits === DATE_DIGITS) return true;
  }
  return false;
}
