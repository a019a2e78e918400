import { createHash } from "node:crypto";
import type { Micros } from "../types.ts";
import { LineCutter, type Lines } from "./cutter.ts";

/** How far a file has been read, and by what it is known again, under whatever name. */
export interface Mark {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Behind the last line that was handed over. */
  readonly offset: number;
  /** Hash of its first bytes, and how many these were: a file that is used anew begins otherwise. */
  readonly head: Head;
}

/** The first bytes of a file. */
export interface Head {
  readonly length: number;
  readonly hash: string;
}

const MAX_HEAD = 1_024;
const CHUNK = 1 << 18;
const buffer = new Uint8Array(CHUNK);

/** The hash of the first bytes of something. */
export function headOf(bytes: Uint8Array): Head {
  return { length: bytes.length, hash: createHash("sha256").update(bytes).digest("hex").slice(0, 32) };
}

/** An open file that is read on and on. */
export class Tail implements Disposable {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  readonly #file: Deno.FsFile;
  #cutter: LineCutter;
  #head: Head;
  /** When it last grew. */
  #grown: Micros;
  #isCaughtUp = false;
  /** Another file has its name: it will grow a little more at most. */
  isRotated = false;

  /** Opens the file at `place`, to be read from `offset` on and known as `path`. Throws what Deno throws. */
  constructor(path: string, { place = path, offset = 0 }: { place?: string; offset?: number } = {}) {
    this.path = path;
    this.#file = Deno.openSync(place);
    const { dev, ino, mtime, isFile } = this.#file.statSync();
    if (!isFile) {
      this.#file.close();
      throw new Error("it is no regular file");
    }
    this.device = dev;
    this.inode = ino ?? 0;
    this.#grown = (mtime?.getTime() ?? 0) * 1_000;
    this.#cutter = new LineCutter(offset);
    this.#head = this.#readHead(MAX_HEAD);
  }

  /** Whether all that was there has been read once: what comes now is new. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  get grown(): Micros {
    return this.#grown;
  }

  /** How far it has been read. */
  get mark(): Mark {
    return {
      path: this.path,
      device: this.device,
      inode: this.inode,
      offset: this.#cutter.offset,
      head: this.#head,
    };
  }

  get size(): number {
    return this.#file.statSync().size;
  }

  /** Whether it is another file now than it was: cut off before the place reached, or beginning otherwise. */
  isReplaced(): boolean {
    return this.size < this.#cutter.end || this.#readHead(this.#head.length).hash !== this.#head.hash;
  }

  /** Begins at its beginning again. */
  restart(): void {
    this.#cutter = new LineCutter(0);
    this.#head = this.#readHead(MAX_HEAD);
  }

  /** The lines of the next piece; null at the end. */
  read(now: Micros): Lines | null {
    this.#file.seekSync(this.#cutter.end, Deno.SeekMode.Start);
    const count = this.#file.readSync(buffer);
    if (!count) {
      this.#isCaughtUp = true;
      return null;
    }
    if (this.#isCaughtUp) this.#grown = now;
    if (this.#head.length < MAX_HEAD) this.#head = this.#readHead(MAX_HEAD);
    return this.#cutter.push(buffer.subarray(0, count));
  }

  /** The last line, when it will not be finished any more. */
  flush(): Lines {
    return this.#cutter.flush();
  }

  /** At most `length` bytes of `size` from `offset` on. */
  bytesAt(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    let filled = 0;
    for (
      let count;
      filled < length && (count = this.#file.readSync(bytes.subarray(filled)));
      filled += count
    );
    return bytes.subarray(0, filled);
  }

  /** Goes on from `offset`, where a line begins. */
  seek(offset: number): void {
    this.#cutter = new LineCutter(offset);
  }

  #readHead(length: number): Head {
    return headOf(this.bytesAt(0, length));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
