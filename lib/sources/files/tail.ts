import type { Records } from "../../core/records.ts";
import type { Micros } from "../../core/time.ts";
import { type Content, type FileState, isSameFile, openContent } from "./content.ts";
import { continues, type Head, makeHead, NO_HEAD, readBeginning } from "./head.ts";
import { LineSplitter } from "../line_splitter.ts";
import type { RecordBuffer } from "../record_buffer.ts";
import type { Mark } from "./position.ts";
import { findSince, type TimeOf } from "./since.ts";

/** What was read of a file in one go. */
export interface Piece {
  /** Good until the next piece of any file of the source. */
  readonly records: Records;
  readonly damaged: number;
  /** False where the file's end was reached. */
  readonly more: boolean;
}

/** How a file is read. */
export interface TailOptions {
  /** The name under which it is followed. */
  readonly path: string;
  /** Where to begin, in bytes. */
  readonly offset: number;
  /** What it began with when it was read before. */
  readonly head?: Head;
  /** What it holds already was written before anybody looked. */
  readonly backlog: boolean;
  /** When what stands behind the offset may have been written at the earliest; unless told, when the file changed last. */
  readonly time?: Micros;
  readonly shared: Shared;
}

/** What the files of one source share. */
export interface Shared {
  readonly clock: () => Micros;
  /** What is read comes here. */
  readonly buffer: RecordBuffer;
}

/** The file was truncated or written anew: what was read of it is no longer there. */
export class ContentLost extends Error {}

const MIN_CHUNK = 64 * 1_024;
/** Most that is read in one go, in bytes: of more, V8 would take what is made of it for old before it can go. */
export const MAX_CHUNK = 128 * 1_024;
const NEWLINE = 10;

/** A log file being read: known by its inode and what it begins with, whatever its name is by now. */
export class Tail implements Disposable {
  /** The name under which it is followed; a rotated file keeps it. */
  path: string;
  /** When it was seen to have lost its name, or to grow after that, on `performance.now()`; null while it has it. */
  quietSince: number | null = null;
  readonly #content: Content;
  readonly #lines = new LineSplitter();
  readonly #shared: Shared;
  /** Where what was written before anybody looked begins and ends, and since when it may have been written. */
  readonly #start: number;
  readonly #backlog: number;
  readonly #since: Micros;
  #head: Head;
  #state: FileState;
  #reached: number;
  #chunkSize = MIN_CHUNK;
  #atEnd = false;

  /** Opens what is at `place`, perhaps another name than the one it is followed by; throws what `Deno.open` throws. */
  constructor(
    place: string,
    { path, offset, head = NO_HEAD, backlog, time = Infinity, shared }: TailOptions,
  ) {
    this.path = path;
    this.#content = openContent(place);
    this.#state = this.#content.state();
    this.#reached = offset;
    this.#head = head;
    this.#start = offset;
    this.#backlog = backlog ? this.#end : 0;
    this.#since = Math.min(time, this.#state.time);
    this.#shared = shared;
  }

  get device(): number {
    return this.#state.device;
  }

  get inode(): number {
    return this.#state.inode;
  }

  get time(): Micros {
    return this.#state.time;
  }

  get head(): Head {
    return this.#head;
  }

  /** Just behind the last line handed over. */
  get offset(): number {
    return this.#reached - this.#lines.pending;
  }

  /** All was read, and nothing can be added. */
  get isComplete(): boolean {
    return this.#content.final && this.#atEnd;
  }

  /** It was empty whenever it was looked at, and no longer is. */
  get isBegun(): boolean {
    return this.#head.length === 0 && this.#content.state().size > 0;
  }

  /** Where it stands, to be kept. */
  get mark(): Mark {
    const { path, device, inode, offset, time, head: { length, hash } } = this;
    return { path, device, inode, offset, time, head: { length, hash } };
  }

  is(file: Pick<FileState, "device" | "inode">): boolean {
    return isSameFile(this, file);
  }

  /** Whether the file still is what it was when it was read. */
  async isUnchanged(): Promise<boolean> {
    return this.#end >= this.#reached && await this.#knowHead();
  }

