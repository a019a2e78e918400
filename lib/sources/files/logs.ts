import { messageOf } from "../../core/error.ts";
import { identityOf } from "../../core/file_identity.ts";
import type { Micros } from "../../core/time.ts";
import type { Start } from "../source.ts";
import { Copies } from "./copies.ts";
import { isSameBirth } from "./content.ts";
import type { Glob } from "./glob.ts";
import { NO_HEAD } from "./head.ts";
import { absenceOf, lossOf, type Opener } from "./opening.ts";
import { type KnownFile, parsePosition } from "./position.ts";
import { canSearch, findByInode } from "./rotation.ts";
import { Rewriting } from "./rewriting.ts";
import { type FollowedFile, Selection } from "./selection.ts";
import { takeNewer } from "./succession.ts";
import { ContentLost, type Piece, type Tail } from "./tail.ts";
import { KnownFiles } from "./known_files.ts";

/** Files are lost if none came for this many times as long as a rotated one is read: four minutes. */
const GONE = 4;

/** Log files of one pattern through all their rotations, and how far each was read. */
export class Logs implements Disposable {
  readonly #glob: Glob;
  readonly #linger: number;
  readonly #opener: Opener;
  readonly #selection: Selection;
  readonly #files = new KnownFiles();
  readonly #rewriting: Rewriting;
  readonly #copies: Copies;
  /** Set at the very first start. */
  #since: Micros | null = null;
  #isStale = false;
  #isPositionDue = false;
  /** Whether the last survey found no file. */
  #isEmpty = true;
  /** When a file was last known, by `performance.now()`; null: never. */
  #lastKnown: number | null = null;
  #isLost = false;

  /** @param options.linger milliseconds without a line after which a rotated file is dropped */
  constructor(glob: Glob, { opener, linger }: { opener: Opener; linger: number }) {
    this.#glob = glob;
    this.#linger = linger;
    this.#opener = opener;
    this.#selection = new Selection(glob, opener);
    this.#rewriting = new Rewriting(this.#files, opener);
    this.#copies = new Copies(this.#files);
  }

