/**
 * A configuration on trial over lines of the past. Comes in: batches, on their lines' own time. Goes out: the bans that a
 * monitor would have made. Nothing is stored, and nobody is banned.
 */
import type { Config } from "../config/types.ts";
import { isSameScope } from "../core/scope.ts";
import { type Micros, now } from "../core/time.ts";
import type { NewBan, PastBan } from "../deciding/ban.ts";
import { Decider } from "../deciding/decider.ts";
import { type Login, loginChange } from "../deciding/login_change.ts";
import { type LoginNews, Logins } from "../deciding/logins.ts";
import type { Whitelist } from "../deciding/whitelist.ts";
import { Pipeline } from "../monitor/pipeline.ts";
import type { Judge } from "../monitor/pipeline_parts.ts";
import type { Counts } from "../monitor/throughput.ts";
import type { LogEvent } from "../reading/event.ts";
import { LOGIN } from "../reading/message_reader.ts";
import type { Reader } from "../reading/reader.ts";
import type { Trip } from "../rules/rule.ts";
import type { Batch } from "../sources/source.ts";
import { NoStore, QUIET } from "./dry_run.ts";

/** What a rehearsal goes by, and whom it tells. */
export interface RehearsalOptions {
  readonly whitelist: Whitelist;
  /** Told of each ban, in order; a ban that moves the end of one in force is told as a ban of its own. */
  readonly banned: (ban: NewBan) => void;
  /** Told of logins: of those in one batch the newest of each address and method. */
  readonly loggedIn?: (login: Login) => void;
  /** The records are lines that the state kept, by the names of their modules. */
  readonly isRecorded?: boolean;
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
      counting: {
        ipv6Prefix: config.ipv6Prefix,
        lenience: (address, time) => judge.logins.lenience(address, time),
        isStored: false,
      },
    });
    this.#reader = options.isRecorded
      ? this.#pipeline.readers.ofRecorded()
      : this.#pipeline.readers.of(config.modules);
  }

  /** Takes the batch that follows. */
  take(batch: Batch): void {
    this.#pipeline.process(batch, { name: "rehearsal", reader: this.#reader }, now());
  }

  /** What went through so far. */
  get counts(): Readonly<Counts> {
    return this.#pipeline.throughput.counts;
  }
}

/**
 * Decides as the monitor would, with every ban taking effect at once and ending on the lines' own time. Trips are decided one
 * by one, each as of its own time: many hours of a log come in one batch.
 */
class RehearsalJudge implements Judge {
  readonly logins: Logins;
  readonly #decider: Decider;
  readonly #options: RehearsalOptions;
  /** By address, newest first, extended ones with their later ends. */
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

  /** Takes note of logins. Sessions of the past spare nobody here, so that their ends mean nothing. */
  note(event: LogEvent): void {
    if (event.reader.says !== LOGIN) return;
    const change = loginChange(event);
    if (change?.kind === "opened") this.logins.keep(change);
  }

  news(): LoginNews {
    const news = this.logins.takeNews();
    if (this.#options.loggedIn) news.logins.forEach(this.#options.loggedIn);
    return news;
  }

  reset(): void {}

  /** The bans that are news: an address that is banned already would not have come again so soon. */
  decide(trips: readonly Trip[]): NewBan[] {
    const history = {
      standing: (address: string) => this.#standing(address),
      past: (address: string) => this.#past(address),
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
   * Keeps a ban; false where one in force was to last as long. The monitor would move its end, but would have cut off the lines
   * that make it do so.
   */
  #keep(ban: NewBan): boolean {
    const bans = this.#bans.get(ban.address) ?? [];
    const before = bans.find((other) => isSameScope(other.scope, ban.scope) && isInForce(other, this.#time));
    if (before === undefined) this.#bans.set(ban.address, [ban, ...bans]);
    else if (spanOf(ban) <= spanOf(before)) return false;
    else bans[bans.indexOf(before)] = { ...before, until: ban.until };
    return true;
  }

  #standing(address: string): NewBan[] {
    return (this.#bans.get(address) ?? []).filter((ban) => isInForce(ban, this.#time));
  }

  #past(address: string): PastBan[] {
    const ended = (this.#bans.get(address) ?? []).filter((ban) => !isInForce(ban, this.#time));
    return ended.map(({ start, until }) => ({ start, ended: until!, endReason: "expired" }));
  }
}

function spanOf({ start, until }: NewBan): Micros {
  return until === null ? Infinity : until - start;
}

function isInForce({ until }: NewBan, time: Micros): boolean {
  return until === null || until > time;
}
