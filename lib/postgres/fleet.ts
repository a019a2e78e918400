import { HOUR, type Micros, MINUTE, now, SECOND, WEEK } from "../core/time.ts";
import { canonicalNetwork } from "../core/address.ts";
import { arrayOf, Connection, type DatabaseConfig, explain, sqlState } from "./connection.ts";
import type { Log } from "../core/log.ts";
import { messageOf, UserError } from "../core/error.ts";
import { counted } from "../core/text.ts";
import { elapsed } from "./elapsed.ts";
import { type FleetNews, Follower } from "./follower.ts";
import { type Outbox, Shipper } from "./outbox.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import { dropPartitions, makePartitions } from "./partitions.ts";
import { migrate, WHITELIST_CHANNEL } from "./schema.ts";
import { BAN_CHANNEL } from "./sharing.ts";

/** Options of this host's member of the fleet. */
export interface FleetOptions {
  readonly outbox: Outbox;
  /** Name shown with this host's rows; may occur twice in a fleet. */
  readonly hostName: string;
  readonly log: Log;
  /** Called with the database's whole whitelist after the first read and after each change. */
  readonly onWhitelist: (entries: WhitelistEntry[]) => void;
  /** How to follow the bans of other servers; null: not at all. */
  readonly sharing?: Sharing | null;
  /** Facts about this server for its row in the database. */
  readonly self?: () => Self;
  /** Called with PostgreSQL's address after each connection over TCP. */
  readonly onPeer?: (address: string) => void;
  /** Log rows older than this are dropped, week by week, for all hosts; null keeps them. */
  readonly keepLog: Micros | null;
  /** Longest wait for one answer of PostgreSQL; default 10 s. */
  readonly timeout?: Micros;
}

/** How a member follows the bans of other servers. */
export interface Sharing {
  /** By server, the number of its latest change that is read. */
  readonly positions: ReadonlyMap<string, number>;
  /** How long a report counts after its start. */
  readonly window: Micros;
  /** Called with changes of other servers' bans. If it throws, they come again. */
  readonly onNews: (news: FleetNews) => void;
}

/** Facts about a server. */
export interface Self {
  /** Version of its program. */
  readonly version: string;
  /** Its own addresses, canonical. */
  readonly addresses: readonly string[];
  /** Bans of other servers that it has in force. */
  readonly followed: number;
}

/** State of the shipment. */
export interface FleetStatus {
  /** Whether the last exchange with PostgreSQL succeeded. */
  readonly connected: boolean;
  /** The failure in one sentence; null while connected and during the first attempt. */
  readonly error: string | null;
  /** When the outbox was last empty. */
  readonly lastShipped: Micros | null;
  /** Number of log rows and bans that PostgreSQL refused for their content. The local state keeps them. */
  readonly setAside: number;
}

/** This host's member of the fleet. It works in the background; no call throws or waits for the network. */
export interface Fleet {
  /** Looks for rows in the outbox soon. Cheap: call it after each commit. */
  wake(): void;
  /** Asks soon what other servers report about these addresses. */
  ask(addresses: readonly string[]): void;
  status(): FleetStatus;
  /** Ships the outbox while PostgreSQL answers, at most for the span `within`, then disconnects. */
  close(within: Micros): Promise<void>;
}

/**
 * Starts to ship the outbox to PostgreSQL and to follow its whitelist. While PostgreSQL is absent or frozen, retries
 * without end; each new kind of failure is logged once.
 */
export function openFleet(config: DatabaseConfig, options: FleetOptions): Fleet {
  return new Member(config, options);
}

const TIMEOUT: Micros = 10 * SECOND;
/** Interval of reading the whitelist without a notification, and of renewing this host's `last_seen`. */
const PULL_EVERY: Micros = MINUTE;
const TIDY_EVERY: Micros = HOUR;
const FIRST_RETRY: Micros = SECOND / 2;
const LAST_RETRY: Micros = 30 * SECOND;

