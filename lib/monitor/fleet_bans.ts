import type { Log } from "../core/log.ts";
import { NetworkSet, Target } from "../core/network_set.ts";
import { now } from "../core/time.ts";
import { lengthOf, nameOf, type NewBan } from "../deciding/ban.ts";
import { follow, type Following, type FollowRules } from "../deciding/following.ts";
import type { FleetNews } from "../postgres/follower.ts";
import type { State } from "../state/state.ts";

/** State, log and judge of `FleetBans`. */
export interface FleetBansParts {
  readonly rules: FollowRules;
  readonly state: State;
  readonly log: Log;
  /** Why nothing of an address or network may be banned; null: nothing speaks against it. */
  readonly whyNot: (target: string) => string | null;
  /** Reports whether a firewall that really bans carries out a ban. */
  readonly isReal: (ban: NewBan) => boolean;
  /** Modules that have firewalls of their own. */
  readonly firewalls: ReadonlySet<string>;
  /** Called when bans in the state have changed. */
  readonly changed: () => void;
}

/** Most sentences of one kind that the log gets of one batch of news. */
const MOST_SENTENCES = 10;

/**
 * Follows the bans of other servers: writes news of them into the state as bans of provenance
 * `fleet`, or ends such bans.
 */
export class FleetBans {
  readonly #parts: FleetBansParts;
  /** Bans may have been left out for want of room, or before this start by other rules. */
  #mayLack: boolean;

  constructor(parts: FleetBansParts) {
    this.#parts = parts;
    this.#mayLack = parts.state.fleet.positions().size > 0;
  }

  /** Whether bans may have been left out that have room now; true once. */
  takeRoom(): boolean {
    const { rules, state } = this.#parts;
    const hasRoom = this.#mayLack && state.fleet.followed() < rules.maxBans;
    if (hasRoom) this.#mayLack = false;
    return hasRoom;
  }

  /** Takes over news in one transaction. Throws what SQLite throws; then nothing has changed. */
  take({ addresses, reports, positions, members }: FleetNews): void {
    const { rules, state: { bans, fleet }, firewalls, whyNot, changed } = this.#parts;
    const spared = new NetworkSet(members);
    const standing = [...bans.standingOf(addresses)].flatMap(([address, all]) =>
      all.map((ban) => ({ address, isFollowed: false, ...ban }))
    );
    const facts = {
      standing,
      lifted: fleet.followedLifted(addresses),
      followed: fleet.followed(),
      firewalls,
      whyNot: (target: string) =>
        spared.touches(new Target().read(target)) ? "it is a server of the fleet" : whyNot(target),
      now: now(),
    };
    const following = follow({ addresses, reports }, { rules, facts });
    bans.transaction(() => {
      bans.addAll(following.bans);
      bans.endFollowed(following.ends, facts.now);
      fleet.keep(positions);
    });
    this.#mayLack ||= following.isFull;
    this.#tell(following);
    if (following.bans.length + following.ends.length > 0) changed();
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
