import { modulesWithFirewall } from "../config/firewalls.ts";
import type { Config } from "../config/types.ts";
import type { Log } from "../core/log.ts";
import { now } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import type { NewBan } from "../deciding/ban.ts";
import type { FollowRules } from "../deciding/following.ts";
import { type Fleet, openFleet, type Sharing } from "../postgres/fleet.ts";
import type { ShipmentTotals } from "../postgres/outbox.ts";
import type { State } from "../state/state.ts";
import { FleetBans } from "./fleet_bans.ts";
import { ownAddresses } from "./own_addresses.ts";

/** The parts of a monitor that share with its fleet. */
export interface FleetParts {
  readonly state: State;
  readonly log: Log;
  /** Returns why an address or network must not be banned; null: it may be. */
  readonly whyNot: (target: string) => string | null;
  /** Reports whether a firewall that really bans carries out a ban. */
  readonly isReal: (ban: NewBan) => boolean;
  /** Called with the address of the database's host. */
  readonly onPeer: (address: string) => void;
  readonly totals: ShipmentTotals;
  /** Called when the whitelist or bans in the state have changed. */
  readonly changed: () => void;
}

/**
 * Starts to share lines, bans and the whitelist with the servers of the configured database, and
 * writes theirs into the state. Null if no database is configured.
 */
export function joinFleet(config: Config, parts: FleetParts): Fleet | null {
  const { database, keepLog, following } = config;
  if (database === null) return null;
  const { state, log, totals, onPeer, changed } = parts;
  return openFleet(database, {
    outbox: state.outbox,
    hostName: Deno.hostname(),
    log,
    keepLog,
    totals,
    onWhitelist: (entries) => {
      state.replaceWhitelist("database", entries, now());
      changed();
    },
    onPeer,
    sharing: following && shareBans(following, { ...parts, firewalls: modulesWithFirewall(config) }),
    facts: () => ({ version: VERSION, addresses: ownAddresses(), followed: state.fleet.followed() }),
  });
}

function shareBans(rules: FollowRules, parts: FleetParts & { firewalls: ReadonlySet<string> }): Sharing {
  const bans = new FleetBans({ rules, ...parts });
  return {
    positions: parts.state.fleet.positions(),
    window: rules.window,
    onNews: (news) => bans.take(news),
    takeRoom: () => bans.takeRoom(),
  };
}
