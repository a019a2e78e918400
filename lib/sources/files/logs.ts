import { messageOf } from "../../core/error.ts";
import type { Micros } from "../../core/time.ts";
import type { Start } from "../source.ts";
import type { Glob } from "./glob.ts";
import { NO_HEAD } from "./head.ts";
import { absenceOf, Opener, type OpenerOptions } from "./opening.ts";
import { parsePosition } from "./position.ts";
import { canSearch, findByInode, hasContentOf, type Known } from "./rotation.ts";
import { Rewriting } from "./rewriting.ts";
import { type Found, Selection } from "./selection.ts";
import { Succession } from "./succession.ts";
import { ContentLost, type Piece, type Tail } from "./tail.ts";
import { knownOf, snapshot, Tails } from "./tails.ts";

/** How files are followed. */
export interface LogsOptions extends OpenerOptions {
  /** How long a rotated file may be quiet until it is let go, in milliseconds. */
  readonly linger: number;
}

/** The log files of one pattern through all their rotations: which there are, and how far each was read. */
export class Logs implements Disposable {
  readonly #glob: Glob;
  readonly #options: LogsOptions;
  readonly #opener: Opener;
  readonly #selection: Selection;
  readonly #tails = new Tails();
  readonly #succession: Succession;
  readonly #rewriting: Rewriting;
  /** Set at the very first start. */
  #since: Micros | null = null;
  #isStale = false;
  #isNews = false;

  constructor(glob: Glob, options: LogsOptions) {
    this.#glob = glob;
    this.#options = options;
    this.#opener = new Opener(options);
    this.#selection = new Selection(glob, this.#opener);
    this.#succession = new Succession(this.#tails, this.#opener);
    this.#rewriting = new Rewriting(this.#tails, this.#opener);
  }

  /** Takes up reading where `start` says. */
  async begin({ after, since }: Start): Promise<void> {
    if (after === null) this.#since = since;
    else this.#tails.missing = parsePosition(after).map(knownOf);
    const times = this.#tails.missing.map(({ time }) => time);
    await this.survey(after === null ? since : Math.max(...times));
    if (this.isWaiting) {
      this.#options.problem(absenceOf(this.#glob.pattern));
    }
    this.#since = null;
    this.#opener.isBacklog = false;
    this.#isNews = true;
  }

  get tails(): readonly Tail[] {
    return this.#tails.open;
  }

  /** Directories in which names matter. */
  get directories(): readonly string[] {
    return this.#selection.directories;
  }

