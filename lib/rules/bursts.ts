import { type Micros, SECOND } from "../core/time.ts";

/** How long messages of one address belong to one try. */
const BURST = 10 * SECOND;
/** Most tries of a rule remembered; one more clears them all. */
const MOST = 10_000;

/** Finds the first message of each try that a rule counts, as one try makes several. */
export class Bursts {
  /** By number of the rule: start of the try counted last, by address. */
  readonly #begun = new Map<number, Map<string, Micros>>();

  /** Reports whether a message of `address` at `time` begins a try for the rule of number `rule`. */
  begins(rule: number, address: string, time: Micros): boolean {
    let begun = this.#begun.get(rule);
    if (begun === undefined) this.#begun.set(rule, begun = new Map());
    const last = begun.get(address);
    if (last !== undefined && Math.abs(time - last) < BURST) return false;
    if (begun.size >= MOST) begun.clear();
    begun.set(address, time);
    return true;
  }

  clear(): void {
    this.#begun.clear();
  }
}
