/**
 * Files that lost what was read of them, or took the name of one that was read, and may hold its
 * lines: trimmed, edited, or still in the course of being written.
 */
import { type FileState, isSameFile } from "./content.ts";
import type { Opener } from "./opening.ts";
import { findByInode, type Known } from "./rotation.ts";
import type { Found } from "./selection.ts";
import type { Tail } from "./tail.ts";
import type { Tails } from "./tails.ts";

/** A file that changed so shortly ago may not be written to its end, in milliseconds. */
const RECENT = 500;
/** How long a file is given to be written once it has lines, in milliseconds. */
const MAX_WAIT = 3_000;

/** Finds the lines that were read in files that were written anew. */
export class Rewriting {
  readonly #tails: Tails;
  readonly #opener: Opener;
  /** By path: when a file was first seen that may not be written to its end, on `performance.now()`. */
  readonly #waiting = new Map<string, number>();

  constructor(tails: Tails, opener: Opener) {
    this.#tails = tails;
    this.#opener = opener;
  }

  /** Whether the file at `path` is given time. */
  isWaiting(path: string): boolean {
    return this.#waiting.has(path);
  }

  /**
   * Goes on behind the lines of `known` in what has its name now; gives that time to be written,
   * unless the file of `known` is `away`. False when the lines are lost.
   */
  async resume(known: Known, isAway: boolean): Promise<boolean> {
    const { path } = known;
    const state = this.#opener.examine(path);
    const isFree = state !== null && !this.#tails.known.some((one) => isSameFile(one, state));
    const isUnsettled = isFree && !isAway && this.#isUnsettled(path, state);
    const how = { isElsewhere: false, isUnsettled };
    const tail = isFree ? await this.#opener.openBehind({ path, ...state }, known, how) : null;
    if (tail) this.#tails.add(tail);
    else if (isUnsettled) this.#tails.missing.push(known);
    if (tail || !isUnsettled) this.#waiting.delete(path);
    // One that has nothing in its place, or something known, was deleted and is not missed.
    return tail !== null || isUnsettled || !isFree;
  }

  /**
   * Opens a file behind the lines that it has of `before`, whose name it took, or at its beginning
   * where it has none. Null, for now, while it may get some.
   */
  async open(file: Found, before: Tail): Promise<Tail | null> {
    const { path, offset } = file;
    // What was rotated away has a name.
    const isElsewhere = findByInode(before) !== null;
    const isSeen = this.isWaiting(path);
    const isUnsettled = !isElsewhere && this.#isUnsettled(path, file);
    // First all is read that was in the old file when the new one came: what follows there is not
    // in this one.
    if (isUnsettled && !(isSeen && before.isAtEnd)) return null;
    const tail = await this.#opener.openBehind(file, before, { isElsewhere, isUnsettled });
    if (!tail && isUnsettled) return null;
    this.#waiting.delete(path);
    return tail ?? await this.#opener.open(file, { path, offset, time: before.time });
  }

  /** An empty file may get its lines back at any time. */
  #isUnsettled(path: string, { size, time }: Pick<FileState, "size" | "time">): boolean {
    const since = this.#waiting.get(path) ?? performance.now();
    this.#waiting.set(path, since);
    const isRecent = Date.now() - time / 1_000 < RECENT;
    return size === 0 || (isRecent && performance.now() - since < MAX_WAIT);
  }
}
