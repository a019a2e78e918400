import { type Micros, MINUTE } from "../core/time.ts";
import type { Answer } from "./answer.ts";
import { seed } from "./hash.ts";
import { RecentKeys, type Words } from "./recent_keys.ts";
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
const [NOT_FOUND, GONE, UNAUTHORIZED, FORBIDDEN] = [404, 410, 401, 403];

/** Hash of an answer without a path. */
const NO_PATH = 0;
/** How long answers are remembered. */
const SPAN = 10 * MINUTE;
/** Number of sets of eight addresses, or pairs of address and path, in each table. */
const SETS = 1_024;

/** Remembers addresses of users, whom a service has lately served. */
export class Users {
  readonly #seed = seed();
  readonly #users = new RecentKeys(SETS, this.#seed);
  /** Who was asked to log in, and with the path's hash as tag, at which one. */
  readonly #asked = new RecentKeys(SETS, this.#seed);
  readonly #askedPaths = new RecentKeys(SETS, this.#seed);
  /** Which forms of whom were accepted. */
  readonly #forms = new RecentKeys(SETS, this.#seed);

  /** Remembers a user at `address`. */
  remember(address: Words, time: Micros): void {
    this.#users.see(address, 0, time);
  }

  /** Reports whether `address` is a user's at `time`. */
  has(address: Words, time: Micros): boolean {
    return isRecent(this.#users, address, 0, time);
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
    const wasAsked = isRecent(this.#asked, address, 0, time);
    if (!isForm && (!wasAsked || answer.isQuestion)) return false;
    const path = answer.hashPath(this.#seed);
    if (path === NO_PATH) return false;
    const isAsked = (tag: number) => isRecent(this.#askedPaths, address, tag, time);
    if (wasAsked && (isAsked(path) || (isForm && isAsked(~path)))) return true;
    if (isForm) this.#forms.see(address, path, time);
    return false;
  }

  /** A form that was accepted before is that of a page whose login has ended: a user sends it. */
  #noteRefusal(address: Words, answer: Answer): void {
    const { status, isForm, time } = answer;
    const path = answer.hashPath(this.#seed);
    if (path === NO_PATH) return;
    if (isForm && isRecent(this.#forms, address, path, time)) this.remember(address, time);
    if (status !== UNAUTHORIZED) return;
    this.#asked.see(address, 0, time);
    // A form has a tag of its own.
    this.#askedPaths.see(address, isForm ? ~path : path, time);
  }
}

function isRecent(keys: RecentKeys, address: Words, tag: number, time: Micros): boolean {
  const place = keys.find(address, tag);
  return place >= 0 && Math.abs(time - keys.times[place]!) < SPAN;
}
