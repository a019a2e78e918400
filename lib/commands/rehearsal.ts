/**
 * Rehearses a configuration on past lines. Input: batches, on the lines' own time. Output: the bans
 * that a monitor would have made. Stores nothing and bans nobody.
 */
import type { Config } from "../config/types.ts";
import { isSameScope } from "../core/scope.ts";
import { hasEnded, type Micros, now } from "../core/time.ts";
import type { NewBan, PastBan } from "../deciding/ban.ts";
import { Decider } from "../deciding/decider.ts";
import { type Login, loginChange } from "../deciding/login_change.ts";
import { Logins, type LoginUpdate } from "../deciding/logins.ts";
import type { Whitelist } from "../deciding/whitelist.ts";
import { Pipeline } from "../monitor/pipeline.ts";
import type { Judge } from "../monitor/pipeline_parts.ts";
import type { Counts } from "../monitor/report.ts";
import type { LogEvent } from "../reading/event.ts";
import { LOGIN } from "../reading/message_reader.ts";
import type { Reader } from "../reading/reader.ts";
import { PASSING_ROOM } from "../rules/note_memory.ts";
import type { Trip } from "../rules/rule.ts";
import type { TextShare } from "../rules/rule_set.ts";
import { RuleTexts } from "../rules/rule_texts.ts";
import type { Batch } from "../sources/source.ts";
import { NoStore, QUIET } from "./dry_run.ts";

/** Options and callbacks of a rehearsal. */
export interface RehearsalOptions {
  readonly whitelist: Whitelist;
  /** Called with each ban in order; a ban that extends another counts as a new one. */
  readonly banned: (ban: NewBan) => void;
  /** Called with logins: in each batch the newest of each address and method. */
  readonly loggedIn?: (login: Login) => void;
  /** The records come from the state, by the names of their modules. */
  readonly isRecorded?: boolean;
  /** See `PipelineParts`. */
  readonly shares?: readonly TextShare[] | undefined;
}

/**
 * Returns the texts of the rules of two configurations, for a rehearsal of each: with them, one
 * rehearsal reads the lines for both. Null: the configurations read lines differently.
 */
export function shareTexts(before: Config, after: Config): readonly TextShare[][] | null {
  if (readingOf(before) !== readingOf(after)) return null;
  const pairs = before.modules.map(({ module: { form }, rules }, i) => {
    const texts = new RuleTexts([...rules, ...after.modules[i]!.rules], form);
    return [{ texts, first: 0 }, { texts, first: rules.length }];
  });
  return [pairs.map((pair) => pair[0]!), pairs.map((pair) => pair[1]!)];
}

/** Returns as text how a configuration reads lines. */
function readingOf({ modules }: Config): string {
  return JSON.stringify(
    modules.map(({ module: { form: _, zone, ...others } }) => ({ ...others, zone: zone?.name })),
  );
}

/** Runs batches through the rules of one configuration. */
export class Rehearsal {
  readonly #pipeline: Pipeline;
  readonly #reader: Reader;

  constructor(config: Config, options: RehearsalOptions) {
    const judge = new RehearsalJudge(config, options);
    this.#pipeline = new Pipeline(config.modules, {
      store: new NoStore(),
      judge,
      log: QUIET,
      shares: options.shares,
      counting: {
        ipv6Prefix: config.ipv6Prefix,
        lenience: (address, time) => judge.logins.lenience(address, time),
        isStored: false,
        room: PASSING_ROOM,
      },
    });
    this.#reader = options.isRecorded
      ? this.#pipeline.readers.ofRecorded()
      : this.#pipeline.readers.of(config.modules);
  }

  /** Processes the next batch, which `beside` gets as well: see `Pipeline.process()`. */
  take(batch: Batch, beside: Rehearsal | null = null): void {
    const feed = { name: "rehearsal", reader: this.#reader };
    this.#pipeline.process(batch, feed, now(), beside === null ? null : beside.#pipeline);
  }

  /** Counts of all batches so far. */
  get counts(): Readonly<Counts> {
    return this.#pipeline.throughput.counts;
  }
}

/**
 * Decides as the monitor would. Each ban takes effect at once and ends on the lines' own time.
 * Judges each trip at its own time: one batch may hold many hours of a log.
 */
class RehearsalJudge implements Judge {
  readonly logins: Logins;
  readonly #decider: Decider;
  readonly #options: RehearsalOptions;
  /** Bans by address, newest first; extended ones have their later ends. */
  readonly #bans = new Map<string, NewBan[]>();
  #time: Micros = 0;

  constructor({ trust, networkBans }: Config, options: RehearsalOptions) {
    this.#options = options;
    this.logins = new Logins(trust);
    this.#decider = new Decider({
      whitelist: options.whitelist,
      logins: this.logins,
      networks: networkBans,
    });
  }

  /** Notes logins. Past sessions protect nobody here, so their ends are ignored. */
  note(event: LogEvent): void {
    if (event.reader.says !== LOGIN) return;
    const change = loginChange(event);
    if (change?.kind === "opened") this.logins.keep(change);
  }

  takeLogins(): LoginUpdate {
    const update = this.logins.takeUpdate();
    if (this.#options.loggedIn) update.logins.forEach(this.#options.loggedIn);
    return update;
  }

  reset(): void {}

  /** Returns bans that are new or that last longer than those in force. */
  decide(trips: readonly Trip[]): NewBan[] {
    const of = (address: string) => this.#bans.get(address) ?? [];
    const history = {
      inForce: (address: string) => of(address).filter((ban) => !hasEnded(ban, this.#time)),
      past: (address: string) =>
        of(address).filter((ban) => hasEnded(ban, this.#time))
          .map(({ start, until }): PastBan => ({ start, ended: until!, endReason: "expired" })),
    };
    return trips.flatMap((trip) => {
      this.#time = trip.time;
      return this.#decider.decide([trip], { history }).bans.filter((ban) => this.#keep(ban));
    });
  }

  enforce(bans: readonly NewBan[]): void {
    bans.forEach(this.#options.banned);
  }

  /**
   * Keeps a ban; returns false if one in force lasts as long. A real ban would have kept out the
   * lines that extend this one.
   */
  #keep(ban: NewBan): boolean {
    const bans = this.#bans.get(ban.address) ?? [];
    const before = bans.find((other) => isSameScope(other.scope, ban.scope) && !hasEnded(other, this.#time));
    if (before === undefined) this.#bans.set(ban.address, [ban, ...bans]);
    else if (spanOf(ban) <= spanOf(before)) return false;
    else bans[bans.indexOf(before)] = { ...before, until: ban.until };
    return true;
  }
}

function spanOf({ start, until }: NewBan): Micros {
  return until === null ? Infinity : until - start;
}
