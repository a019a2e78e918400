import { now } from "../clock.ts";
import { fixedDirectory } from "../paths.ts";
import { type Batch, type Entry, messageOf, type Micros, type Source, type Start } from "../types.ts";
import { Alarm } from "./alarm.ts";
import { LineCutter, type Lines } from "./cutter.ts";
import { firstLineSince } from "./first_line.ts";
import { expand } from "./glob.ts";
import { bytesOf, isPutAside, locate, type Place, putAsideSince } from "./rotation.ts";
import { type Mark, Tail } from "./tail.ts";

/** How log files are followed. */
export interface FileOptions {
  /** When a line was written, as far as it tells: by it a file is read from `Start.since` on. */
  readonly timeOf?: (line: string) => Micros | null;
  /** Told once of each file that cannot be followed, and why. */
  readonly problem?: (sentence: string) => void;
  /** How long a change may go unnoticed where inotify(7) tells nothing. */
  readonly poll?: Micros;
  /** How long a file that was put aside is watched for late lines. */
  readonly patience?: Micros;
}

const SECOND: Micros = 1_000_000;

/**
 * The log files that `pattern` means, an absolute path in which `*` and `?` stand for any part of a name, now and later.
 * They are followed through rotation: renamed, copied and truncated, packed. A position holds for each file how far it was
 * read and by what it is known again, so that reading goes on in what was put aside meanwhile. Lines carry the time when
 * they were read, those that lay there already that of the file's last change. Never fails over a file.
 */
export function openFiles(pattern: string, options: FileOptions = {}): Source {
  return new Files(pattern, options);
}

class Files implements Source {
  readonly name: string;
  readonly #pattern: string;
  readonly #options: FileOptions;

  constructor(pattern: string, options: FileOptions) {
    this.name = `file:${pattern}`;
    this.#pattern = pattern;
    this.#options = options;
  }

