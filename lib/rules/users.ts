import type { AddressWords } from "../core/address.ts";
import { type Micros, MINUTE } from "../core/time.ts";
import type { Answer } from "./answer.ts";
import { mix, seed } from "./hash.ts";
import type { Rule } from "./rule.ts";

type Words = Omit<AddressWords, "prefix">;

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
const [NOT_FOUND, GONE, UNAUTHORIZED, FORBIDDEN] = [404, 410, 401, 403];

/** How long answers are remembered. */
const SPAN = 10 * MINUTE;
/** Groups by hash, and places in each group. In a full group the oldest gives way. */
const [GROUPS, PLACES] = [1_024, 8];
const WORDS = 4;

/** Remembers addresses of users, whom a service has lately served. */
export class Users {
  readonly #seed = seed();
  readonly #users = new Recent(this.#seed);
  /** Who was asked to log in, and with the path mixed in, at which one. */
  readonly #asked = new Recent(this.#seed);
  readonly #askedPaths = new Recent(this.#seed);
  /** Which forms of whom were accepted. */
  readonly #forms = new Recent(this.#seed);

  /** Remembers a user at `address`. */
  remember(address: Words, time: Micros): void {
    this.#users.remember(address, time);
  }

  /** Reports whether `address` is a user's at `time`. */
  has(address: Words, time: Micros): boolean {
    return this.#users.has(address, time);
  }

  /**
   * Remembers a user who is served: by name, or at a path at which he was just asked to log in, as
   * programs with tokens are, or who stores a file, before which programs look whether it is there.
   * A name at a missing page tells the same where a site logs errors alone. Returns whether a user
   * met a refusal, by name or address.
   */
  see(address: Words, answer: Answer): boolean {
    const { status, time, isNamed } = answer;
    if (status >= 200 && status < 400) {
      const isServed = status < 300 && (this.#isLogin(address, answer) || answer.isStoring);
      if (isNamed || isServed) this.remember(address, time);
      return false;
    }
    if (isNamed && status === UNAUTHORIZED) return false;
    const isRefused = status === UNAUTHORIZED || status === FORBIDDEN;
    if (isRefused && !answer.isQuestion) this.#noteRefusal(address, answer);
    const isPast401 = isNamed && (status === NOT_FOUND || status === GONE);
    if (isPast401) this.remember(address, time);
    return isPast401 || this.has(address, time);
  }

  /**
   * Reports whether a success answers a demand to log in. Otherwise it remembers a form. A page
   * answers no demand to a form: anybody may read the page of a login after a wrong password.
   */
  #isLogin(address: Words, answer: Answer): boolean {
    const { isForm, time } = answer;
    const wasAsked = this.#asked.has(address, time);
    if (!isForm && (!wasAsked || answer.isQuestion)) return false;
    const key = this.#keyOf(address, answer);
    if (key === null) return false;
    const asked = this.#askedPaths;
    if (wasAsked && (asked.has(key, time) || (isForm && asked.has(formKey(key), time)))) return true;
    if (isForm) this.#forms.remember(key, time);
    return false;
  }

  /** A form that was accepted before is that of a page whose login has ended: a user sends it. */
  #noteRefusal(address: Words, answer: Answer): void {
    const { status, isForm, time } = answer;
    const key = this.#keyOf(address, answer);
    if (key === null) return;
    if (isForm && this.#forms.has(key, time)) this.remember(address, time);
    if (status !== UNAUTHORIZED) return;
    this.#asked.remember(address, time);
    this.#askedPaths.remember(isForm ? formKey(key) : key, time);
  }

  /** Returns the words of an address with the path's hash mixed in; null: there is no path. */
  #keyOf({ w0, w1, w2, w3 }: Words, answer: Answer): Words | null {
    const hash = answer.hashPath(this.#seed);
    return hash === 0 ? null : { w0, w1, w2: w2 ^ hash, w3 };
  }
}

/** Returns the key of a form at the path of `key`. */
function formKey({ w0, w1, w2, w3 }: Words): Words {
  return { w0, w1, w2: ~w2, w3 };
}

/** Remembers four words, and when they were last seen. */
class Recent {
  /** Allocated with the first words, as most logs have none. */
  #words = new Int32Array(0);
  #times = new Float64Array(0);
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  remember(words: Words, time: Micros): void {
    if (this.#times.length === 0) {
      this.#words = new Int32Array(GROUPS * PLACES * WORDS);
      this.#times = new Float64Array(GROUPS * PLACES).fill(-Infinity);
    }
    const first = this.#firstPlace(words);
    let place = this.#find(words);
    if (place < 0) {
      place = first;
      for (let i = first + 1; i < first + PLACES; i++) if (this.#times[i]! < this.#times[place]!) place = i;
    }
    const { w0, w1, w2, w3 } = words;
    const at = place * WORDS;
    this.#words[at] = w0;
    this.#words[at + 1] = w1;
    this.#words[at + 2] = w2;
    this.#words[at + 3] = w3;
    this.#times[place] = time;
  }

  has(words: Words, time: Micros): boolean {
    const place = this.#times.length === 0 ? -1 : this.#find(words);
    return place >= 0 && Math.abs(time - this.#times[place]!) < SPAN;
  }

  #find(sought: Words): number {
    const { w0, w1, w2, w3 } = sought;
    const words = this.#words;
    const first = this.#firstPlace(sought);
    for (let place = first; place < first + PLACES; place++) {
      const at = place * WORDS;
      if (
        words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3 &&
        this.#times[place] !== -Infinity
      ) return place;
    }
    return -1;
  }

  /** Returns the first place of a group. */
  #firstPlace({ w0, w1, w2, w3 }: Words): number {
    return (mix(mix(mix(mix(this.#seed, w0), w1), w2), w3) & GROUPS - 1) * PLACES;
  }
}
