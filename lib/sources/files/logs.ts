import { messageOf } from "../../core/error.ts";
import type { Micros } from "../../core/time.ts";
import type { Start } from "../source.ts";
import type { FileState } from "./content.ts";
import type { Glob } from "./glob.ts";
import { isCopy, NO_HEAD } from "./head.ts";
import { Opener, type OpenerOptions } from "./opening.ts";
import { formatPosition, type Mark, parsePosition } from "./position.ts";
import {
  canSearch,
  findByInode,
  findNewer,
  hasContentOf,
  isReadable,
  isRotated,
  type Known,
  MAX_TRIES,
} from "./rotation.ts";
import type { TimeOf } from "./since.ts";
import { ContentLost, type Piece, type Tail } from "./tail.ts";

/** How files are followed. */
export interface LogsOptions extends OpenerOptions {
  readonly timeOf: TimeOf | undefined;
  /** How long a rotated file may be quiet until it is let go, in milliseconds. */
  readonly linger: number;
}

/** A file of the pattern that is there. */
interface Found {
  readonly path: string;
  readonly state: FileState;
}

/** The log files of one pattern through all their rotations: which there are, and how far each was read. */
export class Logs implements Disposable {
  readonly #glob: Glob;
  readonly #options: LogsOptions;
  readonly #opener: Opener;
  /** Of one path, the older come first. */
  #tails: Tail[] = [];
  /** Files read before that could not be looked for yet. */
  #missing: Mark[] = [];
  /** Files whose unread rest was not found, until the files that came after them are found. */
  #gone: Known[] = [];
  /** Set at the very first start. */
  #since: Micros | null = null;
  #directories: readonly string[] = [];
  #isStale = false;
  #isNews = false;

  constructor(glob: Glob, options: LogsOptions) {
    this.#glob = glob;
    this.#options = options;
    this.#opener = new Opener(options);
  }

  /** Takes up reading where `start` says. */
  async begin({ after, since }: Start): Promise<void> {
    if (after === null) this.#since = since;
    else this.#missing = parsePosition(after);
    await this.survey();
    if (this.#tails.length === 0 && !this.#opener.hasTrouble) {
      this.#opener.say(this.#glob.pattern, "there is no such file yet");
    }
    this.#since = null;
    this.#opener.isBacklog = false;
    this.#isNews = true;
  }

  get tails(): readonly Tail[] {
    return this.#tails;
  }

  /** Directories in which names matter. */
  get directories(): readonly string[] {
    return this.#directories;
  }

  /** A survey is due: a file turned out to be another than was thought. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Whether files came or went since this was last asked: a reason to keep the position. */
  takeNews(): boolean {
    const news = this.#isNews;
    this.#isNews = false;
    return news;
  }

