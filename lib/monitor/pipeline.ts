/**
 * One batch's way: read, count, decide, commit, enforce.
 *
 *   Records ─► Reader ─► LogEvent ─┬─► LogLines              lines to be recorded
 *              (a view of          ├─► Engine ─► notes, trips
 *              one line)           └─► logins, knocks
 *                                        │
 *                     Judge.decide() ◄───┘   says all that follows; nothing is decided later
 *                           │
 *                     BatchStore.write()     ONE transaction: lines, notes, logins, knocks, bans, position
 *                           │
 *                     Judge.enforce()        tells the firewall
 *
 * A batch of a flood (`isMore`) is read and counted at once and committed with those that follow
 * it. After a failed commit memory is made anew from the state, and the source is read again from
 * its stored position: nothing counts twice or never.
 */
import { Literal } from "../core/bytes.ts";
import type { Log } from "../core/log.ts";
import { LINE } from "../core/records.ts";
import type { Micros } from "../core/time.ts";
import { counted } from "../core/text.ts";
import type { NewBan } from "../deciding/ban.ts";
import type { Knock } from "../deciding/knock.ts";
import type { LoginNews } from "../deciding/logins.ts";
import type { LogEvent } from "../reading/event.ts";
import { Activity, type ModuleActivity, type ModuleTotals } from "../reading/activity.ts";
import { NOTHING } from "../reading/message_reader.ts";
import type { Reader } from "../reading/reader.ts";
import { Engine, type EngineOptions, type StoredNotes } from "../rules/engine.ts";
import type { BatchNotes } from "../rules/note_batch.ts";
import type { ModuleRules, Trip } from "../rules/rule.ts";
import type { Batch } from "../sources/source.ts";
import type { BatchRecord } from "../state/batch_writer.ts";
import type { CountedHits } from "../state/rollup_table.ts";
import type { Knocking } from "./knocking.ts";
import type { Leaks } from "./leaks.ts";
import { ModuleReaders } from "./module_readers.ts";
import { type Counts, Throughput } from "./throughput.ts";

/** What the pipeline needs of the state. */
export interface BatchStore {
  /** Lines to be recorded, which the next `write()` writes and the pipeline then clears. */
  readonly lines: { readonly length: number; add(event: LogEvent): void; clear(): void };
  /** Counts of hours, which `write()` writes now and then; `reset()` goes back to those. */
  readonly rollups: {
    add(event: LogEvent, isHit: boolean): void;
    addHits(hits: readonly CountedHits[]): void;
    reset(): void;
  };
  /**
   * Writes a record with `lines`, but none of them where there is no room. Returns how many lines are
   * written. Throws where the state cannot be written; then nothing is.
   */
  write(record: BatchRecord): number;
  /** All notes that still matter, to which `add()` adds. */
  readonly notes: StoredNotes & { add(notes: BatchNotes): void };
}

/** Decides, and enforces what was decided and committed. */
export interface Judge {
  /** Takes note of a login or of the end of a connection: who is logged in is not banned. */
  note(event: LogEvent): void;
  /** All bans that follow from trips: of addresses and of networks. Nobody in `knocks` is among them. */
  decide(trips: readonly Trip[], knocks: readonly Knock[]): readonly NewBan[];
  /** Logins and sessions to be stored since the last call. */
  news(): LoginNews;
  /** Goes back to what the state knows, after a commit that failed. */
  reset(): void;
  /**
   * Logs what was decided and committed, and has the firewall told of it. To be called where there
   * were trips, also without bans.
   */
  enforce(bans: readonly NewBan[]): void;
}

/** What a pipeline works with. */
export interface PipelineParts {
  readonly store: BatchStore;
  readonly judge: Judge;
  readonly log: Log;
  readonly counting?: EngineOptions;
  /** Null: nobody can knock. */
  readonly knocking?: Knocking | null;
  /** Told of events of the present, and then whether they are committed; null: nobody is really banned. */
  readonly leaks?: Pick<Leaks, "see" | "keepSeen" | "dropSeen"> | null;
  /** What an earlier pipeline told of its modules. */
  readonly before?: readonly ModuleActivity[];
}

/** A source, and the reader of its records. */
export interface Feed {
  readonly name: string;
  readonly reader: Reader;
}

/** Records that one commit of a flood takes: a commit costs as much as reading some ten kilobytes. */
const GROUP = 500;

/** What has been read of one source since its last commit. */
interface Intake {
  readonly feed: Feed;
  readonly knocks: Knock[];
  position: string;
  now: Micros;
  /** Time of the newest event. */
  latest: Micros;
  records: number;
  events: number;
  damaged: number;
}

