import type { Batch } from "../sources/source.ts";
import type { BatchRecord } from "../deciding/record.ts";
import { type Entry, MAX_MESSAGE } from "../core/entry.ts";
import type { Knock } from "../deciding/knock.ts";
import type { Log } from "../core/log.ts";
import type { LogEvent, Module, Parsed } from "../reading/module.ts";
import { type LoginChange, loginChange, type LoginNews } from "../deciding/logins.ts";
import type { Micros } from "../core/time.ts";
import type { ModuleRules, Trip } from "../rules/rule.ts";
import type { NewBan } from "../deciding/ban.ts";
import type { Findings, Tally } from "../rules/findings.ts";
import { UserError } from "../core/error.ts";
import { Freshness, type ModuleFreshness, type SeenLines } from "../reading/health.ts";
import { type Knocking, withoutKnocking } from "./knocking.ts";
import { isRecorded, Reader, type Reading } from "../reader.ts";
import { Engine, type EngineOptions } from "../rules/engine.ts";

/** Where what a batch leaves behind is written, whole or not at all. */
export interface BatchStore {
  write(record: BatchRecord): void;
  /** What has to be counted again after a restart, in order. */
  readonly tallies: { all(): Iterable<Tally> };
}

/** What decides on bans and puts them into force. */
export interface Judge {
  /** Takes note of who logs in. */
  note(changes: readonly LoginChange[]): void;
  /** What is to be stored of that, once. */
  news(): LoginNews;
  /** Forgets what was noted and could not be stored. */
  reset(): void;
  decide(trips: readonly Trip[]): NewBan[];
  enforce(stored: readonly NewBan[]): void;
}

/** What a pipeline works with. */
export interface PipelineParts {
  readonly store: BatchStore;
  readonly judge: Judge;
  readonly log: Log;
  /** By what hits are counted. */
  readonly counting?: EngineOptions;
  /** Without it nobody can knock. */
  readonly knocking?: Knocking;
  /** What an earlier pipeline told of its modules. */
  readonly before?: readonly ModuleFreshness[];
}

/** What went through since the start. */
export interface Counts {
  entries: number;
  /** Entries of a module that it did not understand. */
  unknown: number;
  /** Entries that named an address. */
  events: number;
  recorded: number;
  hits: number;
  bans: number;
  /** Records that a source had to cut or drop. */
  damaged: number;
  /** Events that any local user could have forged: recorded, not counted. */
  untrusted: number;
  /** Entries dated ahead of the clock, taken as of now. */
  ahead: number;
}

const DAY: Micros = 86_400_000_000;
const MILLISECOND: Micros = 1_000;
/** Failures in a row after which a module is given up. */
export const MODULE_FAILURES = 3;
/** Entries that are written together in a flood: a transaction costs as much as the lines of some ten kilobytes. */
const GROUP = 500;

/** What has been taken in of one source and is still to be stored, whole. */
interface Taken {
  readonly source: string;
  readonly recorded: LogEvent[];
  readonly findings: Findings;
  readonly knocks: Knock[];
  position: string;
  now: Micros;
  /** Time of the newest event. */
  latest: Micros;
  entries: number;
  events: number;
  damaged: number;
}

/** One batch's way: parse, match and count at once, write in one transaction, then hand over the bans. */
export class Pipeline {
  readonly counts: Counts = {
    entries: 0,
    unknown: 0,
    events: 0,
    recorded: 0,
    hits: 0,
    bans: 0,
    damaged: 0,
    untrusted: 0,
    ahead: 0,
  };
  readonly #modules: readonly ModuleRules[];
  readonly #byName: ReadonlyMap<string, ModuleRules>;
  readonly #store: BatchStore;
  readonly #judge: Judge;
  readonly #log: Log;
  readonly #counting: EngineOptions;
  readonly #knocking: Knocking | null;
  readonly #failures = new Map<Module, number>();
  readonly #freshness: Freshness;
  #engine: Engine;
  #taken: Taken | null = null;
  /** Sources that read on although what was taken of them could not be stored, with a batch of another one. */
  readonly #lost = new Set<string>();
  /** How old the newest event of each source was when it came. */
  readonly #lags = new Map<string, Micros>();

