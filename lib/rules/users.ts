import type { AddressWords } from "../core/note_record.ts";
import { type Micros, MINUTE } from "../core/time.ts";
import { mix, seed } from "./hash.ts";
import type { Rule } from "./rule.ts";

/**
 * Factor of the limits of rules with `status` alone, for users. A program that synchronises files
 * is first refused for want of a name each time, and asks for pictures of all files. Users are
 * still counted, as anybody can give a name: nginx logs the name of each Authorization header.
 */
const USER_LENIENCE = 10;

/** Returns the factor of a rule's limit for users. */
export function userLenience({ condition, status }: Pick<Rule, "condition" | "status">): number {
  return condition === null && status !== null ? USER_LENIENCE : 1;
}

/** Statuses: at 404 and 410 a name speaks for the sender, at 401 against (a wrong password). */
const [NOT_FOUND, GONE, UNAUTHORIZED] = [404, 410, 401];

/** How long an address is a user's after an answer to a request with a name. */
const SPAN = 10 * MINUTE;
/** Groups by hash, and places in each group. In a full group the oldest address gives way. */
const [GROUPS, PLACES] = [1_024, 8];
const WORDS = 4;

/** Remembers addresses from which a service has lately served somebody with a name. */
export class Users {
  /** Allocated with the first user, as most logs have none. */
  #words = new Int32Array(0);
  #times = new Float64Array(0);
  readonly #seed = seed();

  /** Remembers a user at `address`. */
  remember(address: AddressWords, time: Micros): void {
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

  /** Reports whether `address` is a user's at `time`. */
  has(address: AddressWords, time: Micros): boolean {
    const place = this.#times.length === 0 ? -1 : this.#find(address);
    return place >= 0 && Math.abs(time - this.#times[place]!) < SPAN;
  }

  /** Remembers a user who is served. Returns whether a user met a refusal, by name or address. */
  see(address: AddressWords, { status, isNamed, time }: {
    readonly status: number;
    readonly isNamed: boolean;
    readonly time: Micros;
  }): boolean {
    if (status >= 200 && status < 400) {
      if (isNamed) this.remember(address, time);
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

  /** Returns the first place of an address's group. */
  #firstPlace({ w0, w1, w2, w3 }: AddressWords): number {
    return (mix(mix(mix(mix(this.#seed, w0), w1), w2), w3) & GROUPS - 1) * PLACES;
  }
}
