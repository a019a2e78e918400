/**
 * Rehearses a configuration on past lines, or two in one pass. Input: batches, on the lines' own
 * time. Output: the bans that a monitor would have made. Stores nothing and bans nobody.
 *
 *   lines ─► Pipeline with the rules of both ─► trips ─┬─► RehearsedSide: bans of the first
 *                                                      └─► RehearsedSide: bans of the second
 */
import type { Config } from "../../config/types.ts";
import { isSameScope } from "../../core/scope.ts";
import { hasEnded, type Micros, now } from "../../core/time.ts";
import type { NewBan, PastBan } from "../../deciding/ban.ts";
import { Decider, type Decision, NO_DECISION } from "../../deciding/decider.ts";
import { type Login, loginChange } from "../../deciding/login_change.ts";
import { Logins, type LoginUpdate } from "../../deciding/logins.ts";
import type { Whitelist } from "../../deciding/whitelist.ts";
import { Pipeline } from "../../monitor/pipeline.ts";
import type { Judge } from "../../monitor/pipeline_parts.ts";
import type { Counts } from "../../monitor/report.ts";
import { LOGIN } from "../../reading/message_reader.ts";
import type { LogEvent, RecordReader } from "../../reading/event.ts";
import { PASSING_ROOM, type Room } from "../../rules/note_memory.ts";
import type { Trip } from "../../rules/rule.ts";
import type { Batch } from "../../sources/source.ts";
import { NoState, QUIET } from "../common/dry_run.ts";
import { readsAlike, SharedRules, trustsAlike } from "./shared_rules.ts";

/** A configuration to rehearse. */
export interface Rehearsed {
  readonly config: Config;
  readonly whitelist: Whitelist;
  /** Called with each ban in order; a ban that extends another counts as a new one. */
  readonly banned: (ban: NewBan) => void;
}

/** Options and callbacks of a rehearsal. */
export interface RehearsalOptions {
  /** Called with logins: in each batch the newest of each address and method. */
  readonly loggedIn?: (login: Login) => void;
  /** The records come from the state, by the names of their modules. */
  readonly isRecorded?: boolean;
  /** Room for what each configuration counts, by module. Default: a million addresses in 84 MiB. */
  readonly room?: Room;
}

/** Returns rehearsals of two configurations: one of both, if they read lines alike. */
export function rehearsalsOf(
  before: Rehearsed,
  after: Rehearsed,
  options: RehearsalOptions,
): readonly Rehearsal[] {
  return readsAlike(before.config, after.config)
    ? [new Rehearsal([before, after], options)]
    : [new Rehearsal([before], options), new Rehearsal([after], options)];
}

/** Runs batches through the rules of one configuration, or of two that read lines alike. */
export class Rehearsal {
  readonly #pipeline: Pipeline;
  readonly #reader: RecordReader;
  readonly #hits: number[];

  /** @param rehearsed one configuration, or two that read lines alike */
  constructor(rehearsed: readonly Rehearsed[], options: RehearsalOptions = {}) {
    const rules = new SharedRules(rehearsed.map(({ config }) => config));
    const judge = new RehearsalJudge(rehearsed, rules, options);
    const { room = PASSING_ROOM } = options;
    this.#hits = rehearsed.map(() => 0);
    this.#pipeline = new Pipeline(rules.modules, {
      state: new NoState((hits) => {
        for (const { module, rule, count } of hits) {
          rules.of(module, rule).forEach((one, side) => this.#hits[side]! += one === null ? 0 : count);
        }
      }),
      judge,
      log: QUIET,
      counting: {
        ipv6Prefix: rehearsed[0]!.config.ipv6Prefix,
        lenience: (address, time, { module, name }) => judge.loginsFor(module, name).lenience(address, time),
        isStored: false,
        // With room for one, addresses that the other alone counts would evict its own.
        room: { ...room, addresses: rehearsed.length * room.addresses },
      },
    });
    this.#reader = options.isRecorded
      ? this.#pipeline.readers.ofRecorded()
      : this.#pipeline.readers.of(rules.modules);
  }

  /** Processes the next batch. */
  take(batch: Batch): void {
    this.#pipeline.process(batch, { name: "rehearsal", reader: this.#reader }, now());
  }

  /** Hits of each configuration. */
  get hits(): readonly number[] {
    return this.#hits;
  }

  /** Counts of all batches so far. */
  get counts(): Readonly<Counts> {
    return this.#pipeline.throughput.counts;
  }
}

