import { type Bytes, decode, makeBytes } from "../core/bytes.ts";
import { type Micros, MILLISECOND } from "../core/time.ts";
import type { LogEvent } from "./event.ts";
import { HeadReader } from "./head.ts";
import type { ModuleHealth } from "./health.ts";
import type { MessageReader } from "./message_reader.ts";
import { LINE, NO_PID, type Origin, type Records } from "../core/records.ts";
import type { Zone } from "../core/zone.ts";
import { timeOfLine } from "./line_time.ts";
import { LastLines, mayRepeat, timesRepeated } from "./repetition.ts";
import { isJournalds, type Suppression, Suppressions } from "./suppressions.ts";
import { DayResolver, timeOfStamp } from "./timestamp.ts";
import { isOfUnit, isTrusted } from "./trust.ts";
import { ZoneShift } from "./zone_shift.ts";

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
  readonly #zoneShift: ZoneShift;
  /** Whether the lines at hand have been asked for the zone of their times. */
  #isJudged = false;
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
    this.#zoneShift = new ZoneShift(otherZone);
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
      if (i === 0) this.#isJudged = false;
      const isFound = this.#readLineOf(records, i);
      const told = this.#isZoneless ? this.#event.time + this.#zoneShift.shift : this.#event.time;
      const time = Number.isNaN(told) ? records.times[i]! : told;
      this.#reference.before = time;
      this.#setTime(time, now);
      return isFound;
    }
    const { candidates, isJournalds } = this.#placementOf(records.origins[origin]!, origin);
    if (isJournalds) this.#suppressions.read(bytes, records.from[i]!, records.to[i]!);
    if (candidates.length === 0) return false;
    this.#event.pid = records.pids[i]!;
    const from = records.from[i]!;
    const to = records.to[i]!;
    const isFound = this.#readMessage(candidates, bytes, from, to) ||
      this.#readBehindHead(candidates, bytes, from, to, false);
    if (!isFound) return false;
    this.#setTime(records.times[i]!, now);
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
   * Learns the zone of the lines from the `i`th on, which is at hand, by the last one that tells a
   * time. Returns whether another line is at hand then.
   */
  #judgeZone({ bytes, from, to, length, written, isLive }: Records, i: number): boolean {
    this.#isJudged = true;
    if (Number.isNaN(written)) return false;
    let last = length - 1;
    for (const end = Math.max(i, length - TRIES); last > end; last--) {
      this.#readLine(bytes, from[last]!, to[last]!);
      if (!Number.isNaN(this.#event.time)) break;
    }
    if (last === i && last < length - 1) this.#readLine(bytes, from[i]!, to[i]!);
    const { time } = this.#event;
    if (this.#isZoneless && !Number.isNaN(time)) this.#zoneShift.learn(time, { written, isLive });
    return last > i;
  }

  /**
   * Returns when the line `bytes[from, to)` was written, as far as it tells itself; otherwise NaN.
   */
  timeOf(bytes: Bytes, { from, to, now }: { from: number; to: number; now: Micros }): Micros {
    const { before } = this.#reference;
    this.#reference.now = now;
    this.#reference.before = NaN;
    this.#readLine(bytes, from, to);
    let { time } = this.#event;
    // Modules tell the times of lines that they understand.
    if (Number.isNaN(time) && !this.#event.isUnderstood) {
      const stamp = timeOfLine(decode(bytes, from, to));
      if (stamp !== null) time = timeOfStamp(stamp, this.#reference);
    }
    this.#reference.before = before;
    return time;
  }

  /** Reads a line, or the line before where it only tells that that was written again. */
  #readLineOf(records: Records, i: number): boolean {
    const { bytes } = records;
    const from = records.from[i]!;
    const to = records.to[i]!;
    let isFound = this.#readLine(bytes, from, to);
    if (this.#isZoneless && !this.#isJudged && this.#judgeZone(records, i)) {
      isFound = this.#readLine(bytes, from, to);
    }
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
    const isZoneless = this.#isZoneless;
    this.#readLine(before!.bytes, before!.from, before!.to);
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
      const isUnderstood = reader.read(bytes, from, to, this.#event.pid);
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
