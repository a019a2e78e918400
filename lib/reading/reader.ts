import { type Bytes, decode, makeBytes } from "../core/bytes.ts";
import { type Micros, MILLISECOND } from "../core/time.ts";
import type { LogEvent } from "./event.ts";
import { HeadReader } from "./head.ts";
import type { ModuleHealth } from "./health.ts";
import type { MessageReader } from "./message_reader.ts";
import { LINE, NO_PID, type Origin, type Records, type Sender } from "../core/records.ts";
import type { Zone } from "../core/zone.ts";
import { timeOfLine } from "./line_time.ts";
import { DayResolver, timeOfStamp } from "./timestamp.ts";
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
}

/** An origin and the modules that its entries may belong to. */
interface Placement {
  readonly origin: Origin;
  readonly candidates: readonly Candidate[];
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
  readonly #heads: HeadReader<readonly Candidate[]>;
  readonly #reference: { now: Micros; before: Micros; zone: Zone | undefined } = {
    now: 0,
    before: NaN,
    zone: undefined,
  };
  /** Times that messages tell themselves. */
  readonly #times = new DayResolver(this.#reference);
  /** Whether the time of the line read last depends on a zone that it does not tell in figures. */
  #isZoneless = false;
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
    this.#zoneShift = new ZoneShift(otherZone);
    this.#all = modules.map(trusted);
    this.#open = modules.filter(({ identifiers }) => identifiers.length === 0);
    const named = modules.flatMap((module) =>
      module.identifiers.map((identifier) => ({ identifier, module }))
    );
    this.#byIdentifier = new Map(
      [...Map.groupBy(named, ({ identifier }) => identifier)].map((
        [identifier, all],
      ) => [identifier, all.map(({ module }) => module)]),
    );
    this.#heads = new HeadReader((identifier) => this.#candidatesOf(identifier), this.#reference);
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
      let isFound = this.#readLine(bytes, records.from[i]!, records.to[i]!);
      if (this.#isZoneless && !this.#isJudged && this.#judgeZone(records, i)) {
        isFound = this.#readLine(bytes, records.from[i]!, records.to[i]!);
      }
      const told = this.#isZoneless ? this.#event.time + this.#zoneShift.shift : this.#event.time;
      const time = Number.isNaN(told) ? records.times[i]! : told;
      this.#reference.before = time;
      this.#setTime(time, now);
      return isFound;
    }
    const { candidates } = this.#placementOf(records.origins[origin]!, origin);
    if (!this.#readAsFirst(candidates, bytes, records.from[i]!, records.to[i]!)) return false;
    this.#setTime(records.times[i]!, now);
    this.#event.pid = records.pids[i]!;
    return true;
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

  /** Reads a line; its time is NaN where it does not tell. */
  #readLine(bytes: Bytes, from: number, to: number): boolean {
    // A line that a module understands as it stands is a bare message, whatever it seems to
    // contain.
    if (this.#isUnderstood(this.#all, bytes, from, to)) {
      this.#event.pid = NO_PID;
      this.#event.time = NaN;
      this.#isZoneless = false;
      this.#takeOwnTime();
      return true;
    }
    const heads = this.#heads;
    heads.read(bytes, from, to);
    this.#reference.zone = undefined;
    const isFound = this.#readAsFirst(heads.program, bytes, heads.from, heads.to);
    this.#event.pid = heads.pid;
    this.#event.time = heads.time;
    this.#isZoneless = heads.isZoneless;
    if (isFound && this.#event.isUnderstood) this.#takeOwnTime();
    return isFound;
  }

  /**
   * Reads a message for the first candidate that understands it, or for the first of all if none
   * does.
   */
  #readAsFirst(candidates: readonly Candidate[], bytes: Bytes, from: number, to: number): boolean {
    if (candidates.length === 0) return false;
    if (!this.#isUnderstood(candidates, bytes, from, to)) {
      this.#take(candidates[0]!, bytes, from, to);
      this.#event.isUnderstood = false;
    }
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
      this.#times.resolve(stamp.second, stamp.fraction, stamp.offset);
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
    const candidates = modules.map((module) => ({ module, isTrusted: isTrusted(sender, module.units) }));
    return this.#placements[index] = { origin, candidates };
  }
}

function trusted(module: ReadableModule): Candidate {
  return { module, isTrusted: true };
}

/**
 * Reports whether only root or the service itself, which runs in `units`, can have written an entry
 * of `sender`.
 */
export function isTrusted(sender: Sender, units: readonly string[]): boolean {
  return sender.uid === 0 || isOfUnit(sender.unit, units);
}

function isOfUnit(unit: string, units: readonly string[]): boolean {
  return units.some((name) => unit === name || isInstance(unit, name));
}

/**
 * Whether `unit` is an instance such as `ssh@1-2.service` of the template behind `ssh@.service`.
 */
function isInstance(unit: string, name: string): boolean {
  const at = name.indexOf("@.");
  return at > 0 && unit.startsWith(name.slice(0, at + 1)) && unit.endsWith(name.slice(at + 1));
}
