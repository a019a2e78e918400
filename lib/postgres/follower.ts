import { canonicalAddress, canonicalNetwork } from "../core/address.ts";
import { elapsed, type Micros, MILLISECOND, MINUTE, SECOND } from "../core/time.ts";
import type { Report } from "../deciding/following.ts";
import type { Connection } from "./connection.ts";
import { arrayOf } from "./values.ts";
import { readNews } from "./news.ts";
import { IN_FORCE } from "./views.ts";

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

/** How a member follows the bans of other servers. */
export interface Sharing {
  /** By server, the number of its latest change that was read. */
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
  /** Returns, once each, addresses and networks that were spared and are so no more. */
  readonly released: () => readonly string[];
  /** Returns the addresses and networks with followed bans in force. */
  readonly followed: () => readonly string[];
}

/** Options of `Follower`. */
export interface FollowerOptions extends Sharing {
  /** Id of this server, whose reports are left out. */
  readonly hostId: string;
  /** Called with the error of `onNews`. */
  readonly failed: (error: unknown) => void;
}

/** Another server. */
interface Member {
  readonly isRemoved: boolean;
  readonly addresses: readonly string[];
}

/** An answer of the database. */
interface Reading extends Omit<FleetNews, "members"> {
  /** Addresses asked about although no report has changed. */
  readonly asked: readonly string[];
  readonly hasChanges: boolean;
  /** Whether more changes wait. */
  readonly isMore: boolean;
}

/** Most changes, and most addresses, of one step. */
const BATCH = 1_000;
/** Most own addresses of a member that count. */
const MOST_ADDRESSES = 64;
/** Interval at which all servers are asked without a notification. */
const EVERY: Micros = MINUTE;
/** Bounds of the rest between a step and the next by notifications. */
const [SHORTEST_REST, LONGEST_REST]: readonly [Micros, Micros] = [20 * MILLISECOND, 100 * MILLISECOND];
/** Delay until `onNews` gets news again that it could not take. */
const RETRY: Micros = 5 * SECOND;
/** Most announcing servers that are remembered; if there are more, all are asked. */
const MOST_ANNOUNCING = 1_000;
/**
 * Most addresses to ask about that are remembered, as the database may be away for long; if there
 * are more, all bans in force are read once.
 */
const MOST_ASKED = 10_000;

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
  #mostAsked = MOST_ASKED;
  #mustAskAll = false;
  #fullDue: Micros = 0;
  /** Rest after the last step, and its end. */
  #rest: Micros = SHORTEST_REST;
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
    if (this.#toAskAbout.size <= this.#mostAsked) return;
    this.#toAskAbout.clear();
    this.#mustAskAll = true;
    this.begin();
  }

  /** Reads a batch of changes if `due`; true: more may wait. Throws the errors of `connection`. */
  async step(connection: Connection): Promise<boolean> {
    const began = elapsed();
    if (began < this.due) return false;
    const isFull = began >= this.#fullDue ||
      this.#announcing.values().some((host) => !this.#members.has(host));
    const announcing = [...this.#announcing];
    this.#announcing.clear();
    try {
      if (isFull) {
        await this.#readMembers(connection);
        this.askAbout(this.#options.released());
      }
      if (isFull && (this.#options.takeRoom() || this.#mustAskAll)) {
        this.#askAboutAll(await banned(connection, this.#present([...this.#members.keys()])));
        this.#askAboutAll(this.#options.followed());
        this.#mustAskAll = false;
      }
      const news = await this.#readNews(connection, isFull ? [...this.#members.keys()] : announcing);
      if (!this.#hand(news)) return false;
      this.#beginRest(elapsed() - began, news.hasChanges);
      return news.isMore || this.#toAskAbout.size > 0;
    } catch (error) {
      this.begin();
      throw error;
    }
  }

  /**
   * Lets notifications wait as long as the step took: a slow database is asked less often. Doubles
   * the rest after a step without changes: a member may announce some without end.
   */
  #beginRest(took: Micros, hasChanges: boolean): void {
    const rest = hasChanges ? took : Math.max(took, 2 * this.#rest);
    this.#rest = Math.min(LONGEST_REST, Math.max(SHORTEST_REST, rest));
    this.#restEnd = elapsed() + this.#rest;
  }

  /** Remembers these addresses however many there are, and leaves room for others. */
  #askAboutAll(addresses: readonly string[]): void {
    for (const address of addresses) this.#toAskAbout.add(address);
    this.#mostAsked = this.#toAskAbout.size + MOST_ASKED;
  }

  /** Reads changes of `hosts`, removals of servers, and what is known of addresses to ask about. */
  async #readNews(connection: Connection, hosts: readonly string[]): Promise<Reading> {
    const { hostId, window, followed } = this.#options;
    const removed = [...this.#positions.keys()].filter((host) => this.#members.get(host)?.isRemoved ?? true);
    // What this server follows of a removed one may be gone from the database.
    if (removed.length > 0) this.#askAboutAll(followed());
    const known = new Map(this.#present(hosts).map((host) => [host, this.#positions.get(host) ?? 0]));
    const asked = [...this.#toAskAbout].slice(0, BATCH);
    const news = await readNews(connection, { hostId, known, asked, window, limit: BATCH });
    const gone = removed.map((host) => [host, null] as const);
    return {
      ...news,
      asked,
      hasChanges: news.positions.size > 0,
      positions: new Map<string, number | null>([...news.positions, ...gone]),
    };
  }

  /** Hands news over and remembers them as read. False: `onNews` failed and gets them again later. */
  #hand({ addresses, reports, positions, asked, isMore }: Reading): boolean {
    const { onNews, failed } = this.#options;
    try {
      if (addresses.length > 0 || positions.size > 0) {
        onNews({ addresses, reports, positions, members: this.#ownAddresses() });
      }
    } catch (error) {
      failed(error);
      this.#restEnd = this.#fullDue = elapsed() + RETRY;
      return false;
    }
    for (const [host, change] of positions) {
      if (change === null) this.#positions.delete(host);
      else this.#positions.set(host, change);
    }
    for (const address of asked) this.#toAskAbout.delete(address);
    if (isMore) this.begin();
    return true;
  }

  async #readMembers(connection: Connection): Promise<void> {
    const rows = await connection.query<
      { id: string; removed: boolean; addresses: string; latest: string | null }
    >(MEMBERS, [this.#options.hostId]);
    for (const { id, latest } of rows) {
      // The database is an older copy, and so may be the server's state, which gives numbers again.
      if ((this.#positions.get(id) ?? 0) > Number(latest)) this.#positions.set(id, 0);
    }
    this.#members = new Map(rows.map(({ id, removed, addresses }) => [
      id,
      { isRemoved: removed, addresses: addresses.split(" ") },
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
    `SELECT DISTINCT address FROM ban WHERE host = ANY($1::uuid[]) AND ${IN_FORCE}`,
    [arrayOf(hosts)],
  );
  return rows.flatMap(({ address }) => canonicalNetwork(address) ?? []);
}

const MEMBERS = `SELECT id, removed IS NOT NULL AS removed,
  array_to_string(ARRAY(SELECT unnest(addresses) LIMIT ${MOST_ADDRESSES}), ' ') AS addresses,
  (SELECT max(change) FROM ban WHERE ban.host = host.id AND change <= ${Number.MAX_SAFE_INTEGER}) AS latest
FROM host WHERE id <> $1::uuid`;
