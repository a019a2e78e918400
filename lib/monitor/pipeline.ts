/**
 * The way of one batch: read, count, decide, commit, enforce.
 *
 *   Records ─► Reader ─► LogEvent ─┬─► LogLines              lines to be recorded
 *              (a view of          ├─► Engine ─► notes, trips
 *              one line)           └─► logins, knocks
 *                                        │
 *                     Judge.decide() ◄───┘   decides everything; nothing is decided later
 *                           │
 *                     BatchState.write()     commit: lines, notes, logins, knocks, bans, position
 *                           │
 *                     enforce()              tells the firewalls
 *
 * A batch of a flood (`isMore`) is read and counted at once, and committed with the next batches.
 * After a failed commit memory is restored from the state, and the source is read again from its
 * stored position: no line counts twice, and none is missed.
 */
import { type Micros, now } from "../core/time.ts";
import { LINE } from "../core/records.ts";
import { counted } from "../core/text.ts";
import type { Knock } from "../deciding/knock.ts";
import { Activity } from "../reading/activity.ts";
import { NEVER, NOTHING } from "../reading/message_reader.ts";
import type { LogEvent, RecordReader } from "../reading/event.ts";
import { Engine } from "../rules/engine.ts";
import type { ModuleRules } from "../rules/rule.ts";
import type { Batch } from "../sources/source.ts";
import type { Knocking } from "./knocking.ts";
import { ModuleReaders } from "./module_readers.ts";
import type { Feed, PipelineParts } from "./pipeline_parts.ts";
import { Recording } from "./recording.ts";
import { type Counts, noCounts } from "./report.ts";
import { Throughput } from "./throughput.ts";
import { Totals } from "./totals.ts";

/**
 * Number of records in one commit of a flood. With 500 a line took a sixth more of the processor's
 * time, with 8,000 a thirtieth less.
 */
const GROUP = 2_000;
/**
 * Most bytes of recorded lines in one commit, give or take a batch: ten times those of usual lines.
 * 2,000 of the longest entries of the journal take 16 MiB, and 128 KiB from each of a thousand logs
 * take 128 MiB. The buffer that holds them never shrinks.
 */
const GROUP_SIZE = 4 << 20;

/** Records read from one source since its last commit. */
interface Intake {
  readonly feed: Feed;
  readonly knocks: Knock[];
  position: string;
  now: Micros;
  /** Time of the newest event. */
  latest: Micros;
  readonly counts: Counts;
}

/** Processes the batches of all sources, one after the other. */
export class Pipeline {
  readonly readers: ModuleReaders;
  /** Times of the last line and hit of each module and rule, and how many lines it understands. */
  readonly activity: Activity;
  readonly throughput: Throughput;
  readonly recording: Recording;
  readonly #parts: PipelineParts;
  readonly #knocking: Knocking | null;
  readonly #engine: Engine;
  #intake: Intake | null = null;
  /** Sources that read on although a failed commit of another source lost their records. */
  readonly #lost = new Set<string>();

