import { Bell, pause } from "../core/async.ts";
import { PatientClock } from "../core/clock_watch.ts";
import { messageOf } from "../core/error.ts";
import { elapsed, HOUR, type Micros, MILLISECOND, MINUTE, now, SECOND } from "../core/time.ts";
import { Connection } from "./connection.ts";
import { explain } from "./failures.ts";
import type { DatabaseConfig } from "./database_config.ts";
import { Follower, type Sharing } from "./follower.ts";
import { type Outbox, type ShipmentTotals, Shipper } from "./outbox.ts";
import { tidyPartitions } from "./partitions.ts";
import { type MemberFacts, Registration } from "./registration.ts";
import { migrate } from "./schema.ts";
import { SharedWhitelist, type SharedWhitelistOptions } from "./shared_whitelist.ts";
import { BAN_CHANNEL } from "./sharing.ts";
import { WHITELIST_CHANNEL } from "./tables.ts";

/** Options of this host's member of the fleet; two hosts may have the same name. */
export interface FleetOptions extends SharedWhitelistOptions {
  readonly outbox: Outbox;
  /** How to follow the bans of other servers; null: not at all. */
  readonly sharing?: Sharing | null;
  /** Facts about this server for its row in the database. */
  readonly facts?: () => MemberFacts;
  /** Called with PostgreSQL's address after each connection over TCP. */
  readonly onPeer?: (address: string) => void;
  /** Age at which log rows of all hosts are dropped, week by week; null: never. */
  readonly keepLog: Micros | null;
  /** Counts of earlier members, to go on from. */
  readonly totals?: ShipmentTotals;
  /** Longest wait for one answer of PostgreSQL; default 10 s. */
  readonly timeout?: Micros;
}

/** State of the shipment to PostgreSQL. */
export interface FleetStatus {
  /** Whether the last exchange with PostgreSQL succeeded. */
  readonly connected: boolean;
  /** The failure in one sentence; null while connected and during the first attempt. */
  readonly error: string | null;
  /** Time when the outbox was last empty. */
  readonly lastShipped: Micros | null;
  /** Number of rows and bans that PostgreSQL refused for their content; the state keeps them. */
  readonly setAside: number;
}

const TIMEOUT: Micros = 10 * SECOND;
/** Interval between pulls, which renew this host's row and read the whitelist. */
const PULL_EVERY: Micros = MINUTE;
/** Shortest time between two pulls by notifications: a member may send them without end. */
const REST: Micros = 100 * MILLISECOND;
const TIDY_EVERY: Micros = HOUR;
const FIRST_RETRY: Micros = SECOND / 2;
const LAST_RETRY: Micros = 30 * SECOND;

/**
 * This host's member of the fleet. Ships the outbox to PostgreSQL and follows its whitelist, in the
 * background: no call throws or waits for the network. While PostgreSQL does not answer, retries
 * without end; logs each new kind of failure once.
 */
export class Fleet {
  readonly #config: DatabaseConfig;
  readonly #options: FleetOptions;
  readonly #shipper: Shipper;
  readonly #registration: Registration;
  readonly #follower: Follower | null;
  readonly #whitelist: SharedWhitelist;
  readonly #clock = new PatientClock();
  readonly #bell = new Bell();
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #connection: Connection | null = null;
  #status: Omit<FleetStatus, "setAside"> = { connected: false, error: null, lastShipped: null };
  #failures = 0;
  #pullDue = 0;
  /** Earliest time of a pull by a notification. */
  #restEnd = 0;
  #tidyDue = 0;

  constructor(config: DatabaseConfig, options: FleetOptions) {
    this.#config = config;
    this.#options = options;
    this.#shipper = new Shipper(options.outbox, options.log, options.totals);
    this.#registration = new Registration(options.outbox, options.log);
    this.#whitelist = new SharedWhitelist(options);
    const { sharing, outbox: { hostId }, log } = options;
    const failed = (error: unknown) => log.error(`Cannot follow the fleet's bans: ${messageOf(error)}`);
    this.#follower = sharing ? new Follower({ ...sharing, hostId, failed }) : null;
    this.#running = this.#run();
  }

  /** Makes the member ship the outbox soon. Cheap: call it after each commit. */
  wake(): void {
    this.#bell.ring();
  }

