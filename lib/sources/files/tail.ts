import type { Bytes } from "../../core/bytes.ts";
import type { Records } from "../../core/records.ts";
import type { Micros } from "../../core/time.ts";
import { Backlog } from "./backlog.ts";
import { type Content, type FileState, isSameFile, openContent } from "./content.ts";
import { type Head, isCopy } from "./head.ts";
import { countNuls, findData } from "./hole.ts";
import { LineSplitter } from "../line_splitter.ts";
import { NO_RECORDS, type RecordBuffer } from "../record_buffer.ts";
import type { Mark } from "./position.ts";
import { findSince, type LearnZone, lookBack, type TimeOf } from "./since.ts";
import { Past } from "./past.ts";
import type { Trace } from "./trace.ts";

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
  /** The lines that were read of it before. */
  readonly trace?: Trace;
  /** What it holds already was written before anybody looked. */
  readonly backlog: boolean;
  /**
   * When what stands behind the offset may have been written at the earliest; unless told, when the
   * file changed last.
   */
  readonly time?: Micros;
  readonly shared: Shared;
}

/** What the files of one source share. */
export interface Shared {
  readonly clock: () => Micros;
  /** When a line says that it was written. */
  readonly timeOf: TimeOf | undefined;
  readonly learnZone: LearnZone | undefined;
  /** What is read comes here. */
  readonly buffer: RecordBuffer;
}

/** The file was truncated or written anew: what was read of it is no longer where it was. */
export class ContentLost extends Error {}

const MIN_CHUNK = 64 * 1_024;
/**
 * Most that is read in one go, in bytes: of more, V8 would take what is made of it for old before
 * it can go.
 */
export const MAX_CHUNK = 128 * 1_024;
/**
 * Two changes so near to each other may bear the same time: what file systems call now is a little
 * late, and rounded.
 */
const SETTLED: Micros = 50_000;
const NEWLINE = 10;

/** A log file being read: known by its inode, its head and its trace, whatever its name is by now. */
export class Tail implements Disposable {
  /** The name under which it is followed; a rotated file keeps it. */
  path: string;
  /**
   * When it was seen to have lost its name, or to grow after that, on `performance.now()`; null
   * while it has it.
   */
  quietSince: number | null = null;
  readonly #content: Content;
  readonly #lines = new LineSplitter();
  readonly #shared: Shared;
  readonly #backlog: Backlog;
  readonly #past: Past;
  #state: FileState;
  /** When the state was taken. */
  #looked: Micros = 0;
  #reached: number;
  #time: Micros = 0;
  #chunkSize = MIN_CHUNK;
  #atEnd = false;
  /** Whether the zone of its times was looked for at its end. */
  #isZoneSought = false;

  /**
   * Opens what is at `place`, perhaps another name than the one it is followed by; throws what
   * `Deno.open` throws.
   */
  constructor(
    place: string,
    { path, offset, head, trace, backlog, time = Infinity, shared }: TailOptions,
  ) {
    this.path = path;
    this.#content = openContent(place);
    this.#state = this.#content.state();
    this.#reached = offset;
    this.#past = new Past(head, trace);
    this.#backlog = new Backlog(offset, backlog ? this.#end : 0, Math.min(time, this.#state.time));
    this.#shared = shared;
  }

  get device(): number {
    return this.#state.device;
  }

  get inode(): number {
    return this.#state.inode;
  }

