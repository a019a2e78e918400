import { type Bytes, Literal } from "../core/bytes.ts";
import { type Reference, resolveStamp, type Stamp } from "../core/stamp.ts";
import { readClfTime } from "../core/timestamp.ts";
import { LOCAL, type Zone } from "../core/zone.ts";
import { DAY, type Micros, MINUTE, SECOND } from "../core/time.ts";

const YEAR = 365 * DAY;
const ZERO = 48;

/** Returns the instant of `stamp`, like `resolveStamp()`; NaN for a date that does not exist. */
export function timeOfStamp(stamp: Stamp, reference: Reference): Micros {
  return resolveStamp(stamp, reference) ?? NaN;
}

/** The zone that a time tells. */
export type Told = Pick<Stamp, "offset" | "name">;

/**
 * Resolves the stamps of one day of a log. `resolveStamp()` takes 3 µs; lines of a log share their
 * day, so all but the first cost one addition, unless clocks were changed on that day or near it.
 */
export class DayResolver {
  /** The last instant found; NaN: the date does not exist. */
  time: Micros = NaN;
  readonly #reference: Reference;
  #minute: Stamp | null = null;
  /** Time from midnight to the minute. */
  #sinceMidnight: Micros = 0;
  #isKnown = false;
  /**
   * Zone for which `#midnight` is right, and the clock when it was found; NaN if that does not
   * matter.
   */
  #offset: number | null = null;
  #name: string | undefined = undefined;
  #zone: Zone | undefined = undefined;
  #knownAt: Micros = NaN;
  #midnight: Micros = 0;

  /** @param reference instants around the current line; the caller keeps them up to date */
  constructor(reference: Reference) {
    this.#reference = reference;
  }

  /** Begins the minute of `stamp`; its second, fraction and zone are ignored. */
  begin(stamp: Stamp): void {
    this.#isKnown &&= isSameDay(stamp, this.#minute!) && stamp.hour <= 23 && stamp.minute <= 59;
    this.#minute = stamp;
    this.#sinceMidnight = (60 * stamp.hour + stamp.minute) * MINUTE;
  }

  /** Finds the instant of a second and its fraction within the minute, in the zone of a `Stamp`. */
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
 * Reports whether addition to `midnight` gives all instants of the day: no clock was changed near
 * it, and the year is certain.
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
/** Offsets of its second and its zone. */
const [CLF_SECOND, CLF_ZONE] = [18, 20];

/**
 * Reads times of the Common Log Format from bytes. A time with the minute and zone of the last one
 * costs one addition.
 */
export class ClfReader {
  /** The last instant read; NaN for a date that does not exist. */
  time: Micros = NaN;
  /** The stamp of a date that does not exist; otherwise null. */
  stamp: Stamp | null = null;
  #minute: Literal | null = null;
  #zone: Literal | null = null;
  #base: Micros = 0;

  /**
   * Reads the time at `at`. Returns whether there is a time. The caller checks that the message has
   * `CLF_LENGTH` bytes there.
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
    // The stamp has year and zone: the reference does not matter.
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
