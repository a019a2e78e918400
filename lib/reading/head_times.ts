import { type Bytes, endOfDigits, Literal, numberOf } from "../core/bytes.ts";
import { NO_PID } from "../core/records.ts";
import type { Reference } from "../core/timestamp.ts";
import type { Micros } from "../core/time.ts";
import { readTime, type TimePart } from "./head_text.ts";
import { DayResolver, timeOfStamp } from "./timestamp.ts";

/** Minutes that are remembered, as the lines of a log may carry two times, and gaps of each. */
const [MINUTES, GAPS] = [3, 4];
/** Most digits of a fraction that are read where they lie. */
const MAX_DIGITS = 9;
/** Bytes that hold any time and its gap. */
const LONGEST = 160;
const [BLANK, PLUS, COMMA, MINUS, POINT, SLASH, ZERO, COLON, LESS, AT, OPENING, DELETE] = [
  32,
  43,
  44,
  45,
  46,
  47,
  48,
  58,
  60,
  64,
  91,
  127,
];
const STREAM = new Literal("std");
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What stands between a second and the text behind the time: zone and gap. */
interface Gap {
  readonly literal: Literal;
  /** Minutes that its zone is ahead of UTC; null: local time. */
  readonly offset: number | null;
}

/** A minute of a log, `Mar  9 04:05:`, with what stands before it. */
interface Minute {
  readonly literal: Literal;
  readonly part: TimePart;
  readonly gaps: Gap[];
  readonly times: DayResolver;
}

/**
 * Reads the time that a line begins with, and what collectors of logs put around it. Lines of a log
 * share their minutes, so a time is first compared with those of earlier lines.
 */
export class HeadTimes {
  /** When the line was written; NaN where the time does not tell an instant. */
  time: Micros = NaN;
  /** Whether the time does not say how far its clock is ahead of UTC. */
  isZoneless = false;
  /** Of the process, where it stands before the time. */
  pid = NO_PID;
  isIso = false;
  /** False: a priority stands alone, and no time behind it. */
  isTime = true;
  /** Where the text behind the time begins. */
  end = 0;
  /** How many times had to be decoded. */
  misses = 0;
  readonly #reference: Reference;
  /** The one used last comes first. */
  readonly #minutes: Minute[] = [];

  constructor(reference: Reference) {
    this.#reference = reference;
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
      this.#put(minute, 10 * tens + ones, fraction, gap.offset);
      this.end = at + gap.literal.length;
      if (i > 0) {
        minutes[i] = minutes[0]!;
        minutes[0] = minute;
      }
      return true;
    }
    return false;
  }

  #put({ part, times }: Minute, second: number, fraction: Micros, offset: number | null): void {
    times.resolve(second, fraction, offset);
    this.time = times.time;
    this.isZoneless = offset === null;
    this.pid = part.pid ?? NO_PID;
    this.isIso = part.isIso;
    this.isTime = true;
  }

  #readNew({ array }: Bytes, from: number, to: number): boolean {
    const text = decoder.decode(array.subarray(from, Math.min(to, from + LONGEST)));
    const part = readTime(text);
    if (part === null) return false;
    this.misses++;
    this.end = from + part.length;
    const { stamp, second } = part;
    if (stamp !== null && second !== null) {
      this.#put(this.#learn(text, part), stamp.second, stamp.fraction, stamp.offset);
    } else {
      this.time = stamp === null ? NaN : timeOfStamp(stamp, this.#reference);
      this.isZoneless = stamp?.offset === null;
      this.pid = NO_PID;
      this.isIso = false;
      this.isTime = part.isTime;
    }
    return true;
  }

  /** Remembers a time, so that others of its minute can be compared. */
  #learn(text: string, part: TimePart): Minute {
    const { stamp, second, length } = part;
    const { offset } = stamp!;
    const minute = this.#minuteOf(new Literal(text.slice(0, second!.from)), part);
    const literal = new Literal(text.slice(second!.end, length));
    if (!minute.gaps.some((gap) => isSame(gap.literal, literal))) {
      minute.gaps.unshift({ literal, offset });
      if (minute.gaps.length > GAPS) minute.gaps.pop();
    }
    return minute;
  }

  #minuteOf(literal: Literal, part: TimePart): Minute {
    const { year, name } = part.stamp!;
    const minutes = this.#minutes;
    const known = minutes.find((minute) =>
      isSame(minute.literal, literal) && minute.part.stamp!.year === year && minute.part.stamp!.name === name
    );
    if (known) return known;
    const times = minutes.length < MINUTES ? new DayResolver(this.#reference) : minutes.pop()!.times;
    times.begin(part.stamp!);
    const minute = { literal, part, gaps: [], times };
    minutes.unshift(minute);
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
  if (isCapital(first)) return array[from + 3] === BLANK || array[from + 3] === COMMA;
  const end = endOfDigits(array, from);
  const behind = array[end]!;
  switch (end - from) {
    case 0:
      return false;
    case 4:
      return behind === MINUS || behind === SLASH || behind === BLANK;
    default:
      return behind === BLANK || (behind === POINT && end - from >= 9);
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
  if (first >= ZERO && first <= ZERO + 9) return endOfDigits(array, at) === at + 4;
  return STREAM.isAt(bytes, at);
}

function isCapital(byte: number): boolean {
  return byte >= 65 && byte <= 90;
}

function isWord(byte: number): boolean {
  return isCapital(byte) || (byte >= 97 && byte <= 122) || (byte >= ZERO && byte <= ZERO + 9) || byte === 95;
}
