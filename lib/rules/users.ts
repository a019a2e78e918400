import type { AddressWords } from "../core/note_record.ts";
import { type Micros, MINUTE } from "../core/time.ts";
import { mix, seed } from "./hash.ts";
import type { Rule } from "./rule.ts";

/**
 * How many times as high the limits of rules with `status` alone are for users. A program that synchronises
 * files is asked for a name first each time, and asks for pictures of all files. Counting stays, as anybody
 * can give a name: nginx logs the one of each Authorization header, whether it was asked for or not.
 */
export const USER_LENIENCE = 10;

/** How many times as high a rule's limit is for users. */
export function userLenience({ condition, status }: Pick<Rule, "condition" | "status">): number {
  return condition === null && status !== null ? USER_LENIENCE : 1;
}

/** Statuses of which a name on the request speaks for it, and of which it speaks against it: a wrong password. */
const [NOT_FOUND, GONE, UNAUTHORIZED] = [404, 410, 401];

/** How long after an answer to somebody with a name an address is that of a user. */
const SPAN = 10 * MINUTE;
/** Places for addresses: so many groups, by a hash, of so many. In a full group the oldest gives way. */
const [GROUPS, PLACES] = [1_024, 8];
const WORDS = 4;

/** Remembers the addresses from which a service has lately served somebody who gave a name. */
export class Users {
  /** Made with the first user, as most logs have none. */
  #words = new Int32Array(0);
  #times = new Float64Array(0);
  readonly #seed = seed();

  /** Takes note of a user at `address`. */
  note(address: AddressWords, time: Micros): void {
    if (this.#times.length === 0) {
      this.#words = new Int32Array(GROUPS * PLACES * WORDS);
      this.#times = new Float64Array(GROUPS * PLACES).fill(-Infinity);
    }
    const first = this.#firstPlace(address);
    let place = this.#find(address);
    if (place < 0) {
      place = first;
      for (let i = first + 1; i < first + PLACES; i++) if (this.#times[i]! < this.#times[place]!) place = i;
    }
    const { w0, w1, w2, w3 } = address;
    const at = place * WORDS;
    this.#words[at] = w0;
    this.#words[at + 1] = w1;
    this.#words[at + 2] = w2;
    this.#words[at + 3] = w3;
    this.#times[place] = time;
  }

  /** Whether `address` is that of a user at `time`. */
  has(address: AddressWords, time: Micros): boolean {
    const place = this.#times.length === 0 ? -1 : this.#find(address);
    return place >= 0 && Math.abs(time - this.#times[place]!) < SPAN;
  }

  /**
   * Sees an answer: takes note of a user who is served. Whether it is a refusal that a user met, as far as the request's name or its
   * address tells.
   */
  see(address: AddressWords, { status, isNamed, time }: {
    readonly status: number;
    readonly isNamed: boolean;
    readonly time: Micros;
  }): boolean {
    if (status >= 200 && status < 400) {
      if (isNamed) this.note(address, time);
      return false;
    }
    if (isNamed && status === UNAUTHORIZED) return false;
    return isNamed && (status === NOT_FOUND || status === GONE) || this.has(address, time);
  }

  #find(address: AddressWords): number {
    const { w0, w1, w2, w3 } = address;
    const words = this.#words;
    const first = this.#firstPlace(address);
    for (let place = first; place < first + PLACES; place++) {
      const at = place * WORDS;
      if (
        words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3 &&
        this.#times[place] !== -Infinity
      ) return place;
    }
    return -1;
  }

  /** The first place of the group of an address. */
  #firstPlace({ w0, w1, w2, w3 }: AddressWords): number {
    return (mix(mix(mix(mix(this.#seed, w0), w1), w2), w3) & GROUPS - 1) * PLACES;
  }
}