  async begin({ after, since }: Start): Promise<void> {
    if (after === null) this.#since = since;
    else {
      this.#files.missing = parsePosition(after).filter(({ path }) => !this.#glob.isOthers(path));
      if (this.#files.missing.length > 0) this.#lastKnown = performance.now();
    }
    const times = this.#files.missing.map(({ time }) => time);
    await this.survey(after === null ? since : Math.max(...times));
    if (this.isWaiting) this.#opener.tell(absenceOf(this.#glob.pattern));
    this.#since = null;
    this.#opener.isBacklog = this.#isStale;
    this.#isPositionDue = true;
  }

  get tails(): readonly Tail[] {
    return this.#files.open;
  }

  /** Directories whose entries decide which files are read. */
  get directories(): readonly string[] {
    return this.#selection.directories;
  }

  /** Whether a survey is due: a file was not the expected one. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Reports whether a survey waits until one of these files is written. */
  awaits(paths: ReadonlySet<string>): boolean {
    return paths.values().some((path) => this.#rewriting.isWaiting(path));
  }

  /** Sentences on why files cannot be read. */
  get problems(): readonly string[] {
    const { problems } = this.#opener;
    return this.#isLost ? [...problems, lossOf(this.#glob.pattern)] : problems;
  }

  /** Whether there is no file, there was none, and no problem or other pattern hides one. */
  get isWaiting(): boolean {
    return this.#lastKnown === null && this.#hasNone;
  }

  get #hasNone(): boolean {
    const isHidden = this.#opener.problems.length > 0 || this.#glob.leftOut.size > 0;
    return this.#isEmpty && this.#files.all.length === 0 && !isHidden;
  }

  /** Reports whether the position must be stored, as files came or went since the last call. */
  takePositionDue(): boolean {
    const isDue = this.#isPositionDue;
    this.#isPositionDue = false;
    return isDue;
  }

  /** How far all files were read. */
  get position(): string {
    return this.#files.position;
  }

  /**
   * Finds new files, and files that lost their names. The first time, it ignores rotated files that
   * last changed before `since`.
   */
  async survey(since: Micros | null = null): Promise<void> {
    this.#isStale = false;
    // Files still to be found count as known meanwhile: none may pass for new.
    const { missing, open } = this.#files;
    for (let left = missing.length; left > 0; left--) {
      await this.#restore(missing.shift()!, { later: missing.slice(0, left - 1), opened: open });
    }
    const found = await this.#selection.look(this.#files, since);
    // Files that were renamed lose their names before others take these.
    for (const file of found) {
      const tail = this.#files.of(file);
      if (tail) [tail.path, tail.quietSince] = [file.path, null];
    }
    for (const file of found) if (!this.#files.of(file)) await this.#take(file);
    const names = new Set(found.map(({ path }) => path));
    for (const { path } of this.#files.all) {
      // Rotated away, and no new file yet: no other file leads to those rotated after it.
      const last = names.has(path) ? undefined : this.#files.lastOf(path);
      if (last) await this.#takeNewer(last);
    }
    const inodes = new Set(found.map(identityOf));
    for (const tail of this.tails) {
      if (!inodes.has(identityOf(tail))) tail.quietSince ??= performance.now();
    }
    this.#files.gone = [];
    this.#isEmpty = found.length === 0;
    this.#lookForLoss();
    if (!this.#isStale && this.#since === null) this.#opener.isBacklog = false;
  }

  /** Reports once that no file is left, as its service may write to another path by now. */
  #lookForLoss(): void {
    const time = performance.now();
    if (this.#files.all.length > 0) this.#lastKnown = time;
    const isLost = this.#hasNone && time - (this.#lastKnown ?? Infinity) >= GONE * this.#linger;
    if (isLost && !this.#isLost) this.#opener.tell(lossOf(this.#glob.pattern));
    this.#isLost = isLost;
  }

  /** Reads a piece of a file; null: nothing new. Drops a rotated file that was quiet for long. */
  async read(tail: Tail): Promise<Piece | null> {
    try {
      // An empty file's lines may have been copied before it was truncated again: they come first.
      if (tail.head.length === 0) {
        const before = tail.position;
        if (await tail.begin() && await this.#takeNewer(before, tail)) return null;
      }
      const piece = await tail.read();
      if (tail.quietSince === null) this.#opener.clearProblem(tail.path);
      if (piece || !this.#isOver(tail)) return piece;
    } catch (error) {
      if (error instanceof ContentLost) return await this.#relocate(tail);
      this.#opener.report(tail.path, messageOf(error));
      if (!this.#isOver(tail)) return null;
    }
    this.#drop(tail);
    this.#selection.setAside(tail);
    const piece = tail.finish();
    this.#files.leave(tail);
    return piece;
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }

  /**
   * Finds a file that was read before, or the rest of it.
   *
   * @param later newer files. If one of them had the same name, a rewritten file under that name
   * goes on behind the newest one's lines, not behind those of `known`
   * @param opened files opened while this one could not be read: younger ones come behind it
   */
  async #restore(
    known: KnownFile,
    { later, opened }: { later: readonly KnownFile[]; opened: readonly Tail[] },
  ): Promise<void> {
    const hasSuccessor = later.some(({ path }) => path === known.path);
    const { place, tail } = await this.#opener.find(known, hasSuccessor);
    const hasProblem = place !== null && this.#opener.hasProblem(place.path);
    const order = this.#files.placeOf(known, opened);
    if (tail) this.#files.add(tail, order);
    else if (hasProblem || (place === null && !canSearch(known.path))) {
      this.#files.missing.push(known);
      return;
    }
    // Lines of a file that was empty may be in a copy by now: no head tells which, only their time.
    const hasLines = known.head.length === 0 && await this.#takeNewer(known, tail ?? undefined);
    if (tail || hasLines || await this.#addCopy(known, order)) return;
    if (later.some(({ path, trace }) => path === known.path && trace.length > 0)) return;
    if (!await this.#rewriting.resume(known, place?.path !== known.path)) this.#lose(known);
  }

  #lose(known: KnownFile): void {
    this.#files.lose(known);
    const wasKept = known.head.bytes === undefined;
    if (known.offset === 0 || !wasKept) return;
    this.#opener.tell(`Cannot read the rest of what was ${known.path}: no copy of it is left`);
  }

  /** Opens a file that appeared, behind files that were rotated away from its name meanwhile. */
  async #take(file: FollowedFile): Promise<void> {
    const { path } = file;
    const last = this.#files.lastOf(path);
    if (this.#since !== null) return await this.#takeFirst(file, this.#since);
    if (this.#files.missing.some((one) => one.path === path) && this.#rewriting.isWaiting(path)) return;
    // An empty file waits until it shows whether it becomes a copy of another.
    if (!last && file.size === 0) return;
    if (await this.#resume(file)) return;
    const before = last && this.#files.of(last);
    if (before && await this.#follow(before, file)) return;
    const offset = before ? 0 : await this.#copies.beginOf(file);
    if (offset === null) return;
    const wasWaiting = this.#rewriting.isWaiting(path);
    const tail = before && before.trace.length > 0
      ? await this.#rewriting.open(file, before)
      : await this.#opener.open(file, { path, offset: Math.max(offset, file.offset), time: last?.time });
    if (!tail) {
      // The old file may have to be read first; if it waits, nothing is urgent.
      const isDue = !wasWaiting || !before?.isAtEnd;
      this.#isStale ||= isDue && !this.#opener.hasProblem(path);
      return;
    }
    this.#files.add(tail);
    // Only once it is open: a later rotation of this name is of this file itself.
    if (last) await this.#takeNewer(last, tail);
    this.#isPositionDue = true;
  }

  /** Goes on in a file that was away for long, under its name. False: it is another file. */
  async #resume(file: FollowedFile): Promise<boolean> {
    const left = this.#files.leftAs(file);
    const tail = left === undefined ? null : await this.#opener.open(file, left);
    if (tail === null) return false;
    this.#files.add(tail);
    this.#isPositionDue = true;
    return true;
  }

  /**
   * Goes on in the file of `tail` under its new device: its file system was unmounted while it was
   * open, and mounted again. Both show the lines that come. False: it is another file.
   */
  async #follow(tail: Tail, file: FollowedFile): Promise<boolean> {
    if (!isSameBirth(tail, file)) return false;
    const next = await this.#opener.open(file, tail.position);
    if (next === null) return false;
    const index = this.tails.indexOf(tail);
    this.#drop(tail);
    this.#files.add(next, index);
    return true;
  }

  async #takeFirst(file: FollowedFile, since: Micros): Promise<void> {
    const known: KnownFile = { ...file, offset: 0, head: NO_HEAD, trace: [] };
    // A file copied with its times is younger than they are.
    const { tail } = await this.#opener.find({ ...known, time: Infinity });
    if (!tail) return;
    await tail.skip(since);
    this.#files.add(tail);
    // It may have been copied and truncated since it was listed.
    if (tail.time !== file.time) await this.#takeNewer(known, tail);
  }

  async #takeNewer(last: KnownFile, successor?: Tail): Promise<boolean> {
    const hasNewer = await takeNewer(last, { files: this.#files, opener: this.#opener, successor });
    this.#isStale ||= hasNewer;
    return hasNewer;
  }

  /** Continues in the copy of a truncated file, or treats the file as new. */
  async #relocate(tail: Tail): Promise<null> {
    const known = tail.position;
    const index = this.tails.indexOf(tail);
    this.#drop(tail);
    if (!await this.#addCopy(known, index)) this.#files.missing.push(known);
    this.#isStale = true;
    return null;
  }

  async #addCopy(known: KnownFile, index?: number): Promise<boolean> {
    const copy = await this.#opener.openCopy(known);
    if (copy === null) return false;
    const isOther = await this.#files.has(copy, known);
    if (isOther) copy[Symbol.dispose]();
    else this.#files.add(copy, index);
    return !isOther;
  }

  /** Reports whether no more lines of a rotated file are expected. */
  #isOver(tail: Tail): boolean {
    const { isComplete, quietSince } = tail;
    const isQuiet = quietSince !== null && performance.now() - quietSince >= this.#linger;
    return (isComplete || isQuiet) && !this.#isWaitedFor(tail);
  }

  /**
   * Reports whether a rotated file must stay open: its successor is empty, and its writer may not
   * have noticed the rotation; or it has no successor, and the file would pass for a new one.
   */
  #isWaitedFor(tail: Tail): boolean {
    const successor = this.tails.find(({ path, quietSince }) => path === tail.path && quietSince === null);
    if (successor) return successor.head.length === 0;
    const place = findByInode(tail);
    return place !== null && this.#glob.concerns(place.path);
  }

  #drop(tail: Tail): void {
    this.#files.drop(tail);
    this.#isPositionDue = true;
  }
}