  /** A survey is due: a file turned out to be another than was thought. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Whether a survey waits for one of these files to be written. */
  awaits(paths: ReadonlySet<string>): boolean {
    return paths.values().some((path) => this.#rewriting.isWaiting(path));
  }

  /** What keeps files from being read, in sentences. */
  get problems(): readonly string[] {
    return this.#opener.problems;
  }

  /** Whether there is no file to read, and none was, and nothing keeps one from being read. */
  get isWaiting(): boolean {
    return this.#tails.known.length === 0 && this.problems.length === 0;
  }

  /** Whether files came or went since this was last asked: a reason to keep the position. */
  takeNews(): boolean {
    const news = this.#isNews;
    this.#isNews = false;
    return news;
  }

  /** How far all files were read. */
  get position(): string {
    return this.#tails.position;
  }

  /**
   * Finds out which files there are: new ones, and those that lost their names. At the first time,
   * rotated ones that were last changed before `since` are left alone.
   */
  async survey(since: Micros | null = null): Promise<void> {
    this.#isStale = false;
    // Those that are still to be looked for are known meanwhile: nobody may take them for new.
    const { missing } = this.#tails;
    for (let left = missing.length; left > 0; left--) await this.#restore(missing.shift()!);
    const found = await this.#selection.look(this.#tails, since);
    for (const file of found) {
      const tail = this.#tails.of(file);
      // A dated one may have been taken up just now as the predecessor of a plain one.
      const isOther = tail !== undefined && file.isDated && tail.path !== file.path;
      if (tail && !isOther) [tail.path, tail.quietSince] = [file.path, null];
      else if (!tail) await this.#take(file);
    }
    const names = new Set(found.map(({ path }) => path));
    for (const { path } of this.#tails.known) {
      // Rotated away, and no new file yet; what was rotated after it is nobody's predecessor.
      const last = names.has(path) ? undefined : this.#tails.lastOf(path);
      if (last) await this.#takeNewer(last);
    }
    for (const tail of this.tails) {
      if (!found.some((file) => tail.is(file))) tail.quietSince ??= performance.now();
    }
    this.#tails.gone = [];
  }

  /** What a file has to say; null when nothing. A rotated one that has been quiet for long is let go. */
  async read(tail: Tail): Promise<Piece | null> {
    try {
      // What an empty file had in between may have been copied, and it truncated again: that comes first.
      if (tail.head.length === 0) {
        const before = snapshot(tail);
        if (await tail.begin() && await this.#takeNewer(before, tail)) return null;
      }
      const piece = await tail.read();
      if (tail.quietSince === null) this.#opener.solve(tail.path);
      if (piece || !this.#isOver(tail)) return piece;
    } catch (error) {
      if (error instanceof ContentLost) return await this.#relocate(tail);
      this.#opener.say(tail.path, messageOf(error));
      if (!this.#isOver(tail)) return null;
    }
    this.#drop(tail);
    this.#selection.leave(tail);
    return tail.finish();
  }

  [Symbol.dispose](): void {
    this.#tails[Symbol.dispose]();
  }

  /** Finds a file that was read before, or what is left of it. */
  async #restore(known: Known): Promise<void> {
    const { place, tail } = await this.#opener.find(known);
    const isTroubled = place !== null && this.#opener.isTroubled(place.path);
    if (tail) {
      this.#tails.add(tail);
      // What one that was empty had later may be in a copy by now.
      if (known.head.length === 0) await this.#takeNewer(known, tail);
    } else if (isTroubled || (place === null && !canSearch(known.path))) this.#tails.missing.push(known);
    else if (
      !await this.#addCopy(known) && !await this.#rewriting.resume(known, place?.path !== known.path)
    ) {
      this.#lose(known);
    }
  }

  #lose(known: Known): void {
    this.#tails.lose(known);
    const wasKept = known.head.bytes === null;
    if (known.offset === 0 || !wasKept) return;
    this.#options.problem(`Cannot read the rest of what was ${known.path}: no copy of it is left`);
  }

  /** Takes up a file that appeared, behind whatever was rotated away from its name in between. */
  async #take(file: Found): Promise<void> {
    const { path } = file;
    const last = this.#tails.lastOf(path);
    if (this.#since !== null) return await this.#takeFirst(file, this.#since);
    if (this.#tails.missing.some((one) => one.path === path) && this.#rewriting.isWaiting(path)) return;
    // An empty one is left until it shows whether it becomes a copy of another.
    const originals = this.tails.filter(({ offset }) => file.size <= offset);
    if (!last && (file.size === 0 || await hasContentOf(path, originals))) return;
    const before = last && this.#tails.of(last);
    const wasWaiting = this.#rewriting.isWaiting(path);
    const tail = before && before.trace.length > 0
      ? await this.#rewriting.open(file, before)
      : await this.#opener.open(file, { path, offset: file.offset, time: last?.time });
    if (!tail) {
      // The old file may have to be read first; of one that waits there is nothing to hasten.
      const isDue = !wasWaiting || !before?.isAtEnd;
      this.#isStale ||= isDue && !this.#opener.isTroubled(path);
      return;
    }
    this.#tails.add(tail);
    // Now that it is open: whatever is rotated away from here on is this file itself.
    if (last) await this.#takeNewer(last, tail);
    this.#isNews = true;
  }

  async #takeFirst(file: Found, since: Micros): Promise<void> {
    const known: Known = { ...file, offset: 0, head: NO_HEAD, trace: [] };
    // One that was copied with its times is younger than they are.
    const { tail } = await this.#opener.find({ ...known, time: Infinity });
    if (!tail) return;
    await tail.skip(since);
    this.#tails.add(tail);
    // It may have been copied and truncated since it was listed.
    if (tail.time !== file.time) await this.#takeNewer(known, tail);
  }

  async #takeNewer(last: Known, successor?: Tail): Promise<boolean> {
    const isNews = await this.#succession.takeNewer(last, successor);
    this.#isStale ||= isNews;
    return isNews;
  }

  /** Goes on in the copy of a file that was truncated, or looks at that as at a new one. */
  async #relocate(tail: Tail): Promise<null> {
    const known = snapshot(tail);
    const index = this.tails.indexOf(tail);
    this.#drop(tail);
    if (!await this.#addCopy(known, index)) this.#tails.missing.push(known);
    this.#isStale = true;
    return null;
  }

  async #addCopy(known: Known, index?: number): Promise<boolean> {
    const copy = await this.#opener.openCopy(known);
    if (copy) this.#tails.add(copy, index);
    return copy !== null;
  }

  /** Whether nothing more is expected of a rotated file. */
  #isOver(tail: Tail): boolean {
    const { isComplete, quietSince } = tail;
    const isQuiet = quietSince !== null && performance.now() - quietSince >= this.#options.linger;
    return (isComplete || isQuiet) && !this.#isWaitedFor(tail);
  }

  /**
   * Whether a rotated file is to be kept: the one that took its name is empty, and its writer may
   * not have noticed the rotation; or none has taken it, and the file would pass for a new one.
   */
  #isWaitedFor(tail: Tail): boolean {
    const successor = this.tails.find(({ path, quietSince }) => path === tail.path && quietSince === null);
    if (successor) return successor.head.length === 0;
    const place = findByInode(tail);
    return place !== null && this.#glob.concerns(place.path);
  }

  #drop(tail: Tail): void {
    this.#tails.drop(tail);
    this.#isNews = true;
  }
}
