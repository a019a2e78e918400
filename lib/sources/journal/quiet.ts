/** Tells a journal in which nothing happens from one that systemd-journald no longer writes. */
import { localTime, type Micros, MINUTE, now } from "../../core/time.ts";
import { timeIn } from "./cursor.ts";

/**
 * Watches the age of the journal's newest entry, of whatever program, while none comes that is
 * read. journald itself is out of sight of this program, and on a quiet machine the entry may be
 * old: then this program logs a line, which journald should write.
 */
export class Quiet {
  readonly #span: Micros;
  readonly #log: (sentence: string) => void;
  #lastLook = -Infinity;
  /** The newest entry when the line was logged; null: none was. */
  #tried: string | null = null;
  #problem: string | null = null;

  /** @param span how long no program may write until this one tries */
  constructor(span: Micros, log: (sentence: string) => void) {
    this.#span = span;
    this.#log = log;
  }

  /** A sentence on a journald that seems to be dead; null: it writes, as far as is known. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Reports whether to look again: once a minute. */
  get isDue(): boolean {
    return performance.now() - this.#lastLook >= Math.min(MINUTE, this.#span) / 1_000;
  }

  /** Takes the cursor of the newest entry; null: there is none. */
  look(newest: string | null): void {
    this.#lastLook = performance.now();
    const time = newest === null ? NaN : timeIn(newest);
    if (!(now() - time >= this.#span)) return this.end();
    const quiet = `No program has written to the journal since ${localTime(time)}`;
    if (this.#tried !== newest) {
      this.end();
      this.#tried = newest;
      this.#log(`${quiet}: this line tries whether systemd-journald still does its work`);
    } else if (this.#problem === null) {
      this.#problem = `${quiet}, nor did this one when it tried: is systemd-journald running?`;
      this.#log(this.#problem);
    }
  }

  /** Notes that journald writes. */
  end(): void {
    this.#tried = this.#problem = null;
  }
}