  /** How far all files were read. */
  get position(): string {
    return formatPosition([...this.#missing, ...this.#tails.map(({ mark }) => mark)]);
  }

  /** Finds out which files there are: new ones, and those that lost their names. */
  async survey(): Promise<void> {
    this.#isStale = false;
    // Those that are still to be looked for are known meanwhile: nobody may take them for new.
    for (let left = this.#missing.length; left > 0; left--) await this.#restore(this.#missing.shift()!);
    const found = this.#look();
    const tails = new Map(this.#tails.map((tail) => [keyOf(tail), tail]));
    for (const [key, file] of found) {
      const tail = tails.get(key);
      if (tail) [tail.path, tail.quietSince] = [file.path, null];
      else await this.#take(file);
    }
    const names = new Set([...found.values()].map(({ path }) => path));
    for (const { path } of this.#known) {
      // Rotated away, and no new file yet; what was rotated after it is nobody's predecessor.
      const last = names.has(path) ? undefined : this.#lastOf(path);
      if (last) await this.#takeNewer(last);
    }
    for (const tail of this.#tails) if (!found.has(keyOf(tail))) tail.quietSince ??= performance.now();
    this.#gone = [];
  }

  /** What a file has to say; null when nothing. A rotated one that has been quiet for long is let go. */
  async read(tail: Tail): Promise<Piece | null> {
    try {
      // What an empty file had in between may have been copied, and it truncated again: that comes first.
      if (tail.isBegun && await this.#takeNewer(snapshot(tail), tail)) return null;
      const piece = await tail.read();
      if (tail.quietSince === null) this.#opener.solve(tail.path);
      if (piece || !this.#isOver(tail)) return piece;
    } catch (error) {
      if (error instanceof ContentLost) return await this.#relocate(tail);
      this.#opener.say(tail.path, messageOf(error));
      if (!this.#isOver(tail)) return null;
    }
    this.#drop(tail);
    return tail.finish();
  }

  [Symbol.dispose](): void {
    this.#tails.splice(0).forEach((tail) => tail[Symbol.dispose]());
  }

  /** The files that are to be followed by their own names, each inode once. */
  #look(): Map<string, Found> {
    const { paths, directories, failures } = this.#glob.list();
    this.#directories = directories;
    failures.forEach((error, path) => this.#opener.sayUnlessMissing(path, error));
    const logs = new Set([...paths, ...this.#tails.map(({ path }) => path)]);
    const found = new Map<string, Found>();
    for (const path of paths) {
      const state = isRotated(path, logs) ? null : this.#opener.examine(path);
      if (state && !found.has(keyOf(state))) found.set(keyOf(state), { path, state });
    }
    return found;
  }

  /** Finds a file that was read before, or what is left of it. */
  async #restore(mark: Mark): Promise<void> {
    const known = knownOf(mark);
    const { place, tail } = await this.#opener.find(known);
    if (place === null && !canSearch(mark.path)) this.#missing.push(mark);
    else if (tail) {
      this.#tails.push(tail);
      // What one that was empty had later may be in a copy by now.
      if (known.head.length === 0) await this.#takeNewer(known, tail);
    } else if (place && this.#opener.isTroubled(place.path)) this.#missing.push(mark);
    else if (!await this.#addCopy(known, this.#tails.length)) {
      this.#lose(known);
      // One that has nothing in its place was deleted, not rotated away.
      if (mark.offset > 0 && this.#opener.examine(mark.path)) {
        this.#options.problem(`Cannot read the rest of what was ${mark.path}: no copy of it is left`);
      }
    }
  }

  /** Takes up a file that appeared, behind whatever was rotated away from its name in between. */
  async #take({ path, state }: Found): Promise<void> {
    const last = this.#lastOf(path);
    if (this.#since !== null) return await this.#takeFirst(path, this.#since);
    // An empty one is left until it shows whether it becomes a copy of another.
    const originals = this.#tails.filter(({ offset }) => state.size <= offset);
    if (!last && (state.size === 0 || await hasContentOf(path, originals))) return;
    const same = last && state.size >= last.offset && await hasContentOf(path, [last]);
    const { offset, head } = same ? last : { offset: 0, head: NO_HEAD };
    const tail = await this.#opener.open({ path, ...state }, { path, offset, head, time: last?.time });
    if (!tail) return void (this.#isStale ||= !this.#opener.isTroubled(path));
    if (same) this.#tails.filter((one) => one.is(last)).forEach((one) => this.#drop(one));
    this.#tails.push(tail);
    // Now that it is open: whatever is rotated away from here on is this file itself.
    if (last) await this.#takeNewer(last, tail);
    this.#isNews = true;
  }

  async #takeFirst(path: string, since: Micros): Promise<void> {
    const state = this.#opener.examine(path);
    const tail = state && await this.#opener.open({ path, ...state }, { path, offset: 0, head: NO_HEAD });
    if (!tail) return;
    await tail.skip(since, this.#options.timeOf);
    this.#tails.push(tail);
  }

  /** Takes up what was rotated away after `last`, before `successor` where that is open already; false when nothing was. */
  async #takeNewer(last: Known, successor?: Tail): Promise<boolean> {
    const before = this.#tails.length;
    for (let tries = 1; tries <= MAX_TRIES && !await this.#takeAllNewer(last, successor); tries++);
    const isNews = this.#tails.length > before;
    this.#isStale ||= isNews;
    return isNews;
  }

  /** False when a file was no longer what it was when found. */
  async #takeAllNewer(last: Known, successor?: Tail): Promise<boolean> {
    for (const file of await findNewer(last, this.#known)) {
      if (!isReadable(file.path)) {
        this.#opener.say(file.path, "it was compressed by something else than gzip");
        continue;
      }
      const tail = await this.#opener.open(file, {
        path: last.path,
        offset: 0,
        head: NO_HEAD,
        time: last.time,
      });
      if (!tail) return false;
      const place = successor ? this.#tails.indexOf(successor) : this.#tails.length;
      if (await this.#isOpen(tail)) tail[Symbol.dispose]();
      else this.#tails.splice(place, 0, tail);
    }
    return true;
  }

  /** Whether a copy has what an open file has by now, which may have been rotated away just since it was opened. */
  async #isOpen(copy: Tail): Promise<boolean> {
    for (const tail of this.#tails.filter(({ path }) => path === copy.path)) {
      // One that had a beginning when it was opened has the same now.
      const isKnown = tail.head.length > 0 || await tail.isUnchanged();
      if (isKnown && await isCopy(tail.head, copy.head.bytes!)) return true;
    }
    return false;
  }

  /** Goes on in the copy of a file that was truncated, and looks at that as at a new one. */
  async #relocate(tail: Tail): Promise<null> {
    const known = snapshot(tail);
    const index = this.#tails.indexOf(tail);
    this.#drop(tail);
    if (!await this.#addCopy(known, index)) this.#lose(known);
    this.#isStale = true;
    return null;
  }

  /** Keeps what is known of a file that is gone but for its inode, which is another's by now, or will be. */
  #lose(known: Known): void {
    this.#gone.push({ ...known, inode: 0 });
  }

  async #addCopy(known: Known, index: number): Promise<boolean> {
    const copy = await this.#opener.openCopy(known);
    if (copy) this.#tails.splice(index, 0, copy);
    return copy !== null;
  }

  /** All that was read, wherever it is by now. */
  get #known(): Known[] {
    return [...this.#tails, ...this.#gone, ...this.#missing.map(knownOf)];
  }

  #lastOf(path: string): Known | undefined {
    const tail = this.#tails.findLast((one) => one.path === path);
    const gone = this.#gone.findLast((one) => one.path === path);
    return tail && gone ? (gone.time > tail.time ? gone : tail) : tail ?? gone;
  }

  /** Whether nothing more is expected of a rotated file. */
  #isOver(tail: Tail): boolean {
    const { isComplete, quietSince } = tail;
    const isQuiet = quietSince !== null && performance.now() - quietSince >= this.#options.linger;
    return (isComplete || isQuiet) && !this.#isWaitedFor(tail);
  }

  /**
   * Whether a rotated file is to be kept: the one that took its name is empty, and its writer may not have noticed the
   * rotation; or none has taken it, and the file would pass for a new one.
   */
  #isWaitedFor(tail: Tail): boolean {
    const successor = this.#tails.find(({ path, quietSince }) => path === tail.path && quietSince === null);
    if (successor) return successor.head.length === 0;
    const place = findByInode(tail);
    return place !== null && this.#glob.concerns(place.path);
  }

  #drop(tail: Tail): void {
    tail[Symbol.dispose]();
    this.#tails = this.#tails.filter((one) => one !== tail);
    this.#isNews = true;
  }
}

/** What is known of a file at this moment. */
function snapshot(tail: Tail): Known {
  return { ...tail.mark, head: tail.head };
}

function knownOf(mark: Mark): Known {
  return { ...mark, head: { ...mark.head, bytes: null } };
}

function keyOf({ device, inode }: Pick<FileState, "device" | "inode">): string {
  return `${device}:${inode}`;
}