  /** Makes the member ask soon for other servers' reports on these addresses. */
  ask(addresses: readonly string[]): void {
    if (addresses.length === 0 || this.#follower === null) return;
    this.#follower.askAbout(addresses);
    this.#bell.ring();
  }

  status(): FleetStatus {
    return { ...this.#status, setAside: this.#shipper.setAside };
  }

  /** Ships the outbox while PostgreSQL answers, for `within` at most, then disconnects. */
  async close(within: Micros): Promise<void> {
    this.#closing.abort();
    const giveUp = () => this.#connection?.destroy(new Error("closing took too long"));
    if (this.#status.error !== null) giveUp();
    const timer = setTimeout(giveUp, within / 1000);
    await this.#running;
    clearTimeout(timer);
  }

  /** Serves one connection after another until closing. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#serve();
      } catch (error) {
        this.#failed(error);
        await pause(this.#delay() / 1000, signal);
      }
    }
  }

  /** Serves one connection until closing or a refused shipment. Throws the error that ends it. */
  async #serve(): Promise<void> {
    const { log, timeout = TIMEOUT } = this.#options;
    const connection = this.#connection = this.#newConnection(timeout);
    try {
      await connection.open();
      const restored = await migrate(connection, log);
      if (restored.includes("ips")) this.#whitelist.noteLoss();
      await connection.query(`LISTEN ${WHITELIST_CHANNEL}`);
      if (this.#follower !== null) await connection.query(`LISTEN ${BAN_CHANNEL}`);
      this.#registration.begin();
      this.#follower?.begin();
      this.#pullDue = this.#tidyDue = 0;
      await this.#exchange(connection);
      await connection.close();
    } finally {
      this.#connection = null;
      connection.destroy();
    }
  }

  /**
   * Ships, pulls and follows until closing. If the server refuses rows, goes on with bans until it
   * is time to ship all again, by a new connection: a dropped table is then made anew.
   */
  async #exchange(connection: Connection): Promise<void> {
    const { signal } = this.#closing;
    let end = Infinity;
    while (elapsed() < end) {
      this.#bell.take();
      if (elapsed() >= this.#pullDue || this.#registration.isClockSet()) await this.#pull(connection);
      if (elapsed() >= this.#tidyDue) {
        this.#tidyDue = elapsed() + TIDY_EVERY;
        await tidyPartitions(connection, { ...this.#options, time: this.#clock.now() });
      }
      const isFailing = end < Infinity;
      const waiting = await this.#shipper.ship(connection, isFailing);
      const isMore = waiting.lines || waiting.bans;
      if (waiting.failure === null && !isFailing) this.#succeeded(isMore);
      else if (!isFailing) {
        this.#failed(waiting.failure);
        end = elapsed() + this.#delay();
      }
      if (signal.aborted && !isMore) return;
      // Own bans come first, but lines, which may be many after an outage, delay no bans of others.
      const isBehind = !signal.aborted && !waiting.bans && await this.#follower?.step(connection);
      if (isMore || isBehind) continue;
      const due = Math.min(this.#pullDue, this.#tidyDue, this.#follower?.due ?? Infinity, end);
      await this.#bell.wait((due - elapsed()) / 1000, signal);
    }
  }

  #newConnection(timeout: Micros): Connection {
    const pull = () => {
      this.#pullDue = Math.min(this.#pullDue, this.#restEnd);
      this.#bell.ring();
    };
    const onNotify = (channel: string, payload: string) => {
      if (channel === WHITELIST_CHANNEL) return pull();
      if (payload === this.#options.outbox.hostId) return;
      this.#follower?.noteChanges(payload);
      this.#bell.ring();
    };
    // After a loss the pull fails, so that an idle member connects again.
    const { onPeer } = this.#options;
    return new Connection(this.#config, { timeout, onNotify, onLost: pull, onPeer });
  }

  /** Renews this host's row and reads the whitelist. */
  async #pull(connection: Connection): Promise<void> {
    this.#pullDue = elapsed() + PULL_EVERY;
    this.#restEnd = elapsed() + REST;
    const { outbox, hostName: name, facts } = this.#options;
    const row = { name, waiting: outbox.backlog(), facts: facts?.() };
    if (await this.#registration.renew(connection, row)) this.#shipper.noteOlder();
    await this.#whitelist.read(connection);
  }

  #succeeded(isMore: boolean): void {
    const { error } = this.#status;
    this.#failures = 0;
    const lastShipped = isMore ? this.#status.lastShipped : now();
    if (error !== null) this.#options.log.info("PostgreSQL answers again");
    this.#status = { connected: true, error: null, lastShipped };
  }

  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#failures++;
    const sentence = explain(error, this.#config);
    if (sentence !== this.#status.error) this.#options.log.warn(sentence);
    this.#status = { ...this.#status, connected: false, error: sentence };
  }

  /** Returns the delay after failures in a row: growing, and random to spread the hosts. */
  #delay(): Micros {
    const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (this.#failures - 1));
    return longest * (0.5 + Math.random() / 2);
  }
}
