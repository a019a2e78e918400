/**
 * Decides all that follows from the trips of a batch, at once and before anything is written: bans of addresses, of the
 * networks that these fill, and of the networks that those fill. Pure: times are those of the events, and what the state knows
 * is asked through `BanHistory`.
 *
 *   restore(counted)                  the bans in the state, before the first line is read
 *   decide(trips, { history, knocks }) ─► { bans, spared }     counts the bans inside of networks
 *   restore(counted)                  again after a commit that failed: as if `decide()` had not been asked
 */
import { NetworkSet, Target } from "../core/network_set.ts";
import { formatDuration, type Micros } from "../core/time.ts";
import { counted } from "../core/text.ts";
import type { Trip } from "../rules/rule.ts";
import { type CountedBan, meet, type NewBan, type PastBan, type StandingBan } from "./ban.ts";
import { banSpan } from "./escalation.ts";
import type { Knock } from "./knock.ts";
import type { Logins } from "./logins.ts";
import { Networks, type NetworkStep, type NetworkTrip } from "./networks.ts";
import type { Room } from "../rules/notes.ts";
import type { Whitelist } from "./whitelist.ts";

/** What the state knows of earlier bans. */
export interface BanHistory {
  /** The bans of an address or network in force. */
  standing(address: string): readonly StandingBan[];
  /** The bans of an address or network that have ended, newest first. */
  past(address: string): readonly PastBan[];
}

/** What bans are decided with. */
export interface DeciderOptions {
  readonly whitelist: Whitelist;
  readonly logins: Logins;
  readonly networks: readonly NetworkStep[];
  /** How much is kept to count networks; 200,000 of them in 24 MiB unless told. */
  readonly networkRoom?: Room;
}

/** What is known when a batch is decided. */
export interface Facts {
  readonly history: BanHistory;
  /** The present, of a decision that takes effect now: a ban that would be over by then is not made. */
  readonly now?: Micros;
  /** Knocks of the same batch, which whitelist their senders with it. */
  readonly knocks?: readonly Knock[];
}

/** What follows from a batch. */
export interface Decision {
  /** Each network behind the bans that filled it. */
  readonly bans: readonly NewBan[];
  /** Who is not banned and why, a sentence each, to be logged once the batch is committed. */
  readonly spared: readonly string[];
}

/** A decision in the making. */
interface Round extends Required<Facts> {
  readonly bans: NewBan[];
  readonly spared: string[];
}

/** Decides who is banned, and for how long. */
export class Decider {
  readonly #options: DeciderOptions;
  /** Made with the first ban that is counted, as it takes megabytes; null before. */
  #networks: Networks | null = null;

  constructor(options: DeciderOptions) {
    this.#options = options;
  }

  /**
   * Decides all that follows from trips. Nobody is banned who is whitelisted, whose logins are trusted or who knocked.
   * Counts the bans inside of networks: a decision that is not committed must be answered by `restore()`.
   */
  decide(trips: readonly Trip[], { history, now = -Infinity, knocks = [] }: Facts): Decision {
    const round: Round = { history, now, knocks, bans: [], spared: [] };
    for (const trip of trips) {
      for (let ban = this.#banAddress(trip, round); ban !== null;) {
        const filled: NetworkTrip | null = take(ban, round) ? this.#count(ban) : null;
        ban = filled && this.#banNetwork(filled, { start: ban.start, round });
      }
    }
    return round;
  }

  /** Counts the bans inside of networks as these decisions left them, given in their order, and forgets all others. */
  restore(bans: Iterable<CountedBan>): void {
    this.#networks = null;
    for (const { address, time: start, isOfNetwork } of bans) {
      this.#count({ address, start }, { isOfNetwork });
    }
  }

  /** Why nothing of an address or network may be banned at `time`; null: nothing speaks against it. */
  whyNot(target: string, time: Micros, knocks: readonly Knock[] = []): string | null {
    const origin = this.#options.whitelist.covering(target);
    if (origin !== null) return `whitelisted by ${origin}`;
    const letIn = knocks.filter(({ until }) => time < until).map(({ address }) => address);
    if (letIn.length > 0 && new NetworkSet(letIn).touches(new Target().read(target))) {
      return "whitelisted by knock";
    }
    return this.#trust(target, time);
  }

