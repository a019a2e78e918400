import { HEAD_SIZE } from "./head.ts";
import type { KnownFiles } from "./known_files.ts";
import type { KnownFile } from "./position.ts";
import { isCopyOfAny, type Neighbour } from "./rotation.ts";
import { birthOf } from "./selection.ts";
import { type Micros, now, SECOND } from "../../core/time.ts";

/** How long a file must rest before it counts as a whole copy. */
const REST: Micros = 2 * SECOND;

/**
 * Recognizes new files as copies of files that were read, under names that no rotation is known by,
 * such as logrotate's `access.1.log` (`copytruncate` and `extension .log`).
 */
export class Copies {
  readonly #files: KnownFiles;
  /** Truncated originals by their copies, while these may still grow. */
  readonly #truncated = new Map<string, KnownFile>();

  constructor(files: KnownFiles) {
    this.#files = files;
  }

  /**
   * Returns where to begin to read a file that appeared: 0, or in a copy behind the lines that were
   * read from its original. Null: that is not certain yet.
   */
  async beginOf(file: Neighbour): Promise<number | null> {
    const { path, size } = file;
    const isResting = Math.abs(now() - file.time) >= REST;
    const originals = this.#files.open;
    const read = originals.filter(({ offset }) => size <= offset);
    if (await hasContentOf(path, read)) return isResting ? size : null;
    // Logs may begin alike with a few lines, but a copied one will soon be truncated.
    if (!isResting && await isCopyOfAny(path, read)) return null;
    if (await hasContentOf(path, originals.filter(({ isAtEnd }) => !isAtEnd))) return null;
    const birth = birthOf(file);
    const lost = await this.#lostOriginalOf(path);
    if (lost) this.#truncated.set(birth, lost);
    const original = this.#truncated.get(birth);
    if (original === undefined) return 0;
    if (size < original.offset && !isResting) return null;
    this.#truncated.delete(birth);
    return Math.min(size, original.offset);
  }

  async #lostOriginalOf(path: string): Promise<KnownFile | undefined> {
    const { gone, missing } = this.#files;
    const others = [...gone, ...missing].filter((known) => known.path !== path);
    for (const known of others) if (await isCopyOfAny(path, [known])) return known;
  }
}

/** Reports whether a file has the content of one of `known`, as far as a whole head can tell. */
async function hasContentOf(path: string, known: readonly KnownFile[]): Promise<boolean> {
  return await isCopyOfAny(path, known.filter(({ head }) => head.length === HEAD_SIZE));
}