  /** Its last change that was seen, or a later one of those files that had its name before and are let go. */
  get time(): Micros {
    return Math.max(this.#state.time, this.#time);
  }

  get head(): Head {
    return this.#past.head;
  }

  /** The lines read last. */
  get trace(): Trace {
    return this.#past.trace;
  }

  /** Just behind the last line handed over. */
  get offset(): number {
    return this.#reached - this.#lines.pending;
  }

  /** Up to where it was read, be it within a line. */
  get reached(): number {
    return this.#reached;
  }

  get born(): Micros | null {
    return this.#state.born;
  }

  /** All was read that was there at the last reading. */
  get isAtEnd(): boolean {
    return this.#atEnd;
  }

  /** All was read, and nothing can be added. */
  get isComplete(): boolean {
    return this.#content.final && this.#atEnd;
  }

  /** Where it stands, to be kept. */
  get mark(): Mark {
    const { path, device, inode, offset, time, head: { start, length, hash }, trace } = this;
    return { path, device, inode, offset, time, head: { start, length, hash }, trace };
  }

  is(file: Pick<FileState, "device" | "inode">): boolean {
    return isSameFile(this, file);
  }

  /** Takes note that all was read that had its name before, until its last change at `time`. */
  follows(time: Micros): void {
    this.#time = Math.max(this.#time, time + 1);
  }

  /** Whether the file still is what it was when it was read; learns what it needs to know that again. */
  async isUnchanged(): Promise<boolean> {
    return this.#end >= this.#reached && await this.#past.recall(this.#content, this.#reached);
  }

  /**
   * Learns what a file begins with that was empty whenever it was looked at; false when it has not
   * changed since. What it had in between is to be looked for after this, by what was known of it
   * before.
   */
  async begin(): Promise<boolean> {
    const state = this.#content.state();
    if (state.size === 0 && state.time === this.#state.time) return false;
    [this.#state, this.#atEnd] = [state, false];
    await this.isUnchanged();
    return true;
  }

  /** Whether it has what the file of `head` has, perhaps as that was when it was shorter. */
  isCopyOf(head: Head): Promise<boolean> {
    return isCopy(head, this.#content);
  }

  /** Moves to the first line of `since` or later; to the end where lines tell no time. */
  async skip(since: Micros): Promise<void> {
    const { size } = this.#state;
    const { timeOf } = this.#shared;
    await this.#seekZone();
    const search = timeOf && {
      ...{ from: this.#past.head.start, size, since },
      timeOf: (bytes: Bytes, from: number, to: number) => timeOf(bytes, from, to, this.#lines),
    };
    const found = search && await findSince(this.#content, search);
    this.#reached = found ?? await this.#lastLineEnd(size);
    await this.#past.move(this.#content, this.#reached);
  }

  /**
   * The lines that were completed since, of at most a megabyte; null when nothing was added. Throws
   * `ContentLost`, and what reading throws.
   */
  async read(): Promise<Piece | null> {
    const [before, looked] = [this.#state, this.#looked];
    [this.#state, this.#looked] = [this.#content.state(), Date.now() * 1_000];
    const isSettled = before.time + SETTLED < looked;
    const isSame = this.#state.time === before.time && this.#state.size === before.size;
    if (this.#atEnd && isSame && isSettled) return null;
    if (this.#end < this.#reached) throw new ContentLost();
    if (this.#end - this.#reached > this.#chunkSize) await this.#seekZone();
    const { buffer } = this.#shared;
    this.#lines.begin(buffer);
    const room = buffer.room(this.#chunkSize);
    const count = await this.#content.readAt(this.#reached, room);
    // Afterwards, as it may be truncated at any time: what was read just before that is read again
    // from its copy.
    if (!this.#content.final && !await this.#past.isThere(this.#content, this.#reached)) {
      throw new ContentLost();
    }
    if (count > 0 && this.#lines.pending === 0 && countNuls(room, count) === count) {
      return await this.#skipHole();
    }
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

  /**
   * Has the zone of its times learned at its end, once: before lines are read that the end is not
   * read together with.
   */
  async #seekZone(): Promise<void> {
    const { learnZone } = this.#shared;
    if (this.#isZoneSought || learnZone === undefined || this.#content.final) return;
    this.#isZoneSought = true;
    const end = { stream: this.#lines, written: this.#state.time, isLive: this.#backlog.isEmpty };
    await lookBack(this.#content, this.#state.size, (bytes, from, to) => learnZone(bytes, from, to, end));
  }

  async #skipHole(): Promise<Piece> {
    const { start } = this.#past.head;
    this.#reached = this.#reached < start ? start : await findData(this.#content, this.#reached, start);
    await this.#past.skip(this.#content, this.#reached);
    return { records: NO_RECORDS, damaged: 0, more: true };
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
    this.#past.add(buffer.bytes.array.subarray(0, buffer.end), count);
    const damaged = this.#lines.take(buffer, this.#timeOf(from));
    const isOfBacklog = this.#backlog.holds(from);
    if (isOfBacklog && !this.#content.final) this.#backlog.date(buffer, from - behind, this.#state.time);
    buffer.written = more || this.#content.final ? NaN : this.#state.time;
    buffer.isLive = !isOfBacklog;
    this.#chunkSize = more ? Math.min(MAX_CHUNK, 2 * this.#chunkSize) : MIN_CHUNK;
    if (this.quietSince !== null) this.quietSince = performance.now();
    return { records: buffer, damaged, more };
  }

  /** When what was read from an offset on was written, as far as the file tells. */
  #timeOf(offset: number): Micros {
    return this.#backlog.holds(offset) ? this.#state.time : this.#shared.clock();
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
