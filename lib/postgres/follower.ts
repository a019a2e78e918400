import { canonicalAddress, canonicalNetwork } from "../core/address.ts";
import { type Micros, MILLISECOND, MINUTE, SECOND } from "../core/time.ts";
import type { Report } from "../deciding/following.ts";
import { arrayOf, type Connection } from "./connection.ts";
import { elapsed } from "./elapsed.ts";
import { reportsOf } from "./reports.ts";

/** Changes of other servers' bans that this server has read. */
export interface FleetNews {
  /** Canonical addresses and networks whose reports may have changed. */
  readonly addresses: readonly string[];
  /** All reports about these addresses. */
  readonly reports: readonly Report[];
  /** By server, the number of its latest change that was read; null: the server was removed. */
  readonly positions: ReadonlyMap<string, number | null>;
  /** The members' own addresses. */
  readonly members: readonly string[];
}

/** Options of `Follower`. */
export interface FollowerOptions {
  /** Id of this server, whose reports are left out. */
  readonly hostId: string;
  /** Positions of earlier news. */
  readonly positions: ReadonlyMap<string, number>;
  /** How long a report counts after its start, see `FollowRules`. */
  readonly window: Micros;
  /** Called with news. If it throws, it gets the same news again later. */
  readonly onNews: (news: FleetNews) => void;
  /**
   * Called after connecting and once a minute. Reports whether bans that were left out may have
   * room now; then all bans in force are read once more.
   */
  readonly takeRoom: () => boolean;
  /** Called with the error of `onNews`. */
  readonly failed: (error: unknown) => void;
}

/** Another server. */
interface Member {
  readonly isRemoved: boolean;
  readonly addresses: readonly string[];
}

/** Most changes, and most addresses, of one step. */
const BATCH = 1_000;
/** Most own addresses of a member that count. */
const MOST_ADDRESSES = 64;
/** Interval at which all servers are asked without a notification. */
const EVERY: Micros = MINUTE;
/** Shortest time between two steps by notifications: a member may send them without end. */
const REST: Micros = 100 * MILLISECOND;
/** Delay until `onNews` gets news again that it could not take. */
const RETRY: Micros = 5 * SECOND;
/** Most announcing servers that are remembered; if there are more, all are asked. */
const MOST_ANNOUNCING = 1_000;

