import type { Log } from "../core/log.ts";
import { NetworkSet, Target } from "../core/network_set.ts";
import { elapsed, type Micros, MINUTE, now } from "../core/time.ts";
import { lengthOf, nameOf, type NewBan } from "../deciding/ban.ts";
import { follow, type Following, type FollowRules, hasRoom } from "../deciding/following.ts";
import type { FleetNews } from "../postgres/follower.ts";
import type { State } from "../state/state.ts";

/** Options of `FleetBans`. */
export interface FleetBansParts {
  readonly rules: FollowRules;
  readonly state: State;
  readonly log: Log;
  /** Returns why an address or network must not be banned; null: it may be. */
  readonly whyNot: (target: string) => string | null;
  /** Reports whether a firewall that really bans carries out a ban. */
  readonly isReal: (ban: NewBan) => boolean;
  /** Modules with firewalls of their own. */
  readonly firewalls: ReadonlySet<string>;
  /** Called when bans in the state have changed. */
  readonly changed: () => void;
}

/** Most spared addresses that are remembered, as a member may have them looked at ten times a second. */
const MOST_SPARED = 1_000;
/** Most sentences of one kind that one batch of news writes to the log, and of all that a minute does. */
const [MOST_SENTENCES, MOST_A_MINUTE] = [10, 100];

/** Follows other servers' bans: writes and ends them in the state as bans of provenance `fleet`. */
export class FleetBans {
  readonly #parts: FleetBansParts;
  /** Whether bans may be missing by the rules before this start. */
  #mayMissBans: boolean;
  /** Servers of whose bans some had no room. */
  readonly #crowded = new Set<string>();
  /** Addresses and networks spared because this server protects them for now. */
  readonly #spared = new Set<string>();
  /** Number of sentences that the log may still take, and when it may take all again, by `elapsed()`. */
  #sentences = MOST_A_MINUTE;
  #sentencesDue: Micros = 0;

  constructor(parts: FleetBansParts) {
    this.#parts = parts;
    this.#mayMissBans = parts.state.fleet.positions().size > 0;
  }

  /** Reports once that there is room for bans that may have been left out. */
  takeRoom(): boolean {
    const { rules, state: { fleet } } = this.#parts;
    const free = rules.maxBans - fleet.followed();
    const isRoomier = [...this.#crowded].some((server) =>
      hasRoom(rules, { free, share: fleet.followed(server) })
    );
    if (!this.#mayMissBans && !isRoomier) return false;
    this.#mayMissBans = false;
    this.#crowded.clear();
    return true;
  }

  /** Returns, once each, spared addresses that this server protects no more. */
  released(): string[] {
    const released = [...this.#spared].filter((target) => this.#parts.whyNot(target) === null);
    for (const target of released) this.#spared.delete(target);
    return released;
  }

  /** Takes over news in one transaction. Throws SQLite's errors; then nothing has changed. */
  take({ addresses, reports, positions, members }: FleetNews): void {
    const { rules, state: { bans, fleet }, firewalls, changed } = this.#parts;
    const spared = new NetworkSet(members);
    const facts = {
      inForce: bans.inForceByAddress(addresses),
      lifted: fleet.lifted(addresses),
      followed: fleet.followed(),
      followedOf: (server: string) => fleet.followed(server),
      firewalls,
      whyNot: (target: string) =>
        spared.touches(new Target().read(target)) ? "it is a server of the fleet" : this.#whyNot(target),
      now: now(),
    };
    const following = follow({ addresses, reports }, { rules, facts });
    bans.transaction(() => {
      bans.addAll(following.bans);
      bans.endFollowed(following.ends, facts.now);
      fleet.storePositions(positions);
    });
    for (const server of following.crowded) this.#crowded.add(server);
    this.#tell(following);
    if (following.bans.length + following.ends.length > 0) changed();
  }

  #whyNot(target: string): string | null {
    const why = this.#parts.whyNot(target);
    if (why !== null && this.#spared.size < MOST_SPARED) this.#spared.add(target);
    return why;
  }

  /** Tells the log, but not more than it should keep: a hostile server may change bans without end. */
  #tell({ bans, ends, spared }: Following): void {
    const { log, isReal } = this.#parts;
    const time = elapsed();
    if (time >= this.#sentencesDue) [this.#sentences, this.#sentencesDue] = [MOST_A_MINUTE, time + MINUTE];
    const say = (sentence: string) => {
      if (this.#sentences > 0) log.info(sentence);
      else if (this.#sentences === 0) log.info("the fleet's bans change often: telling of more in a minute");
      this.#sentences--;
    };
    const tell = (sentences: readonly string[], rest: string) => {
      for (const sentence of sentences.slice(0, MOST_SENTENCES)) say(sentence);
      if (sentences.length > MOST_SENTENCES) say(`${rest} ${sentences.length - MOST_SENTENCES} more`);
    };
    const verb = (ban: NewBan) => isReal(ban) ? "banning" : "would ban";
    tell(
      bans.map((ban) => `${verb(ban)} ${nameOf(ban)} ${lengthOf(ban)}: ${ban.reason}`),
      "bans for the fleet:",
    );
    tell(ends.map((ban) => `no other server bans ${nameOf(ban)} any more`), "no other server bans any more:");
    tell(spared, "not following bans of the fleet:");
  }
}
