/** A few addresses with the times of their lines, in tables of a fixed size even in a flood. */
import { addressText } from "../core/address_text.ts";
import type { LogEvent } from "../reading/event.ts";
import type { Micros } from "../core/time.ts";
import { RecentKeys, WAYS, type Words } from "../rules/recent_keys.ts";

const SETS = 32;

/** Lines of an address and module. */
export interface Sighting {
  readonly address: string;
  readonly module: number;
  readonly count: number;
  /** Times of the first and of the last line. */
  readonly first: Micros;
  readonly last: Micros;
}

/** Counts lines by address and module, for 256 of these pairs. */
export class Sightings {
  readonly #keys = new RecentKeys(SETS);
  /** Lines of a pair and the time of the first one, by place in the table. */
  readonly #counts = new Int32Array(SETS * WAYS);
  readonly #first = new Float64Array(SETS * WAYS);

  /** Counts a line. */
  add({ reader: { address }, module, time }: LogEvent): void {
    this.#count(address, module, { count: 1, first: time, last: time });
  }

  /** Adds the lines of `later`, and empties it. */
  takeOver(later: Sightings): void {
    for (const { place, words: [w0, w1, w2, w3], tag } of later.#keys.places()) {
      this.#count({ w0: w0!, w1: w1!, w2: w2!, w3: w3! }, tag, later.#timesAt(place));
    }
    later.clear();
  }

  /** Forgets all lines. */
  clear(): void {
    this.#keys.clear();
  }

  /** Returns the pairs and their lines. */
  all(): Sighting[] {
    return Array.from(this.#keys.places(), ({ place, words, tag: module }) => {
      return { address: addressText(words, 0, 128), module, ...this.#timesAt(place) };
    });
  }

  #timesAt(place: number): Pick<Sighting, "count" | "first" | "last"> {
    return { count: this.#counts[place]!, first: this.#first[place]!, last: this.#keys.times[place]! };
  }

  #count(
    address: Words,
    module: number,
    { count, first, last }: Pick<Sighting, "count" | "first" | "last">,
  ): void {
    let place = this.#keys.find(address, module);
    if (place < 0) {
      place = this.#keys.add(address, module, last);
      this.#counts[place] = 0;
      this.#first[place] = first;
    }
    this.#counts[place]! += count;
    this.#keys.times[place] = last;
  }
}
