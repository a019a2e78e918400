import { modulesWithFirewall } from "../config/firewalls.ts";
import type { Config } from "../config/types.ts";
import { now } from "../core/time.ts";
import { VERSION } from "../core/program.ts";
import type { FollowRules } from "../deciding/following.ts";
import type { Fleet } from "../postgres/fleet.ts";
import type { Sharing } from "../postgres/follower.ts";
import type { ShipmentTotals } from "../postgres/outbox.ts";
import { FleetBans, type FleetBansParts } from "./fleet_bans.ts";
import { ownAddresses } from "./whitelist_entries.ts";

/** The parts of a monitor that share with its fleet; `changed` tells of the whitelist, too. */
export interface FleetParts extends Omit<FleetBansParts, "rules" | "firewalls"> {
  /** Called with the address of the database's host. */
  readonly onPeer: (address: string) => void;
  readonly totals: ShipmentTotals;
}

/**
 * Starts to share lines, bans and the whitelist with the servers of the configured database, and
 * writes theirs into the state. Null if no database is configured.
 */
export async function joinFleet(config: Config, parts: FleetParts): Promise<Fleet | null> {
  const { database, keepLog, following } = config;
  if (database === null) return null;
  // A monitor without a database does not load the driver.
  const { Fleet } = await import("../postgres/fleet.ts");
  const { state, log, totals, onPeer, changed } = parts;
  return new Fleet(database, {
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
    released: () => bans.released(),
    followed: () => parts.state.fleet.followedAddresses(),
  };
}
