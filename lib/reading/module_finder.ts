/**
 * Finds the module that a message belongs to and what it says. Comes in: a journal entry's message
 * or a line, and the modules in question. Goes out: the event, with the time that the text itself
 * tells.
 */
import { type Bytes, makeBytes } from "../core/bytes.ts";
import { NO_PID } from "../core/records.ts";
import type { Micros } from "../core/time.ts";
import type { Zone } from "../core/zone.ts";
import type { LogEvent } from "./event.ts";
import { HeadReader } from "./head.ts";
import type { ModuleHealth } from "./health.ts";
import type { MessageReader } from "./message_reader.ts";
import { DayResolver } from "./timestamp.ts";

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

/** A module that a record may belong to. */
export interface Candidate {
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

/** How a text is read. */
export interface Manner {
  /** It is a line with a head, and nobody tells its time or process: false of an entry's message. */
  readonly isLine: boolean;
  /**
   * It is only looked at, for its time or as it was repeated, and is read itself before or after
   * this: modules take no note of it.
   */
  readonly isAside: boolean;
}

/** Finds modules of one source. */
export class ModuleFinder {
  /** What was read last; `isAhead` and, of an entry, the time are its reader's to tell. */
  readonly event: { -readonly [key in keyof LogEvent]: LogEvent[key] };
  /** Instants around the text that is read, which the reader keeps up to date. */
  readonly reference: { now: Micros; before: Micros; zone: Zone | undefined } = {
    now: 0,
    before: NaN,
    zone: undefined,
  };
  /** Whether the time of the text read last depends on a zone that it does not tell in figures. */
  isZoneless = false;
  /**
   * The modules as candidates for lines of text, whose writers nothing proves: whoever may write
   * the file is trusted.
   */
  readonly all: readonly Candidate[];
  /** Modules that take what any program writes. */
  readonly open: readonly ReadableModule[];
  readonly #byIdentifier: ReadonlyMap<string, readonly ReadableModule[]>;
  readonly #health: ModuleHealth;
  readonly #heads: HeadReader<Program>;
  /** Times that messages tell themselves. */
  readonly #times = new DayResolver(this.reference);
  /** Zone of lines that belong to none of the modules. */
  readonly #zone: Zone | undefined;
  #isAside = false;

  /** @param modules at least one, in the order in which they are asked */
  constructor(modules: readonly ReadableModule[], health: ModuleHealth) {
    this.#health = health;
    this.#zone = modules[0]!.zone;
    this.all = modules.map(trusted);
    this.open = modules.filter(({ identifiers }) => identifiers.length === 0);
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
      this.reference,
    );
    this.event = {
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

  /** The modules that name a program their own; undefined: none does. */
  named(identifier: string): readonly ReadableModule[] | undefined {
    return this.#byIdentifier.get(identifier);
  }

  /**
   * Reads `bytes[from, to)` of the process `event.pid`. Returns false if it belongs to none of the
   * candidates. The event's time is NaN where the text does not tell any.
   */
  read(
    candidates: readonly Candidate[],
    bytes: Bytes,
    from: number,
    to: number,
    { isLine, isAside }: Manner,
  ): boolean {
    this.#isAside = isAside;
    const isFound = this.#readMessage(candidates, bytes, from, to) ||
      this.#readBehindHead(candidates, bytes, from, to, isLine);
    if (isLine && this.event.isUnderstood) this.#takeOwnTime();
    return isFound;
  }

  /**
   * Reads a message as it stands, whatever it seems to contain. Returns whether one of the candidates
   * understands it.
   */
  #readMessage(candidates: readonly Candidate[], bytes: Bytes, from: number, to: number): boolean {
    const event = this.event;
    event.isUnderstood = false;
    event.time = NaN;
    event.count = 1;
    this.reference.zone = this.#zone;
    this.isZoneless = false;
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
    const event = this.event;
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
    this.isZoneless = heads.isZoneless;
    return candidates.length > 0;
  }

  /** Whether one of the candidates understands a message; the event is then the first one's. */
  #isUnderstood(candidates: readonly Candidate[], bytes: Bytes, from: number, to: number): boolean {
    for (let i = 0; i < candidates.length; i++) {
      const { module, firstBytes } = candidates[i]!;
      if (from < to && firstBytes[bytes.array[from]!] === 0) continue;
      if (!this.#ask(module, bytes, from, to)) continue;
      this.#take(candidates[i]!, bytes, from, to);
      this.event.isUnderstood = true;
      return true;
    }
    return false;
  }

  #ask({ index, reader }: ReadableModule, bytes: Bytes, from: number, to: number): boolean {
    if (this.#health.isGivenUp(index)) return false;
    try {
      const isUnderstood = reader.read(bytes, from, to, this.#isAside ? NO_PID : this.event.pid);
      this.#health.worked(index);
      return isUnderstood;
    } catch (error) {
      this.#health.failed(index, error);
      return false;
    }
  }

  #take({ module, isTrusted }: Candidate, bytes: Bytes, from: number, to: number): void {
    const event = this.event;
    this.reference.zone = module.zone;
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
    const { time, stamp } = this.event.reader;
    if (!Number.isNaN(time)) {
      this.event.time = time;
      this.isZoneless = false;
    } else if (stamp !== null && (stamp.offset !== null || Number.isNaN(this.event.time))) {
      this.#times.begin(stamp);
      this.#times.resolve(stamp.second, stamp.fraction, stamp);
      this.event.time = this.#times.time;
      this.isZoneless = stamp.offset === null;
    }
  }

  /** Candidates for lines of the program `identifier`, "" where the line does not tell. */
  #candidatesOf(identifier: string): readonly Candidate[] {
    if (identifier === "") return this.all;
    return (this.named(identifier) ?? this.open).map(trusted);
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

/**
 * A module as a candidate for records that only root or the service can have written, or that
 * others may have.
 */
export function candidate(module: ReadableModule, isTrusted: boolean): Candidate {
  return { module, isTrusted, firstBytes: module.reader.firstBytes ?? ANY };
}

function trusted(module: ReadableModule): Candidate {
  return candidate(module, true);
}
