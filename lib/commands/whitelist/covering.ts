import type { Config } from "../../config/types.ts";
import { isName } from "../../config/whitelist.ts";
import { clientIPv4, NOBODYS } from "../../core/address_kind.ts";
import { NetworkSet, Target } from "../../core/network_set.ts";
import { hasEnded, now } from "../../core/time.ts";
import { KEPT_ORIGINS, type KeptOrigin } from "../../deciding/whitelist.ts";
import { ownAddresses } from "../../monitor/whitelist_entries.ts";
import type { State } from "../../state/state.ts";
import { lastContentOf } from "./known.ts";
import { configuredEntries, keptEntries, lastingEntry, type ListedEntry, sessionEntries } from "./list.ts";

const MACHINE = KEPT_ORIGINS.machine;

/**
 * Returns the whitelist entries that overlap `target` or its client's IPv4 address; without a
 * configuration only those of the state.
 */
export function coveringEntries(target: string, config: Config | null, state: State): ListedEntry[] {
  const names = [target, clientIPv4(target) ?? []].flat();
  const asked = names.map((one) => new Target().read(one));
  const isTouched = (set: NetworkSet) => asked.some((one) => set.touches(one));
  const touches = ({ address }: { readonly address: string }) => isTouched(new NetworkSet([address]));
  const nobodys = Object.entries(NOBODYS).flatMap(([kind, networks]) =>
    networks.map((network) => lastingEntry(network, kind))
  );
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
    (file) => file.read().content.networks.some(({ set }) => isTouched(set)),
  );
  // Of an unreadable file, only sets of its networks are known, not its lines.
  const last = (config?.whitelist.files ?? []).flatMap((file) =>
    (lastContentOf(file, state)?.networks ?? []).filter(({ set }) => isTouched(set)).map(({ set, until }) => {
      const part = names.some((one) => set.covers(one)) ? "" : "a part of it, ";
      const note = `${part}of before it became unreadable`;
      return { ...lastingEntry(target, "file"), file: file.path, note, until };
    })
  );
  return [
    ...[...nobodys, ...own, ...sessionEntries(state)].filter(touches),
    ...kept,
    ...configured,
    ...last,
  ].filter((entry) => !hasEnded(entry, now()));
}
