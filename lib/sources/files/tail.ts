import { LINE_FEED } from "../../core/ascii.ts";
import type { Bytes } from "../../core/bytes.ts";
import { tried } from "../../core/error.ts";
import type { Records } from "../../core/records.ts";
import { type Micros, SECOND } from "../../core/time.ts";
import { Backlog } from "./backlog.ts";
import { type Content, type FileState, openContent } from "./content.ts";
import { type Head, isCopy, readBytes } from "./head.ts";
import { countNuls, findData } from "./hole.ts";
import { LineSplitter, PAGE, SURROUNDINGS } from "../line_splitter.ts";
import { NO_RECORDS, type RecordBuffer } from "../../core/record_buffer.ts";
import type { KnownFile } from "./position.ts";
import { findSince, type LearnZone, lookBack, type TimeOf } from "./since.ts";
import { Fingerprint } from "./fingerprint.ts";
import type { Trace } from "./trace.ts";

/** Lines of a file that were read at once. */
export interface Piece {
  /** Good until the next piece of any file of the source. */
  readonly records: Records;
  readonly damaged: number;
  /** False at the file's end. */
  readonly more: boolean;
}

/** How a file is read. */
export interface TailOptions {
  /** The name under which the file is followed. */
  readonly path: string;
  /** Where to begin, in bytes. */
  readonly offset: number;
  /** Its head when it was read before. */
  readonly head?: Head;
  /** Its last lines when it was read before. */
  readonly trace?: Trace;
  /** Whether its present content was written before the first look. */
  readonly backlog: boolean;
  /** When the content behind the offset was written at the earliest; default: the last change. */
  readonly time?: Micros;
  readonly shared: SharedParts;
}

/** Functions and buffer that the files of one source share. */
export interface SharedParts {
  readonly clock: () => Micros;
  /** Returns a line's time. */
  readonly timeOf: TimeOf | undefined;
  readonly learnZone: LearnZone | undefined;
  /** Receives the lines that are read. */
  readonly buffer: RecordBuffer;
}

/** The file was truncated or rewritten: the part that was read has moved. */
export class ContentLost extends Error {}

const MIN_CHUNK = 64 * 1_024;
/** Most bytes of one read: of more, V8 would promote the objects before they can be freed. */
export const MAX_CHUNK = 128 * 1_024;
/** Two changes this close may have the same time: file systems' clocks are late, and rounded. */
const SETTLED: Micros = 50_000;

/** A log file being read, recognized by inode, head and trace under any name. */
export class Tail implements Disposable {
  /** The name under which it is followed; a rotated file keeps it. */
  path: string;
  /** When it lost its name, or grew since, by `performance.now()`; null while it has its name. */
  quietSince: number | null = null;
  readonly #content: Content;
  readonly #lines = new LineSplitter();
  readonly #shared: SharedParts;
  readonly #backlog: Backlog;
  readonly #fingerprint: Fingerprint;
  #state: FileState;
  /** When the state was read. */
  #looked: Micros = 0;
  #reached: number;
  /** Last change of the dropped files that had its name before. */
  #earlierTime: Micros = 0;
  #chunkSize = MIN_CHUNK;
  #atEnd = false;
  /** Whether it knows the bytes before the place reached. */
  #hasSurroundings = false;
  #position: KnownFile | null = null;
  /** Whether the zone of its times was sought at its end. */
  #isZoneSought = false;

  /** Opens the file at `place`, perhaps not the followed name; throws the errors of `Deno.open`. */
  constructor(
    place: string,
    { path, offset, head, trace, backlog, time = Infinity, shared }: TailOptions,
  ) {
    this.path = path;
    this.#content = openContent(place);
    this.#state = this.#content.state();
    this.#reached = offset;
    this.#fingerprint = new Fingerprint(head, trace);
    this.#backlog = new Backlog(offset, backlog ? this.#end : 0, Math.min(time, this.#state.time));
    this.#shared = shared;
  }

  get dev(): number {
    return this.#state.dev;
  }

  get ino(): number {
    return this.#state.ino;
  }