class Member implements Fleet {
  readonly #config: DatabaseConfig;
  readonly #options: FleetOptions;
  readonly #shipper: Shipper;
  readonly #follower: Follower | null;
  readonly #bell = new Bell();
  readonly #running: Promise<void>;
  #connection: Connection | null = null;
  #status: Omit<FleetStatus, "setAside"> = { connected: false, error: null, lastShipped: null };
  #whitelist: string | null = null;
  /** Somebody dropped the table `ips`. Its empty successor does not empty the whitelist. */
  #isWhitelistLost = false;
  #closing = false;
  #failures = 0;
  #pullDue = 0;
  #tidyDue = 0;

  constructor(config: DatabaseConfig, options: FleetOptions) {
    this.#config = config;
    this.#options = options;
    this.#shipper = new Shipper(options.outbox, options.log);
    const { sharing, outbox: { hostId }, log } = options;
    const failed = (error: unknown) => log.error(`Cannot follow the fleet's bans: ${messageOf(error)}`);
    this.#follower = sharing ? new Follower({ ...sharing, hostId, failed }) : null;
    this.#running = this.#run();
  }

  wake(): void {
    this.#bell.ring();
  }

  ask(addresses: readonly string[]): void {
    if (addresses.length === 0 || this.#follower === null) return;
    this.#follower.doubt(addresses);
    this.#bell.ring();
  }

  status(): FleetStatus {
    return { ...this.#status, setAside: this.#shipper.setAside };
  }

  async close(within: Micros): Promise<void> {
    this.#closing = true;
    this.#bell.ring();
    const giveUp = () => this.#connection?.destroy(new Error("closing took too long"));
    if (this.#status.error !== null) giveUp();
    const timer = setTimeout(giveUp, within / 1000);
    await this.#running;
    clearTimeout(timer);
  }

  /** Serves one connection after another until closing. */
  async #run(): Promise<void> {
    while (!this.#closing) {
      try {
        await this.#serve();
      } catch (error) {
        this.#failed(error);
      }
      if (!this.#closing) await this.#pause();
    }
  }

  /** Serves one connection until closing. Throws the error that ends it. */
  async #serve(): Promise<void> {
    const { log, timeout = TIMEOUT } = this.#options;
    const connection = this.#connection = this.#newConnection(timeout);
    try {
      await connection.open();
      const restored = await migrate(connection, log);
      this.#isWhitelistLost ||= restored.includes("ips");
      await connection.query(`LISTEN ${WHITELIST_CHANNEL}`);
      if (this.#follower !== null) await connection.query(`LISTEN ${BAN_CHANNEL}`);
      this.#follower?.begin();
      this.#pullDue = this.#tidyDue = 0;
      while (true) {
        if (elapsed() >= this.#pullDue) await this.#pull(connection);
        if (elapsed() >= this.#tidyDue) await this.#tidy(connection);
        const more = await this.#shipper.ship(connection);
        this.#succeeded(more);
        if (more) continue;
        if (this.#closing) break;
        // Own bans first.
        if (await this.#follower?.step(connection)) continue;
        await this.#bell.wait(
          Math.min(this.#pullDue, this.#tidyDue, this.#follower?.due ?? Infinity) - elapsed(),
        );
      }
      await connection.close();
    } finally {
      this.#connection = null;
      connection.destroy();
    }
  }

  #newConnection(timeout: Micros): Connection {
    const pull = () => {
      this.#pullDue = 0;
      this.#bell.ring();
    };
    const onNotify = (channel: string, payload: string) => {
      if (channel === WHITELIST_CHANNEL) return pull();
      if (payload === this.#options.outbox.hostId) return;
      this.#follower?.ring(payload);
      this.#bell.ring();
    };
    // After a loss, the pull fails and an idle member connects again.
    const { onPeer } = this.#options;
    return new Connection(this.#config, { timeout, onNotify, onLost: pull, onPeer });
  }

  /** Reads the whitelist and renews this host's `last_seen`. */
  async #pull(connection: Connection): Promise<void> {
    this.#pullDue = elapsed() + PULL_EVERY;
    const { hostName, log, onWhitelist } = this.#options;
    await this.#register(connection);
    const rows = await connection.query<{ address: string; note: string | null }>(WHITELIST, [hostName]);
    const entries = rows.flatMap(({ address, note }) => {
      const canonical = canonicalNetwork(address);
      return canonical === null ? [] : [{ address: canonical, note: note ?? "", until: null }];
    });
    if (this.#isWhitelistLost && entries.length === 0) return;
    this.#isWhitelistLost = false;
    const whitelist = JSON.stringify(entries);
    if (whitelist === this.#whitelist) return;
    log.debug(() =>
      `PostgreSQL whitelists ${counted(entries.length, "address or network", "addresses and networks")}`
    );
    try {
      onWhitelist(entries);
      this.#whitelist = whitelist;
    } catch (error) {
      log.error(`Cannot apply the database's whitelist: ${messageOf(error)}`);
    }
  }

  /** Writes this host's row. Throws `UserError` if the host was removed from the fleet. */
  async #register(connection: Connection): Promise<void> {
    const { outbox, hostName, self } = this.#options;
    const { version = null, addresses = [], followed = 0 } = self?.() ?? {};
    const [row] = await connection.query<{ removed: boolean }>(SEEN, [
      outbox.hostId,
      hostName,
      version,
      arrayOf(addresses),
      String(outbox.backlog()),
      String(followed),
    ]);
    if (row?.removed) {
      throw new UserError(`This server was removed from the fleet: see strongmonitor fleet`, 69);
    }
  }

  /** Makes next week's partition and drops old ones. After a refusal shipping goes on; the next try is in an hour. */
  async #tidy(connection: Connection): Promise<void> {
    this.#tidyDue = elapsed() + TIDY_EVERY;
    const { keepLog, log } = this.#options;
    try {
      await makePartitions(connection, [now(), now() + WEEK]);
      const dropped = keepLog === null ? [] : await dropPartitions(connection, now() - keepLog);
      if (dropped.length > 0) log.info(`Dropped log rows older than keep_log: ${dropped.join(", ")}`);
    } catch (error) {
      const state = sqlState(error);
      if (state === "") throw error;
      // Only the owner of the tables drops partitions.
      if (state !== INSUFFICIENT_PRIVILEGE) {
        log.warn(`Cannot tidy the log table, trying again within the hour: ${(error as Error).message}`);
      }
    }
  }

  #succeeded(more: boolean): void {
    const { error } = this.#status;
    this.#failures = 0;
    const lastShipped = more ? this.#status.lastShipped : now();
    if (error !== null) this.#options.log.info("PostgreSQL answers again");
    this.#status = { connected: true, error: null, lastShipped };
  }

  #failed(error: unknown): void {
    if (this.#closing) return;
    this.#failures++;
    const sentence = explain(error, this.#config);
    if (sentence !== this.#status.error) this.#options.log.warn(sentence);
    this.#status = { ...this.#status, connected: false, error: sentence };
  }

  /** Waits longer after each failure in a row, by a random factor, so that hosts do not return at the same moment. */
  async #pause(): Promise<void> {
    const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (this.#failures - 1));
    const end = elapsed() + longest * (0.5 + Math.random() / 2);
    while (!this.#closing && elapsed() < end) await this.#bell.wait(end - elapsed());
  }
}

/** SQLSTATE of an operation without the right to it. */
const INSUFFICIENT_PRIVILEGE = "42501";

const SEEN = `
INSERT INTO host AS known (id, name, last_seen, version, addresses, waiting, followed)
VALUES ($1::uuid, $2::text, now(), $3::text, $4::inet[], $5::bigint, $6::bigint)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, last_seen = excluded.last_seen, version = excluded.version,
  addresses = excluded.addresses, waiting = excluded.waiting, followed = excluded.followed
RETURNING removed IS NOT NULL AS removed`;

const WHITELIST = `
SELECT address, note FROM ips WHERE whitelisted AND (hosts IS NULL OR $1::text = ANY(hosts)) ORDER BY address`;

/** Wakes one waiter. A ring without a waiter wakes the next one at once. */
class Bell {
  #rung = false;
  #waiter: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#waiter?.();
  }

  /** Returns when the bell rings, or after `span`. */
  async wait(span: Micros): Promise<void> {
    if (!this.#rung && span > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(span / 1000, 2 ** 31 - 1));
      this.#waiter = resolve;
      await promise;
      clearTimeout(timer);
      this.#waiter = null;
    }
    this.#rung = false;
  }
}