/**
 * Reads other servers' bans. Each server numbers the changes of its bans in order, so reading goes
 * on after the latest number read: a lost notification loses no ban.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #positions: Map<string, number>;
  #members: ReadonlyMap<string, Member> = new Map();
  /** Servers that have announced changes. */
  readonly #announcing = new Set<string>();
  /** Addresses to ask about although no report has changed. */
  readonly #toAskAbout = new Set<string>();
  #fullDue: Micros = 0;
  #restEnd: Micros = 0;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#positions = new Map(options.positions);
  }

  /** Time of the next work for `step()`, by `elapsed()`. */
  get due(): Micros {
    return this.#announcing.size + this.#toAskAbout.size > 0
      ? Math.min(this.#fullDue, this.#restEnd)
      : this.#fullDue;
  }

  /** Makes the next step ask all servers. Call it after connecting. */
  begin(): void {
    this.#fullDue = 0;
  }

  /** Remembers that the server `host` has announced changes. */
  noteChanges(host: string): void {
    if (this.#announcing.size >= MOST_ANNOUNCING) this.begin();
    else this.#announcing.add(host);
  }

  /** Makes the next step ask about these addresses. */
  askAbout(addresses: readonly string[]): void {
    for (const address of addresses) this.#toAskAbout.add(address);
  }

  /** Reads a batch of changes if `due`; true: more may wait. Throws the errors of `connection`. */
  async step(connection: Connection): Promise<boolean> {
    if (elapsed() < this.due) return false;
    this.#restEnd = elapsed() + REST;
    const isFull = elapsed() >= this.#fullDue ||
      this.#announcing.values().some((host) => !this.#members.has(host));
    const announcing = [...this.#announcing];
    this.#announcing.clear();
    try {
      if (isFull) await this.#readMembers(connection);
      if (isFull && this.#options.takeRoom()) {
        this.askAbout(await banned(connection, this.#present([...this.#members.keys()])));
      }
      return await this.#readChanges(connection, isFull ? [...this.#members.keys()] : announcing);
    } catch (error) {
      this.begin();
      throw error;
    }
  }

  async #readChanges(connection: Connection, hosts: readonly string[]): Promise<boolean> {
    const { changes, isMore, positions } = await this.#changes(connection, this.#present(hosts));
    const removed = [...this.#positions.keys()].filter((host) => this.#members.get(host)?.isRemoved === true);
    if (removed.length > 0) this.askAbout(await banned(connection, removed));
    const asked = [...this.#toAskAbout].slice(0, BATCH);
    const addresses = [...new Set([...changes, ...asked])];
    for (const host of removed) positions.set(host, null);
    if (addresses.length > 0 || positions.size > 0) {
      const { hostId, window } = this.#options;
      const reports = addresses.length === 0
        ? []
        : await reportsOf(connection, { addresses, hostId, window });
      if (!this.#hand({ addresses, reports, positions, members: this.#ownAddresses() })) return false;
    }
    for (const [host, change] of positions) {
      if (change === null) this.#positions.delete(host);
      else this.#positions.set(host, change);
    }
    for (const address of asked) this.#toAskAbout.delete(address);
    if (isMore) this.begin();
    return isMore || this.#toAskAbout.size > 0;
  }

  /** Hands news over. False: `onNews` failed and gets them again later. */
  #hand(news: FleetNews): boolean {
    const { onNews, failed } = this.#options;
    try {
      onNews(news);
      return true;
    } catch (error) {
      failed(error);
      this.#restEnd = this.#fullDue = elapsed() + RETRY;
      return false;
    }
  }

  /** Returns the addresses whose bans changed, and the servers' positions after these changes. */
  async #changes(
    connection: Connection,
    hosts: readonly string[],
  ): Promise<{ changes: string[]; isMore: boolean; positions: Map<string, number | null> }> {
    const known = hosts.map((host) => this.#positions.get(host) ?? 0);
    const withNews = await connection.query<{ host: string; change: string; latest: string }>(
      HOSTS_WITH_NEWS,
      [
        arrayOf(hosts),
        arrayOf(known),
      ],
    );
    const positions = new Map<string, number | null>(
      withNews.map(({ host, latest }) => [host, Number(latest)]),
    );
    if (withNews.length === 0) return { changes: [], isMore: false, positions };
    const rows = await connection.query<{ host: string; change: string; address: string }>(CHANGED, [
      arrayOf(withNews.map(({ host }) => host)),
      arrayOf(withNews.map(({ change }) => change)),
      arrayOf(withNews.map(({ latest }) => latest)),
      String(BATCH),
    ]);
    const isMore = rows.length === BATCH;
    if (isMore) {
      // Sorted by server: the last server is read in part, the servers after it not at all.
      const { host, change } = rows.at(-1)!;
      positions.set(host, Number(change));
      for (const { host: other } of withNews) if (other > host) positions.delete(other);
    }
    return { changes: rows.flatMap(({ address }) => canonicalNetwork(address) ?? []), isMore, positions };
  }

  async #readMembers(connection: Connection): Promise<void> {
    const rows = await connection.query<{ id: string; removed: boolean; addresses: string }>(MEMBERS, [
      this.#options.hostId,
    ]);
    this.#members = new Map(rows.map(({ id, removed, addresses }) => [
      id,
      { isRemoved: removed, addresses: addresses.split(" ").slice(0, MOST_ADDRESSES) },
    ]));
    this.#fullDue = elapsed() + EVERY;
  }

  /** Returns those of `hosts` that are known and not removed. */
  #present(hosts: readonly string[]): string[] {
    return hosts.filter((host) => this.#members.get(host)?.isRemoved === false);
  }

  #ownAddresses(): string[] {
    return [...this.#members.values()].flatMap(({ isRemoved, addresses }) =>
      isRemoved ? [] : addresses.flatMap((address) => canonicalAddress(address) ?? [])
    );
  }
}

/** Returns the addresses and networks with bans in force of these servers. */
async function banned(connection: Connection, hosts: readonly string[]): Promise<string[]> {
  const rows = await connection.query<{ address: string }>(
    "SELECT DISTINCT address FROM ban WHERE host = ANY($1::uuid[]) AND ended IS NULL",
    [arrayOf(hosts)],
  );
  return rows.flatMap(({ address }) => canonicalNetwork(address) ?? []);
}

const MEMBERS = `SELECT id, removed IS NOT NULL AS removed, array_to_string(addresses, ' ') AS addresses
FROM host WHERE id <> $1::uuid`;

/** Servers with later changes than the known ones. */
const HOSTS_WITH_NEWS = `
SELECT host, change, latest FROM unnest($1::uuid[], $2::bigint[]) AS known (host, change),
  LATERAL (SELECT max(ban.change) AS latest FROM ban WHERE ban.host = known.host) AS newest
WHERE latest > change`;

/** Changes by server. Leaves out followed bans, and expired ones: followers know that end. */
const CHANGED = `
SELECT ban.host, ban.change, ban.address
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS known (host, change, latest)
JOIN ban ON ban.host = known.host AND ban.change > known.change AND ban.change <= known.latest
WHERE ban.end_reason IS DISTINCT FROM 'expired' AND ban.provenance IS DISTINCT FROM 'fleet'
ORDER BY ban.host, ban.change LIMIT $4::bigint`;
