import type { Config } from "../config/types.ts";
import { isName } from "../config/whitelist.ts";
import { NetworkSet, Target } from "../core/network_set.ts";
import { hasEnded, now } from "../core/time.ts";
import { KEPT_ORIGINS, type KeptOrigin, Whitelist } from "../deciding/whitelist.ts";
import { ownAddresses } from "../monitor/own_addresses.ts";
import type { State } from "../state/state.ts";
import {
  configuredEntries,
  keptEntries,
  lastingEntry,
  type ListedEntry,
  sessionEntries,
} from "./whitelist_list.ts";

const MACHINE = KEPT_ORIGINS.machine;

/**
 * Returns the whitelist entries that overlap `target`; without a configuration only those of the
 * state.
 */
export function coveringEntries(target: string, config: Config | null, state: State): ListedEntry[] {
  const asked = new Target().read(target);
  const touches = ({ address }: { readonly address: string }) => new NetworkSet([address]).touches(asked);
  const byItself = new Whitelist().covering(target);
  const origins = (Object.keys(KEPT_ORIGINS) as KeptOrigin[]).filter((origin) =>
    origin !== "database" || config?.database !== null
  );
  const kept = keptEntries(state, origins).filter((entry) => !isName(entry.address) && touches(entry));
  // The state keeps the machine's addresses for a day: list current ones only once.
  const isKept = (address: string) =>
    kept.some((entry) => entry.origin === MACHINE && entry.address === address);
  const own = ownAddresses().filter((address) => !isKept(address)).map((address) =>
    lastingEntry(address, MACHINE)
  );
  const configured = config === null ? [] : configuredEntries(
    config,
    (member) => !member.isName && touches(member),
    // The sets of a file are faster than its lines.
    (file) => file.read().content.networks.some(({ set }) => set.touches(asked)),
  );
  return [
    ...byItself === null ? [] : [lastingEntry(target, byItself)],
    ...[...own, ...sessionEntries(state)].filter(touches),
    ...kept,
    ...configured,
  ].filter((entry) => !hasEnded(entry, now()));
}
