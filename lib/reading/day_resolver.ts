import { type Bytes, Literal } from "../core/bytes.ts";
import { type Reference, resolveStamp, type Stamp } from "../core/stamp.ts";
import { readClfTime } from "../core/timestamp.ts";
import { LOCAL, type Zone } from "../core/zone.ts";
import { DAY, type Micros, MINUTE, SECOND } from "../core/time.ts";

const YEAR = 365 * DAY;
const ZERO = 48;

/** The instant that `stamp` means, as `resolveStamp()` says; NaN for a date that does not exist. */
export function timeOfStamp(stamp: Stamp, reference: Reference): Micros {
  return resolveStamp(stamp, reference) ?? NaN;
}

/** What a time tells of its zone. */
export type Told = Pick<Stamp, "offset" | "name">;

/**
 * Resolves the stamps of one day of a log as `resolveStamp()` does, which takes 3 us. Lines of a
 * log share their day, so all but the first cost one addition, unless clocks were set that day or
 * near it.
 */
export class DayResolver {
  /** The instant found last; NaN where there is none. */
  time: Micros = NaN;
  readonly #reference: Reference;
  #minute: Stamp | null = null;
  /** Time from the beginning of the day to the minute. */
  #sinceMidnight: Micros = 0;
  #isKnown = false;
  /**
   * The zone that `#midnight` is right for, and when it was found: NaN where that does not matter.
   */
  #offset: number | null = null;
  #name: string | undefined = undefined;
  #zone: Zone | undefined = undefined;
  #knownAt: Micros = NaN;
  #midnight: Micros = 0;

  /**
   * @param reference instants around the line that is read, which the caller keeps up to date
   */
  constructor(reference: Reference) {
    this.#reference = reference;
  }

  /** Goes to the minute of `stamp`, whose second, fraction and zone do not matter. */
  begin(stamp: Stamp): void {
    this.#isKnown &&= isSameDay(stamp, this.#minute!) && stamp.hour <= 23 && stamp.minute <= 59;
    this.#minute = stamp;
    this.#sinceMidnight = (60 * stamp.hour + stamp.minute) * MINUTE;
  }

  /**
   * Finds the instant of a second of the minute, and a part of one, in the zone that a `Stamp` tells.
   */
  resolve(second: number, fraction: Micros, { offset, name }: Told): void {
    const isKnown = this.#isKnown && this.#offset === offset && this.#name === name && second <= 60 &&
      (offset !== null || this.#zone === this.#reference.zone) &&
      (this.#knownAt === this.#reference.now || Number.isNaN(this.#knownAt));
    if (isKnown) this.time = this.#midnight + this.#sinceMidnight + second * SECOND + fraction;
    else this.#find({ ...this.#minute!, second, fraction, offset, name });
  }

  #find(stamp: Stamp): void {
    const { now, zone = LOCAL } = this.#reference;
    const { year, second, fraction, offset } = stamp;
    const time = this.time = timeOfStamp(stamp, this.#reference);
    this.#midnight = time - this.#sinceMidnight - second * SECOND - fraction;
    this.#isKnown = !Number.isNaN(time) && isPlainDay(stamp, { midnight: this.#midnight, now, zone });
    this.#offset = offset;
    this.#name = stamp.name;
    this.#zone = this.#reference.zone;
    this.#knownAt = offset !== null && year !== null ? NaN : now;
  }
}

function isSameDay(a: Stamp, b: Stamp): boolean {
  return a.day === b.day && a.month === b.month && a.year === b.year;
}

/**
 * Whether all instants of the day follow from `midnight` by addition: no clock was set near it, and
 * the year is sure.
 */
function isPlainDay(
  { year, offset }: Stamp,
  { midnight, now, zone }: { midnight: Micros; now: Micros; zone: Zone },
): boolean {
  const isSteady = offset !== null || zone.ahead(midnight - DAY) === zone.ahead(midnight + 2 * DAY);
  const isOfYear = year !== null ||
    (midnight + DAY + MINUTE <= now + DAY && midnight - MINUTE + YEAR > now + DAY);
  return isSteady && isOfYear;
}

/** Bytes of a time of the Common Log Format: `06/May/2026:10:56:10 +0200`. */
export const CLF_LENGTH = 26;
/** Where its second and its zone stand. */
const [CLF_SECOND, CLF_ZONE] = [18, 20];

/**
 * Reads times of the Common Log Format where they lie. Times of the minute and the zone read last
 * cost one addition.
 */
export class ClfReader {
  /** The instant read last; NaN for a date that does not exist. */
  time: Micros = NaN;
  /** The stamp of such a date; null where there is an instant. */
  stamp: Stamp | null = null;
  #minute: Literal | null = null;
  #zone: Literal | null = null;
  #base: Micros = 0;

  /**
   * Reads the time that begins at `at`; the caller checks that the message goes on for `CLF_LENGTH`
   * bytes. Returns whether there is a time.
   */
  read(bytes: Bytes, at: number): boolean {
    const { array } = bytes;
    const tens = array[at + CLF_SECOND]! - ZERO;
    const ones = array[at + CLF_SECOND + 1]! - ZERO;
    const isKnown = this.#minute !== null && this.#minute.isAt(bytes, at) &&
      this.#zone!.isAt(bytes, at + CLF_ZONE) && tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9;
    if (!isKnown) return this.#readAnew(array, at);
    this.time = this.#base + (10 * tens + ones) * SECOND;
    this.stamp = null;
    return true;
  }

  #readAnew(array: Uint8Array, at: number): boolean {
    const stamp = readClfTime(String.fromCharCode(...array.subarray(at, at + CLF_LENGTH)))?.stamp;
    if (stamp === undefined) return false;
    // Year and zone are given: nothing else is needed.
    const time = resolveStamp(stamp, { now: 0, before: NaN });
    this.time = time ?? NaN;
    this.stamp = time === null ? stamp : null;
    if (time === null) return true;
    this.#minute = new Literal(array.slice(at, at + CLF_SECOND));
    this.#zone = new Literal(array.slice(at + CLF_ZONE, at + CLF_LENGTH));
    this.#base = time - stamp.second * SECOND;
    return true;
  }
}
