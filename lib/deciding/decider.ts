import { formatDuration, type Micros } from "../core/time.ts";
import type { NewBan, PastBan } from "./ban.ts";
import type { Trip } from "../rules/rule.ts";
import { banSpan } from "./escalation.ts";
import type { Logins } from "./logins.ts";
import { Networks, type NetworkStep, type NetworkTrip } from "./networks.ts";
import type { Whitelist } from "./whitelist.ts";

/** What is known of the bans that there are. */
export interface BanHistory {
  /** How long the ban in force for an address or network lasts from its start to its end, Infinity for good; undefined: there is none. */
  standing(address: string): Micros | undefined;
  /** Its bans that have ended, newest first. */
  past(address: string): readonly PastBan[];
}

/** What bans are decided with. */
export interface DeciderOptions {
  readonly whitelist: Whitelist;
  readonly logins: Logins;
  readonly networks: readonly NetworkStep[];
  readonly history: BanHistory;
  /** Told why somebody is not banned. */
  readonly spared: (sentence: string) => void;
}

/** Decides who is banned and for how long. Knows no clock: times are those of the events. */
export class Decider {
  readonly #options: DeciderOptions;
  readonly #networks: Networks;

  constructor(options: DeciderOptions) {
    this.#options = options;
    this.#networks = new Networks(options.networks);
  }

  /**
   * The bans that follow from trips: one for an address, the longest, and none that is no longer than the one in force. Nobody who
   * is whitelisted, or whose logins are trusted, is banned. Remembers nothing.
   * @param standing knows what is in force of the addresses of these trips, in place of the history
   */
  decide(trips: readonly Trip[], standing = this.#options.history.standing): NewBan[] {
    const decided = new Map<string, NewBan>();
    for (const trip of trips) {
      const address = this.#target(trip);
      if (address === null) continue;
      const { banTime: first, growth, scope, reason, count, time: start } = trip;
      const span = banSpan({ first, growth, past: () => this.#options.history.past(address) }, start);
      const before = decided.get(address);
      const least = before ? spanOf(before) : standing(address) ?? 0;
      if ((span ?? Infinity) <= least) continue;
      decided.set(address, {
        address,
        scope,
        reason,
        count,
        start,
        until: span === null ? null : start + span,
      });
    }
    return [...decided.values()];
  }

  /** The bans of networks that follow from bans that have been stored, those of larger networks after those inside. */
  widen(stored: readonly NewBan[]): NewBan[] {
    const bans: NewBan[] = [];
    for (const ban of stored) {
      for (let next: NewBan | null = ban; next !== null;) {
        const trip = this.#networks.add(next);
        next = trip && this.#banOf(trip, next.start);
        if (next) bans.push(next);
      }
    }
    return bans;
  }

  /** Counts what was banned before, in order. Bans of networks that had followed are counted from nothing again. */
  restore(bans: Iterable<Pick<NewBan, "address" | "start" | "reason">>): void {
    for (const { address, start, reason } of bans) {
      if (reason.startsWith(NETWORK)) this.#networks.forget(address);
      this.#networks.add({ address, start });
    }
  }

  /** Gives back the memory of networks that have fallen silent. */
  sweep(now: Micros): void {
    this.#networks.sweep(now);
  }

  /**
   * What is to be banned for a trip; null: nobody. It is what the address is counted as: where that is a network in which somebody
   * else is whitelisted, the address alone.
   */
  #target({ address, source, reason, count, time }: Trip): string | null {
    const { whitelist, spared } = this.#options;
    const target = whitelist.covering(address) === null ? address : source;
    const why = this.#sparing(target, time) ?? this.#trust(address, time);
    if (why === null) return target;
    spared(`not banning ${source}, ${why}: ${reason}, ${count} hits`);
    return null;
  }

  #banOf({ network, step, count }: NetworkTrip, start: Micros): NewBan | null {
    const { banTime: first, growth, window } = step;
    const { history, spared } = this.#options;
    const reason = `${NETWORK} ${count} bans within ${formatDuration(window)}`;
    const why = this.#sparing(network, start);
    if (why !== null) {
      spared(`not banning ${network}, ${why}: ${reason}`);
      return null;
    }
    const span = banSpan({ first, growth, past: () => history.past(network) }, start);
    if ((span ?? Infinity) <= (history.standing(network) ?? 0)) return null;
    const until = span === null ? null : start + span;
    return { address: network, scope: "all", reason, count, start, until };
  }

  /** Why nothing of `target` may be banned; null: nothing speaks against it. */
  #sparing(target: string, time: Micros): string | null {
    const origin = this.#options.whitelist.covering(target);
    return origin === null ? this.#trust(target, time) : `whitelisted by ${origin}`;
  }

  #trust(target: string, time: Micros): string | null {
    const login = this.#options.logins.trusted(target, time);
    return login && `${login.user} logged in from ${login.address} by ${login.method} lately`;
  }
}

/** How the reasons begin of networks that are banned for the bans inside of them. */
const NETWORK = "[NETWORK]";

/** How long a ban lasts; Infinity for good. */
export function spanOf({ start, until }: Pick<NewBan, "start" | "until">): Micros {
  return until === null ? Infinity : until - start;
}
