import { COLON } from "../../lib/core/ascii.ts";
import { type Bytes, Literal, twoDigits } from "../../lib/core/bytes.ts";
import { resolveStamp, type Stamp } from "../../lib/core/stamp.ts";
import { type Micros, SECOND } from "../../lib/core/time.ts";
import { readClfTime } from "../../lib/core/timestamp.ts";

/** Bytes of a time of the Common Log Format: `06/May/2026:10:56:10 +0200`. */
export const CLF_LENGTH = 26;
/** Offsets of its hour, minute, second and zone. */
const [HOUR_AT, MINUTE_AT, SECOND_AT, ZONE_AT] = [12, 15, 18, 20];

/**
 * Reads times of the Common Log Format from bytes. A time with the day and zone of the last one
 * costs a sum.
 */
export class ClfReader {
  /** The last instant read; NaN for a date that does not exist. */
  time: Micros = NaN;
  /** The stamp of a date that does not exist; otherwise null. */
  stamp: Stamp | null = null;
  /** The day of the last time, `06/May/2026:`. */
  #day: Literal | null = null;
  #zone: Literal | null = null;
  #midnight: Micros = 0;

  /**
   * Reads the time at `at`. Returns whether there is a time. The caller checks that the message has
   * `CLF_LENGTH` bytes there.
   */
  read(bytes: Bytes, at: number): boolean {
    const { array } = bytes;
    const hour = twoDigits(array, at + HOUR_AT, 24);
    const minute = twoDigits(array, at + MINUTE_AT, 60);
    const second = twoDigits(array, at + SECOND_AT, 60);
    const isKnown = this.#day !== null && this.#day.isAt(bytes, at) &&
      this.#zone!.isAt(bytes, at + ZONE_AT) && hour >= 0 && minute >= 0 && second >= 0 &&
      array[at + MINUTE_AT - 1] === COLON && array[at + SECOND_AT - 1] === COLON;
    if (!isKnown) return this.#readAnew(array, at);
    this.time = this.#midnight + secondsOf({ hour, minute, second }) * SECOND;
    this.stamp = null;
    return true;
  }

  #readAnew(array: Uint8Array, at: number): boolean {
    const stamp = readClfTime(String.fromCharCode(...array.subarray(at, at + CLF_LENGTH)))?.stamp;
    if (stamp === undefined) return false;
    // The stamp has year and zone: the reference does not matter.
    this.time = resolveStamp(stamp, { now: 0, before: NaN });
    this.stamp = Number.isNaN(this.time) ? stamp : null;
    if (this.stamp !== null) return true;
    this.#day = new Literal(array.slice(at, at + HOUR_AT));
    this.#zone = new Literal(array.slice(at + ZONE_AT, at + CLF_LENGTH));
    this.#midnight = this.time - secondsOf(stamp) * SECOND;
    return true;
  }
}

/** Returns the seconds from midnight to a time of day. */
function secondsOf({ hour, minute, second }: Pick<Stamp, "hour" | "minute" | "second">): number {
  return 60 * (60 * hour + minute) + second;
}
