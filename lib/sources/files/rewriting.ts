/**
 * Files that lost the part that was read, or replaced a file under its name, and may contain its
 * lines: trimmed, edited, or still being written.
 */
import { identityOf } from "../../core/file_identity.ts";
import { type FileState, isSameFile } from "./content.ts";
import type { Opener } from "./opening.ts";
import type { KnownFile } from "./position.ts";
import { hasName } from "./rotation.ts";
import type { FollowedFile } from "./selection.ts";
import type { Tail } from "./tail.ts";
import type { KnownFiles } from "./known_files.ts";

/** Milliseconds since its last change in which a file may still be unfinished. */
const RECENT = 500;
/** Milliseconds that a file with lines gets to be written. */
const MAX_WAIT = 3_000;

/** Finds the lines that were read in rewritten files. */
export class Rewriting {
  readonly #files: KnownFiles;
  readonly #opener: Opener;
  /** When a file was first seen that may be unfinished, by path, by `performance.now()`. */
  readonly #waiting = new Map<string, number>();
  /** Files with lines of unread ones whose names they took: their identities by path. */
  readonly #overlapping = new Map<string, string>();

  constructor(files: KnownFiles, opener: Opener) {
    this.#files = files;
    this.#opener = opener;
  }

  /** Reports whether the file at `path` gets time to be written. */
  isWaiting(path: string): boolean {
    return this.#waiting.has(path);
  }

  /**
   * Continues behind the lines of `known` in the file that has its name now. Gives that file time
   * to be written, unless the file of `known` is `away`. Returns false if the lines are lost.
   */
  async resume(known: KnownFile, isAway: boolean): Promise<boolean> {
    const { path } = known;
    const state = this.#opener.examine(path);
    const isFree = state !== null && !this.#files.all.some((one) => isSameFile(one, state));
    const isUnsettled = isFree && !isAway && this.#isUnsettled(path, state);
    const how = { isElsewhere: false, isUnsettled };
    const tail = isFree ? await this.#opener.openBehind({ path, ...state }, known, how) : null;
    if (tail) this.#files.add(tail);
    else if (isUnsettled) this.#files.missing.push(known);
    if (tail || !isUnsettled) this.#waiting.delete(path);
    // Without a file in its place, or with a known one, it was deleted and is not missed.
    return tail !== null || isUnsettled || !isFree;
  }

  /**
   * Opens a file behind the lines that it has of `before`, whose name it took, or at its beginning
   * if it has none. Null for now, while it may still get some.
   */
  async open(file: FollowedFile, before: Tail): Promise<Tail | null> {
    const { path, offset } = file;
    // A file that was rotated away has a name.
    const isElsewhere = hasName(before);
    const isSeen = this.isWaiting(path);
    const isUnsettled = !isElsewhere && this.#isUnsettled(path, file);
    // The old file's lines come first: some may be in both, and those written after the new file
    // appeared are not in it.
    const isUnread = !before.isAtEnd && !this.#opener.hasProblem(path);
    // A search reads up to 128 MiB: not again for each piece of the old file.
    const isOverlapping = this.#overlapping.get(path) === identityOf(file);
    if ((isUnread && (!isElsewhere || isOverlapping)) || (isUnsettled && !isSeen)) return null;
    const tail = await this.#opener.openBehind(file, before, { isElsewhere, isUnsettled });
    if (tail && isUnread) {
      this.#overlapping.set(path, identityOf(file));
      tail[Symbol.dispose]();
      return null;
    }
    if (!tail && isUnsettled) return null;
    this.#waiting.delete(path);
    this.#overlapping.delete(path);
    return tail ?? await this.#opener.open(file, { path, offset, time: before.time });
  }

  /** Reports whether a file may be unfinished. An empty one may get its lines back at any time. */
  #isUnsettled(path: string, { size, time }: Pick<FileState, "size" | "time">): boolean {
    const since = this.#waiting.get(path) ?? performance.now();
    this.#waiting.set(path, since);
    const isRecent = Date.now() - time / 1_000 < RECENT;
    return size === 0 || (isRecent && performance.now() - since < MAX_WAIT);
  }
}
