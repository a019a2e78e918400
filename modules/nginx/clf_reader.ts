import { ZERO } from "../../lib/core/ascii.ts";
import { type Bytes, Literal } from "../../lib/core/bytes.ts";
import { resolveStamp, type Stamp } from "../../lib/core/stamp.ts";
import { type Micros, SECOND } from "../../lib/core/time.ts";
import { readClfTime } from "../../lib/core/timestamp.ts";

/** Bytes of a time of the Common Log Format: `06/May/2026:10:56:10 +0200`. */
export const CLF_LENGTH = 26;
/** Offsets of its second and its zone. */
const [SECOND_AT, ZONE_AT] = [18, 20];

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
    const tens = array[at + SECOND_AT]! - ZERO;
    const ones = array[at + SECOND_AT + 1]! - ZERO;
    const isKnown = this.#minute !== null && this.#minute.isAt(bytes, at) &&
      this.#zone!.isAt(bytes, at + ZONE_AT) && tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9;
    if (!isKnown) return this.#readAnew(array, at);
    this.time = this.#base + (10 * tens + ones) * SECOND;
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
    this.#minute = new Literal(array.slice(at, at + SECOND_AT));
    this.#zone = new Literal(array.slice(at + ZONE_AT, at + CLF_LENGTH));
    this.#base = this.time - stamp.second * SECOND;
    return true;
  }
}
