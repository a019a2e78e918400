/**
 * Decides which bans of other servers this one follows. Pure: it knows only `FollowFacts`.
 *
 *   addresses whose reports may have changed, and all reports on them
 *     ─► { bans, ends, spared }    bans of provenance `fleet` to write, and bans to end
 */
import { prefixLength } from "../core/address.ts";
import { coversScope, formatScope, isSameScope, scopeAmong, whyWidened } from "../core/scope.ts";
import { hasEnded, type Micros } from "../core/time.ts";
import { type Ban, type BanInForce, keptText, lengthOf, nameOf, type NewBan } from "./ban.ts";

/** A ban that another server reports. */
export interface Report extends Pick<Ban, "address" | "scope" | "provenance" | "reason" | "start" | "until"> {
  /** Id of the server. */
  readonly host: string;
  /** Name that cannot be forged: of a member, its role in the database. */
  readonly server: string;
  /** False: it has ended. */
  readonly isInForce: boolean;
}

/** The reports that a server follows. */
export interface FollowRules {
  /** Servers that must ban an address within `window` before it is banned here. */
  readonly minReports: number;
  readonly window: Micros;
  /** Names of followed servers; null: all. */
  readonly acceptFrom: ReadonlySet<string> | null;
  /** Modules whose bans are followed; null: all bans, also of networks and by hand. */
  readonly modules: ReadonlySet<string> | null;
  /** Most followed bans in force. */
  readonly maxBans: number;
}

/** Facts of this server about the addresses. */
export interface FollowFacts {
  /** Bans in force here, by address. */
  readonly inForce: ReadonlyMap<string, readonly BanInForce[]>;
  /** Time of the last lift by hand of a ban, by address. */
  readonly lifted: ReadonlyMap<string, Micros>;
  /** Number of followed bans in force. */
  readonly followed: number;
  /** Returns the number of those that follow this server. */
  followedOf(server: string): number;
  /** Modules with firewalls of their own. */
  readonly firewalls: ReadonlySet<string>;
  /** Returns why an address or network may not be banned; null: it may. */
  whyNot(address: string): string | null;
  readonly now: Micros;
}

/** Bans to write and bans to end. */
export interface Following {
  readonly bans: readonly NewBan[];
  readonly ends: readonly Pick<Ban, "address" | "scope">[];
  /** Sentences on who is not banned and why. */
  readonly spared: readonly string[];
  /** Servers of whose bans some are not followed for want of room. */
  readonly crowded: ReadonlySet<string>;
}

/** Prefix lengths: no wider network is banned because another server reports it. */
const WIDEST = { ipv4: 16, ipv6: 32 } as const;

/** Decides on all scopes of `addresses` by all `reports` on them. */
export function follow(
  { addresses, reports }: { addresses: readonly string[]; reports: readonly Report[] },
  { rules, facts }: { rules: FollowRules; facts: FollowFacts },
): Following {
  const accepted = Map.groupBy(
    reports.filter((report) => isAccepted(report, rules)),
    ({ address }) => address,
  );
  const quota = new Quota(rules, facts);
  const following = {
    bans: [] as NewBan[],
    ends: [] as Pick<Ban, "address" | "scope">[],
    spared: [] as string[],
    crowded: new Set<string>(),
  };
  for (const address of new Set(addresses)) {
    const known = facts.inForce.get(address) ?? [];
    const followed = known.filter(({ isFollowed }) => isFollowed);
    const own = known.filter(({ isFollowed }) => !isFollowed);
    const wanted = wantedOf(accepted.get(address) ?? [], { followed, rules, facts });
    const why = wanted.length === 0 ? null : whyNot(address, facts);
    if (why !== null) following.spared.push(`not following ${sayBan(wanted[0]!)}: ${why}`);
    for (const ban of why === null ? wanted : []) {
      if (own.some(({ scope }) => coversScope(scope, ban.scope))) continue;
      const before = followed.find(({ scope }) => isSameScope(scope, ban.scope));
      if (before !== undefined && before.until === ban.until) continue;
      if (before !== undefined || quota.take(ban)) following.bans.push(ban);
      else {
        following.crowded.add(ban.provenance.name);
        following.spared.push(
          `not following ${sayBan(ban)}: no room, as max_bans is ${rules.maxBans}${
            sharesRoom(rules) ? ", and one server gets half of what the others leave" : ""
          }`,
        );
      }
    }
    following.ends.push(
      ...followed.filter(({ scope }) => why !== null || !wanted.some((ban) => isSameScope(ban.scope, scope)))
        .map(({ scope }) => ({ address, scope })),
    );
  }
  return following;
}

