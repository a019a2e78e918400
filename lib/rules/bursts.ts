import { type AddressWords, textOfWords } from "../core/note_record.ts";
import { type Micros, SECOND } from "../core/time.ts";

/** How long after a message others of its address belong to the same try. */
const BURST = 10 * SECOND;
/** Addresses that are remembered before old ones are dropped. */
const MOST = 10_000;

/** Tells which of the messages that one try makes is its first. */
export class Bursts {
  /** When the try began that counted, by address. */
  readonly #begun = new Map<string, Micros>();

  /** Whether a message of `address` at `time` begins a try. */
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
