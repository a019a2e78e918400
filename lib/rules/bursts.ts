import { type AddressWords, textOfWords } from "../core/note_record.ts";
import { type Micros, SECOND } from "../core/time.ts";

/** How long messages of one address belong to one try. */
const BURST = 10 * SECOND;
/** Most addresses remembered; one more clears them all. */
const MOST = 10_000;

/** Finds the first message of each try, as one try makes several. */
export class Bursts {
  /** Start of the try counted last, by address. */
  readonly #begun = new Map<string, Micros>();

  /** Reports whether a message of `address` at `time` begins a try. */
  begins(address: AddressWords, time: Micros): boolean {
    const key = textOfWords(address);
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
