import { type Bytes, endOfDigits, Literal, numberOf } from "../core/bytes.ts";
import { NO_PID } from "../core/records.ts";
import type { Reference, Stamp } from "../core/timestamp.ts";
import type { Micros } from "../core/time.ts";
import { readTime, type TimePart } from "./head_text.ts";
import { DayResolver, type Told } from "./timestamp.ts";

/** Minutes that are remembered, as the lines of a log may carry two times, and gaps of each. */
const [MINUTES, GAPS] = [3, 4];
/** Most digits of a fraction that are read where they lie. */
const MAX_DIGITS = 9;
/** Bytes that hold any time and its gap. */
const LONGEST = 160;
const [
  BLANK,
  DOUBLE,
  SINGLE,
  ROUND,
  PLUS,
  COMMA,
  MINUS,
  POINT,
  SLASH,
  ZERO,
  COLON,
  LESS,
  EQUALS,
  AT,
  OPENING,
  T,
  DELETE,
] = [
  32,
  34,
  39,
  40,
  43,
  44,
  45,
  46,
  47,
  48,
  58,
  60,
  61,
  64,
  91,
  116,
  127,
];
const UTC: Told = { offset: 0 };
const STREAM = new Literal("std");
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What stands between a second and the text behind the time: zone and gap. */
interface Gap extends Told {
  readonly literal: Literal;
}

/** A minute of a log, `Mar  9 04:05:`, with what stands before it. */
interface Minute {
  readonly literal: Literal;
  readonly part: TimePart;
  readonly gaps: Gap[];
  readonly times: DayResolver;
  /** False: its date or time of day does not exist. */
  readonly exists: boolean;
}

/** Most seconds of a minute, with a leap second. */
const MAX_SECOND = 60;

/**
 * Reads the times that a line begins with, and what collectors of logs put around them. Lines of a log
 * share their minutes, so a time is first compared with those of earlier lines.
 */
export class HeadTimes {
  /** Of the process, where it stands before the time. */
  pid = NO_PID;
  isIso = false;
  /** False: a priority stands alone, and no time behind it. */
  isTime = true;
  /** Where the text behind the time begins. */
  end = 0;
  /** How many times had to be decoded. */
  misses = 0;
  /** The first time of the line that tells an instant; no resolver: none does yet. */
  #told: DayResolver | null = null;
  #second = 0;
  #fraction: Micros = 0;
  #zone: Told = UTC;
  readonly #reference: Reference;
  /** Of times that cannot be compared. */
  readonly #others: DayResolver;
  /** The one used last comes first. */
  readonly #minutes: Minute[] = [];

  constructor(reference: Reference) {
    this.#reference = reference;
    this.#others = new DayResolver(reference);
  }

  /**
   * When the line was written, by the first of its times that tells an instant, and by the reference as
   * it is now: a program's zone may be chosen once the program is known. NaN where none tells.
   */
  get time(): Micros {
    this.#told?.resolve(this.#second, this.#fraction, this.#zone);
    return this.#told?.time ?? NaN;
  }

  /** Whether that time does not tell in figures how far its clock is ahead of UTC. */
  get isZoneless(): boolean {
    return this.#told !== null && this.#zone.offset === null;
  }

  /** Begins with another line. */
  begin(): void {
    this.#told = null;
  }

  /** Reads the time that `bytes[from, to)` begins with. Returns false where there is none. */
  read(bytes: Bytes, from: number, to: number): boolean {
    if (!mayBeTime(bytes.array, from, to)) return false;
    return this.#readKnown(bytes, from, to) || this.#readNew(bytes, from, to);
  }

  #readKnown(bytes: Bytes, from: number, to: number): boolean {
    const { array } = bytes;
    const minutes = this.#minutes;
    for (let i = 0; i < minutes.length; i++) {
      const minute = minutes[i]!;
      let at = from + minute.literal.length;
      if (at + 2 >= to || !minute.literal.isAt(bytes, from)) continue;
      const tens = array[at]! - ZERO;
      const ones = array[at + 1]! - ZERO;
      if (!(tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) return false;
      at += 2;
      let fraction = 0;
      if (array[at] === POINT || array[at] === COMMA) {
        const end = endOfDigits(array, at + 1);
        if (end === at + 1 || end - at - 1 > MAX_DIGITS) return false;
        fraction = microsOf(array, at + 1, end);
        at = end;
      }
      const gap = gapAt(minute, bytes, at, to);
      if (gap === null) continue;
      this.#put(minute, 10 * tens + ones, fraction, gap);
      this.end = at + gap.literal.length;
      if (i > 0) {
        minutes[i] = minutes[0]!;
        minutes[0] = minute;
      }
      return true;
    }
    return false;
  }