  async *batches(start: Start, signal: AbortSignal): AsyncGenerator<Batch> {
    using follower = new Follower(this.#pattern, this.#options);
    using alarm = new Alarm(signal);
    // Watched before they are read: a change in between is not missed.
    alarm.watch([`${fixedDirectory(this.#pattern)}/x`]);
    yield* follower.resume(start);
    while (!signal.aborted) {
      alarm.watch([`${fixedDirectory(this.#pattern)}/x`, ...follower.paths]);
      for await (const batch of follower.advance()) {
        yield batch;
        if (signal.aborted) return;
      }
      await alarm.wait(this.#options.poll ?? SECOND);
    }
  }
}

/** Where reading stands in all files of a pattern. */
class Follower implements Disposable {
  readonly #pattern: string;
  readonly #options: FileOptions;
  readonly #patience: Micros;
  /** In the order in which they are to be read. */
  #tails: Tail[] = [];
  /** Files that are read to their end before all others, while that is going on. */
  #pending: Mark[] = [];
  #since: Micros | null = null;
  readonly #problems = new Map<string, string>();

  constructor(pattern: string, options: FileOptions) {
    this.#pattern = pattern;
    this.#options = options;
    this.#patience = options.patience ?? 60 * SECOND;
  }

  /** Files being followed. */
  get paths(): string[] {
    return this.#tails.map(({ path }) => path);
  }

  /** Takes up what `start` says, and reads what has been packed meanwhile. */
  async *resume({ after, since }: Start): AsyncGenerator<Batch> {
    if (after === null) {
      this.#since = since;
      return;
    }
    this.#pending = JSON.parse(after) as Mark[];
    for (const path of new Set(this.#pending.map(({ path }) => path))) {
      yield* this.#takeUp(path, this.#pending.filter((mark) => mark.path === path));
    }
    this.#pending = [];
  }

  /** Reads on in all files, each to its end. */
  async *advance(): AsyncGenerator<Batch> {
    this.#discover();
    this.#since = null;
    for (const tail of [...this.#tails]) {
      if (this.#isReplaced(tail)) yield* this.#replace(tail);
      yield* this.#read(tail);
      if (tail.isRotated && tail.grown + this.#patience < now()) yield* this.#retire(tail);
    }
  }

  /** What was read of one log up to `marks`, and has been written since. */
  async *#takeUp(path: string, marks: readonly Mark[]): AsyncGenerator<Batch> {
    let newest: Place | null = null;
    for (const mark of marks) {
      const place = await locate(mark);
      if (place !== null && (newest === null || place.modified > newest.modified)) newest = place;
      yield* this.#goOn(mark, place);
    }
    if (newest === null || newest.path === path) return;
    for (const place of putAsideSince(path, newest)) {
      const tail = this.#tails.find((tail) => isAt(tail, place.path));
      if (!tail) {
        yield* this.#goOn({ path, device: 0, inode: 0, offset: 0, head: { length: 0, hash: "" } }, place);
      }
    }
  }

  /** Reads on from `mark` in a file that is elsewhere now. */
  async *#goOn(mark: Mark, place: Place | null): AsyncGenerator<Batch> {
    if (place?.isPacked) return yield* this.#readPacked(mark, place);
    this.#pending = this.#pending.filter((other) => other !== mark);
    if (place === null) return;
    const tail = this.#open(mark.path, { place: place.path, offset: mark.offset });
    if (tail === null) return;
    tail.isRotated = place.path !== mark.path;
    this.#tails.push(tail);
  }

  /** The rest of a file that has been packed. */
  async *#readPacked(mark: Mark, place: Place): AsyncGenerator<Batch> {
    let skip = mark.offset;
    const cutter = new LineCutter(mark.offset);
    let current = mark;
    const reached = (offset: number | null) => {
      const next = offset === null ? [] : [{ ...current, offset }];
      this.#pending = this.#pending.flatMap((other) => other === current ? next : [other]);
      current = next[0] ?? current;
    };
    const time = place.modified * 1_000;
    for await (const chunk of bytesOf(place)) {
      const bytes = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - bytes.length;
      const lines = cutter.push(bytes);
      reached(cutter.offset);
      if (lines.lines.length > 0) yield this.#batch(lines, time);
    }
    const last = cutter.flush();
    reached(null);
    yield this.#batch(last, time);
  }

  /** Opens files that have come, and sees which ones have lost their name. */
  #discover(): void {
    const paths = expand(this.#pattern).filter((path) => path === this.#pattern || !isPutAside(path));
    for (const tail of this.#tails) {
      if (!isAt(tail, tail.path)) tail.isRotated = true;
    }
    for (const path of paths) {
      if (this.#tails.some((tail) => isAt(tail, path))) continue;
      const tail = this.#open(path);
      if (tail === null) continue;
      if (this.#since !== null) this.#skipOld(tail, this.#since);
      this.#tails.push(tail);
    }
  }

  #skipOld(tail: Tail, since: Micros): void {
    const { timeOf = () => null } = this.#options;
    tail.seek(firstLineSince(tail, { since, timeOf }));
  }

  #open(path: string, options?: { place: string; offset: number }): Tail | null {
    try {
      const tail = new Tail(path, options);
      this.#problems.delete(path);
      return tail;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      const sentence = `Cannot follow ${path}: ${why(error)}`;
      if (this.#problems.get(path) !== sentence) this.#options.problem?.(sentence);
      this.#problems.set(path, sentence);
      return null;
    }
  }

  #isReplaced(tail: Tail): boolean {
    return !tail.isRotated && tail.isReplaced();
  }

  /** Reads the rest of what a file held from its copy, and then the file from its beginning. */
  async *#replace(tail: Tail): AsyncGenerator<Batch> {
    const { mark } = tail;
    tail.restart();
    const place = await locate(mark);
    if (place === null || place.path === tail.path) return;
    this.#pending = [mark];
    const before = this.#tails;
    this.#tails = [];
    yield* this.#goOn(mark, place);
    this.#pending = [];
    const copies = this.#tails;
    this.#tails = before.flatMap((other) => other === tail ? [...copies, tail] : [other]);
    for (const copy of copies) yield* this.#read(copy);
  }

  *#read(tail: Tail): Generator<Batch> {
    for (;;) {
      const time = tail.isCaughtUp ? now() : Math.min(now(), tail.grown);
      const lines = tail.read(now());
      if (lines === null) return;
      if (lines.lines.length > 0) yield this.#batch(lines, time);
    }
  }

  /** Lets go of a file that was put aside and is silent. */
  *#retire(tail: Tail): Generator<Batch> {
    const lines = tail.flush();
    this.#tails = this.#tails.filter((other) => other !== tail);
    tail[Symbol.dispose]();
    yield this.#batch(lines, tail.grown);
  }

  #batch({ lines, damaged }: Lines, time: Micros): Batch {
    const entries = lines.map((message): Entry => ({
      time,
      identifier: null,
      pid: null,
      message,
      sender: null,
    }));
    return {
      entries,
      position: JSON.stringify([...this.#pending, ...this.#tails.map(({ mark }) => mark)]),
      damaged,
    };
  }

  [Symbol.dispose](): void {
    for (const tail of this.#tails) tail[Symbol.dispose]();
  }
}

/** Whether the file at `path` is the one that `tail` reads. */
function isAt({ device, inode }: Tail, path: string): boolean {
  try {
    const { dev, ino } = Deno.statSync(path);
    return dev === device && ino === inode;
  } catch {
    return false;
  }
}

function why(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user may not read it; let the user, for example by sudo usermod -aG adm USER";
  }
  if (error instanceof Deno.errors.NotCapable) return "this program was built without the right to read it";
  return messageOf(error);
}
