import { HOUR, type Micros, MINUTE, SECOND } from "../core/time.ts";

/** When a line reached its file, and whether somebody waited for it there: see `Records`. */
export interface Writing {
  readonly written: Micros;
  readonly isLive: boolean;
}

/** Zones differ by full quarters of an hour, by at least two, and by 26 hours at most. */
const QUARTER = 15 * MINUTE;
const [LEAST, MOST] = [30 * MINUTE, 26 * HOUR];
/** How much earlier or later than it tells a line may reach its file. */
const [EARLY, LATE] = [5 * SECOND, 30 * SECOND];
/** Clocks of one zone are set twice a year: more changes than one in this time are none of a zone. */
const STEADY = HOUR;

/**
 * Finds out that the times of a file are those of another zone. A line was written when its file
 * changed last. If it tells another time by hours, and these are full quarters, its clock is right
 * and shows the time of another zone. One shift is right for all lines that were read together: what
 * lay hours apart stays so, whatever was copied into the file.
 */
export class ZoneShift {
  /** To be added to times without a zone. */
  shift: Micros;
  /** Whether the lines read last told times without a zone, which need it. */
  isNeeded = true;
  /** The shift that was found last, and when it took the place of another. */
  #found: Micros = 0;
  #since: Micros = -Infinity;
  readonly #tell: (shift: Micros) => void;

  /**
   * @param shift until one is learned
   * @param tell is told of each shift that is found
   */
  constructor(shift: Micros, tell: (shift: Micros) => void) {
    this.shift = shift;
    this.#tell = tell;
  }

  /**
   * Learns from a line of `time` that reached its file at `written`.
   *
   * @param isLive false: it may have been copied there. Then only a time that was still to come
   * proves something
   */
  learn(time: Micros, { written, isLive }: Writing): void {
    const off = written - time;
    const quarters = Math.floor((off + EARLY) / QUARTER) * QUARTER;
    const isExact = off - quarters <= LATE;
    if (isExact && quarters === 0) this.shift = 0;
    else if (isExact && isOfZones(quarters) && (isLive || quarters < 0)) this.#find(quarters, written);
    // A line may be late. One that is later than by a quarter of an hour tells nothing.
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
    this.#tell(shift);
  }
}

/** The shifts of the files of one source. */
export class ZoneShifts {
  readonly #byFile = new WeakMap<object, ZoneShift>();
  readonly #told = new Set<Micros>();
  readonly #tell: (shift: Micros) => void;
  /** The one that was found last: a file begins with it, as its zone is probably that of the others. */
  #latest: Micros = 0;

  /** @param tell is told once of each shift that is found */
  constructor(tell: (shift: Micros) => void) {
    this.#tell = tell;
  }

  /** The shift of the lines of `file`. */
  of(file: object): ZoneShift {
    const known = this.#byFile.get(file);
    if (known) return known;
    const made = new ZoneShift(this.#latest, (shift) => this.#found(shift));
    this.#byFile.set(file, made);
    return made;
  }

  #found(shift: Micros): void {
    this.#latest = shift;
    if (this.#told.has(shift)) return;
    this.#told.add(shift);
    this.#tell(shift);
  }
}

function isOfZones(shift: Micros): boolean {
  return Math.abs(shift) >= LEAST && Math.abs(shift) <= MOST;
}
