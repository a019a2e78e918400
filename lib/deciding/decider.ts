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
import { bounded, counted } from "../core/text.ts";
import type { Trip } from "../rules/rule.ts";
import { type BanInForce, type CountedBan, effectOf, type NewBan, type PastBan } from "./ban.ts";
import { banSpan } from "./escalation.ts";
import type { Knock } from "./knock.ts";
import type { Logins } from "./logins.ts";
import { Networks, type NetworkStep, type NetworkTrip } from "./networks.ts";
import type { Room } from "../rules/note_memory.ts";
import type { Whitelist } from "./whitelist.ts";

/** Longest name of a user in a sentence, in characters: a log may have names of 8 KB. */
const MOST_NAME = 60;

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
    const whitelisted = target.includes("/") ? "with an address whitelisted" : "whitelisted";
    if (origin !== null) return `${whitelisted} by ${origin}`;
    const letIn = knocks.filter(({ until }) => time < until).map(({ address }) => address);
    if (letIn.length > 0 && new NetworkSet(letIn).touches(new Target().read(target))) {
      return `${whitelisted} by knock`;
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
    // Of a counted network with somebody whitelisted in it, only the last hit's address is banned.
    const address = this.#options.whitelist.covering(trip.address) === null ? trip.address : source;
    const provenance = { kind: "rule", name: `${module} ${rule}` } as const;
    const until = endOf(address, trip, { start, pending });
    const ban = { address, scope, provenance, reason, count, start, until };
    const why = this.#whySpared(ban, pending) ?? this.#trust(trip.address, start);
    if (why === null) return ban;
    pending.spared.push(`not banning ${source}, ${why}: ${reason}, ${counted(count, "hit")}`);
    return null;
  }

  /** Returns the ban of a network filled with bans; null: it is spared. */
  #banNetwork(
    { network, step, count }: NetworkTrip,
    { start, pending }: { start: Micros; pending: PendingDecision },
  ): NewBan | null {
    const reason = `[NETWORK] ${count} bans within ${formatDuration(step.window)}`;
    const provenance = { kind: "network", name: network.slice(network.indexOf("/")) } as const;
    const until = endOf(network, step, { start, pending });
    const ban = { address: network, scope: "all", provenance, reason, count, start, until } as const;
    const why = this.#whySpared(ban, pending);
    if (why === null) return ban;
    pending.spared.push(`not banning ${network}, ${why}: ${reason}`);
    return null;
  }

  /** Returns why a ban is not made; null: it is. Lines may be so old that the ban would be over. */
  #whySpared(ban: NewBan, { knocks, now }: PendingDecision): string | null {
    return this.whyNot(ban.address, ban.start, knocks) ??
      (hasEnded(ban, now) ? "whose ban would be over by now" : null);
  }

  #trust(target: string, time: Micros): string | null {
    const login = this.#options.logins.trusted(target, time);
    const named = (text: string) => bounded(text, MOST_NAME);
    return login && `${named(login.user)} logged in from ${login.address} by ${named(login.method)} lately`;
  }
}

/** Returns the end of an address's next ban by the terms of a rule or step; null: for good. */
function endOf(
  address: string,
  { banTime: first, growth }: Pick<Trip, "banTime" | "growth">,
  { start, pending }: { start: Micros; pending: PendingDecision },
): Micros | null {
  const span = banSpan({ first, growth, past: () => pending.history.past(address) }, start);
  return span === null ? null : start + span;
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