/** Takes the batches of all sources, one after the other. */
export class Pipeline {
  readonly #modules: readonly ModuleRules[];
  /** Beginnings of messages that a module does not record. */
  readonly #noLog: readonly (readonly Literal[])[];
  readonly #parts: PipelineParts;
  readonly #knocking: Knocking | null;
  readonly #activity: Activity;
  readonly #engine: Engine;
  readonly #readers: ModuleReaders;
  readonly #throughput = new Throughput();
  #intake: Intake | null = null;
  /** Sources that read on although what was read of them was lost in a failed commit of another source. */
  readonly #lost = new Set<string>();

  constructor(modules: readonly ModuleRules[], parts: PipelineParts) {
    this.#modules = modules;
    this.#noLog = modules.map(({ noLog }) => noLog.map((text) => new Literal(text)));
    this.#parts = parts;
    this.#knocking = parts.knocking ?? null;
    this.#activity = new Activity(
      modules.map(({ module, rules }) => ({ name: module.name, rules: rules.map(({ name }) => name) })),
      parts.before,
    );
    this.#engine = new Engine(
      modules.map(({ module: { name, form }, rules }) => ({ name, form, rules })),
      parts.counting,
    );
    this.#engine.restore(parts.store.notes);
    this.#readers = new ModuleReaders(modules, { engine: this.#engine, log: parts.log });
  }

  /** A reader of records that belong to these modules alone; see `Reader` for `otherZone`. */
  readerFor(modules: readonly ModuleRules[], otherZone?: (shift: Micros) => void): Reader {
    return this.#readers.readerFor(modules, otherZone);
  }

  /**
   * A reader of messages that were recorded: the identifier of a record's origin is the name of its
   * module.
   */
  readerOfRecorded(): Reader {
    return this.#readers.readerOfRecorded();
  }

  /** The names of the rules that an event hits, counting nothing. */
  match(event: LogEvent): string[] {
    return this.#engine.match(event);
  }

  /** Modules that failed too often and are no longer asked. */
  get givenUp(): string[] {
    return this.#readers.givenUp;
  }

  /** How recently each module and rule saw something, and how much each module understands. */
  activity(now: Micros): ModuleActivity[] {
    return this.#activity.report(now);
  }

  /** What each module read and its rules counted since the start. */
  totals(): ModuleTotals[] {
    return this.#activity.totals();
  }

  /** What went through since the start. */
  get counts(): Counts {
    return this.#throughput.counts;
  }

  /** Bans since the start, see `Throughput`. */
  get decided(): ReadonlyMap<string, number> {
    return this.#throughput.decided;
  }

  /** By source, how old its newest event was when it came. */
  get lags(): ReadonlyMap<string, Micros> {
    return this.#throughput.lags;
  }

  /** Addresses being counted. */
  get tracked(): number {
    return this.#engine.tracked;
  }

  /** How many addresses were evicted for want of room. */
  get evicted(): number {
    return this.#engine.evicted;
  }

  /** The notes that have no end, as they stand in memory. */
  get lasting(): Pick<Engine, "beginnings" | "lasting"> {
    return this.#engine;
  }

  /** Up to which instant lines may be forgotten as of `now`, see `Throughput`. */
  counted(now: Micros): Micros {
    return this.#throughput.counted(now);
  }

  /** Gives back the memory of addresses that have fallen silent before `now`. */
  sweep(now: Micros): void {
    this.#engine.sweep(now);
  }

  /**
   * Has the next commit or `forget()` store all groups of rules again, which notes are read by: the
   * state may have lost some.
   */
  nameGroups(): void {
    this.#engine.nameGroups();
  }

  /**
   * Counts addresses from nothing again, in the state and in memory: the only way to do so while a
   * monitor runs.
   */
  forget(addresses: readonly string[]): void {
    for (const address of addresses) this.#engine.forget(address);
    if (this.#intake !== null) return;
    try {
      this.#parts.store.notes.add(this.#engine.takeNotes(0));
    } catch (error) {
      this.#reset();
      throw error;
    }
  }

  /**
   * Takes a batch all the way, or one of a flood as far as it goes without a commit. Returns
   * whether all is committed. Throws where the state could not be written: then nothing counts that
   * was read of the source since its stored position, from which it must be read again.
   */
  process(batch: Batch, feed: Feed, now: Micros): boolean {
    if (this.#lost.delete(feed.name)) throw new Error("what came before could not be stored");
    try {
      if (this.#intake !== null && this.#intake.feed.name !== feed.name) this.#commit(this.#intake);
      const intake = this.#intake ??= beginIntake(feed);
      this.#read(batch, intake, now);
      if (!batch.isMore || intake.records >= GROUP) this.#commit(intake);
      return this.#intake === null;
    } catch (error) {
      if (this.#intake !== null && this.#intake.feed.name !== feed.name) {
        this.#lost.add(this.#intake.feed.name);
      }
      this.#reset();
      throw error;
    }
  }

  /**
   * Commits what was read of a source that is read no further, or again from its stored position.
   * Throws as `process()` does.
   */
  settle(source: string): void {
    this.#lost.delete(source);
    if (this.#intake?.feed.name !== source) return;
    try {
      this.#commit(this.#intake);
    } catch (error) {
      this.#reset();
      throw error;
    }
  }

  #read({ records, position, damaged, isMore }: Batch, intake: Intake, now: Micros): void {
    const { reader } = intake.feed;
    const leaks = this.#parts.leaks ?? null;
    for (let i = 0; i < records.length; i++) {
      if (!reader.read(records, i, now)) continue;
      const { event } = reader;
      this.#take(event, intake);
      // A line of a backlog that tells no time may be older than the ban of its address.
      if (leaks !== null && (!isMore || event.time !== records.times[i] || records.origin[i] !== LINE)) {
        leaks.see(event);
      }
    }
    this.counts.unknown += this.#activity.endBatch(now);
    intake.position = position;
    intake.now = now;
    intake.records += records.length;
    intake.damaged += damaged;
  }

  #take(event: LogEvent, intake: Intake): void {
    const { reader, module, time, isTrusted } = event;
    this.#activity.line(module, event.isUnderstood, time);
    if (!event.isUnderstood) return;
    if (reader.says !== NOTHING) this.#parts.judge.note(event);
    if (!reader.address.isAddress) return;
    intake.events++;
    if (time > intake.latest) intake.latest = time;
    if (!isTrusted) this.counts.untrusted++;
    if (event.isAhead) this.counts.ahead++;
    if (this.#knocking?.isKnock(event, intake.knocks)) return;
    const isHit = this.#engine.add(event);
    const { rollups, lines } = this.#parts.store;
    rollups.add(event, isHit);
    if (this.isRecorded(event, isHit)) lines.add(event);
  }

  /** Reports whether an event is to be recorded that hits some rule or none. */
  isRecorded({ module, bytes, from, to }: LogEvent, isHit: boolean): boolean {
    if (!isHit && this.#modules[module]!.record === "hits") return false;
    for (const text of this.#noLog[module]!) {
      if (from + text.length <= to && text.isAt(bytes, from)) return false;
    }
    return true;
  }

  #commit(intake: Intake): void {
    const { store, judge, log } = this.#parts;
    const { feed: { name: source }, position, knocks } = intake;
    const hits = this.#engine.takeHits();
    const byRule = this.#engine.takeRuleHits();
    store.rollups.addHits(byRule);
    const trips = this.#engine.takeTrips();
    const bans = judge.decide(trips, knocks);
    const notes = this.#engine.takeNotes(intake.now);
    const recorded = store.write({ source, position, notes, logins: judge.news(), bans, knocks });
    this.#intake = null;
    this.#parts.leaks?.keepSeen();
    for (const { address, reason, count } of trips) {
      log.debug(() => `${address} passed the limit of ${reason} with ${counted(count, "hit")}`);
    }
    if (trips.length > 0) judge.enforce(bans);
    log.debug(() =>
      `committed ${counted(intake.records, "line")} of ${source}: ${recorded} recorded, ${
        counted(hits, "hit")
      }, ${counted(bans.length, "ban")}; position ${position}`
    );
    for (const { service, rule, ...hits } of byRule) this.#activity.hit(service, rule, hits);
    this.#throughput.add({ ...intake, source, lag: intake.now - intake.latest, recorded, hits, bans });
    this.#warnOfSuppressions(intake.feed.reader);
    store.lines.clear();
    this.#knocking?.open(knocks);
  }

  #warnOfSuppressions(reader: Reader): void {
    for (const { unit, count } of reader.takeSuppressions()) {
      this.counts.suppressed += count;
      this.#parts.log.warn(
        `journald dropped ${count} messages of ${unit}, which wrote too many: attacks may go unseen. ` +
          `Set LogRateLimitIntervalSec=0 in the unit, or a higher RateLimitBurst= in journald.conf`,
      );
    }
  }

  /** Goes back to what the state knows. */
  #reset(): void {
    this.#intake?.feed.reader.takeSuppressions();
    this.#intake = null;
    this.#parts.store.lines.clear();
    this.#parts.store.rollups.reset();
    this.#parts.leaks?.dropSeen();
    this.#parts.judge.reset();
    this.#engine.restore(this.#parts.store.notes);
    this.#knocking?.takeKeys();
  }
}

function beginIntake(feed: Feed): Intake {
  return { feed, knocks: [], position: "", now: 0, latest: 0, records: 0, events: 0, damaged: 0 };
}
