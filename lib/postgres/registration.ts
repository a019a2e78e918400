/** Renews the row by which the fleet knows this server. */
import { UserError } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { aheadBy, differenceText, elapsed, type Micros, MINUTE, now, SECOND } from "../core/time.ts";
import { type Connection, sqlState } from "./connection.ts";
import { INSUFFICIENT_PRIVILEGE } from "./failures.ts";
import { arrayOf, micros } from "./values.ts";
import type { Outbox } from "./outbox.ts";

/** Facts that a server tells about itself. */
export interface MemberFacts {
  /** Version of its program. */
  readonly version: string;
  /** Its own addresses, canonical. */
  readonly addresses: readonly string[];
  /** Number of other servers' bans that it has in force. */
  readonly followed: number;
}

/** A server's row. */
export interface OwnRow {
  readonly name: string;
  /** Number of rows and bans not shipped. */
  readonly waiting: number;
  readonly facts: MemberFacts | undefined;
}

/** Times in the row before and now, and of the database's clock. */
interface Renewed {
  readonly removed: boolean;
  readonly before: string | null;
  readonly seen: string;
  readonly time: string;
}

/** Renews a server's row, and warns of what its times tell. */
export class Registration {
  readonly #outbox: Pick<Outbox, "hostId" | "lastSeen" | "noteSeen">;
  readonly #log: Log;
  /** Time in the row, as written last by this connection; null: not yet. */
  #seen: string | null = null;
  #isCopied = false;
  #isClockOff = false;
  /** Lead of this machine's clock over the steady one when it was compared with the database's. */
  #lead: Micros = 0;

  constructor(outbox: Pick<Outbox, "hostId" | "lastSeen" | "noteSeen">, log: Log) {
    this.#outbox = outbox;
    this.#log = log;
  }

  /** Call it before a new connection: the answer to the last renewal may be lost. */
  begin(): void {
    this.#seen = null;
  }

  /** Reports whether this machine's clock was set since the last renewal, or the machine slept. */
  isClockSet(): boolean {
    return Math.abs(now() - elapsed() - this.#lead) > SECOND;
  }

  /**
   * Writes the row as seen now, and sets `connection.ahead`. Reports whether the database is an older
   * copy, whose row has an earlier time than the state knows. Throws `UserError` (69) if the server
   * was removed, or if another role has registered it.
   */
  async renew(connection: Connection, { name, waiting, facts }: OwnRow): Promise<boolean> {
    const id = this.#outbox.hostId;
    const { version = null, addresses = [], followed = 0 } = facts ?? {};
    const parameters = [id, name, version, arrayOf(addresses), String(waiting), String(followed)];
    const asked = now();
    const [row] = await connection.query<Renewed>(RENEW, parameters).catch(async (error) => {
      if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
      const [own] = await connection.query<{ role: string }>(OF_ANOTHER, [id]);
      if (own === undefined) throw error;
      throw new UserError(
        `Another role registered this server: as the owner of the tables, ` +
          `UPDATE host SET role = ${own.role} WHERE id = '${id}'`,
        69,
      );
    });
    const { removed, before, seen, time } = row!;
    if (removed) throw new UserError("This server was removed from the fleet: see strongmonitor fleet", 69);
    this.#lead = now() - elapsed();
    const ahead = aheadBy(Number(time), asked);
    this.#compareClock(ahead);
    // A new number for the same difference would change bans that others have read.
    if (Math.abs(ahead - connection.ahead) > SECOND) connection.ahead = Math.abs(ahead) > SECOND ? ahead : 0;
    if (this.#seen !== null && this.#seen !== before) this.#warnOfCopy();
    this.#seen = seen;
    const isOlder = Number(before) < (this.#outbox.lastSeen() ?? 0);
    this.#outbox.noteSeen(Number(seen));
    return isOlder;
  }

  /** Warns once while the clocks differ, as lines keep the times of this machine. */
  #compareClock(ahead: Micros): void {
    const isOff = Math.abs(ahead) > MINUTE;
    if (isOff && !this.#isClockOff) {
      const text = `PostgreSQL's clock is ${differenceText(ahead)}`;
      this.#log.warn(
        `${text}: synchronise both. Bans end in time anyway, but times of lines do not fit others'`,
      );
    }
    this.#isClockOff = isOff;
  }

  /** Warns once of another server that writes this row, as its machine was cloned. */
  #warnOfCopy(): void {
    if (!this.#isCopied) {
      this.#log.warn(
        "Another server uses a copy of this server's state: PostgreSQL takes both for one, and loses bans. " +
          "Delete the copy while that server's monitor is stopped",
      );
    }
    this.#isCopied = true;
  }
}

/** Returns this role, as a literal, if another one registered the server. */
const OF_ANOTHER =
  "SELECT quote_literal(current_user) AS role FROM host WHERE id = $1::uuid AND role <> current_user";

const RENEW = `
WITH former AS (SELECT last_seen FROM host WHERE id = $1::uuid)
INSERT INTO host AS known (id, name, last_seen, version, addresses, waiting, followed)
VALUES ($1::uuid, $2::text, now(), $3::text, $4::inet[], $5::bigint, $6::bigint)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, last_seen = excluded.last_seen, version = excluded.version,
  addresses = excluded.addresses, waiting = excluded.waiting, followed = excluded.followed
RETURNING removed IS NOT NULL AS removed, (SELECT ${micros("last_seen")} FROM former) AS before,
  ${micros("known.last_seen")} AS seen, ${micros("clock_timestamp()")} AS time`;
