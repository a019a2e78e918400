import { HOUR, type Micros, MINUTE, now, SECOND, WEEK } from "../core/time.ts";
import { canonicalNetwork } from "../core/address.ts";
import { Connection, type DatabaseConfig, explain, sqlState } from "./connection.ts";
import type { Log } from "../core/log.ts";
import { messageOf, UserError } from "../core/error.ts";
import { counted } from "../core/text.ts";
import { type Outbox, Shipper } from "./outbox.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import { dropPartitions, makePartitions } from "./partitions.ts";
import { migrate, WHITELIST_CHANNEL } from "./schema.ts";

/** What the fleet's member needs to know. */
export interface FleetOptions {
  readonly outbox: Outbox;
  /** Shown beside this host's rows; need not be unique. */
  readonly hostName: string;
  readonly log: Log;
  /** Called with the whole whitelist of the database when first read and at each change of it. */
  readonly onWhitelist: (entries: WhitelistEntry[]) => void;
  /** Told the address of PostgreSQL with each connection; never with a Unix socket. */
  readonly onPeer?: (address: string) => void;
  /** Log rows older than this are dropped, week by week, for all hosts; null keeps them. */
  readonly keepLog: Micros | null;
  /** Longest wait for any one answer of PostgreSQL; 10 s unless told. */
  readonly timeout?: Micros;
}

/** How the shipment stands. */
export interface FleetStatus {
  /** True while the last exchange with PostgreSQL went well. */
  readonly connected: boolean;
  /** Why not, in one sentence; null while connected, and before the first attempt has ended. */
  readonly error: string | null;
  /** When PostgreSQL last had everything that was waiting. */
  readonly lastShipped: Micros | null;
  /** Log rows and bans that PostgreSQL refused for their content: they stay in the local state alone. */
  readonly setAside: number;
}

/** This host's part in the fleet. Runs by itself; nothing here throws or waits for the network. */
export interface Fleet {
  /** Something may be waiting in the outbox. Cheap: call it after each commit. */
  wake(): void;
  status(): FleetStatus;
  /** Ships what is waiting, for at most this span and only while PostgreSQL answers, then disconnects. */
  close(within: Micros): Promise<void>;
}

/**
 * Starts shipping the outbox to PostgreSQL and listening for whitelist changes. PostgreSQL may be absent,
 * frozen or restarted at any time: it is tried again for ever, with one warning per change of condition.
 */
export function openFleet(config: DatabaseConfig, options: FleetOptions): Fleet {
  return new Member(config, options);
}

const TIMEOUT: Micros = 10 * SECOND;
/** The whitelist is read this often even if no notification came, and this host is seen to be alive. */
const PULL_EVERY: Micros = MINUTE;
const TIDY_EVERY: Micros = HOUR;
const FIRST_RETRY: Micros = SECOND / 2;
const LAST_RETRY: Micros = 30 * SECOND;

class Member implements Fleet {
  readonly #config: DatabaseConfig;
  readonly #options: FleetOptions;
  readonly #shipper: Shipper;
  readonly #bell = new Bell();
  readonly #running: Promise<void>;
  #connection: Connection | null = null;
  #status: Omit<FleetStatus, "setAside"> = { connected: false, error: null, lastShipped: null };
  #whitelist: string | null = null;
  /** The table was dropped: nobody has said that nobody is whitelisted. */
  #isWhitelistLost = false;
  #closing = false;
  #failures = 0;
  #pullDue = 0;
  #tidyDue = 0;

  constructor(config: DatabaseConfig, options: FleetOptions) {
    this.#config = config;
    this.#options = options;
    this.#shipper = new Shipper(options.outbox, options.log);
    this.#running = this.#run();
  }

  wake(): void {
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

  /** One connection after the other. */
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

  /** Serves one connection until closing; throws whatever ends it. */
  async #serve(): Promise<void> {
    const { log, timeout = TIMEOUT } = this.#options;
    const connection = this.#connection = this.#newConnection(timeout);
    try {
      await connection.open();
      const restored = await migrate(connection, log);
      this.#isWhitelistLost ||= restored.includes("ips");
      await connection.query(`LISTEN ${WHITELIST_CHANNEL}`);
      this.#pullDue = this.#tidyDue = 0;
      while (true) {
        if (elapsed() >= this.#pullDue) await this.#pull(connection);
        if (elapsed() >= this.#tidyDue) await this.#tidy(connection);
        const more = await this.#shipper.ship(connection);
        this.#succeeded(more);
        if (more) continue;
        if (this.#closing) break;
        await this.#bell.wait(Math.min(this.#pullDue, this.#tidyDue) - elapsed());
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
    // A lost connection is pulled on too: that is how an idle member finds out.
    const { onPeer } = this.#options;
    return new Connection(this.#config, { timeout, onNotify: pull, onLost: pull, onPeer });
  }

  /** Reads the whitelist, and says that this host is alive. */
  async #pull(connection: Connection): Promise<void> {
    this.#pullDue = elapsed() + PULL_EVERY;
    const { outbox, hostName, log, onWhitelist } = this.#options;
    await connection.query(SEEN, [outbox.hostId, hostName]);
    const rows = await connection.query<{ address: string; note: string | null }>(
      "SELECT address, note FROM ips WHERE whitelisted ORDER BY address",
    );
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

  /** Makes partitions ahead and drops old ones. A failure waits for the next time: shipping goes on. */
  async #tidy(connection: Connection): Promise<void> {
    this.#tidyDue = elapsed() + TIDY_EVERY;
    const { keepLog, log } = this.#options;
    try {
      await makePartitions(connection, [now(), now() + WEEK]);
      const dropped = keepLog === null ? [] : await dropPartitions(connection, now() - keepLog);
      if (dropped.length > 0) log.info(`Dropped log rows older than keep_log: ${dropped.join(", ")}`);
    } catch (error) {
      if (sqlState(error) === "") throw error;
      log.warn(`Cannot tidy the log table, trying again within the hour: ${(error as Error).message}`);
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
    const sentence = error instanceof UserError ? error.message : explain(error, this.#config);
    if (sentence !== this.#status.error) this.#options.log.warn(sentence);
    this.#status = { ...this.#status, connected: false, error: sentence };
  }

  /** Longer after each failure in a row, and never the same on two hosts. */
  async #pause(): Promise<void> {
    const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (this.#failures - 1));
    const end = elapsed() + longest * (0.5 + Math.random() / 2);
    while (!this.#closing && elapsed() < end) await this.#bell.wait(end - elapsed());
  }
}

const SEEN = `
INSERT INTO host (id, name, last_seen) VALUES ($1::uuid, $2::text, now())
ON CONFLICT (id) DO UPDATE SET name = excluded.name, last_seen = excluded.last_seen`;

/** For measuring waits, which a change of the clock must not lengthen. */
function elapsed(): Micros {
  return performance.now() * 1000;
}

/** Wakes one waiter; a ring while nobody waits is kept for the next. */
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
