/**
 * Decides on everything that follows from a batch, before anything is written: logins, bans of
 * addresses, of the networks that these fill, and of the networks that those fill. Pure: times are
 * those of the events, and functions of the options tell what the state has.
 *
 *   note(event)              a login or the end of a session
 *   decide(trips, { knocks }) ─► { bans, spared, gains }     counts bans inside of networks
 *   takeLogins()             ─► logins and sessions for the same commit
 *   reset()                  after a failed commit: makes memory from the state again
 */
import { NetworkSet, Target } from "../core/network_set.ts";
import { formatDuration, hasEnded, type Micros } from "../core/time.ts";
import { bounded, counted } from "../core/text.ts";
import type { LogEvent } from "../reading/event.ts";
import type { Room } from "../rules/note_memory.ts";
import type { Trip } from "../rules/rule.ts";
import { type BanInForce, type CountedBan, effectOf, gainOf, type NewBan, type PastBan } from "./ban.ts";
import { banSpan } from "./escalation.ts";
import type { Knock } from "./knock.ts";
import type { Login, Session } from "./login_change.ts";
import type { Logins, LoginUpdate } from "./logins.ts";
import { Networks, type NetworkStep, type NetworkTrip } from "./networks.ts";
import type { Whitelist } from "./whitelist.ts";

/** Longest name of a user in a sentence, in characters: a log may have names of 8 KB. */
const MOST_NAME = 60;

/** Earlier bans, as the state has them. */
export interface BanHistory {
  /** Returns the bans in force of addresses and networks, by these. */
  inForceByAddress(targets: readonly string[]): ReadonlyMap<string, readonly BanInForce[]>;
  /** Returns the ended bans of an address or network, newest first. */
  past(target: string): readonly PastBan[];
}

/** What memory is made of again. */
export interface Remembered {
  readonly logins: Iterable<Login>;
  readonly sessions: Iterable<Session>;
  /** Decisions of rules and networks, in order. */
  readonly bans: Iterable<CountedBan>;
}

/** Options of the decider. */
export interface DeciderOptions {
  readonly whitelist: Whitelist;
  readonly logins: Logins;
  readonly networks: readonly NetworkStep[];
  /** Room for counts of networks. Default: 200,000 networks in 24 MiB. */
  readonly networkRoom?: Room;
  readonly history: BanHistory;
  /** Returns the stored logins, and the decisions of the last `span`. Default: none. */
  readonly remembered?: (span: Micros) => Remembered;
}

/** Facts for one batch. */
export interface Facts {
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
  /** Of bans that extend one in force, the added time. */
  readonly gains: ReadonlyMap<NewBan, Micros>;
}

/** The decision on a batch without trips. */
export const NO_DECISION: Decision = { bans: [], spared: [], gains: new Map() };

interface PendingDecision extends Required<Facts> {
  readonly inForce: (target: string) => readonly BanInForce[];
  readonly bans: NewBan[];
  readonly spared: string[];
}

/** Decides who is banned and for how long. */
export class Decider {
  readonly #options: DeciderOptions;
  /** Made with the first counted ban, as it takes megabytes; null before. */
  #networks: Networks | null = null;

  /** Whether sessions have begun or ended that the whitelist does not show. */
  #haveSessionsChanged = false;

  constructor(options: DeciderOptions) {
    this.#options = options;
    this.reset();
  }

