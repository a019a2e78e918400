/**
 * Compares the bans that two configurations make of one history. Input: bans in order, and logins.
 * Output: a `Difference` for each address or network that they treat differently. Pure.
 */
import { enclosing, prefixLength } from "../../core/address.ts";
import type { Micros } from "../../core/time.ts";
import type { NewBan } from "../../deciding/ban.ts";
import type { Login } from "../../deciding/login_change.ts";

/**
 * How the new configuration treats an address. `more`, `less`: only the new, or only the old one
 * bans. `earlier`, `later`: its first ban begins then. `longer`, `shorter`: its bans last so in all.
 */
export const CHANGES = ["more", "less", "earlier", "later", "longer", "shorter"] as const;
export type ChangeKind = typeof CHANGES[number];

/** The bans of one address or network. */
export interface Banned {
  /** The ban that begins first. */
  readonly first: NewBan;
  /** The end of the last ban; null: it has none. */
  readonly until: Micros | null;
  readonly bans: number;
  /** Sum of the spans of all bans; null: a ban has no end. */
  readonly total: Micros | null;
}

/** The newest login of an address. */
export type LastLogin = Pick<Login, "user" | "time">;

/** An address or network that two configurations treat differently. */
export interface Difference {
  readonly address: string;
  readonly change: ChangeKind;
  /** Null: this configuration does not ban it. */
  readonly before: Banned | null;
  readonly after: Banned | null;
  /** Newest login from there after the earlier first ban began; null: none. */
  readonly login: LastLogin | null;
}

/** Collects the bans that one configuration makes, by address. */
export class BansByAddress {
  readonly #since: Micros;
  readonly #banned = new Map<string, Banned>();
  count = 0;

  /** @param since ignore bans that began before */
  constructor(since: Micros) {
    this.#since = since;
  }

  add(ban: NewBan): void {
    if (ban.start < this.#since) return;
    this.count++;
    const before = this.#banned.get(ban.address) ?? { first: ban, until: -Infinity, bans: 0, total: 0 };
    this.#banned.set(ban.address, withBan(before, ban));
  }

  get addresses(): number {
    return this.#banned.size;
  }

  of(address: string): Banned | null {
    return this.#banned.get(address) ?? null;
  }

  keys(): Iterable<string> {
    return this.#banned.keys();
  }
}

/** The newest login of each address. */
export class NewestLogins {
  readonly #newest = new Map<string, LastLogin>();

  add({ address, user, time }: Login): void {
    if ((this.#newest.get(address)?.time ?? -Infinity) < time) this.#newest.set(address, { user, time });
  }

  /** Returns the newest login of each address, and of each network of these prefix lengths. */
  within(lengths: ReadonlySet<number>): ReadonlyMap<string, LastLogin> {
    const newest = new Map(this.#newest);
    for (const [address, login] of this.#newest) {
      for (const length of lengths) {
        if (length >= prefixLength(address)) continue;
        const network = enclosing(address, length);
        if ((newest.get(network)?.time ?? -Infinity) < login.time) newest.set(network, login);
      }
    }
    return newest;
  }
}

/** Returns the differences from `before` to `after`; addresses that logged in later come first. */
export function compare(before: BansByAddress, after: BansByAddress, logins: NewestLogins): Difference[] {
  const addresses = [...new Set([...before.keys(), ...after.keys()])];
  const networks = addresses.filter((address) => address.includes("/"));
  const newest = logins.within(new Set(networks.map(prefixLength)));
  const differences = addresses.flatMap((address): Difference[] => {
    const bans = { before: before.of(address), after: after.of(address) };
    const change = changeOf(bans.before, bans.after);
    if (change === null) return [];
    const login = newest.get(address) ?? null;
    return [{ address, change, ...bans, login: login !== null && login.time > startOf(bans) ? login : null }];
  });
  return differences.sort((a, b) =>
    CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change) ||
    Number(a.login === null) - Number(b.login === null) || startOf(a) - startOf(b)
  );
}

/** Returns how the bans of an address differ; null: they do not. */
function changeOf(before: Banned | null, after: Banned | null): ChangeKind | null {
  if (before === null) return "more";
  if (after === null) return "less";
  const start = after.first.start - before.first.start;
  if (start !== 0) return start < 0 ? "earlier" : "later";
  const [old, total] = [before.total ?? Infinity, after.total ?? Infinity];
  return old === total ? null : total > old ? "longer" : "shorter";
}

function startOf({ before, after }: Pick<Difference, "before" | "after">): Micros {
  return Math.min(before?.first.start ?? Infinity, after?.first.start ?? Infinity);
}

/** Adds a ban, which may overlap another. Sources may interleave, so bans can come out of order. */
function withBan({ first, until, bans, total }: Banned, ban: NewBan): Banned {
  const sum = { first: ban.start < first.start ? ban : first, bans: bans + 1 };
  if (until === null || total === null || ban.until === null) return { ...sum, until: null, total: null };
  const covered = ban.until <= first.start ? ban.start : Math.max(until, ban.start);
  return {
    ...sum,
    until: Math.max(until, ban.until),
    total: total + Math.max(0, ban.until - covered),
  };
}