/**
 * Reports whether a server may have one more ban followed than its `share`, with room for `free`
 * more. Its bans may fill as much as stays free, so that a hostile one leaves half to the others, if
 * others are followed.
 */
export function hasRoom(rules: FollowRules, { free, share }: { free: number; share: number }): boolean {
  return free > (sharesRoom(rules) ? share : 0);
}

function sharesRoom({ acceptFrom }: FollowRules): boolean {
  return acceptFrom?.size !== 1;
}

/** How many more bans may follow other servers. */
class Quota {
  readonly #rules: FollowRules;
  readonly #facts: FollowFacts;
  readonly #shares = new Map<string, number>();
  #free: number;

  constructor(rules: FollowRules, facts: FollowFacts) {
    this.#rules = rules;
    this.#facts = facts;
    this.#free = rules.maxBans - facts.followed;
  }

  /** Takes a place for a ban; false: there is none for its server. */
  take({ provenance: { name } }: NewBan): boolean {
    const share = this.#shares.get(name) ?? this.#facts.followedOf(name);
    const taken = hasRoom(this.#rules, { free: this.#free, share }) ? 1 : 0;
    // Also without room: counting takes milliseconds, and a server may report thousands.
    this.#shares.set(name, share + taken);
    this.#free -= taken;
    return taken > 0;
  }
}

function isAccepted({ server, provenance }: Report, { acceptFrom, modules }: FollowRules): boolean {
  if (acceptFrom !== null && !acceptFrom.has(server)) return false;
  return modules === null || provenance.kind === "rule" && modules.has(moduleOf(provenance.name));
}

/** Returns the module of a rule's provenance, `SSHD invalid_user`. */
function moduleOf(name: string): string {
  return name.slice(0, name.indexOf(" "));
}

/**
 * Returns the bans asked for on one address, one per scope, by enough reports, or by any where a
 * ban follows already.
 */
function wantedOf(
  reports: readonly Report[],
  { followed, rules, facts: { lifted, firewalls, now } }: {
    followed: readonly BanInForce[];
    rules: FollowRules;
    facts: FollowFacts;
  },
): NewBan[] {
  const bans: NewBan[] = [];
  for (const all of Map.groupBy(reports, ({ scope }) => formatScope(scopeAmong(firewalls, scope))).values()) {
    const inForce = all.filter((report) =>
      report.isInForce && !hasEnded(report, now) && report.start > (lifted.get(report.address) ?? -Infinity)
    );
    const newest = inForce.toSorted((a, b) => b.start - a.start)[0];
    if (newest === undefined) continue;
    const recent = all.filter(({ start }) => start > now - rules.window);
    const isEnough = rules.minReports === 1 ||
      new Set(recent.map(({ host }) => host)).size >= rules.minReports;
    const scope = scopeAmong(firewalls, newest.scope);
    const isFollowed = followed.some((ban) => isSameScope(ban.scope, scope));
    if (isEnough || isFollowed) bans.push(banOf(newest, { all: inForce, firewalls }));
  }
  return bans;
}

/** Returns the ban that follows the newest of several reports, until their latest end. */
function banOf(
  { address, scope, server, reason, start }: Report,
  { all, firewalls }: { all: readonly Report[]; firewalls: ReadonlySet<string> },
): NewBan {
  const widened = whyWidened(firewalls, scope);
  const others = new Set(all.map(({ server }) => server)).size - 1;
  const from = others === 0 ? server : `${server} and ${others} more`;
  return {
    address,
    scope: scopeAmong(firewalls, scope),
    provenance: { kind: "fleet", name: keptText(server) },
    reason: keptText(`[FLEET] ${from}: ${reason}${widened === null ? "" : `; ${widened}`}`),
    count: 0,
    start,
    until: all.some(({ until }) => until === null) ? null : Math.max(...all.map(({ until }) => until!)),
  };
}

function whyNot(address: string, { whyNot }: FollowFacts): string | null {
  const widest = address.includes(":") ? WIDEST.ipv6 : WIDEST.ipv4;
  if (prefixLength(address) < widest) return `it is wider than /${widest}`;
  return whyNot(address);
}

function sayBan(ban: NewBan): string {
  return `the ban of ${nameOf(ban)} ${lengthOf(ban)} (${ban.reason})`;
}
