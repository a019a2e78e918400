import { type FileState, isSameFile } from "./content.ts";
import type { Glob } from "./glob.ts";
import type { Opener } from "./opening.ts";
import { isCopyOfAny, isDated, isRotated, logsOf, type Neighbour } from "./rotation.ts";
import type { Tail } from "./tail.ts";
import type { Tails } from "./tails.ts";
import type { Micros } from "../../core/time.ts";

/** A file that is to be followed by its own name. */
export interface Found extends Neighbour {
  /** Its name may be that of a rotated one. */
  readonly isDated: boolean;
  /** Where it begins to be of interest. */
  readonly offset: number;
}

/**
 * Which files of a pattern are logs. A file whose name is one that rotations give is none, unless it
 * tells a day, is not what was read under the plain name, and came or grew while that was followed.
 */
export class Selection {
  /** Directories in which names matter. */
  directories: readonly string[] = [];
  readonly #glob: Glob;
  readonly #opener: Opener;
  /** Rotated files, and up to where they are of no interest. */
  #aside = new Map<string, number>();

  constructor(glob: Glob, opener: Opener) {
    this.#glob = glob;
    this.#opener = opener;
  }

  /**
   * The files that are to be followed, plain names first, each inode once. At the first look, dated
   * ones that were last changed before `since` are set aside.
   */
  async look(tails: Tails, since: Micros | null): Promise<Found[]> {
    const listing = this.#glob.list();
    const { paths } = listing;
    this.directories = listing.directories;
    this.#opener.review(listing);
    const logs = new Set([...paths, ...tails.open.map(({ path }) => path)]);
    const rotated = paths.filter((path) => isRotated(path, logs));
    const plain = paths.filter((path) => !isRotated(path, logs));
    const found: Found[] = [];
    const aside = new Map<string, number>();
    for (const path of [...plain, ...rotated.filter(isDated)]) {
      const state = this.#opener.examine(path);
      if (state === null || found.some((one) => isSameFile(one, state))) continue;
      const file = { path, ...state };
      const isDated = !plain.includes(path);
      const offset = isDated ? this.#beginOf(file, since) : 0;
      const tail = tails.of(file);
      if (offset > 0 && !tail) aside.set(birthOf(file), offset);
      if (!isDated || (tail ? tail.path === path : await isLog({ ...file, offset }, tails))) {
        found.push({ ...file, isDated, offset });
      }
    }
    this.#aside = aside;
    return found;
  }

  /** Sets a file aside of which all was read. */
  leave(tail: Tail): void {
    this.#aside.set(birthOf(tail), tail.reached);
  }

  #beginOf(file: Neighbour, since: Micros | null): number {
    return this.#aside.get(birthOf(file)) ?? (since !== null && file.time < since ? file.size : 0);
  }
}

/**
 * Whether a dated file that nobody reads is a log of its own: it came or grew, and is no copy of
 * what was read.
 */
async function isLog({ path, size, offset }: Neighbour & { offset: number }, tails: Tails): Promise<boolean> {
  if (offset > 0 && size <= offset) return false;
  const logs = logsOf(path);
  return !await isCopyOfAny(path, tails.known.filter((known) => logs.includes(known.path)));
}

/** Tells a file from one that has its inode later. */
function birthOf({ device, inode, born }: Pick<FileState, "device" | "inode" | "born">): string {
  return `${device}:${inode}:${born}`;
}
