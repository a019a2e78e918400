import { identityOf } from "../../core/file_identity.ts";
import type { FileState } from "./content.ts";
import type { Glob } from "./glob.ts";
import { isDated, isRotated, logsOf } from "./names.ts";
import type { Opener } from "./opening.ts";
import { isCopyOfAny, type Neighbour } from "./rotation.ts";
import type { Tail } from "./tail.ts";
import type { KnownFiles } from "./known_files.ts";
import type { Micros } from "../../core/time.ts";

/** A file that is followed under its own name. */
export interface FollowedFile extends Neighbour {
  /** Offset of its first unread byte. */
  readonly offset: number;
}

/**
 * Chooses the logs among the files of a pattern. A file with a rotation's name is a log only if the
 * name has a date, its content was not read under the plain name, and it came or grew meanwhile.
 */
export class Selection {
  /** Directories whose entries decide which files are read. */
  directories: readonly string[] = [];
  readonly #glob: Glob;
  readonly #opener: Opener;
  /** Rotated files, and the ends of their parts that are done. */
  #aside = new Map<string, number>();

  constructor(glob: Glob, opener: Opener) {
    this.#glob = glob;
    this.#opener = opener;
  }

  /**
   * Returns the files to follow, plain names first, each inode once. At the first look, it sets
   * dated files aside that last changed before `since`.
   */
  async look(files: KnownFiles, since: Micros | null): Promise<FollowedFile[]> {
    const listing = this.#glob.list();
    const { leftOut } = this.#glob;
    // A log's rotated files are read by who reads the log, also while it has no successor.
    const paths = listing.paths.filter((path) => !logsOf(path).some((log) => leftOut.has(log)));
    this.directories = listing.directories;
    this.#opener.review(listing);
    const logs = new Set([...paths, ...files.open.map(({ path }) => path)]);
    const rotated = new Set(paths.filter((path) => isRotated(path, logs)));
    const plain = paths.filter((path) => !rotated.has(path));
    const found: FollowedFile[] = [];
    const inodes = new Set<string>();
    const aside = new Map<string, number>();
    for (const path of [...plain, ...[...rotated].filter(isDated)]) {
      const state = this.#opener.examine(path);
      if (state === null || inodes.has(identityOf(state))) continue;
      const file = { path, ...state };
      const isDated = rotated.has(path);
      const offset = isDated ? this.#beginOf(file, since) : 0;
      const tail = files.of(file);
      if (offset > 0 && !tail) aside.set(birthOf(file), offset);
      if (!isDated || (tail ? tail.path === path : await isLog({ ...file, offset }, files))) {
        found.push({ ...file, offset });
        inodes.add(identityOf(file));
      }
    }
    this.#aside = aside;
    return found;
  }

  /** Sets a file aside that was read to its end. */
  setAside(tail: Tail): void {
    this.#aside.set(birthOf(tail), tail.reached);
  }

  #beginOf(file: Neighbour, since: Micros | null): number {
    return this.#aside.get(birthOf(file)) ?? (since !== null && file.time < since ? file.size : 0);
  }
}

/** Reports whether a dated file that nobody reads came or grew, and is no copy of a log. */
async function isLog(
  { path, size, offset }: Neighbour & { offset: number },
  files: KnownFiles,
): Promise<boolean> {
  if (offset > 0 && size <= offset) return false;
  const logs = logsOf(path);
  return !await isCopyOfAny(path, files.all.filter((known) => logs.includes(known.path)));
}

/** Identifies a file, also against a later one with its inode. */
export function birthOf(file: Pick<FileState, "dev" | "ino" | "born">): string {
  return `${identityOf(file)}:${file.born}`;
}
