import type { FileState } from "./content.ts";
import { formatPosition, type Mark } from "./position.ts";
import type { Known } from "./rotation.ts";
import type { Tail } from "./tail.ts";

/** All that is known of the files of one pattern: those that are being read, and those that were. */
export class Tails implements Disposable {
  /** Those that are being read; of one path, the older come first. */
  open: readonly Tail[] = [];
  /**
   * Files read before that could not be looked for yet, or that may be in the course of being
   * written anew.
   */
  missing: Known[] = [];
  /** Files whose unread rest was not found, until the files that came after them are found. */
  gone: Known[] = [];

  /** All that was read, wherever it is by now. */
  get known(): Known[] {
    return [...this.open, ...this.gone, ...this.missing];
  }

  /** How far all files were read. */
  get position(): string {
    return formatPosition([...this.missing, ...this.open.map(({ mark }) => mark)]);
  }

  /** The last one that is known under a name. */
  lastOf(path: string): Known | undefined {
    const tail = this.open.findLast((one) => one.path === path);
    const gone = this.gone.findLast((one) => one.path === path);
    return tail && gone ? (gone.time > tail.time ? gone : tail) : tail ?? gone;
  }

  /** The one that reads a file. */
  of(file: Pick<FileState, "device" | "inode">): Tail | undefined {
    return this.open.find((tail) => tail.is(file));
  }

  /** Puts one in at `place`, or behind all others. */
  add(tail: Tail, place = this.open.length): void {
    this.open = this.open.toSpliced(place, 0, tail);
  }

  /** Lets one go; those that have its name now are as new as it was. */
  drop(tail: Tail): void {
    tail[Symbol.dispose]();
    this.open = this.open.filter((one) => one !== tail);
    if (tail.quietSince === null) return;
    for (const one of this.open) if (one.path === tail.path) one.follows(tail.time);
  }

  /** Keeps what is known of a file that is gone but for its inode, which is another's by now, or will be. */
  lose(known: Known): void {
    this.gone.push({ ...known, inode: 0 });
  }

  [Symbol.dispose](): void {
    this.open.forEach((tail) => tail[Symbol.dispose]());
    this.open = [];
  }
}

/** What is known of a file at this moment. */
export function snapshot(tail: Tail): Known {
  return { ...tail.mark, head: tail.head };
}

/** What is known of a file that was read before the program started. */
export function knownOf(mark: Mark): Known {
  return { ...mark, head: { ...mark.head, bytes: null } };
}