  /** Gives back the memory of networks that have fallen silent. */
  sweep(now: Micros): void {
    this.#networks?.sweep(now);
  }

  #count(ban: Pick<NewBan, "address" | "start">, { isOfNetwork = false } = {}): NetworkTrip | null {
    const { networks, networkRoom } = this.#options;
    if (networks.length === 0) return null;
    this.#networks ??= new Networks(networks, networkRoom);
    // Once it is banned, a network is counted from nothing again, also where its limit was another then.
    if (isOfNetwork) this.#networks.forget(ban.address);
    return this.#networks.add(ban);
  }

  /** The ban that a trip asks for; null where its address is spared. */
  #banAddress(trip: Trip, round: Round): NewBan | null {
    const { source, module, rule, reason, count, time: start, scope } = trip;
    const address = this.#target(trip);
    const why = this.whyNot(address, start, round.knocks) ?? this.#trust(trip.address, start);
    if (why !== null) {
      round.spared.push(`not banning ${source}, ${why}: ${reason}, ${counted(count, "hit")}`);
      return null;
    }
    const until = this.#until(address, { first: trip.banTime, growth: trip.growth, start, round });
    if (isOver(until, round)) {
      round.spared.push(
        `not banning ${source}, whose ban would be over by now: ${reason}, ${counted(count, "hit")}`,
      );
      return null;
    }
    return {
      address,
      scope,
      provenance: { kind: "rule", name: `${module} ${rule}` },
      reason,
      count,
      start,
      until,
    };
  }

  /**
   * What a trip bans: what its hits were counted by. Where that is a network in which somebody is whitelisted, it is the
   * address of the last hit alone.
   */
  #target({ address, source }: Trip): string {
    return this.#options.whitelist.covering(address) === null ? address : source;
  }

  /** The ban of a network that bans inside of it have filled; null where it is spared. */
  #banNetwork(
    { network, step, count }: NetworkTrip,
    { start, round }: { start: Micros; round: Round },
  ): NewBan | null {
    const reason = `[NETWORK] ${count} bans within ${formatDuration(step.window)}`;
    const why = this.whyNot(network, start, round.knocks);
    if (why !== null) {
      round.spared.push(`not banning ${network}, ${why}: ${reason}`);
      return null;
    }
    const until = this.#until(network, { first: step.banTime, growth: step.growth, start, round });
    if (isOver(until, round)) return null;
    const name = network.slice(network.indexOf("/"));
    return {
      address: network,
      scope: "all",
      provenance: { kind: "network", name },
      reason,
      count,
      start,
      until,
    };
  }

  #until(
    address: string,
    { first, growth, start, round }: Pick<Trip, "growth"> & {
      first: Micros | null;
      start: Micros;
      round: Round;
    },
  ): Micros | null {
    const span = banSpan({ first, growth, past: () => round.history.past(address) }, start);
    return span === null ? null : start + span;
  }

  #trust(target: string, time: Micros): string | null {
    const login = this.#options.logins.trusted(target, time);
    return login && `${login.user} logged in from ${login.address} by ${login.method} lately`;
  }
}

/** Whether a ban until then would be over before it is made: the lines that ask for it are that old. */
function isOver(until: Micros | null, { now }: Round): boolean {
  return until !== null && until <= now;
}

/** Adds a ban to those of a round, unless others make it needless; false then. Of two of one scope the second moves the end of the first. */
function take(ban: NewBan, { history, bans }: Round): boolean {
  const decided = bans.filter(({ address }) => address === ban.address);
  if (meet(ban, [...history.standing(ban.address), ...decided]) === "unchanged") return false;
  const before = decided.find((other) => meet(ban, [other]) === "extended");
  if (before === undefined) bans.push(ban);
  else bans[bans.indexOf(before)] = { ...before, until: ban.until };
  return true;
}
