import type { Micros } from "../../core/time.ts";

/** What a file system says about a file. */
export interface FileState {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  /** Bytes that the file system allots for it; null where it does not tell. */
  readonly allotted: number | null;
  /** Last change. */
  readonly time: Micros;
  /** When the inode became this file; null where the file system does not tell. */
  readonly born: Micros | null;
}

/** The bytes of an open log file, or of a compressed one as they were before. */
export interface Content extends Disposable {
  /** Nothing will be added. */
  readonly final: boolean;
  /** Of the file itself, compressed or not. */
  state(): FileState;
  /**
   * Fills `into` from `offset`, as far as there is something; returns how many bytes. Throws what
   * reading throws.
   */
  readAt(offset: number, into: Uint8Array): Promise<number>;
}

/**
 * Opens a log file; one named `….gz` for what is compressed in it. Throws what `Deno.open` throws,
 * and an `Error` for what is no regular file: opening a pipe would wait for its writer, and stop
 * everything.
 */
export function openContent(path: string): Content {
  if (!Deno.statSync(path).isFile) throw new Error("it is not a regular file");
  return path.endsWith(".gz") ? new GzipContent(path) : new PlainContent(path);
}

/** Names that compressed files bear. */
export const COMPRESSED = /\.(?:gz|bz2|xz|zst|lz4|lzma|Z|zip)$/;

/** What `info` says about a file. */
export function stateOf({ dev, ino, size, blocks, mtime, birthtime }: Deno.FileInfo): FileState {
  return {
    ...{ device: dev, inode: ino ?? 0, size },
    allotted: blocks && blocks * 512,
    time: (mtime?.getTime() ?? 0) * 1_000,
    born: birthtime && birthtime.getTime() * 1_000,
  };
}

/** Whether two states are of the same file. */
export function isSameFile(
  a: Pick<FileState, "device" | "inode">,
  b: Pick<FileState, "device" | "inode">,
): boolean {
  return a.inode === b.inode && a.device === b.device;
}

class PlainContent implements Content {
  readonly final = false;
  readonly #file: Deno.FsFile;

  constructor(path: string) {
    this.#file = Deno.openSync(path);
  }

  state(): FileState {
    return stateOf(this.#file.statSync());
  }

  // Local files answer at once: waiting for a thread would cost more than the reading.
  // deno-lint-ignore require-await
  async readAt(offset: number, into: Uint8Array): Promise<number> {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    return this.#file.readSync(into) ?? 0;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Can be read forward alone; going back begins anew. */
class GzipContent implements Content {
  readonly final = true;
  readonly #file: Deno.FsFile;
  #stream: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(path: string) {
    this.#file = Deno.openSync(path);
  }

  state(): FileState {
    return stateOf(this.#file.statSync());
  }

  async readAt(offset: number, into: Uint8Array): Promise<number> {
    if (this.#stream === null || offset < this.#at) this.#begin();
    while (this.#at + this.#chunk.length <= offset) if (!await this.#advance()) return 0;
    const part = this.#chunk.subarray(offset - this.#at).subarray(0, into.length);
    into.set(part);
    return part.length;
  }

  /** The file stays open all the while: its name may be another's by now. */
  #begin(): void {
    this.#end();
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#stream = bytesOf(this.#file).pipeThrough(new DecompressionStream("gzip")).getReader();
    [this.#chunk, this.#at] = [new Uint8Array(), 0];
  }

  async #advance(): Promise<boolean> {
    const { value } = await this.#stream!.read();
    if (value === undefined) return false;
    this.#at += this.#chunk.length;
    this.#chunk = value;
    return true;
  }

  #end(): void {
    // Whatever was wrong with the stream has been told by reading it.
    this.#stream?.cancel().catch(() => {});
    this.#stream = null;
  }

  [Symbol.dispose](): void {
    this.#end();
    this.#file.close();
  }
}

/** What an open file has from where it stands, without closing it. */
function bytesOf(file: Deno.FsFile): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      const bytes = new Uint8Array(64 * 1_024);
      const count = file.readSync(bytes);
      if (count === null) controller.close();
      else controller.enqueue(bytes.subarray(0, count));
    },
  }, { highWaterMark: 0 });
}
