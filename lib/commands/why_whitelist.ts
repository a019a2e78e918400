import type { Config } from "../config/types.ts";
import type { WhitelistFile } from "../config/whitelist_file.ts";
import { NetworkSet, Target } from "../core/network_set.ts";
import { hasEnded, now } from "../core/time.ts";
import { SURROUNDINGS, Whitelist, type WhitelistEntry } from "../deciding/whitelist.ts";
import { ownAddresses } from "../monitor/own_addresses.ts";
import type { State } from "../state/state.ts";

/** A whitelist entry that protects the target from bans. */
export interface Covering extends WhitelistEntry {
  /** Origin in the words of `whitelist list`, or an automatic one. */
  readonly origin: string;
  /** Path of the whitelist file that holds the entry. */
  readonly file: string | null;
}

const MACHINE = "this machine";

/** Origins whose entries the state keeps, with their names for people. */
const KEPT: readonly (readonly [kept: string, told: string])[] = [
  ["command", "command"],
  ["knock", "knock"],
  ["database", "database"],
  ["name", "DNS name"],
  ["machine", MACHINE],
  ...SURROUNDINGS.map((origin) => [origin, origin] as const),
];

/** Returns entries that overlap `target`; without a configuration only those of the state. */
export function coveringEntries(target: string, config: Config | null, state: State): Covering[] {
  const asked = new Target().read(target);
  const touches = ({ address }: { readonly address: string }) => new NetworkSet([address]).touches(asked);
  const lasting = (address: string, origin: string): Covering => ({
    ...{ address, origin, note: "", until: null, file: null },
  });
  const byItself = new Whitelist().covering(target);
  const time = now();
  const kept = KEPT.filter(([kept]) => kept !== "database" || config?.database !== null)
    .flatMap(([kept, origin]) =>
      state.whitelist(kept, time).filter(touches).map((entry) => ({ ...entry, origin, file: null }))
    );
  // The state keeps the machine's addresses for a day: list current ones only once.
  const isKept = (address: string) =>
    kept.some((entry) => entry.origin === MACHINE && entry.address === address);
  return [
    ...byItself === null ? [] : [lasting(target, byItself)],
    ...ownAddresses().filter((address) => touches({ address }) && !isKept(address))
      .map((address) => lasting(address, MACHINE)),
    ...[...new Set(state.logins.sessions().map(({ address }) => address))]
      .filter((address) => touches({ address })).map((address) => lasting(address, "open session")),
    ...kept,
    ...config === null ? [] : configured(asked, config),
  ].filter((entry) => !hasEnded(entry, time));
}

function configured(target: Target, { whitelist: { members, files } }: Config): Covering[] {
  const touches = (address: string) => new NetworkSet([address]).touches(target);
  return [
    ...members.filter(({ address, isName }) => !isName && touches(address)).map((
      { address, note, until },
    ) => ({
      ...{ address, note, until, origin: "configuration", file: null },
    })),
    ...files.filter((file) => isIn(target, file)).flatMap((file) =>
      [...file.members()].filter(({ address, isName }) => !isName && touches(address)).map((
        { address, note, until },
      ) => ({ address, note, until, origin: "file", file: file.path }))
    ),
  ];
}

/** Reports whether a file lists any address of `target`: its sets are faster than its lines. */
function isIn(target: Target, file: WhitelistFile): boolean {
  return file.problem() === null && file.read().content.networks.some(({ set }) => set.touches(target));
}
