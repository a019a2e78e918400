import { type Bytes, makeBytes } from "../core/bytes.ts";
import { type Micros, MILLISECOND } from "../core/time.ts";
import type { LogEvent } from "./event.ts";
import { HeadReader } from "./head.ts";
import type { ModuleHealth } from "./health.ts";
import type { MessageReader } from "./message_reader.ts";
import { LINE, NO_PID, type Origin, type Records } from "../core/records.ts";
import { LastLines, mayRepeat, timesRepeated } from "./repetition.ts";
import { isJournalds, type Suppression, Suppressions } from "./suppressions.ts";
import { DayResolver } from "./timestamp.ts";
import { isOfUnit, isTrusted } from "./trust.ts";

/** A module as a reader of records sees it. */
export interface ReadableModule {
  /** Index among the configured modules. */
  readonly index: number;
  /** Programs whose journal entries are the module's, by `SYSLOG_IDENTIFIER`. */
  readonly identifiers: readonly string[];
  /**
   * systemd units that the service runs in: an entry from one of them, or of root, is trusted.
   * Without identifiers, all entries of the units are the module's.
   */
  readonly units: readonly string[];
  /**
   * Programs whose lines are the module's where a message of it is a line with a head of its own, as
   * a container's may be; empty: all. Those of `identifiers` unless told.
   */
  readonly programs?: readonly string[];
  readonly reader: MessageReader;
}

/** A module that a record may belong to. */
interface Candidate {
  readonly module: ReadableModule;
  /** Whether only root or the service can have written the record. */
  readonly isTrusted: boolean;
}

/** A program that a line names, and the modules that its lines may belong to. */
interface Program {
  readonly identifier: string;
  readonly candidates: readonly Candidate[];
}

/** An origin and the modules that its entries may belong to. */
interface Placement {
  readonly origin: Origin;
  readonly candidates: readonly Candidate[];
  /** Whether they are journald's own. */
  readonly isJournalds: boolean;
}

/**
 * Finds out which of the modules of one source a record belongs to, what it says, when it was
 * written and who proves that.
 */
export class Reader {
  readonly #event: { -readonly [key in keyof LogEvent]: LogEvent[key] };
  readonly #health: ModuleHealth;
  /**
   * The modules as candidates for lines of text, whose writers nothing proves: whoever may write
   * the file is trusted.
   */
  readonly #all: readonly Candidate[];
  readonly #byIdentifier: ReadonlyMap<string, readonly ReadableModule[]>;
  /** Modules that take what any program writes. */
  readonly #open: readonly ReadableModule[];
  readonly #heads: HeadReader<Program>;
  readonly #reference = { now: 0, before: NaN };
  readonly #suppressions: Suppressions;
  readonly #lines = new LastLines();
  /** Times that messages tell themselves. */
  readonly #times = new DayResolver(this.#reference);
  /** By the indices of the origins of records. */
  readonly #placements: Placement[] = [];