  /** Its last change that was seen, or a later one of dropped files that had its name before. */
  get time(): Micros {
    return Math.max(this.#state.time, this.#earlierTime);
  }

  get head(): Head {
    return this.#fingerprint.head;
  }

  /** The last lines read. */
  get trace(): Trace {
    return this.#fingerprint.trace;
  }

  /** Byte behind the last line handed over. */
  get offset(): number {
    return this.#reached - this.#lines.pending;
  }

  /** Byte up to which it was read, perhaps within a line. */
  get reached(): number {
    return this.#reached;
  }

  get born(): Micros | null {
    return this.#state.born;
  }

  /** Whether it ends now where it was read to. */
  get isAtEnd(): boolean {
    if (!this.#atEnd || this.#content.final) return this.#atEnd;
    // A file that cannot be asked cannot be read either.
    const state = tried(() => this.#content.state());
    return state === null || state.size === this.#reached;
  }

  /** Whether it was read to its end, and nothing can be added. */
  get isComplete(): boolean {
    return this.#content.final && this.#atEnd;
  }

  /** How far it was read, the same object until that changes. */
  get position(): KnownFile {
    const { path, dev, ino, offset, time, head, trace } = this;
    const before = this.#position;
    const isSame = before?.path === path && before.offset === offset && before.time === time &&
      before.head.start === head.start && before.head.hash === head.hash && before.trace === trace;
    if (isSame) return before;
    return this.#position = { path, dev, ino, offset, time, head, trace };
  }

  /** Notes that all files with its name before were read, until their last change at `time`. */
  noteEarlier(time: Micros): void {
    this.#earlierTime = Math.max(this.#earlierTime, time + 1);
  }

  /** Reports whether the part that was read is unchanged. Learns its head and trace. */
  async isUnchanged(): Promise<boolean> {
    return this.#end >= this.#reached && await this.#fingerprint.recall(this.#content, this.#reached);
  }

  /**
   * Learns the head of a file that was always empty before; returns false if it has not changed
   * since. The caller then looks for its earlier lines, by its state before this call.
   */
  async begin(): Promise<boolean> {
    const state = this.#content.state();
    if (state.size === 0 && state.time === this.#state.time) return false;
    [this.#state, this.#atEnd] = [state, false];
    await this.isUnchanged();
    return true;
  }

  /** Reports whether it has the content of the file of `head`, perhaps of an earlier time. */
  isCopyOf(head: Head): Promise<boolean> {
    return isCopy(head, this.#content);
  }

  /** Moves to the first line of `since` or later; to the end if lines have no times. */
  async skip(since: Micros): Promise<void> {
    const { size } = this.#state;
    const { timeOf } = this.#shared;
    await this.#seekZone();
    const search = timeOf && {
      from: this.#fingerprint.head.start,
      size,
      since,
      timeOf: (bytes: Bytes, from: number, to: number) => timeOf(bytes, from, to, this.#lines),
    };
    const found = search && await findSince(this.#content, search);
    this.#reached = found ?? await this.#lastLineEnd(size);
    await this.#fingerprint.move(this.#content, this.#reached);
  }

  /** Reads new lines, up to `MAX_CHUNK` bytes; null: none. Throws `ContentLost` or read errors. */
  async read(): Promise<Piece | null> {
    const [before, looked] = [this.#state, this.#looked];
    [this.#state, this.#looked] = [this.#content.state(), Date.now() * 1_000];
    const isSettled = before.time + SETTLED < looked;
    const isSame = this.#state.time === before.time && this.#state.size === before.size;
    if (this.#atEnd && isSame && isSettled) return null;
    if (this.#end < this.#reached) throw new ContentLost();
    if (this.#end - this.#reached > this.#chunkSize) await this.#seekZone();
    const { buffer } = this.#shared;
    if (!this.#hasSurroundings) await this.#recall();
    this.#lines.begin(buffer);
    const room = buffer.room(this.#chunkSize);
    const count = await this.#content.readAt(this.#reached, room);
    // Checked after the read, as a truncation may come at any time: bytes that were read just
    // before it are read again from the copy.
    if (!this.#content.final && !await this.#fingerprint.matches(this.#content, this.#reached)) {
      throw new ContentLost();
    }
    if (count > 0 && this.#lines.pending === 0 && countNuls(room, count) === count) {
      return await this.#skipHole();
    }
    return this.#take(count);
  }

  /** Returns the last lines, also an unfinished one, when nothing more will come. */
  finish(): Piece {
    const { buffer } = this.#shared;
    this.#lines.begin(buffer);
    const damaged = this.#lines.finish(buffer, this.#timeOf(this.#reached));
    this.#fingerprint.addLines(this.#addedTo(buffer));
    return { records: buffer, damaged, more: false };
  }

  [Symbol.dispose](): void {
    this.#content[Symbol.dispose]();
  }

  /** End of the content; infinite if only reading can tell. */
  get #end(): number {
    return this.#content.final ? Infinity : this.#state.size;
  }

  /** Has the zone learned at the file's end, once, before lines of another batch are read. */
  async #seekZone(): Promise<void> {
    const { learnZone } = this.#shared;
    if (this.#isZoneSought || learnZone === undefined || this.#content.final) return;
    this.#isZoneSought = true;
    const end = { stream: this.#lines, written: this.#state.time, isLive: this.#backlog.isEmpty };
    await lookBack(this.#content, this.#state.size, (bytes, from, to) => learnZone(bytes, from, to, end));
  }

  async #recall(): Promise<void> {
    this.#hasSurroundings = true;
    const size = Math.min(SURROUNDINGS, this.#reached);
    this.#lines.recall(await readBytes(this.#content, { from: this.#reached - size, size }));
  }

  async #skipHole(): Promise<Piece> {
    const { start } = this.#fingerprint.head;
    this.#reached = this.#reached < start ? start : await findData(this.#content, this.#reached, start);
    await this.#fingerprint.skip(this.#content, this.#reached);
    return { records: NO_RECORDS, damaged: 0, more: true };
  }

  #take(count: number): Piece | null {
    const from = this.#reached;
    this.#reached += count;
    const more = this.#content.final ? count > 0 : count === this.#chunkSize;
    const goesOn = more || this.#isBeingWritten;
    const wasAtEnd = this.#atEnd;
    this.#atEnd = !goesOn;
    if (this.#content.final && this.#atEnd) return this.finish();
    if (count === 0 && (goesOn || wasAtEnd || this.#lines.pending === 0)) return null;
    const { buffer } = this.#shared;
    const behind = buffer.end;
    buffer.took(count);
    const { end } = buffer;
    const damaged = this.#lines.take(buffer, this.#timeOf(from), goesOn);
    this.#fingerprint.add(buffer.bytes.array.subarray(behind, end));
    this.#fingerprint.addLines(this.#addedTo(buffer));
    const isOfBacklog = this.#backlog.holds(from);
    if (isOfBacklog && !this.#content.final) this.#backlog.date(buffer, from - behind, this.#state.time);
    buffer.written = more || this.#content.final ? NaN : this.#state.time;
    buffer.isLive = !isOfBacklog;
    this.#chunkSize = more ? Math.min(MAX_CHUNK, 2 * this.#chunkSize) : MIN_CHUNK;
    if (this.quietSince !== null) this.quietSince = performance.now();
    return { records: buffer, damaged, more };
  }

  /** Whether the last bytes may be the first part of what a service is writing. */
  get #isBeingWritten(): boolean {
    const age = Math.abs(this.#looked - this.#state.time);
    return !this.#content.final && this.#reached % PAGE === 0 && age < SECOND;
  }

  /** Returns the lines that were added to the buffer, as they stand in the file. */
  #addedTo({ bytes: { array, fresh } }: RecordBuffer): Uint8Array {
    return array.subarray(fresh, fresh + this.#lines.added);
  }

  /** Returns when the bytes from an offset on were written, as far as the file tells. */
  #timeOf(offset: number): Micros {
    return this.#backlog.holds(offset) ? this.#state.time : this.#shared.clock();
  }

  async #lastLineEnd(size: number): Promise<number> {
    const start = Math.max(0, size - MIN_CHUNK);
    const { buffer } = this.#shared;
    buffer.begin();
    const chunk = buffer.room(size - start);
    const count = await this.#content.readAt(start, chunk);
    const newline = chunk.subarray(0, count).lastIndexOf(LINE_FEED);
    return newline < 0 && start > 0 ? size : start + newline + 1;
  }
}
