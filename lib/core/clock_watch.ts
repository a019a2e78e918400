import { DAY, elapsed, type Micros, MINUTE, now } from "./time.ts";

/** Largest step back that is ignored: small corrections are normal. */
const TOLERANCE: Micros = MINUTE;

/** Step ahead that `PatientClock` follows at once, and how long a larger one must last. */
const PATIENCE: Micros = DAY;

/** The clocks to compare. */
export interface Clocks {
  /** The wall clock. */
  readonly wall: () => Micros;
  /** A monotonic clock. */
  readonly steady: () => Micros;
}

/**
 * Detects that the wall clock was set back while the program runs. A state with later times proves
 * nothing: a board without a real-time clock starts in the past, before all times of its state.
 */
export class ClockWatch {
  readonly #clocks: Clocks;
  /** Largest lead of the wall clock over the steady one. */
  #lead: Micros;

  constructor(clocks: Clocks = { wall: now, steady: elapsed }) {
    this.#clocks = clocks;
    this.#lead = clocks.wall() - clocks.steady();
  }

  /** Calls `mend` with the time if the wall clock was set back; again if `mend` throws. */
  look(mend: (now: Micros) => void): void {
    const time = this.#clocks.wall();
    const lead = time - this.#clocks.steady();
    const isSetBack = this.#lead - lead > TOLERANCE;
    if (isSetBack) mend(time);
    if (isSetBack || lead > this.#lead) this.#lead = lead;
  }
}

/**
 * A wall clock for deletions, which a correction of the clock does not undo: it follows a step ahead
 * of more than a day only when the step has lasted for a day.
 */
export class PatientClock {
  readonly #clocks: Clocks;
  /** Lead of the wall clock over the steady one that is followed. */
  #lead: Micros;
  /** Steady time at which a larger lead was first seen; null: there is none. */
  #aheadSince: Micros | null = null;

  constructor(clocks: Clocks = { wall: now, steady: elapsed }) {
    this.#clocks = clocks;
    this.#lead = clocks.wall() - clocks.steady();
  }

  now(): Micros {
    const steady = this.#clocks.steady();
    const lead = this.#clocks.wall() - steady;
    const isAhead = lead - this.#lead > PATIENCE;
    if (isAhead) this.#aheadSince ??= steady;
    if (!isAhead || steady - this.#aheadSince! >= PATIENCE) {
      this.#lead = lead;
      this.#aheadSince = null;
    }
    return steady + this.#lead;
  }
}
