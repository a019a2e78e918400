import type { Opener } from "./opening.ts";
import { findNewer, isReadable, type KnownFile, MAX_TRIES } from "./rotation.ts";
import type { Tail } from "./tail.ts";
import type { KnownFiles } from "./known_files.ts";

/** Opens files that were rotated away from a log after a known file, before anybody saw them. */
export class Succession {
  readonly #files: KnownFiles;
  readonly #opener: Opener;

  constructor(files: KnownFiles, opener: Opener) {
    this.#files = files;
    this.#opener = opener;
  }

  /**
   * Opens the files that were rotated away after `last`, in front of `successor` if that is open.
   * Returns false if there were none.
   */
  async takeNewer(last: KnownFile, successor?: Tail): Promise<boolean> {
    const before = this.#files.open.length;
    for (let tries = 1; tries <= MAX_TRIES && !await this.#takeAll(last, successor); tries++);
    return this.#files.open.length > before;
  }

  /** Returns false if a file had changed since it was found. */
  async #takeAll(last: KnownFile, successor?: Tail): Promise<boolean> {
    for (const file of await findNewer(last, this.#files.all)) {
      if (!isReadable(file.path)) {
        this.#opener.report(file.path, "it was compressed by something else than gzip");
        continue;
      }
      const tail = await this.#opener.open(file, { path: last.path, offset: 0, time: last.time });
      if (!tail) return false;
      if (await this.#isOpen(tail)) tail[Symbol.dispose]();
      else this.#files.add(tail, successor && this.#files.open.indexOf(successor));
    }
    return true;
  }

  /** Reports whether a copy is of an open file, rotated away perhaps since it was opened. */
  async #isOpen(copy: Tail): Promise<boolean> {
    for (const tail of this.#files.open.filter(({ path }) => path === copy.path)) {
      // An empty tail must not learn its head here: its earlier lines are still to be found.
      const isSame = tail.head.length > 0 ? copy.isCopyOf(tail.head) : tail.isCopyOf(copy.head);
      if (await isSame) return true;
    }
    return false;
  }
}