  #put({ part, times, exists }: Minute, second: number, fraction: Micros, zone: Told): void {
    if (exists && second <= MAX_SECOND) this.#tell(times, second, fraction, zone);
    this.pid = part.pid ?? NO_PID;
    this.isIso = part.isIso;
    this.isTime = true;
  }

  #tell(times: DayResolver, second: number, fraction: Micros, zone: Told): void {
    if (this.#told !== null) return;
    this.#told = times;
    this.#second = second;
    this.#fraction = fraction;
    this.#zone = zone;
  }

  #readNew({ array }: Bytes, from: number, to: number): boolean {
    const text = decoder.decode(array.subarray(from, Math.min(to, from + LONGEST)));
    const part = readTime(text);
    if (part === null) return false;
    this.misses++;
    this.end = from + part.length;
    const { stamp, second } = part;
    if (stamp !== null && second !== null) {
      this.#put(this.#learn(text, part), stamp.second, stamp.fraction, stamp);
    } else {
      if (stamp !== null) this.#putOther(stamp);
      this.pid = NO_PID;
      this.isIso = false;
      this.isTime = part.isTime;
    }
    return true;
  }

  #putOther(stamp: Stamp): void {
    if (this.#told !== null) return;
    this.#others.begin(stamp);
    this.#others.resolve(stamp.second, stamp.fraction, stamp);
    if (!Number.isNaN(this.#others.time)) this.#tell(this.#others, stamp.second, stamp.fraction, stamp);
  }

  /** Remembers a time, so that others of its minute can be compared. */
  #learn(text: string, part: TimePart): Minute {
    const { stamp, second, length } = part;
    const { year, offset, name } = stamp!;
    const minute = this.#minuteOf(new Literal(text.slice(0, second!.from)), part, year);
    const gap = text.slice(second!.end, length);
    const literal = new Literal(gap);
    if (!minute.gaps.some((gap) => isSame(gap.literal, literal))) {
      // A word behind the gap is no part of it.
      const isNamed = name !== undefined && gap.startsWith(` ${name}`);
      minute.gaps.unshift({ literal, offset, name: isNamed ? name : undefined });
      if (minute.gaps.length > GAPS) minute.gaps.pop();
    }
    return minute;
  }

  #minuteOf(literal: Literal, part: TimePart, year: number | null): Minute {
    const minutes = this.#minutes;
    const known = minutes.find((minute) =>
      isSame(minute.literal, literal) && minute.part.stamp!.year === year
    );
    if (known) return known;
    const times = new DayResolver(this.#reference);
    times.begin(part.stamp!);
    times.resolve(0, 0, part.stamp!);
    const minute = { literal, part, gaps: [], times, exists: !Number.isNaN(times.time) };
    minutes.unshift(minute);
    if (minutes.length > MINUTES) minutes.pop();
    return minute;
  }
}

function gapAt({ gaps }: Minute, bytes: Bytes, at: number, to: number): Gap | null {
  for (let i = 0; i < gaps.length; i++) {
    const gap = gaps[i]!;
    const end = at + gap.literal.length;
    if (end < to && gap.literal.isAt(bytes, at) && !mayGoOn(bytes, end)) return gap;
  }
  return null;
}

function isSame(a: Literal, b: Literal): boolean {
  return a.length === b.length && a.bytes.every((byte, i) => byte === b.bytes[i]);
}

/** The microseconds that the digits behind the point of a second mean. */
function microsOf(array: Uint8Array, from: number, to: number): Micros {
  const digits = Math.min(to - from, 6);
  return numberOf(array, from, from + digits) * 10 ** (6 - digits);
}

/**
 * Reports whether `array[from, to)` may begin with a time: a line that does not costs no expression.
 */
export function mayBeTime(array: Uint8Array, from: number, to: number): boolean {
  if (from >= to) return false;
  const first = array[from]!;
  if (first === LESS || first === AT || first === OPENING) return true;
  if (first === DOUBLE || first === SINGLE || first === ROUND) {
    return isDigit(array[from + 1]!) || isCapital(array[from + 1]!);
  }
  // The name of a time may stand before it: `t`, `ts`, `time` or `timestamp`.
  if (first === T) {
    return array[from + 1] === EQUALS || array[from + 2] === EQUALS || array[from + 4] === EQUALS ||
      array[from + 9] === EQUALS;
  }
  if (isCapital(first)) return array[from + 3] === BLANK || array[from + 3] === COMMA;
  const end = endOfDigits(array, from);
  const behind = array[end]!;
  switch (end - from) {
    case 0:
      return false;
    case 1:
    case 2:
      return behind === BLANK || behind === MINUS || behind === SLASH;
    case 4:
      return behind === MINUS || behind === SLASH || behind === BLANK;
    default:
      return behind === BLANK ||
        (end - from >= 9 && (behind === POINT || behind === COMMA || behind === COLON));
  }
}

/** Whether the text at `at`, behind a gap, may still be a part of it: another zone, a year, a stream. */
function mayGoOn(bytes: Bytes, at: number): boolean {
  const { array } = bytes;
  const first = array[at]!;
  if (first <= BLANK || first >= DELETE || first === OPENING) return true;
  if (first === PLUS || first === MINUS || first === COLON) return true;
  if (isCapital(first)) {
    let end = at + 1;
    while (isCapital(array[end]!)) end++;
    return end - at <= 5 && !isWord(array[end]!);
  }
  if (isDigit(first)) return endOfDigits(array, at) === at + 4;
  return STREAM.isAt(bytes, at);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

function isCapital(byte: number): boolean {
  return byte >= 65 && byte <= 90;
}

function isWord(byte: number): boolean {
  return isCapital(byte) || (byte >= 97 && byte <= 122) || isDigit(byte) || byte === 95;
}