  /** Handles a login or the end of a connection: addresses with an open session are not banned. */
  note(event: LogEvent): void {
    if (this.#options.logins.note(event)) this.#haveSessionsChanged = true;
  }

  /** Returns the logins and sessions to store since the last call. */
  takeLogins(): LoginUpdate {
    this.#whitelistSessions();
    return this.#options.logins.takeUpdate();
  }

  /**
   * Decides on the bans that follow from trips. It spares addresses that are whitelisted, have
   * trusted logins or knocked. It counts bans inside of networks: call `reset()` if the commit
   * fails.
   */
  decide(trips: readonly Trip[], { now = -Infinity, knocks = [] }: Facts = {}): Decision {
    if (trips.length === 0) return NO_DECISION;
    this.#whitelistSessions();
    const inForce = this.#inForce(trips);
    const pending: PendingDecision = { inForce, now, knocks, bans: [], spared: [] };
    for (const trip of trips) {
      for (let ban = this.#banAddress(trip, pending); ban !== null;) {
        const filled: NetworkTrip | null = addBan(ban, pending) ? this.#count(ban) : null;
        ban = filled && this.#banNetwork(filled, { start: ban.start, pending });
      }
    }
    const { bans, spared } = pending;
    const gains = bans.flatMap((ban) => {
      const before = inForce(ban.address);
      return effectOf(ban, before) === "extended" ? [[ban, gainOf(ban, before)] as const] : [];
    });
    return { bans, spared, gains: new Map(gains) };
  }

  /** Replaces memory by the state. Throws if the state cannot be read. */
  reset(): void {
    const { logins, networks, remembered } = this.#options;
    this.#networks = null;
    if (remembered === undefined) return;
    const before = remembered(Math.max(0, ...networks.map(({ window }) => window)));
    logins.restore(before);
    this.#haveSessionsChanged = true;
    this.#whitelistSessions();
    for (const { address, time: start, isOfNetwork } of before.bans) {
      this.#count({ address, start }, { isOfNetwork });
    }
  }

  /** Returns why an address or network may not be banned at `time`; null: it may. */
  whyNot(target: string, time: Micros): string | null {
    this.#whitelistSessions();
    return this.#whyNot(target, time, []);
  }

  #whyNot(target: string, time: Micros, knocks: readonly Knock[]): string | null {
    const origin = this.#options.whitelist.covering(target);
    const whitelisted = target.includes("/") ? "with an address whitelisted" : "whitelisted";
    if (origin !== null) return `${whitelisted} by ${origin}`;
    const letIn = knocks.filter(({ until }) => time < until).map(({ address }) => address);
    if (letIn.length > 0 && new NetworkSet(letIn).touches(new Target().read(target))) {
      return `${whitelisted} by knock`;
    }
    return this.#trust(target, time);
  }

  /** Returns bans in force: read now for the addresses of trips, later for networks. */
  #inForce(trips: readonly Trip[]): PendingDecision["inForce"] {
    const { history } = this.#options;
    const addresses = new Set(trips.flatMap(({ address, source }) => [address, source]));
    const known = history.inForceByAddress([...addresses]);
    return (target) => (addresses.has(target) ? known : history.inForceByAddress([target])).get(target) ?? [];
  }

  /** Whitelists addresses with an open session: once for all lines of a batch. */
  #whitelistSessions(): void {
    if (!this.#haveSessionsChanged) return;
    this.#haveSessionsChanged = false;
    const { logins, whitelist } = this.#options;
    whitelist.set("open session", logins.openAddresses);
  }

  /** Frees the memory of networks that have fallen silent, and of old logins. */
  sweep(now: Micros): void {
    this.#networks?.sweep(now);
    this.#options.logins.sweep(now);
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
    const until = this.#endOf(address, trip, start);
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
    const until = this.#endOf(network, step, start);
    const ban = { address: network, scope: "all", provenance, reason, count, start, until } as const;
    const why = this.#whySpared(ban, pending);
    if (why === null) return ban;
    pending.spared.push(`not banning ${network}, ${why}: ${reason}`);
    return null;
  }

  /** Returns why a ban is not made; null: it is. Lines may be so old that the ban would be over. */
  #whySpared(ban: NewBan, { knocks, now }: PendingDecision): string | null {
    return this.#whyNot(ban.address, ban.start, knocks) ??
      (hasEnded(ban, now) ? "whose ban would be over by now" : null);
  }

  /** Returns the end of a target's next ban by the terms of a rule or step; null: for good. */
  #endOf(
    target: string,
    { banTime: first, growth }: Pick<Trip, "banTime" | "growth">,
    start: Micros,
  ): Micros | null {
    const span = banSpan({ first, growth, past: () => this.#options.history.past(target) }, start);
    return span === null ? null : start + span;
  }

  #trust(target: string, time: Micros): string | null {
    const login = this.#options.logins.trusted(target, time);
    const named = (text: string) => bounded(text, MOST_NAME);
    return login && `${named(login.user)} logged in from ${login.address} by ${named(login.method)} lately`;
  }
}

/** Adds a ban to a decision, or moves the end of one with its scope. False: others cover it. */
function addBan(ban: NewBan, { inForce, bans }: PendingDecision): boolean {
  const decided = bans.filter(({ address }) => address === ban.address);
  if (effectOf(ban, [...inForce(ban.address), ...decided]) === "unchanged") return false;
  const before = decided.find((other) => effectOf(ban, [other]) === "extended");
  if (before === undefined) bans.push(ban);
  else bans[bans.indexOf(before)] = { ...before, until: ban.until };
  return true;
}
