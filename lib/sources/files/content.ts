import { gunzip } from "../../core/gzip.ts";
import { GUARDED, isGuarded } from "../../core/state_files.ts";
import type { Micros } from "../../core/time.ts";

/** State of a file, according to its file system. */
export interface FileState {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  /** Bytes that the file system allots for it; null: unknown. */
  readonly allotted: number | null;
  /** Last change. */
  readonly time: Micros;
  /** When the inode became this file; null: unknown. */
  readonly born: Micros | null;
}

/** The bytes of an open log file, or the original ones of a compressed file. */
export interface Content extends Disposable {
  /** Whether nothing will be added. */
  readonly final: boolean;
  /** Returns the state of the file itself, compressed or not. */
  state(): FileState;
  /** Fills `into` from `offset`, and returns the number of bytes. Throws errors of reading. */
  readAt(offset: number, into: Uint8Array): Promise<number>;
}

/**
 * Opens a log file; for a name in `.gz`, its uncompressed content. Throws the errors of
 * `Deno.open`, and an `Error` for a file of the state and for anything but a regular file: opening
 * a pipe would wait for its writer, and stop everything.
 */
export function openContent(path: string): Content {
  const info = Deno.statSync(path);
  if (!info.isFile) throw new Error("it is not a regular file");
  if (isGuarded(info)) throw new Error(GUARDED);
  return path.endsWith(".gz") ? new GzipContent(path) : new FileContent(path);
}

/** Makes a file's state of `info`. */
export function stateOf({ dev, ino, size, blocks, mtime, birthtime }: Deno.FileInfo): FileState {
  return {
    dev,
    ino: ino ?? 0,
    size,
    allotted: blocks && blocks * 512,
    time: (mtime?.getTime() ?? 0) * 1_000,
    born: birthtime && birthtime.getTime() * 1_000,
  };
}

/** Device and inode of a file. */
export type FileId = Pick<FileState, "dev" | "ino">;

/** Reports whether two states are of the same file. */
export function isSameFile(a: FileId, b: FileId): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** Inode and birth of a file, which a file system keeps when it is mounted anew. */
export type Birth = Pick<FileState, "ino" | "born">;

/** Reports whether two files have the same inode and birth, as one file on two mounts of its file system. */
export function isSameBirth(a: Birth, b: Birth): boolean {
  return a.ino === b.ino && a.born !== null && a.born === b.born;
}

/** The bytes of a file as they are. */
class FileContent implements Content {
  readonly final: boolean = false;
  protected readonly file: Deno.FsFile;

  constructor(path: string) {
    this.file = Deno.openSync(path);
  }

  state(): FileState {
    return stateOf(this.file.statSync());
  }

  // Local files answer at once: waiting for a thread would cost more than the read.
  // deno-lint-ignore require-await
  async readAt(offset: number, into: Uint8Array): Promise<number> {
    this.file.seekSync(offset, Deno.SeekMode.Start);
    return this.file.readSync(into) ?? 0;
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}

/** The original bytes of a compressed file. Reads forward only; going back begins anew. */
class GzipContent extends FileContent {
  override readonly final = true;
  #chunks: AsyncGenerator<Uint8Array> | null = null;
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;

  override async readAt(offset: number, into: Uint8Array): Promise<number> {
    if (this.#chunks === null || offset < this.#at) this.#begin();
    while (this.#at + this.#chunk.length <= offset) if (!await this.#advance()) return 0;
    const part = this.#chunk.subarray(offset - this.#at).subarray(0, into.length);
    into.set(part);
    return part.length;
  }

  /** Begins anew. The file stays open: its name may be another file's by now. */
  #begin(): void {
    this.#end();
    this.#chunks = gunzip(bytesOf(this.file));
    [this.#chunk, this.#at] = [new Uint8Array(), 0];
  }

  async #advance(): Promise<boolean> {
    const { value } = await this.#chunks!.next();
    if (value === undefined) return false;
    this.#at += this.#chunk.length;
    this.#chunk = value;
    return true;
  }

  #end(): void {
    // Reading has already thrown the chunks' error.
    this.#chunks?.return(undefined).catch(() => {});
    this.#chunks = null;
  }

  override [Symbol.dispose](): void {
    this.#end();
    super[Symbol.dispose]();
  }
}

/** Yields the bytes of an open file, wherever others have read it meanwhile; does not close it. */
function* bytesOf(file: Deno.FsFile): Generator<Uint8Array> {
  for (let at = 0;;) {
    const bytes = new Uint8Array(64 * 1_024);
    file.seekSync(at, Deno.SeekMode.Start);
    const count = file.readSync(bytes);
    if (count === null) return;
    at += count;
    yield bytes.subarray(0, count);
  }
}