  constructor(modules: readonly ModuleRules[], parts: PipelineParts) {
    this.#parts = parts;
    this.#knocking = parts.knocking ?? null;
    const { before, totals = new Totals() } = parts;
    this.throughput = new Throughput(totals);
    this.activity = new Activity(
      modules.map(({ module, rules }) => ({ name: module.name, rules: rules.map(({ name }) => name) })),
      { before, counts: totals.modules },
    );
    this.#engine = new Engine(
      modules.map(({ module: { name, form }, rules }) => ({ name, form, rules })),
      parts.counting,
    );
    this.#engine.restore(parts.state.notes);
    this.readers = new ModuleReaders(modules, { engine: this.#engine, log: parts.log });
    this.recording = new Recording(modules);
  }

  /** Counts addresses; only the pipeline adds events. */
  get engine(): Pick<Engine, "match" | "tracked" | "lasting" | "generation" | "sweep" | "nameGroups"> {
    return this.#engine;
  }

  /** Forgets all hits of addresses, in state and memory. In a running monitor nothing else may. */
  forget(addresses: readonly string[]): void {
    for (const address of addresses) this.#engine.forget(address);
    if (this.#intake !== null) return;
    try {
      this.#parts.state.notes.add(this.#engine.takeNotes(0));
    } catch (error) {
      this.#reset();
      throw error;
    }
  }

  /**
   * Processes the batches of a source as they come, and commits what is left when it ends or fails.
   * `processed` is told after each batch whether all is committed. Throws like `process()`.
   */
  async follow(
    batches: AsyncIterable<Batch>,
    feed: Feed,
    processed: (batch: Batch, isCommitted: boolean) => void = () => {},
  ): Promise<void> {
    try {
      for await (const batch of batches) processed(batch, this.process(batch, feed, now()));
    } finally {
      this.finish(feed.name);
    }
  }

  /**
   * Processes a batch, up to its commit unless a flood goes on. Reports whether all is committed.
   * Throws if the state cannot be written: then no record read since the source's stored position
   * counts, and the source must be read again from there.
   */
  process(batch: Batch, feed: Feed, now: Micros): boolean {
    if (this.#lost.delete(feed.name)) throw new Error("what came before could not be stored");
    try {
      if (this.#intake !== null && this.#intake.feed.name !== feed.name) this.#commit(this.#intake);
      const intake = this.#intake ??= beginIntake(feed);
      this.#read(batch, intake, now);
      this.#endBatch(batch, intake, now);
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
   * Commits the records of a source that ends, or that is read again from its stored position.
   * Throws like `process()`.
   */
  finish(source: string): void {
    this.#lost.delete(source);
    if (this.#intake?.feed.name !== source) return;
    try {
      this.#commit(this.#intake);
    } catch (error) {
      this.#reset();
      throw error;
    }
  }

  #read({ records, isMore }: Batch, intake: Intake, now: Micros): void {
    const { reader } = intake.feed;
    const leaks = this.#parts.leaks ?? null;
    for (let i = 0; i < records.length; i++) {
      if (!reader.read(records, i, now)) continue;
      const { event } = reader;
      this.#take(event, intake);
      // A line of a backlog without a time of its own may be older than the ban of its address.
      if (leaks !== null && (!isMore || event.time !== records.times[i] || records.origin[i] !== LINE)) {
        leaks.see(event);
      }
    }
  }

  #endBatch({ records, position, damaged, isMore }: Batch, intake: Intake, now: Micros): void {
    intake.position = position;
    intake.now = now;
    intake.counts.entries += records.length;
    intake.counts.damaged += damaged;
    const isFull = intake.counts.entries >= GROUP || this.#parts.state.lines.size >= GROUP_SIZE;
    if (!isMore || isFull) this.#commit(intake);
  }

  #take(event: LogEvent, intake: Intake): void {
    const { reader, module, time, isTrusted } = event;
    this.activity.addLine(module, event.isUnderstood, time);
    if (!event.isUnderstood) return;
    if (reader.says !== NOTHING) this.#parts.judge.note(event);
    if (!reader.address.isAddress) return;
    const { counts } = intake;
    counts.events++;
    if (time > intake.latest) intake.latest = time;
    if (!isTrusted) counts.untrusted++;
    if (event.isAhead) counts.ahead++;
    if (this.#knocking?.isKnock(event, intake.knocks)) return;
    const isHit = this.#engine.add(event);
    const isCounted = isHit && reader.counting !== NEVER;
    if (isHit && !isCounted) counts.uncounted++;
    const { rollups, lines } = this.#parts.state;
    rollups.add(event, isCounted);
    if (this.recording.isRecorded(event, isHit)) lines.add(event);
  }

  #commit(intake: Intake): void {
    const { state, judge, enforce, log } = this.#parts;
    const { feed: { name: source }, position, knocks, counts } = intake;
    const byRule = this.#engine.takeRuleHits();
    counts.hits = byRule.reduce((sum, { count }) => sum + count, 0);
    state.rollups.addHits(byRule);
    const trips = this.#engine.takeTrips();
    const decision = judge.decide(trips, { knocks, now: intake.now });
    const { bans } = decision;
    const notes = this.#engine.takeNotes(intake.now);
    counts.bans = bans.length;
    counts.recorded = state.write({ source, position, notes, logins: judge.takeLogins(), bans, knocks });
    this.#intake = null;
    this.#parts.leaks?.keepSeen();
    for (const { address, reason, count } of trips) {
      log.debug(() => `${address} passed the limit of ${reason} with ${counted(count, "hit")}`);
    }
    if (trips.length > 0) enforce?.(decision);
    // A line about each batch would never end in a log that takes up the monitor's own lines.
    if (counts.recorded + counts.hits + counts.bans > 0) {
      log.debug(() =>
        `committed ${counted(counts.entries, "line")} of ${source}: ${counts.recorded} recorded, ${
          counted(counts.hits, "hit")
        }, ${counted(counts.bans, "ban")}; position ${position}`
      );
    }
    counts.unknown = this.activity.commit(intake.now);
    for (const { module, rule, ...hits } of byRule) this.activity.addHits(module, rule, hits);
    counts.evicted = this.#engine.takeEvicted();
    counts.suppressed = this.#warnOfSuppressions(intake.feed.reader);
    this.throughput.add(source, counts, { lag: intake.now - intake.latest, bans });
    state.lines.clear();
    this.#knocking?.committed(knocks);
  }

  /** Returns the number of messages that journald dropped. */
  #warnOfSuppressions(reader: RecordReader): number {
    const suppressions = reader.takeSuppressions();
    for (const { unit, count } of suppressions) {
      this.#parts.log.warn(
        `journald dropped ${count} messages of ${unit}, which wrote too many: attacks may go unseen. ` +
          `Set LogRateLimitIntervalSec=0 in the unit, or a higher RateLimitBurst= in journald.conf`,
      );
    }
    return suppressions.reduce((sum, { count }) => sum + count, 0);
  }

  /** Restores memory from the state. */
  #reset(): void {
    this.#intake?.feed.reader.takeSuppressions();
    this.#intake = null;
    this.activity.reset();
    this.#parts.state.lines.clear();
    this.#parts.state.rollups.reset();
    this.#parts.leaks?.dropSeen();
    this.#parts.judge.reset();
    this.#engine.restore(this.#parts.state.notes);
    this.#knocking?.takeKeys();
  }
}

function beginIntake(feed: Feed): Intake {
  return { feed, knocks: [], position: "", now: 0, latest: 0, counts: noCounts() };
}
