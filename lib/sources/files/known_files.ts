import { identityOf } from "../../core/file_identity.ts";
import { type FileId, isSameFile } from "./content.ts";
import { formatPosition, type KnownFile } from "./position.ts";
import type { Tail } from "./tail.ts";

/** Most files without a name that are remembered, as of containers that come and go. */
const MOST_LEFT = 100;

/** Known files of one pattern: those being read, and those read before. */
export class KnownFiles implements Disposable {
  /** Files being read; of one path, the older come first. */
  open: readonly Tail[] = [];
  /** Files read before that could not be sought yet, or that may be unfinished rewrites. */
  missing: KnownFile[] = [];
  /** Files whose unread rest was not found, until their successors are found. */
  gone: KnownFile[] = [];
  /** By path, dropped files without a successor: they may get their names back. */
  readonly #left = new Map<string, KnownFile>();
  /** The first tail of each inode. */
  readonly #byInode = new Map<string, Tail>();

  /** All files that were read, wherever they are now. */
  get all(): KnownFile[] {
    return [...this.open, ...this.gone, ...this.missing];
  }

  /** How far all files were read. */
  get position(): string {
    return formatPosition([...this.missing, ...this.open.map(({ position }) => position)]);
  }

  /** Returns the last known file under a name. */
  lastOf(path: string): KnownFile | undefined {
    const tail = this.open.findLast((one) => one.path === path);
    const gone = this.gone.findLast((one) => one.path === path);
    return tail && gone ? (gone.time > tail.time ? gone : tail) : tail ?? gone;
  }

  /** Returns the tail that reads a file. */
  of(file: FileId): Tail | undefined {
    return this.#byInode.get(identityOf(file));
  }

  /** Reports whether a file is a known one other than `known`, by inode and head. */
  async has(tail: Tail, known: KnownFile): Promise<boolean> {
    for (const one of this.all) {
      const isSame = isSameFile(tail, one) && !isSameFile(one, known) && one.head.length > 0;
      if (isSame && await tail.isCopyOf(one.head)) return true;
    }
    return false;
  }

  /** Returns the place of a file that was read before: in front of the younger ones of `others`. */
  placeOf({ path, time }: KnownFile, others: readonly Tail[]): number {
    const younger = others.find((one) => one.path === path && one.time > time);
    return younger === undefined ? this.open.length : this.open.indexOf(younger);
  }

  /** Inserts a tail at `place`, or behind all others. */
  add(tail: Tail, place = this.open.length): void {
    this.open = this.open.toSpliced(place, 0, tail);
    this.#left.delete(tail.path);
    this.#note(tail);
  }

  /** Drops a tail; the tails with its name are as new as it was. */
  drop(tail: Tail): void {
    tail[Symbol.dispose]();
    this.open = this.open.filter((one) => one !== tail);
    this.#note(tail);
    if (tail.quietSince === null) return;
    for (const one of this.open) if (one.path === tail.path) one.noteEarlier(tail.time);
  }

  /** Remembers a dropped tail's file unless another one has its name. */
  leave({ path, position }: Tail): void {
    if (this.open.some((one) => one.path === path)) return;
    this.#left.delete(path);
    this.#left.set(path, position);
    if (this.#left.size > MOST_LEFT) this.#left.delete(this.#left.keys().next().value!);
  }

  /** Returns the data of a dropped file that may have its name again; undefined: there is none. */
  leftAs({ path, ino }: Pick<KnownFile, "path" | "ino">): KnownFile | undefined {
    const left = this.#left.get(path);
    return left?.ino === ino ? left : undefined;
  }

  /** Keeps a lost file's data without its inode, which another file has or will get. */
  lose(known: KnownFile): void {
    this.gone.push({ ...known, ino: 0 });
  }

  /** Notes which tail reads an inode, after one came or went. */
  #note(changed: Tail): void {
    const tail = this.open.find((one) => isSameFile(one, changed));
    if (tail) this.#byInode.set(identityOf(changed), tail);
    else this.#byInode.delete(identityOf(changed));
  }

  [Symbol.dispose](): void {
    this.open.forEach((tail) => tail[Symbol.dispose]());
    this.open = [];
  }
}
