import { type Reference, resolveStamp, type Stamp, zoneOfStamp } from "../core/stamp.ts";
import type { Zone } from "../core/zone.ts";
import { DAY, HOUR, type Micros, MINUTE, SECOND } from "../core/time.ts";

const YEAR = 365 * DAY;

/** The zone that a stamp has: its distance from UTC, or its name. */
export type StampZone = Pick<Stamp, "offset" | "name">;

/**
 * Resolves the stamps of one day of a log. `resolveStamp()` takes 3 µs; lines of a log share their
 * day, so all but the first cost one addition, unless clocks were changed on that day or near it.
 */
export class DayResolver {
  /** The last instant found; NaN: the date does not exist. */
  time: Micros = NaN;
  readonly #reference: Reference;
  #hour: Stamp | null = null;
  /** Time from midnight to the hour. */
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

  /** Begins the hour of `stamp`; what is smaller, and the zone, are ignored. */
  begin(stamp: Stamp): void {
    this.#isKnown &&= isSameDay(stamp, this.#hour!) && stamp.hour <= 23;
    this.#hour = stamp;
    this.#sinceMidnight = stamp.hour * HOUR;
  }

  /**
   * Finds the instant of a minute and a second, with its fraction, within the hour, in the zone of
   * a `Stamp`.
   */
  resolve(minute: number, second: number, fraction: Micros, { offset, name }: StampZone): void {
    const isKnown = this.#isKnown && this.#offset === offset && this.#name === name &&
      minute <= 59 && second <= 60 &&
      (offset !== null || this.#zone === this.#reference.zone) &&
      (this.#knownAt === this.#reference.now || Number.isNaN(this.#knownAt));
    if (!isKnown) return this.#find({ ...this.#hour!, minute, second, fraction, offset, name });
    this.time = this.#midnight + this.#sinceMidnight + minute * MINUTE + second * SECOND + fraction;
  }

  #find(stamp: Stamp): void {
    const { now } = this.#reference;
    const zone = zoneOfStamp(stamp, this.#reference);
    const { year, minute, second, fraction, offset } = stamp;
    const time = this.time = resolveStamp(stamp, this.#reference);
    this.#midnight = time - this.#sinceMidnight - minute * MINUTE - second * SECOND - fraction;
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