  constructor(modules: readonly ModuleRules[], parts: PipelineParts) {
    this.#modules = modules;
    this.#byName = new Map(modules.map((rules) => [rules.module.name, rules]));
    this.#store = parts.store;
    this.#judge = parts.judge;
    this.#log = parts.log;
    this.#counting = parts.counting ?? {};
    this.#knocking = parts.knocking ?? null;
    this.#freshness = new Freshness(
      modules.map(({ module, rules }) => ({ name: module.name, rules: rules.map(({ name }) => name) })),
      parts.before,
    );
    this.#engine = this.#restored();
  }

  /** A reader of a source's entries, which belong to these modules alone. */
  readerFor(modules: readonly ModuleRules[]): Reader {
    return new Reader(modules, (module, message) => this.#parse(module, message));
  }

  /** How recently each module and rule saw something. */
  freshness(now: Micros): ModuleFreshness[] {
    return this.#freshness.report(now);
  }

  /** Addresses being counted. */
  get tracked(): number {
    return this.#engine.tracked;
  }

  /** How many of them were given up as there were too many. */
  get forgotten(): number {
    return this.#engine.forgotten;
  }

  /**
   * Up to which instant lines may be forgotten as of `now`: the source furthest behind decides, a backlog or one whose clock
   * is another, but none by more than a day.
   */
  counted(now: Micros): Micros {
    return now - Math.min(DAY, Math.max(0, ...this.#lags.values()));
  }

  /** Modules that failed too often and are no longer asked. */
  get givenUp(): string[] {
    return [...this.#failures].filter(([, n]) => n >= MODULE_FAILURES).map(([module]) => module.name);
  }

  /** Counts what is stored again from the beginning: memory and state agree again. */
  #reset(): void {
    this.#taken = null;
    this.#judge.reset();
    this.#engine = this.#restored();
    this.#knocking?.takeKeys();
  }

  /** Counts an address from nothing again. */
  forget(address: string): void {
    this.#engine.forget(address);
    this.#taken?.findings.forget(address);
  }

  /** Gives back the memory of addresses that have fallen silent. */
  sweep(now: Micros): void {
    this.#engine.sweep(now);
  }

  /**
   * Takes a batch all the way, or one of a flood as far as it can go without being stored: that is done for several together. Returns
   * whether all is stored. Throws when it could not be: then nothing counts that was taken of the source since its stored position,
   * from which it must be read again.
   */
  process(batch: Batch, { source, reader, now }: { source: string; reader: Reader; now: Micros }): boolean {
    if (this.#lost.delete(source)) throw new Error("what came before could not be stored");
    try {
      if (this.#taken !== null && this.#taken.source !== source) this.#write(this.#taken);
      const taken = this.#taken ??= nothingOf(source, this.#engine.findings());
      this.#takeIn(batch, { taken, reader, now });
      if (!batch.isMore || taken.entries >= GROUP) this.#write(taken);
      return this.#taken === null;
    } catch (error) {
      if (this.#taken !== null && this.#taken.source !== source) this.#lost.add(this.#taken.source);
      this.#reset();
      throw error;
    }
  }

  /** Stores what has been taken of a source that is read no further, or again from its stored position. Throws as `process()` does. */
  settle(source: string): void {
    this.#lost.delete(source);
    if (this.#taken?.source !== source) return;
    try {
      this.#write(this.#taken);
    } catch (error) {
      this.#reset();
      throw error;
    }
  }

  #takeIn(batch: Batch, { taken, reader, now }: { taken: Taken; reader: Reader; now: Micros }): void {
    const { events: named, changes } = this.#understand(batch.entries, { reader, now });
    const { events, knocks } = this.#knocking?.hear(named) ?? { events: named, knocks: [] };
    this.#judge.note(changes);
    for (const event of events) {
      const isHit = this.#engine.add(event, taken.findings);
      if (isRecorded(this.#rulesOf(event), { message: event.message, isHit })) taken.recorded.push(event);
    }
    for (const { time } of named) if (time > taken.latest) taken.latest = time;
    taken.knocks.push(...knocks);
    taken.position = batch.position;
    taken.now = now;
    taken.entries += batch.entries.length;
    taken.events += named.length;
    taken.damaged += batch.damaged;
  }

  #write({ source, position, recorded, findings, knocks, ...taken }: Taken): void {
    const bans = withoutKnocking(this.#judge.decide(findings.trips), knocks);
    this.#store.write({
      source,
      position,
      events: recorded,
      tallies: () => findings.tallies(taken.now),
      logins: this.#judge.news(),
      bans,
      knocks,
    });
    this.#taken = null;
    // What falls due otherwise has its own timer.
    if (bans.length > 0) this.#judge.enforce(bans);
    if (taken.events > 0) this.#lags.set(source, taken.now - taken.latest);
    for (const { service, rule, time } of this.#engine.takeNewest()) this.#freshness.hit(service, rule, time);
    this.counts.entries += taken.entries;
    this.counts.events += taken.events;
    this.counts.recorded += recorded.length;
    this.counts.hits += findings.hits;
    this.counts.bans += bans.length;
    this.counts.damaged += taken.damaged;
    this.#knocking?.open(knocks);
  }

  #restored(): Engine {
    const engine = new Engine(this.#modules, this.#counting);
    engine.restore(this.#store.tallies.all());
    return engine;
  }

  /** What entries say: events, and who has logged in or gone. */
  #understand(
    entries: readonly Entry[],
    { reader, now }: { reader: Reader; now: Micros },
  ): { events: LogEvent[]; changes: LoginChange[] } {
    const events: LogEvent[] = [];
    const changes: LoginChange[] = [];
    const seen = new Map<ModuleRules, Seen>();
    for (const entry of entries) {
      const reading = reader.read(entry, now);
      if (reading === null) continue;
      // The clock tells milliseconds, entries microseconds.
      const isAhead = reading.time >= now + MILLISECOND;
      const time = isAhead ? now : reading.time;
      note(seen, reading, time);
      const { parsed } = reading;
      if (parsed === null) continue;
      const { pid, trusted } = reading;
      const change = loginChange({ address: parsed.address, fields: parsed.fields, pid, time, trusted });
      if (change !== null) changes.push(change);
      if (parsed.address === null) continue;
      if (!trusted) this.counts.untrusted++;
      if (isAhead) this.counts.ahead++;
      events.push(eventOf(reading, parsed.address, time));
    }
    for (const [{ module }, lines] of seen) {
      this.#freshness.lines(module.name, lines, now);
      this.counts.unknown += lines.lines - lines.understood;
    }
    return { events, changes };
  }

  /** Asks a module that has not been given up. */
  #parse(module: Module, message: string): Parsed | null {
    if (this.#isGivenUp(module)) return null;
    try {
      const parsed = module.parse(message);
      if (this.#failures.size > 0) this.#failures.delete(module);
      return parsed;
    } catch (error) {
      const failures = (this.#failures.get(module) ?? 0) + 1;
      this.#failures.set(module, failures);
      this.#log.error(`module ${module.name} failed on a message: ${error}`);
      if (!this.#isGivenUp(module)) return null;
      this.#log.error(`module ${module.name} failed ${failures} times in a row and is given up`);
      if (this.#modules.every((rules) => this.#isGivenUp(rules.module))) {
        throw new UserError("every module has been given up: nothing is left to monitor", 1);
      }
      return null;
    }
  }

  #isGivenUp(module: Module): boolean {
    return this.#failures.size > 0 && (this.#failures.get(module) ?? 0) >= MODULE_FAILURES;
  }

  #rulesOf({ service }: LogEvent): ModuleRules {
    return this.#byName.get(service)!;
  }
}

function nothingOf(source: string, findings: Findings): Taken {
  return {
    source,
    recorded: [],
    findings,
    knocks: [],
    position: "",
    now: 0,
    latest: 0,
    entries: 0,
    events: 0,
    damaged: 0,
  };
}

type Seen = { -readonly [key in keyof SeenLines]: SeenLines[key] };

/** Counts a line among those of its module. */
function note(seen: Map<ModuleRules, Seen>, { rules, parsed }: Reading, time: Micros): void {
  let lines = seen.get(rules);
  if (!lines) seen.set(rules, lines = { lines: 0, understood: 0, latest: time });
  lines.lines++;
  if (parsed !== null) lines.understood++;
  if (time > lines.latest) lines.latest = time;
}

function eventOf({ rules, parsed, message, trusted }: Reading, address: string, time: Micros): LogEvent {
  return {
    address,
    fields: parsed!.fields,
    service: rules.module.name,
    time,
    // The cut may part a surrogate pair.
    message: message.length > MAX_MESSAGE ? message.slice(0, MAX_MESSAGE).toWellFormed() : message,
    trusted,
  };
}