  /** @param modules of the source, at least one, in the order in which they are asked */
  constructor(modules: readonly ReadableModule[], health: ModuleHealth) {
    this.#health = health;
    this.#all = modules.map(trusted);
    this.#suppressions = new Suppressions(modules.flatMap(({ units }) => units));
    this.#open = modules.filter(({ identifiers }) => identifiers.length === 0);
    const named = modules.flatMap((module) =>
      module.identifiers.map((identifier) => ({ identifier, module }))
    );
    this.#byIdentifier = new Map(
      [...Map.groupBy(named, ({ identifier }) => identifier)].map((
        [identifier, all],
      ) => [identifier, all.map(({ module }) => module)]),
    );
    this.#heads = new HeadReader(
      (identifier) => ({ identifier, candidates: this.#candidatesOf(identifier) }),
      this.#reference,
    );
    this.#event = {
      module: modules[0]!.index,
      reader: modules[0]!.reader,
      isUnderstood: false,
      bytes: makeBytes(0),
      from: 0,
      to: 0,
      time: 0,
      isAhead: false,
      pid: NO_PID,
      count: 1,
      isTrusted: true,
    };
  }

  /** What the record says that `read()` found to belong to a module; good until its next call. */
  get event(): LogEvent {
    return this.#event;
  }

  /**
   * Reads record `i`; a line of text is read as of `now`. Returns false if it belongs to none of
   * the modules.
   */
  read(records: Records, i: number, now: Micros): boolean {
    const { bytes } = records;
    const origin = records.origin[i]!;
    this.#reference.now = now;
    if (origin === LINE) {
      const isFound = this.#readLineOf(records, i);
      const time = Number.isNaN(this.#event.time) ? records.times[i]! : this.#event.time;
      this.#reference.before = time;
      this.#setTime(time, now);
      return isFound;
    }
    const { candidates, isJournalds } = this.#placementOf(records.origins[origin]!, origin);
    if (isJournalds) this.#suppressions.read(bytes, records.from[i]!, records.to[i]!);
    if (candidates.length === 0) return false;
    const from = records.from[i]!;
    const to = records.to[i]!;
    const isFound = this.#readMessage(candidates, bytes, from, to) ||
      this.#readBehindHead(candidates, bytes, from, to, false);
    if (!isFound) return false;
    this.#setTime(records.times[i]!, now);
    if (this.#event.pid === NO_PID) this.#event.pid = records.pids[i]!;
    return true;
  }

  /** Takes what journald has said since the last call that it did not keep of the modules' services. */
  takeSuppressions(): Suppression[] {
    return this.#suppressions.take();
  }

  /**
   * Rules run on the times of lines, which nobody may date ahead. The clock tells milliseconds,
   * entries microseconds.
   */
  #setTime(time: Micros, now: Micros): void {
    this.#event.isAhead = time >= now + MILLISECOND;
    this.#event.time = this.#event.isAhead ? now : time;
  }

  /**
   * Returns when the line `bytes[from, to)` was written, as far as it tells itself; otherwise NaN.
   */
  timeOf(bytes: Bytes, { from, to, now }: { from: number; to: number; now: Micros }): Micros {
    const { before } = this.#reference;
    this.#reference.now = now;
    this.#reference.before = NaN;
    this.#readLine(bytes, from, to);
    this.#reference.before = before;
    return this.#event.time;
  }

  /** Reads a line, or the line before where it only tells that that was written again. */
  #readLineOf(records: Records, i: number): boolean {
    const { bytes } = records;
    const from = records.from[i]!;
    const to = records.to[i]!;
    const isFound = this.#readLine(bytes, from, to);
    const isRepetition = !this.#event.isUnderstood && mayRepeat(bytes, from, to) &&
      this.#readAgain(records, i);
    this.#lines.passed(records, i, isRepetition);
    return isFound || isRepetition;
  }

  /** Reads the line before as often as line `i`, which was read last, tells. Returns false if it does not. */
  #readAgain(records: Records, i: number): boolean {
    const before = this.#lines.before(records, i);
    const line = { bytes: records.bytes, from: records.from[i]!, to: records.to[i]! };
    const count = before === null ? 0 : timesRepeated(line, before);
    if (count === 0) return false;
    const { time } = this.#event;
    this.#readLine(before!.bytes, before!.from, before!.to);
    this.#event.count = count;
    if (!Number.isNaN(time)) this.#event.time = time;
    return true;
  }

  /** Reads a line; its time is NaN where it does not tell. */
  #readLine(bytes: Bytes, from: number, to: number): boolean {
    const isFound = this.#readMessage(this.#all, bytes, from, to) ||
      this.#readBehindHead(this.#all, bytes, from, to, true);
    if (this.#event.isUnderstood) this.#takeOwnTime();
    return isFound;
  }

  /**
   * Reads a message as it stands, whatever it seems to contain. Returns whether one of the candidates
   * understands it.
   */
  #readMessage(candidates: readonly Candidate[], bytes: Bytes, from: number, to: number): boolean {
    const event = this.#event;
    event.isUnderstood = false;
    event.pid = NO_PID;
    event.time = NaN;
    event.count = 1;
    return this.#isUnderstood(candidates, bytes, from, to);
  }

  /**
   * Takes the head of a message or line off, part by part, until one of the candidates understands
   * what is left. Returns false if it belongs to none; the event is the first one's if none
   * understands it.
   */
  #readBehindHead(
    candidates: readonly Candidate[],
    bytes: Bytes,
    from: number,
    to: number,
    isLine: boolean,
  ): boolean {
    const heads = this.#heads;
    const event = this.#event;
    let isAnyones = isLine;
    heads.begin(bytes, from, to, isLine);
    while (!event.isUnderstood && heads.next()) {
      if (heads.isTag) {
        const { identifier, candidates: named } = heads.program!;
        candidates = isAnyones ? named : writersOf(candidates, identifier);
        // What the kernel tells may be another program's line.
        isAnyones &&= identifier === KERNEL;
        if (candidates.length === 0 && !isAnyones) break;
      }
      this.#isUnderstood(candidates, heads.bytes, heads.from, heads.to);
    }
    event.pid = heads.pid;
    event.time = heads.time;
    event.count = heads.count;
    if (candidates.length === 0) return false;
    if (!event.isUnderstood) this.#take(candidates[0]!, heads.bytes, heads.from, heads.to);
    return true;
  }

  /** Whether one of the candidates understands a message; the event is then the first one's. */
  #isUnderstood(candidates: readonly Candidate[], bytes: Bytes, from: number, to: number): boolean {
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      if (!this.#ask(candidate.module, bytes, from, to)) continue;
      this.#take(candidate, bytes, from, to);
      this.#event.isUnderstood = true;
      return true;
    }
    return false;
  }

  #ask({ index, reader }: ReadableModule, bytes: Bytes, from: number, to: number): boolean {
    if (this.#health.isGivenUp(index)) return false;
    try {
      const isUnderstood = reader.read(bytes, from, to);
      this.#health.worked(index);
      return isUnderstood;
    } catch (error) {
      this.#health.failed(index, error);
      return false;
    }
  }

  #take({ module, isTrusted }: Candidate, bytes: Bytes, from: number, to: number): void {
    const event = this.#event;
    event.module = module.index;
    event.reader = module.reader;
    event.bytes = bytes;
    event.from = from;
    event.to = to;
    event.isTrusted = isTrusted;
  }

  /** Puts the time that the message itself tells, if it tells one, in place of the head's. */
  #takeOwnTime(): void {
    const { time, stamp } = this.#event.reader;
    if (!Number.isNaN(time)) this.#event.time = time;
    else if (stamp !== null) {
      this.#times.begin(stamp);
      this.#times.resolve(stamp.second, stamp.fraction, stamp.offset);
      this.#event.time = this.#times.time;
    }
  }

  /** Candidates for lines of the program `identifier`, "" where the line does not tell. */
  #candidatesOf(identifier: string): readonly Candidate[] {
    if (identifier === "") return this.#all;
    return (this.#byIdentifier.get(identifier) ?? this.#open).map(trusted);
  }

  #placementOf(origin: Origin, index: number): Placement {
    const known = this.#placements[index];
    if (known?.origin === origin) return known;
    const { identifier, sender } = origin;
    const ofUnit = () => this.#open.filter(({ units }) => isOfUnit(sender.unit, units));
    const modules = this.#byIdentifier.get(identifier) ?? ofUnit();
    const candidates = modules.map((module) => ({ module, isTrusted: isTrusted(sender, module.units) }));
    if (candidates.length > 0) this.#suppressions.seen(sender.unit);
    return this.#placements[index] = { origin, candidates, isJournalds: isJournalds(origin) };
  }
}

/** Name that the kernel's lines bear. */
const KERNEL = "kernel";

/** Those of the candidates whose service writes as `identifier`. */
function writersOf(candidates: readonly Candidate[], identifier: string): readonly Candidate[] {
  const isWriter = ({ module: { identifiers, programs = identifiers } }: Candidate) =>
    identifier === "" || programs.length === 0 || programs.includes(identifier);
  return candidates.every(isWriter) ? candidates : candidates.filter(isWriter);
}

function trusted(module: ReadableModule): Candidate {
  return { module, isTrusted: true };
}
