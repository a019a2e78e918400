import { type Micros, SECOND } from "../core/time.ts";

/** How long messages of one address belong to one try. */
const BURST = 10 * SECOND;
/** Most tries remembered; one more clears them all. */
const MOST = 10_000;

/** Finds the first message of each try that a rule counts, as one try makes several. */
export class Bursts {
  /** Start of the try counted last, by rule and address. */
  readonly #begun = new Map<string, Micros>();

  /** Reports whether a message at `time` begins a try. @param key names the rule and the address */
  begins(key: string, time: Micros): boolean {
    const begun = this.#begun.get(key);
    if (begun !== undefined && Math.abs(time - begun) < BURST) return false;
    if (this.#begun.size >= MOST) this.#begun.clear();
    this.#begun.set(key, time);
    return true;
  }

  clear(): void {
    this.#begun.clear();
  }
}
