import { messageOf } from "../../core/error.ts";
import { identityAt, isAbsent } from "../../core/file_identity.ts";
import { absence, readDenial } from "../../core/read_denial.ts";
import { type FileState, isSameFile, openContent, stateOf } from "./content.ts";
import type { Listing } from "./glob.ts";
import { HEAD_SIZE } from "./head.ts";
import { COMPRESSED } from "./names.ts";
import type { KnownFile } from "./position.ts";
import { findByInode, findCopy, isYoungerThan, MAX_TRIES, type Neighbour } from "./rotation.ts";
import { findBehind, type LostPart, type Place } from "./search.ts";
import { type SharedParts, Tail } from "./tail.ts";

/** Where reading begins; see `TailOptions`. */
type OpenedAt = Pick<KnownFile, "path" | "offset"> & Partial<Pick<KnownFile, "head" | "trace" | "time">>;

/** Opens log files, wherever they are by now, and reports why one cannot be opened. */
export class Opener {
  /** Whether the content of opened files was written before the first look. */
  isBacklog = true;
  /** Reports a problem once. */
  readonly tell: (sentence: string) => void;
  readonly #shared: SharedParts;
  /** Problems by path, each with the file that has it. */
  readonly #problems = new Map<string, { readonly reason: string; readonly identity: string | null }>();

  constructor(shared: SharedParts, tell: (sentence: string) => void) {
    this.#shared = shared;
    this.tell = tell;
  }

  /** Sentences on why files cannot be read, except compressed files: their problem is permanent. */
  get problems(): string[] {
    return [...this.#problems].filter(([path]) => !COMPRESSED.test(path)).map(([path, { reason }]) =>
      sentenceOf(path, reason)
    );
  }

  /** Forgets problems of files that are gone or replaced, and of directories listed again. */
  review({ directories, failures }: Listing): void {
    for (const [path, { identity }] of this.#problems) {
      const isGone = isAbsent(path) || (identityAt(path) ?? identity) !== identity;
      if (directories.includes(path) ? !failures.has(path) : isGone) this.clearProblem(path);
    }
    failures.forEach((error, path) => this.reportUnlessMissing(path, error));
  }

  /** Opens a file; null, and reports why, if it cannot be opened or has changed. */
  async open(file: Pick<Neighbour, "path" | "dev" | "ino">, known: OpenedAt): Promise<Tail | null> {
    let tail: Tail | null = null;
    try {
      tail = new Tail(file.path, { ...known, backlog: this.isBacklog, shared: this.#shared });
      this.clearProblem(file.path);
      if (isSameFile(tail, file) && await tail.isUnchanged()) return tail;
    } catch (error) {
      this.reportUnlessMissing(file.path, error);
    }
    tail?.[Symbol.dispose]();
    return null;
  }

  /**
   * Opens a file by its inode; tries again if it was renamed just before.
   *
   * @param hasSuccessor whether a later file had its name: then a younger file with that name and
   * its inode is another one, perhaps a copy of it
   */
  async find(
    known: KnownFile,
    hasSuccessor = false,
  ): Promise<{ place: Neighbour | null; tail: Tail | null }> {
    let place = findByInode(known);
    if (hasSuccessor && place?.path === known.path && isYoungerThan(known, place)) place = null;
    for (let tries = 1; place; tries++) {
      const tail = await this.open(place, known);
      const again = findByInode(known);
      if (tail || again?.path === place.path || tries === MAX_TRIES) return { place, tail };
      place = again;
    }
    return { place, tail: null };
  }

  /** Opens the copy of a file where reading of the file ended; null if there is none. */
  async openCopy(known: KnownFile): Promise<Tail | null> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const copy = await findCopy(known);
      if (!copy) return null;
      // A copy made before the last lines came is shorter than the part read.
      const offset = copy.path.endsWith(".gz") ? known.offset : Math.min(known.offset, copy.size);
      const tail = await this.open(copy, { path: known.path, offset, time: known.time });
      if (tail) return tail;
    }
    return null;
  }

  /** Opens a file behind the lines that it has of `known`, anywhere in it; null: it has none. */
  async openBehind(
    file: Neighbour,
    known: KnownFile,
    how: Pick<LostPart, "isElsewhere" | "isUnsettled">,
  ): Promise<Tail | null> {
    const { path } = file;
    const { offset, head, trace, time } = known;
    const same = head.length === HEAD_SIZE && file.size >= offset &&
      await this.open(file, { path, offset, head, trace, time });
    if (same) return same;
    // Tries again if the file was rewritten just before it was opened.
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const behind = await this.#findBehind(file, { ...how, offset, trace, timeOf: this.#shared.timeOf });
      const tail = behind && await this.open(file, { path, time, ...behind });
      if (tail || !behind) return tail;
    }
    return null;
  }

  /** Returns the state of the file at `path`; null, and reports why, if it is no log file. */
  examine(path: string): FileState | null {
    try {
      const info = Deno.statSync(path);
      if (info.isFile) return stateOf(info);
      this.report(path, "it is not a regular file");
    } catch (error) {
      this.reportUnlessMissing(path, error);
    }
    return null;
  }

  async #findBehind(file: Neighbour, lost: LostPart): Promise<Place | null> {
    try {
      using content = openContent(file.path);
      return isSameFile(content.state(), file) ? await findBehind(content, lost) : null;
    } catch (error) {
      this.reportUnlessMissing(file.path, error);
      return null;
    }
  }

  hasProblem(path: string): boolean {
    return this.#problems.has(path);
  }

  clearProblem(path: string): void {
    this.#problems.delete(path);
  }

  /** Reports a problem, unless the file is missing: it may come. */
  reportUnlessMissing(path: string, error: unknown): void {
    if (error instanceof Deno.errors.NotFound) this.clearProblem(path);
    else this.report(path, reasonOf(path, error));
  }

  /** Reports a problem, unless it was the last one reported for this path. */
  report(path: string, reason: string): void {
    const before = this.#problems.get(path)?.reason;
    this.#problems.set(path, { reason, identity: identityAt(path) });
    if (before !== reason) this.tell(sentenceOf(path, reason));
  }
}

/** Returns the sentence that a pattern has no file. */
export function absenceOf(pattern: string): string {
  return sentenceOf(pattern, absence(pattern));
}

/** Returns the sentence that the files of a pattern were read and are gone. */
export function lossOf(pattern: string): string {
  const remedy = "see where its service writes now, and let logrotate make the file anew (create)";
  return sentenceOf(pattern, `it was read before and is gone for minutes; ${remedy}`);
}

/** Returns why a file cannot be read, from an error. */
export function reasonOf(path: string, error: unknown): string {
  return error instanceof Deno.errors.PermissionDenied ? readDenial(path) : messageOf(error);
}

/** Makes a sentence of a file and its problem. */
export function sentenceOf(path: string, reason: string): string {
  return `Cannot read ${path}: ${reason}`;
}
