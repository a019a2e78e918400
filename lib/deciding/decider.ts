/**
 * Decides on all bans that follow from the trips of a batch, before anything is written: of
 * addresses, of the networks that these fill, and of the networks that those fill. Pure: times are
 * those of the events, and `BanHistory` tells of earlier bans.
 *
 *   restore(counted)                  bans in the state, before the first line is read
 *   decide(trips, { history, knocks }) ─► { bans, spared }     counts bans inside of networks
 *   restore(counted)                  again after a failed commit, to undo `decide()`
 */
import { NetworkSet, Target } from "../core/network_set.ts";
import { formatDuration, hasEnded, type Micros } from "../core/time.ts";
import { counted } from "../core/text.ts";
import type { Trip } from "../rules/rule.ts";
import { type BanInForce, type CountedBan, effectOf, type NewBan, type PastBan } from "./ban.ts";
import { banSpan } from "./escalation.ts";
import type { Knock } from "./knock.ts";
import type { Logins } from "./logins.ts";
import { Networks, type NetworkStep, type NetworkTrip } from "./networks.ts";
import type { Room } from "../rules/notes.ts";
import type { Whitelist } from "./whitelist.ts";

/** Earlier bans, as the state has them. */
export interface BanHistory {
  /** Returns the bans in force of an address or network. */
  inForce(address: string): readonly BanInForce[];
  /** Returns the ended bans of an address or network, newest first. */
  past(address: string): readonly PastBan[];
}

/** Options of the decider. */
export interface DeciderOptions {
  readonly whitelist: Whitelist;
  readonly logins: Logins;
  readonly networks: readonly NetworkStep[];
  /** Room for counts of networks. Default: 200,000 networks in 24 MiB. */
  readonly networkRoom?: Room;
}

/** Facts for one batch. */
export interface Facts {
  readonly history: BanHistory;
  /** Present time of a decision in effect now. A ban that would be over by then is not made. */
  readonly now?: Micros;
  /** Knocks of the same batch, which whitelist their senders. */
  readonly knocks?: readonly Knock[];
}

/** The decision on a batch. */
export interface Decision {
  /** Bans in order: each network stands behind the bans that filled it. */
  readonly bans: readonly NewBan[];
  /** Sentences on who is not banned and why, to be logged after the commit. */
  readonly spared: readonly string[];
}

/** A decision in the making. */
interface PendingDecision extends Required<Facts> {
  readonly bans: NewBan[];
  readonly spared: string[];
}

/** Decides who is banned and for how long. */
export class Decider {
  readonly #options: DeciderOptions;
  /** Made with the first counted ban, as it takes megabytes; null before. */
  #networks: Networks | null = null;

  constructor(options: DeciderOptions) {
    this.#options = options;
  }

  /**
   * Decides on the bans that follow from trips. It spares addresses that are whitelisted, have
   * trusted logins or knocked. It counts bans inside of networks: call `restore()` if the commit
   * fails.
   */
  decide(trips: readonly Trip[], { history, now = -Infinity, knocks = [] }: Facts): Decision {
    const pending: PendingDecision = { history, now, knocks, bans: [], spared: [] };
    for (const trip of trips) {
      for (let ban = this.#banAddress(trip, pending); ban !== null;) {
        const filled: NetworkTrip | null = addBan(ban, pending) ? this.#count(ban) : null;
        ban = filled && this.#banNetwork(filled, { start: ban.start, pending });
      }
    }
    return pending;
  }

  /** Replaces the counts of bans inside of networks by those of `bans`, in order of decision. */
  restore(bans: Iterable<CountedBan>): void {
    this.#networks = null;
    for (const { address, time: start, isOfNetwork } of bans) {
      this.#count({ address, start }, { isOfNetwork });
    }
  }

  /** Returns why an address or network may not be banned at `time`; null: it may. */
  whyNot(target: string, time: Micros, knocks: readonly Knock[] = []): string | null {
    const origin = this.#options.whitelist.covering(target);
    if (origin !== null) return `whitelisted by ${origin}`;
    const letIn = knocks.filter(({ until }) => time < until).map(({ address }) => address);
    if (letIn.length > 0 && new NetworkSet(letIn).touches(new Target().read(target))) {
      return "whitelisted by knock";
    }
    return this.#trust(target, time);
  }

  /** Frees the memory of networks that have fallen silent. */
  sweep(now: Micros): void {
    this.#networks?.sweep(now);
  }

  #count(ban: Pick<NewBan, "address" | "start">, { isOfNetwork = false } = {}): NetworkTrip | null {
    const { networks, networkRoom } = this.#options;
    if (networks.length === 0) return null;
    this.#networks ??= new Networks(networks, networkRoom);
    // A banned network is counted from nothing, even if its limit was different then.
    if (isOfNetwork) this.#networks.forget(ban.address);
    return this.#networks.add(ban);
  }

  /** Returns the ban that a trip asks for; null: its address is spared. */
  #banAddress(trip: Trip, pending: PendingDecision): NewBan | null {
    const { source, module, rule, reason, count, time: start, scope } = trip;
    const address = this.#target(trip);
    const why = this.whyNot(address, start, pending.knocks) ?? this.#trust(trip.address, start);
    if (why !== null) {
      pending.spared.push(`not banning ${source}, ${why}: ${reason}, ${counted(count, "hit")}`);
      return null;
    }
    const until = this.#until(address, { first: trip.banTime, growth: trip.growth, start, pending });
    // The lines may be old.
    if (hasEnded({ until }, pending.now)) {
      pending.spared.push(
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
   * Returns the address to ban: the counted address or, if that is a network with somebody
   * whitelisted in it, the address of the last hit.
   */
  #target({ address, source }: Trip): string {
    return this.#options.whitelist.covering(address) === null ? address : source;
  }

  /** Returns the ban of a network filled with bans; null: it is spared. */
  #banNetwork(
    { network, step, count }: NetworkTrip,
    { start, pending }: { start: Micros; pending: PendingDecision },
  ): NewBan | null {
    const reason = `[NETWORK] ${count} bans within ${formatDuration(step.window)}`;
    const why = this.whyNot(network, start, pending.knocks);
    if (why !== null) {
      pending.spared.push(`not banning ${network}, ${why}: ${reason}`);
      return null;
    }
    const until = this.#until(network, { first: step.banTime, growth: step.growth, start, pending });
    if (hasEnded({ until }, pending.now)) return null;
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
    { first, growth, start, pending }: Pick<Trip, "growth"> & {
      first: Micros | null;
      start: Micros;
      pending: PendingDecision;
    },
  ): Micros | null {
    const span = banSpan({ first, growth, past: () => pending.history.past(address) }, start);
    return span === null ? null : start + span;
  }

  #trust(target: string, time: Micros): string | null {
    const login = this.#options.logins.trusted(target, time);
    return login && `${login.user} logged in from ${login.address} by ${login.method} lately`;
  }
}

/** Adds a ban to a decision, or moves the end of one with its scope. False: others cover it. */
function addBan(ban: NewBan, { history, bans }: PendingDecision): boolean {
  const decided = bans.filter(({ address }) => address === ban.address);
  if (effectOf(ban, [...history.inForce(ban.address), ...decided]) === "unchanged") return false;
  const before = decided.find((other) => effectOf(ban, [other]) === "extended");
  if (before === undefined) bans.push(ban);
  else bans[bans.indexOf(before)] = { ...before, until: ban.until };
  return true;
}
