import { type Micros, MILLISECOND, MINUTE, now } from "./time.ts";

/** How far the wall clock may go back unnoticed: clocks are corrected a little all the time. */
const TOLERANCE: Micros = MINUTE;

/** The clocks that are compared. */
export interface Clocks {
  /** The wall clock. */
  readonly wall: () => Micros;
  /** One that nobody sets. */
  readonly steady: () => Micros;
}

/**
 * Notices that the wall clock was set back while the program runs. What a state says of a later time than now is no sign of that:
 * a board without a clock of its own starts in the past, where all of its state lies ahead.
 */
export class ClockWatch {
  readonly #clocks: Clocks;
  /** How far the wall clock was ahead of the steady one at most. */
  #lead: Micros;

  constructor(clocks: Clocks = { wall: now, steady: () => performance.now() * MILLISECOND }) {
    this.#clocks = clocks;
    this.#lead = clocks.wall() - clocks.steady();
  }

  /** Calls `mend` with the time where the wall clock was set back since the last call, and again next time where that throws. */
  look(mend: (now: Micros) => void): void {
    const time = this.#clocks.wall();
    const lead = time - this.#clocks.steady();
    const isSetBack = this.#lead - lead > TOLERANCE;
    if (isSetBack) mend(time);
    if (isSetBack || lead > this.#lead) this.#lead = lead;
  }
}
