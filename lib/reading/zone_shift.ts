import { HOUR, type Micros, MINUTE, SECOND } from "../core/time.ts";

/** When a line reached its file, and whether the source waited for it there: see `Records`. */
export interface Writing {
  readonly written: Micros;
  readonly isLive: boolean;
}

/** Zones differ by full quarters of an hour, by at least two, and by 26 hours at most. */
const QUARTER = 15 * MINUTE;
const [LEAST, MOST] = [30 * MINUTE, 26 * HOUR];
/** How much earlier or later than its own time a line may reach its file. */
const [EARLY, LATE] = [5 * SECOND, 30 * SECOND];
/** Least time between two shifts: clocks of a zone change twice a year. */
const STEADY = HOUR;

/**
 * Detects that the times of a file are of another zone. A line was written when its file last
 * changed. If its own time differs by hours, and these are full quarters, its clock is right and
 * shows another zone. One shift is right for all lines that were read together: it keeps the hours
 * between them, whatever was copied into the file.
 */
export class ZoneShift {
  /** Added to times without a zone. */
  shift: Micros;
  /** Whether the last lines read had times without a zone, which need the shift. */
  isNeeded = true;
  /** The last shift found, and when it replaced another. */
  #found: Micros = 0;
  #since: Micros = -Infinity;
  readonly #report: (shift: Micros) => void;

  /**
   * @param shift until one is learned
   * @param report is called with each shift that is found
   */
  constructor(shift: Micros, report: (shift: Micros) => void) {
    this.shift = shift;
    this.#report = report;
  }

  /**
   * Learns from a line of `time` that reached its file at `written`.
   *
   * @param isLive false: the line may have been copied there. Then only a time after `written` is
   * proof
   */
  learn(time: Micros, { written, isLive }: Writing): void {
    const off = written - time;
    const quarters = Math.floor((off + EARLY) / QUARTER) * QUARTER;
    const isExact = off - quarters <= LATE;
    const isOfZones = Math.abs(quarters) >= LEAST && Math.abs(quarters) <= MOST;
    if (isExact && quarters === 0) this.shift = 0;
    else if (isExact && isOfZones && (isLive || quarters < 0)) this.#find(quarters, written);
    // A line may be late. One that is early, or late by a quarter of an hour, disproves the shift.
    else if (off < this.shift - EARLY || off >= this.shift + QUARTER) this.shift = 0;
  }

  #find(shift: Micros, written: Micros): void {
    if (shift !== this.#found) {
      this.shift = 0;
      if (written < this.#since + STEADY) return;
      this.#found = shift;
      this.#since = written;
    }
    this.shift = shift;
    this.#report(shift);
  }
}

/** Shifts of the files of one source. */
export class ZoneShifts {
  readonly #byFile = new WeakMap<object, ZoneShift>();
  readonly #reported = new Set<Micros>();
  readonly #report: (shift: Micros) => void;
  /** The last shift found. A file begins with it, as its zone is probably that of the others. */
  #latest: Micros = 0;

  /** @param report is called once for each shift that is found */
  constructor(report: (shift: Micros) => void) {
    this.#report = report;
  }

  /** Returns the shift of the lines of `file`. */
  of(file: object): ZoneShift {
    const known = this.#byFile.get(file);
    if (known) return known;
    const made = new ZoneShift(this.#latest, (shift) => this.#found(shift));
    this.#byFile.set(file, made);
    return made;
  }

  #found(shift: Micros): void {
    this.#latest = shift;
    if (this.#reported.has(shift)) return;
    this.#reported.add(shift);
    this.#report(shift);
  }
}