/** Hands the trips of merged rules to the configurations that have them. */
class RehearsalJudge implements Judge {
  readonly #rules: SharedRules;
  readonly #options: RehearsalOptions;
  readonly #sides: readonly RehearsedSide[];
  /** Logins of the sides: the same of both if they trust alike. */
  readonly #logins: readonly Logins[];

  constructor(rehearsed: readonly Rehearsed[], rules: SharedRules, options: RehearsalOptions) {
    this.#rules = rules;
    this.#options = options;
    const first = new Logins(rehearsed[0]!.config.trust);
    this.#logins = rehearsed.map(({ config }) =>
      trustsAlike(config, rehearsed[0]!.config) ? first : new Logins(config.trust)
    );
    this.#sides = rehearsed.map((one, side) => new RehearsedSide(one, this.#logins[side]!));
  }

  /** Returns the logins that make a configuration lenient with a merged rule. */
  loginsFor(module: string, rule: string): Logins {
    return this.#logins[this.#rules.of(module, rule).findIndex((one) => one !== null)]!;
  }

  /** Notes logins. Past sessions protect nobody here, so their ends are ignored. */
  note(event: LogEvent): void {
    if (event.reader.says !== LOGIN) return;
    const change = loginChange(event);
    if (change?.kind !== "opened") return;
    for (const logins of new Set(this.#logins)) logins.keep(change);
  }

  takeLogins(): LoginUpdate {
    const [update] = [...new Set(this.#logins)].map((logins) => logins.takeUpdate());
    if (this.#options.loggedIn) update!.logins.forEach(this.#options.loggedIn);
    return update!;
  }

  reset(): void {}

  /** Returns bans that are new or that last longer than those in force, of all configurations. */
  decide(trips: readonly Trip[]): Decision {
    const bans = this.#sides.flatMap((side, number) =>
      side.decide(trips.flatMap((trip) => this.#rules.tripOf(trip, number) ?? []))
    );
    return { ...NO_DECISION, bans };
  }
}

/**
 * Decides as the monitor would by one configuration. Each ban takes effect at once and ends on the
 * lines' own time. Judges each trip at its own time: one batch may hold many hours of a log.
 */
class RehearsedSide {
  readonly #decider: Decider;
  readonly #banned: Rehearsed["banned"];
  /** Bans by address, newest first; extended ones have their later ends. */
  readonly #bans = new Map<string, NewBan[]>();
  #time: Micros = 0;

  constructor({ config, whitelist, banned }: Rehearsed, logins: Logins) {
    this.#banned = banned;
    const of = (target: string, isEnded: boolean) =>
      (this.#bans.get(target) ?? []).filter((ban) => hasEnded(ban, this.#time) === isEnded);
    const history = {
      inForceByAddress: (targets: readonly string[]) =>
        new Map(targets.map((target) => [target, of(target, false)])),
      past: (target: string) =>
        of(target, true).map(({ start, until }): PastBan => ({ start, ended: until!, endReason: "expired" })),
    };
    this.#decider = new Decider({ whitelist, logins, networks: config.networkBans, history });
  }

  decide(trips: readonly Trip[]): NewBan[] {
    const bans = trips.flatMap((trip) => {
      this.#time = trip.time;
      return this.#decider.decide([trip]).bans.filter((ban) => this.#keep(ban));
    });
    bans.forEach(this.#banned);
    return bans;
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
