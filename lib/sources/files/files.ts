import { tried } from "../../core/error.ts";
import { type Micros, MINUTE, now, SECOND } from "../../core/time.ts";
import type { Batch, Source, Start } from "../source.ts";
import { Glob } from "./glob.ts";
import { Logs } from "./logs.ts";
import { Opener } from "./opening.ts";
import { parsePosition } from "./position.ts";
import type { LearnZone, TimeOf } from "./since.ts";
import { NO_RECORDS, RecordBuffer } from "../../core/record_buffer.ts";
import { MAX_CHUNK, type Tail } from "./tail.ts";
import { Watch } from "./watch.ts";

/** How files are read. */
export interface FileOptions {
  /** Returns a line's time. A first start finds its place by it. */
  readonly timeOf?: TimeOf;
  /** Called with a file's last lines before its first ones are read. */
  readonly learnZone?: LearnZone;
  readonly clock?: () => Micros;
  /** How often files are checked about which inotify reports nothing; the default is one second. */
  readonly poll?: Micros;
  /** False: no inotify, only a check each `poll`. */
  readonly inotify?: boolean;
  /** How long a rotated file is read after its last line, for a slow writer; default: a minute. */
  readonly linger?: Micros;
  /** Other patterns, whose files another source reads; default: none. */
  readonly others?: readonly string[];
  /** Called with a sentence on why a file cannot be read; the file is tried again. */
  readonly problem?: (sentence: string) => void;
}

/**
 * Opens the lines of the log files of `pattern`, an absolute path in which `*` and `?` stand for
 * parts of names, through all rotations: by rename, by copy and truncation, with gzip or without. A
 * file that appears is read from its beginning; at the very first start, existing files are read
 * from the first line of `since` or later, or from their ends if their lines have no times. Batches
 * end only at an abort; they throw an `Error` at a position of another kind. Throws an `Error` if
 * `pattern` is not absolute.
 */
export function openFiles(pattern: string, options: FileOptions = {}): Source {
  const others = options.others?.map((other) => new Glob(other));
  return new FileSource(new Glob(pattern, others), options);
}

class FileSource implements Source {
  readonly name: string;
  readonly #glob: Glob;
  readonly #options: FileOptions;
  /** The logs while they are read. */
  #logs: Logs | null = null;

  constructor(glob: Glob, options: FileOptions) {
    this.name = `file:${glob.pattern}`;
    this.#glob = glob;
    this.#options = options;
  }

  get problems(): readonly string[] {
    return this.#logs?.problems ?? [];
  }

  get isWaiting(): boolean {
    return this.#logs?.isWaiting ?? false;
  }

  readsOn(position: string): boolean {
    return tried(() => parsePosition(position))?.some(({ path }) => this.#glob.concerns(path)) ?? false;
  }

  async *batches(start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
    if (signal.aborted) return;
    const poll = (this.#options.poll ?? SECOND) / 1_000;
    await using watch = new Watch((path) => this.#glob.concerns(path), poll);
    using logs = this.#logs = this.#makeLogs();
    await logs.begin(start);
    const follow = this.#options.inotify ?? true;
    if (follow) watch.follow(logs.directories);
    let unread: readonly Tail[] = logs.tails;
    while (!signal.aborted) {
      const changes = await watch.next(unread.length === 0 && !logs.isStale, signal);
      if (signal.aborted) return;
      const all = changes.all || logs.isStale || logs.awaits(changes.paths);
      if (all) {
        await logs.survey();
        if (follow) watch.follow(logs.directories);
      }
      const tails = logs.tails.filter((tail) =>
        all || unread.includes(tail) || changes.paths.has(tail.path) || tail.quietSince !== null
      );
      unread = yield* this.#read(logs, { tails, signal });
    }
  }

  #makeLogs(): Logs {
    const { timeOf, learnZone, clock = now, linger = MINUTE, problem = () => {} } = this.#options;
    const buffer = new RecordBuffer(MAX_CHUNK);
    const opener = new Opener({ timeOf, learnZone, clock, buffer }, problem);
    return new Logs(this.#glob, { opener, linger: linger / 1_000 });
  }

  /**
   * Reads each of `tails` once, but none before the older ones of its path are at their ends. Lines
   * of several are committed together. Returns the tails that are not at their ends.
   */
  async *#read(
    logs: Logs,
    { tails, signal }: { tails: readonly Tail[]; signal: AbortSignal },
  ): AsyncGenerator<Batch, readonly Tail[]> {
    const unread: Tail[] = [];
    let isMore = false;
    for (const tail of tails) {
      const waits = unread.some(({ path }) => path === tail.path);
      const piece = waits ? null : await logs.read(tail);
      if (waits || piece?.more) unread.push(tail);
      if (piece !== null && piece.records.length > 0) {
        isMore = tail !== tails.at(-1);
        yield { records: piece.records, position: logs.position, damaged: piece.damaged, isMore };
      }
      if (signal.aborted) return [];
    }
    if (logs.takePositionDue() || isMore) {
      yield { records: NO_RECORDS, position: logs.position, damaged: 0 };
    }
    return unread;
  }
}
