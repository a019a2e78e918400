import type { Log } from "../core/log.ts";
import { NetworkSet, Target } from "../core/network_set.ts";
import { now } from "../core/time.ts";
import { lengthOf, nameOf, type NewBan } from "../deciding/ban.ts";
import { follow, type Following, type FollowRules } from "../deciding/following.ts";
import type { FleetNews } from "../postgres/follower.ts";
import type { State } from "../state/state.ts";

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
/** Most sentences of one kind that one batch of news writes to the log. */
const MOST_SENTENCES = 10;

/**
 * Follows the bans of other servers: writes them into the state as bans of provenance `fleet`, and
 * ends them.
 */
export class FleetBans {
  readonly #parts: FleetBansParts;
  /** Whether bans may be missing: for want of room, or by the rules before this start. */
  #mayMissBans: boolean;
  /** Addresses and networks spared because this server protects them for now. */
  readonly #spared = new Set<string>();

  constructor(parts: FleetBansParts) {
    this.#parts = parts;
    this.#mayMissBans = parts.state.fleet.positions().size > 0;
  }

  /** Reports once that there is room for bans that may have been left out. */
  takeRoom(): boolean {
    const { rules, state } = this.#parts;
    const hasRoom = this.#mayMissBans && state.fleet.followed() < rules.maxBans;
    if (hasRoom) this.#mayMissBans = false;
    return hasRoom;
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
    const inForce = [...bans.inForceByAddress(addresses)].flatMap(([address, all]) =>
      all.map((ban) => ({ address, isFollowed: false, ...ban }))
    );
    const facts = {
      inForce,
      lifted: fleet.lifted(addresses),
      followed: fleet.followed(),
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
    this.#mayMissBans ||= following.isFull;
    this.#tell(following);
    if (following.bans.length + following.ends.length > 0) changed();
  }

  #whyNot(target: string): string | null {
    const why = this.#parts.whyNot(target);
    if (why !== null && this.#spared.size < MOST_SPARED) this.#spared.add(target);
    return why;
  }

  #tell({ bans, ends, spared }: Following): void {
    const { log, isReal } = this.#parts;
    const tell = (sentences: readonly string[], rest: string) => {
      for (const sentence of sentences.slice(0, MOST_SENTENCES)) log.info(sentence);
      if (sentences.length > MOST_SENTENCES) log.info(`${rest} ${sentences.length - MOST_SENTENCES} more`);
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