  /** Moves to the first line of `since` or later; to the end where lines tell no time. */
  async skip(since: Micros, timeOf: TimeOf | undefined): Promise<void> {
    const { size } = this.#state;
    const found = timeOf && await findSince(this.#content, { size, since, timeOf });
    this.#reached = found ?? await this.#lastLineEnd(size);
  }

  /**
   * The lines that were completed since, of at most a megabyte; null when nothing was added. Throws `ContentLost`, and
   * what reading throws.
   */
  async read(): Promise<Piece | null> {
    const before = this.#state;
    this.#state = this.#content.state();
    if (this.#atEnd && this.#state.time === before.time && this.#state.size === before.size) return null;
    if (this.#end < this.#reached) throw new ContentLost();
    const { buffer } = this.#shared;
    this.#lines.begin(buffer);
    const count = await this.#content.readAt(this.#reached, buffer.room(this.#chunkSize));
    // Afterwards, as it may be truncated at any time: what was read just before that is read again from its copy.
    if (!this.#content.final && !await this.#knowHead()) throw new ContentLost();
    return this.#take(count);
  }

  /** The unfinished last line, when nothing more will come. */
  finish(): Piece {
    const { buffer } = this.#shared;
    this.#lines.begin(buffer);
    const damaged = this.#lines.finish(buffer, this.#timeOf(this.#reached));
    return { records: buffer, damaged, more: false };
  }

  [Symbol.dispose](): void {
    this.#content[Symbol.dispose]();
  }

  /** Where the content ends; beyond everything where only reading can tell. */
  get #end(): number {
    return this.#content.final ? Infinity : this.#state.size;
  }

  #take(count: number): Piece | null {
    const from = this.#reached;
    this.#reached += count;
    const more = this.#content.final ? count > 0 : count === this.#chunkSize;
    this.#atEnd = !more;
    if (this.#content.final && this.#atEnd) return this.finish();
    if (count === 0) return null;
    const { buffer } = this.#shared;
    const behind = buffer.end;
    buffer.took(count);
    const damaged = this.#lines.take(buffer, this.#timeOf(from));
    if (from < this.#backlog && !this.#content.final) this.#spread(buffer, from - behind);
    buffer.written = more || this.#content.final ? NaN : this.#state.time;
    buffer.isLive = from >= this.#backlog;
    this.#chunkSize = more ? Math.min(MAX_CHUNK, 2 * this.#chunkSize) : MIN_CHUNK;
    if (this.quietSince !== null) this.quietSince = performance.now();
    return { records: buffer, damaged, more };
  }

  /**
   * Dates the lines of a backlog between the last look at the file and its last change, by where they stand: what came over
   * days does not lie in one moment, where lines do not tell their times.
   *
   * @param base where in the file the buffer begins
   */
  #spread({ times, to, length }: RecordBuffer, base: number): void {
    const [start, since, { time }] = [this.#start, this.#since, this.#state];
    const pace = (time - since) / (this.#backlog - start);
    // Lines that were written anew stand behind all others in the buffer.
    for (let i = 0; i < length; i++) {
      times[i] = Math.min(time, since + Math.max(0, base + to[i]! - start) * pace);
    }
  }

  /** When what was read from an offset on was written, as far as the file tells. */
  #timeOf(offset: number): Micros {
    return offset < this.#backlog ? this.#state.time : this.#shared.clock();
  }

  /** Whether the file begins as it did; learns what it begins with as it grows. */
  async #knowHead(): Promise<boolean> {
    const beginning = await readBeginning(this.#content);
    if (!await continues(this.#head, beginning)) return false;
    if (this.#head.bytes?.length !== beginning.length) this.#head = await makeHead(beginning);
    return true;
  }

  async #lastLineEnd(size: number): Promise<number> {
    const start = Math.max(0, size - MIN_CHUNK);
    const { buffer } = this.#shared;
    buffer.begin();
    const chunk = buffer.room(size - start);
    const count = await this.#content.readAt(start, chunk);
    const newline = chunk.subarray(0, count).lastIndexOf(NEWLINE);
    return newline < 0 && start > 0 ? size : start + newline + 1;
  }
}
