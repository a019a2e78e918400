import type { Opener } from "./opening.ts";
import { findNewer, isReadable, type Known, MAX_TRIES } from "./rotation.ts";
import type { Tail } from "./tail.ts";
import type { Tails } from "./tails.ts";

/** Takes up files that were rotated away from a log after one that is known, and before anybody looked. */
export class Succession {
  readonly #tails: Tails;
  readonly #opener: Opener;

  constructor(tails: Tails, opener: Opener) {
    this.#tails = tails;
    this.#opener = opener;
  }

  /**
   * Opens what was rotated away after `last`, before `successor` where that is open already; false
   * when nothing was.
   */
  async takeNewer(last: Known, successor?: Tail): Promise<boolean> {
    const before = this.#tails.open.length;
    for (let tries = 1; tries <= MAX_TRIES && !await this.#takeAll(last, successor); tries++);
    return this.#tails.open.length > before;
  }

  /** False when a file was no longer what it was when found. */
  async #takeAll(last: Known, successor?: Tail): Promise<boolean> {
    for (const file of await findNewer(last, this.#tails.known)) {
      if (!isReadable(file.path)) {
        this.#opener.say(file.path, "it was compressed by something else than gzip");
        continue;
      }
      const tail = await this.#opener.open(file, { path: last.path, offset: 0, time: last.time });
      if (!tail) return false;
      if (await this.#isOpen(tail)) tail[Symbol.dispose]();
      else this.#tails.add(tail, successor && this.#tails.open.indexOf(successor));
    }
    return true;
  }

  /**
   * Whether a copy has what an open file has by now, which may have been rotated away just since it
   * was opened.
   */
  async #isOpen(copy: Tail): Promise<boolean> {
    for (const tail of this.#tails.open.filter(({ path }) => path === copy.path)) {
      // One that was empty is not to learn its head here: what it had in between is still to be looked for.
      const isSame = tail.head.length > 0 ? copy.isCopyOf(tail.head) : tail.isCopyOf(copy.head);
      if (await isSame) return true;
    }
    return false;
  }
}
