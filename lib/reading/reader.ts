import { type Bytes, decode, makeBytes } from "../core/bytes.ts";
import { type Micros, MILLISECOND } from "../core/time.ts";
import type { LogEvent } from "./event.ts";
import { HeadReader } from "./head.ts";
import type { ModuleHealth } from "./health.ts";
import type { MessageReader } from "./message_reader.ts";
import { LINE, NO_PID, type Origin, type Records } from "../core/records.ts";
import type { Zone } from "../core/zone.ts";
import { timeOfLine } from "./line_time.ts";
import { LastLines, type Line, mayRepeat, timesRepeated } from "./repetition.ts";
import { isJournalds, type Suppression, Suppressions } from "./suppressions.ts";
import { DayResolver, timeOfStamp } from "./timestamp.ts";
import { isOfUnit, isTrusted } from "./trust.ts";
import { type Writing, type ZoneShift, ZoneShifts } from "./zone_shift.ts";

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
  /** Zone of times that tell none; this machine's unless given. */
  readonly zone?: Zone | undefined;
}

/** Lines of which one is expected to tell a time. */
const TRIES = 10;

/** A module that a record may belong to. */
interface Candidate {
  readonly module: ReadableModule;
  /** Whether only root or the service can have written the record. */
  readonly isTrusted: boolean;
  /** 1 for each byte that the module's messages may begin with. */
  readonly firstBytes: Uint8Array;
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
  readonly #reference: { now: Micros; before: Micros; zone: Zone | undefined } = {
    now: 0,
    before: NaN,
    zone: undefined,
  };
  readonly #suppressions: Suppressions;
  readonly #lines = new LastLines();
  /** Times that messages tell themselves. */
  readonly #times = new DayResolver(this.#reference);
  /** Whether the time of the line read last depends on a zone that it does not tell in figures. */
  #isZoneless = false;
  /** Zone of lines that belong to none of the modules. */
  readonly #zone: Zone | undefined;
  readonly #zoneShifts: ZoneShifts;
  /** Of the file whose lines are at hand. */
  #zoneShift: ZoneShift;
  /**
   * Whether a line is looked at that is read before or after this, for its time or as it was repeated: modules then
   * take no note of it.
   */
  #isAside = false;
  /** By the indices of the origins of records. */
  readonly #placements: Placement[] = [];

  /**
   * @param modules of the source, at least one, in the order in which they are asked
   * @param otherZone is told once of each shift by which times without a zone turn out to be another zone's
   */
  constructor(
    modules: readonly ReadableModule[],
    health: ModuleHealth,
    otherZone: (shift: Micros) => void = () => {},
  ) {
    this.#health = health;
    this.#zone = modules[0]!.zone;
    this.#zoneShifts = new ZoneShifts(otherZone);
    this.#zoneShift = this.#zoneShifts.of(this);
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
    if (origin === LINE) return this.#readLineOf(records, i);
    const { candidates, isJournalds } = this.#placementOf(records.origins[origin]!, origin);
    if (isJournalds) this.#suppressions.read(bytes, records.from[i]!, records.to[i]!);
    if (candidates.length === 0) return false;
    this.#event.pid = records.pids[i]!;
    const from = records.from[i]!;
    const to = records.to[i]!;
    const isFound = this.#readMessage(candidates, bytes, from, to) ||
      this.#readBehindHead(candidates, bytes, from, to, false);
    if (!isFound) return false;
    this.#setTime(records.times[i]!);
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
  #setTime(time: Micros): void {
    const { now } = this.#reference;
    this.#event.isAhead = time >= now + MILLISECOND;
    this.#event.time = this.#event.isAhead ? now : time;
  }

  /** When `line` of the file `stream` was written, as far as it tells itself; otherwise NaN. */
  timeOf(line: Line, { stream, now }: { stream?: object | null; now: Micros }): Micros {
    this.#reference.now = now;
    const time = this.#lookAtTime(line);
    return this.#isZoneless ? time + this.#zoneShifts.of(stream ?? this).shift : time;
  }

  /**
   * Learns the zone of a file's times by one of its last lines, before its first ones are read. Returns
   * false if the line tells no time: then one before it may.
   */
  learnZone(
    line: Line,
    { stream, now, ...writing }: { stream?: object | null; now: Micros } & Writing,
  ): boolean {
    this.#reference.now = now;
    return this.#learnFrom(line, this.#zoneShifts.of(stream ?? this), writing);
  }

  #learnFrom(line: Line, shift: ZoneShift, writing: Writing): boolean {
    const time = this.#lookAtTime(line);
    if (Number.isNaN(time)) return false;
    if (this.#isZoneless) shift.learn(time, writing);
    return true;
  }

  /** The time that a line tells itself, which is not shifted; NaN where it tells none. Nobody takes note of the line. */
  #lookAtTime({ bytes, from, to }: Line): Micros {
    const { before } = this.#reference;
    this.#reference.before = NaN;
    this.#isAside = true;
    this.#readLine(bytes, from, to);
    this.#isAside = false;
    let { time } = this.#event;
    // Modules tell the times of lines that they understand.
    if (Number.isNaN(time) && !this.#event.isUnderstood) {
      const stamp = timeOfLine(decode(bytes, from, to));
      this.#isZoneless = stamp !== null && stamp.offset === null;
      if (stamp !== null) time = timeOfStamp(stamp, this.#reference);
    }
    this.#reference.before = before;
    return time;
  }

  /** Reads a line, or the line before where it only tells that that was written again. */
  #readLineOf(records: Records, i: number): boolean {
    const { bytes, length } = records;
    const from = records.from[i]!;
    const to = records.to[i]!;
    const isTeacher = i === 0 && this.#beginLines(records);
    const isFound = this.#readLine(bytes, from, to);
    const isRepetition = !this.#event.isUnderstood && mayRepeat(bytes, from, to) &&
      this.#readAgain(records, i);
    this.#lines.passed(records, i, isRepetition);
    let { time } = this.#event;
    if (this.#isZoneless) {
      if (isTeacher && !Number.isNaN(time)) this.#zoneShift.learn(time, records);
      time += this.#zoneShift.shift;
    }
    if (i === length - 1) this.#zoneShift.isNeeded = this.#isZoneless;
    if (Number.isNaN(time)) time = records.times[i]!;
    this.#reference.before = time;
    this.#setTime(time);
    return isFound || isRepetition;
  }

  /**
   * Begins with the lines of a batch: learns the zone of their times by the last one that tells a time. Returns whether
   * that is left to the first line.
   */
  #beginLines({ bytes, from, to, length, stream, written, isLive }: Records): boolean {
    const shift = this.#zoneShift = this.#zoneShifts.of(stream ?? this);
    if (Number.isNaN(written) || !shift.isNeeded) return false;
    for (let last = length - 1; last > 0; last--) {
      if (length - last > TRIES) return false;
      const line = { bytes, from: from[last]!, to: to[last]! };
      if (this.#learnFrom(line, shift, { written, isLive })) return false;
    }
    return true;
  }

  /** Reads the line before as often as line `i`, which was read last, tells. Returns false if it does not. */
  #readAgain(records: Records, i: number): boolean {
    const before = this.#lines.before(records, i);
    const line = { bytes: records.bytes, from: records.from[i]!, to: records.to[i]! };
    const count = before === null ? 0 : timesRepeated(line, before);
    if (count === 0) return false;
    const { time } = this.#event;
    const isZoneless = this.#isZoneless;
    this.#isAside = true;
    this.#readLine(before!.bytes, before!.from, before!.to);
    this.#isAside = false;
    this.#event.count = count;
    if (!Number.isNaN(time)) {
      this.#event.time = time;
      this.#isZoneless = isZoneless;
    }
    return true;
  }

  /** Reads a line; its time is NaN where it does not tell. */
  #readLine(bytes: Bytes, from: number, to: number): boolean {
    this.#event.pid = NO_PID;
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
    event.time = NaN;
    event.count = 1;
    this.#reference.zone = this.#zone;
    this.#isZoneless = false;
    return this.#isUnderstood(candidates, bytes, from, to);
  }

  /**
   * Takes the head of a message or line off, part by part, until one of the candidates understands
   * what is left; a part may tell another process. Returns false if it belongs to none; the event is
   * the first one's if none understands it.
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
      if (heads.pid !== NO_PID) event.pid = heads.pid;
      if (heads.isTag) {
        const { identifier, candidates: named } = heads.program!;
        candidates = isAnyones ? named : writersOf(candidates, identifier);
        // What the kernel tells may be another program's line.
        isAnyones &&= identifier === KERNEL;
        if (candidates.length === 0 && !isAnyones) break;
      }
      this.#isUnderstood(candidates, heads.bytes, heads.from, heads.to);
    }
    event.count = heads.count;
    if (candidates.length > 0 && !event.isUnderstood) {
      this.#take(candidates[0]!, heads.bytes, heads.from, heads.to);
    }
    event.time = heads.time;
    this.#isZoneless = heads.isZoneless;
    return candidates.length > 0;
  }

  /** Whether one of the candidates understands a message; the event is then the first one's. */
  #isUnderstood(candidates: readonly Candidate[], bytes: Bytes, from: number, to: number): boolean {
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      if (from < to && candidate.firstBytes[bytes.array[from]!] === 0) continue;
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
      const isUnderstood = reader.read(bytes, from, to, this.#isAside ? NO_PID : this.#event.pid);
      this.#health.worked(index);
      return isUnderstood;
    } catch (error) {
      this.#health.failed(index, error);
      return false;
    }
  }

  #take({ module, isTrusted }: Candidate, bytes: Bytes, from: number, to: number): void {
    const event = this.#event;
    this.#reference.zone = module.zone;
    event.module = module.index;
    event.reader = module.reader;
    event.bytes = bytes;
    event.from = from;
    event.to = to;
    event.isTrusted = isTrusted;
  }

  /**
   * Puts the time that the message itself tells, if it tells one, in place of the head's; one
   * without a zone only where the head tells none.
   */
  #takeOwnTime(): void {
    const { time, stamp } = this.#event.reader;
    if (!Number.isNaN(time)) {
      this.#event.time = time;
      this.#isZoneless = false;
    } else if (stamp !== null && (stamp.offset !== null || Number.isNaN(this.#event.time))) {
      this.#times.begin(stamp);
      this.#times.resolve(stamp.second, stamp.fraction, stamp);
      this.#event.time = this.#times.time;
      this.#isZoneless = stamp.offset === null;
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
    const candidates = modules.map((module) => candidate(module, isTrusted(sender, module.units)));
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

/** Any byte may begin a message. */
const ANY = new Uint8Array(256).fill(1);

function candidate(module: ReadableModule, isTrusted: boolean): Candidate {
  return { module, isTrusted, firstBytes: module.reader.firstBytes ?? ANY };
}

function trusted(module: ReadableModule): Candidate {
  return candidate(module, true);
}
