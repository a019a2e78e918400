import { messageOf } from "../../core/error.ts";
import { absence, readDenial } from "../../core/read_denial.ts";
import { COMPRESSED, type FileState, isSameFile, openContent, stateOf } from "./content.ts";
import type { Listing } from "./glob.ts";
import { HEAD_SIZE } from "./head.ts";
import { findByInode, findCopy, type Known, MAX_TRIES, type Neighbour } from "./rotation.ts";
import { findBehind, type Lost, type Place } from "./search.ts";
import { type Shared, Tail } from "./tail.ts";

/** What an `Opener` works with. */
export interface OpenerOptions extends Shared {
  /** Told once of each thing that keeps a file from being read. */
  readonly problem: (sentence: string) => void;
}

/** Where reading begins; see `TailOptions`. */
type OpenedAt = Pick<Known, "path" | "offset"> & Partial<Pick<Known, "head" | "trace" | "time">>;

/** Opens log files, wherever they are by now, and tells why one cannot be. */
export class Opener {
  /** What is opened was written to before anybody looked. */
  isBacklog = true;
  readonly #options: OpenerOptions;
  /** By path. */
  readonly #problems = new Map<string, string>();

  constructor(options: OpenerOptions) {
    this.#options = options;
  }

  /**
   * What keeps files from being read, in sentences; nothing of those that are compressed already,
   * which stay so.
   */
  get problems(): string[] {
    return [...this.#problems].filter(([path]) => !COMPRESSED.test(path)).map(([path, reason]) =>
      sentenceOf(path, reason)
    );
  }

  /** Forgets problems that are over: with files that are gone, and with directories that can be listed. */
  review({ directories, failures }: Listing): void {
    for (const path of this.#problems.keys()) {
      if (directories.includes(path) ? !failures.has(path) : isMissing(path)) this.solve(path);
    }
    failures.forEach((error, path) => this.sayUnlessMissing(path, error));
  }

  /** Null, and the reason told, when the file cannot be opened or is not what it was. */
  async open(file: Pick<Neighbour, "path" | "device" | "inode">, known: OpenedAt): Promise<Tail | null> {
    let tail: Tail | null = null;
    try {
      tail = new Tail(file.path, { ...known, backlog: this.isBacklog, shared: this.#options });
      this.solve(file.path);
      if (tail.is(file) && await tail.isUnchanged()) return tail;
    } catch (error) {
      this.sayUnlessMissing(file.path, error);
    }
    tail?.[Symbol.dispose]();
    return null;
  }

  /** Opens a file by its inode; once more where it was renamed just before it was opened. */
  async find(known: Known): Promise<{ place: Neighbour | null; tail: Tail | null }> {
    let place = findByInode(known);
    for (let tries = 1; place; tries++) {
      const tail = await this.open(place, known);
      const again = findByInode(known);
      if (tail || again?.path === place.path || tries === MAX_TRIES) return { place, tail };
      place = again;
    }
    return { place, tail: null };
  }

  /** Opens the copy of a file where reading of that ended; null where there is none. */
  async openCopy(known: Known): Promise<Tail | null> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const copy = await findCopy(known);
      if (!copy) return null;
      // One that was made before the last lines came ends earlier than reading did.
      const offset = copy.path.endsWith(".gz") ? known.offset : Math.min(known.offset, copy.size);
      const tail = await this.open(copy, { path: known.path, offset, time: known.time });
      if (tail) return tail;
    }
    return null;
  }

  /**
   * Opens a file behind the lines of `known` that it holds, wherever they stand in it; null where
   * it does not.
   */
  async openBehind(
    file: Neighbour,
    known: Known,
    how: Pick<Lost, "isElsewhere" | "isUnsettled">,
  ): Promise<Tail | null> {
    const { path } = file;
    const { offset, head, trace, time } = known;
    const same = head.length === HEAD_SIZE && file.size >= offset &&
      await this.open(file, { path, offset, head, trace, time });
    if (same) return same;
    // Once more where it was written anew just before it was opened.
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const behind = await this.#findBehind(file, { ...how, offset, trace, timeOf: this.#options.timeOf });
      const tail = behind && await this.open(file, { path, time, ...behind });
      if (tail || !behind) return tail;
    }
    return null;
  }

  /** What is at `path`; null, and the reason told, for what is no log file. */
  examine(path: string): FileState | null {
    try {
      const info = Deno.statSync(path);
      if (info.isFile) return stateOf(info);
      this.say(path, "it is not a regular file");
    } catch (error) {
      this.sayUnlessMissing(path, error);
    }
    return null;
  }

  async #findBehind(file: Neighbour, lost: Lost): Promise<Place | null> {
    try {
      using content = openContent(file.path);
      return isSameFile(content.state(), file) ? await findBehind(content, lost) : null;
    } catch (error) {
      this.sayUnlessMissing(file.path, error);
      return null;
    }
  }

  isTroubled(path: string): boolean {
    return this.#problems.has(path);
  }

  solve(path: string): void {
    this.#problems.delete(path);
  }

  /** A missing file is nothing to tell of: it may come. */
  sayUnlessMissing(path: string, error: unknown): void {
    if (error instanceof Deno.errors.NotFound) this.solve(path);
    else this.say(path, reasonOf(path, error));
  }

  /** Tells of a problem, unless it was the last that was told of this path. */
  say(path: string, reason: string): void {
    if (this.#problems.get(path) === reason) return;
    this.#problems.set(path, reason);
    this.#options.problem(sentenceOf(path, reason));
  }
}

/** Says that there is no file of a pattern. */
export function absenceOf(pattern: string): string {
  return sentenceOf(pattern, absence(pattern));
}

/** Says why a file cannot be read, as an error tells. */
export function reasonOf(path: string, error: unknown): string {
  return error instanceof Deno.errors.PermissionDenied ? readDenial(path) : messageOf(error);
}

/** Puts a file and what is wrong with it into a sentence. */
export function sentenceOf(path: string, reason: string): string {
  return `Cannot read ${path}: ${reason}`;
}

function isMissing(path: string): boolean {
  try {
    Deno.statSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}
