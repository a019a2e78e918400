/** The whitelist as a monitor knows it, for commands that ask whom it covers. */
import type { Config } from "../../config/types.ts";
import { decodeCopy, type WhitelistContent } from "../../config/whitelist_content.ts";
import type { WhitelistFile } from "../../config/whitelist_file.ts";
import { now } from "../../core/time.ts";
import { Whitelist } from "../../deciding/whitelist.ts";
import { givenMembers, keptMembers, ownAddresses } from "../../monitor/whitelist_entries.ts";
import { addressesByName } from "../../monitor/whitelisting.ts";
import type { State } from "../../state/state.ts";

/** Builds the whitelist as a monitor does, without a state from the configuration alone. */
export function knownWhitelist(
  { config, state }: { config: Config | null; state: State | null },
): Whitelist {
  const whitelist = new Whitelist();
  const time = now();
  const contents = config?.whitelist.files.map((file) => contentOf(file, state)) ?? [];
  const given = config === null ? null : givenMembers(config, { contents, state, now: time });
  if (given !== null) {
    whitelist.set("configuration", given.configured);
    whitelist.setAll("whitelist file", given.listed.map(({ set }) => set));
  }
  if (state === null) return whitelist;
  const named = state.whitelist("name", time);
  const byName = addressesByName(named);
  const kept = keptMembers(state, time, {
    // Without a configuration, the names of its entries are unknown, and all of the state count.
    name: given?.names.flatMap(({ address }) => byName.get(address) ?? []) ??
      named.map(({ address }) => address),
    machine: [...ownAddresses(), ...state.whitelist("machine", time).map(({ address }) => address)],
    ...config !== null && config.database === null ? { database: [] } : {},
  });
  for (const [origin, members] of kept) whitelist.set(origin, members);
  whitelist.set("open session", state.logins.sessions().map(({ address }) => address));
  return whitelist;
}

/** Returns the content of a whitelist file, or the copy in `state` if it cannot be read. */
function contentOf(file: WhitelistFile, state: State | null): WhitelistContent {
  return (state === null ? null : lastContentOf(file, state)) ?? file.read().content;
}

/** Returns what an unreadable whitelist file had, which counts on; null: it is readable or unknown. */
export function lastContentOf(
  file: WhitelistFile,
  state: Pick<State, "whitelistCopy">,
): WhitelistContent | null {
  const copy = file.read().error === null ? null : state.whitelistCopy(file.path);
  return copy === null ? null : decodeCopy(copy).content;
}
