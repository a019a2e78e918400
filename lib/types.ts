/**
 * The words everything else is written in. This file imports nothing.
 *
 * All instants are microseconds since the Unix epoch and all spans are microseconds: the journal's own
 * resolution, exact in a JavaScript number until the year 2255.
 */

/** An instant (since the Unix epoch) or a span, in microseconds. */
export type Micros = number;

/** Who wrote a journal entry, in fields that journald itself vouches for (systemd.journal-fields(7)). */
export interface Sender {
  /** `_UID` of the writing process; null when journald did not know it. */
  readonly uid: number | null;
  /** `_SYSTEMD_UNIT` of the writing process; "" outside any unit. */
  readonly unit: string;
}

/** One log record as a source hands it over. */
export interface Entry {
  readonly time: Micros;
  /** Name of the program that wrote it, such as `sshd`; "" when the source does not know. */
  readonly identifier: string;
  readonly pid: number | null;
  /** The text, at most `MAX_MESSAGE` characters, invalid UTF-8 replaced by U+FFFD. */
  readonly message: string;
  /** Proven writer, or null where the source cannot prove one (files, stdin). */
  readonly sender: Sender | null;
}

/** Longest message kept, in characters; the rest of a longer one is cut off and counted. */
export const MAX_MESSAGE = 8192;

/** Entries that arrived together, with the position that they reach. */
export interface Batch {
  readonly entries: readonly Entry[];
  /** Opaque position after the last entry: opening the source there yields the entry that follows. */
  readonly position: string;
  /** Records that were damaged: cut to `MAX_MESSAGE`, or dropped as unreadable. */
  readonly damaged: number;
}

/** Where to begin reading. `after` wins; without it, entries older than `since` are left out. */
export interface Start {
  readonly after: string | null;
  readonly since: Micros;
}

/** Where lines come from. */
export interface Source {
  /** Unique and stable: the stored position is kept under it. */
  readonly name: string;
  /**
   * Yields batches in order until the source ends or `signal` aborts (then it returns quietly, all child
   * processes gone). Throws when the source fails; opening it again at the last position is always right.
   */
  batches(start: Start, signal: AbortSignal): AsyncIterable<Batch>;
}

/** What a module read out of one message. */
export interface Parsed {
  /** Canonical address (`canonicalAddress()`), taken only from where the service itself writes it. */
  readonly address: string;
  /** Named parts such as `user` or `port`: text chosen by whoever connected. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What is known about one service. Pure and synchronous. */
export interface Module {
  /** Name in the configuration and in reasons, such as `SSHD`. */
  readonly name: string;
  /** Programs whose entries are this module's. */
  readonly identifiers: readonly string[];
  /** systemd units that the service runs in: an entry from one of them, or of root, is trusted. */
  readonly units: readonly string[];
  /** What `message` says, or null when it names no address that the service itself wrote. */
  parse(message: string): Parsed | null;
}

/** What an entry means to us. */
export interface LogEvent extends Parsed {
  /** Name of the module that read it. */
  readonly service: string;
  readonly time: Micros;
  readonly message: string;
  /** False for an entry that any local user could have forged: recorded, never counted. */
  readonly trusted: boolean;
}

/** Where in a message a rule's `str` must stand. */
export type Mode = "start" | "anywhere";

/** When an event counts as suspicious, and what follows. */
export interface Rule {
  readonly name: string;
  /** Any one of these makes a hit. */
  readonly str: readonly string[];
  readonly mode: Mode;
  /** A message that starts with one of these makes no hit all the same. */
  readonly except: readonly string[];
  /** This many hits are allowed; the next one bans. */
  readonly limit: number;
  /** Hits older than this are forgotten; null: never. */
  readonly window: Micros | null;
  /** How long a ban lasts; null: for good. */
  readonly banTime: Micros | null;
}

/** A configured module. */
export interface ModuleRules {
  readonly module: Module;
  /** Messages that start so are counted but not recorded. */
  readonly noLog: readonly string[];
  readonly rules: readonly Rule[];
}

/** One event matching one rule. */
export interface Hit {
  /** Name of the module. */
  readonly service: string;
  readonly rule: string;
  readonly address: string;
  readonly time: Micros;
}

/** A rule's limit passed by an address: a ban to be decided. */
export interface Trip {
  readonly address: string;
  /** `[SSHD] invalid_user` */
  readonly reason: string;
  readonly service: string;
  readonly rule: string;
  readonly time: Micros;
  /** Hits counted, the one that tripped included. */
  readonly count: number;
  readonly banTime: Micros | null;
}

/** A ban as the state keeps it. It is in force while `ended` is null and `until` is null or ahead. */
export interface Ban {
  readonly id: number;
  /** Canonical address or network. */
  readonly address: string;
  readonly reason: string;
  readonly count: number;
  readonly start: Micros;
  /** End set from the beginning; null: for good. */
  readonly until: Micros | null;
  /** When it was lifted or ran out; null while it stands. */
  readonly ended: Micros | null;
  /** Why it ended: `expired`, `unban`, `whitelisted`… */
  readonly endReason: string | null;
}

/** A ban to be written. */
export type NewBan = Pick<Ban, "address" | "reason" | "count" | "start" | "until">;

/** A ban with what became of it in the firewall. */
export interface BanStatus extends Ban {
  /** Firewall that has it, or may have it while `appliedAt` is null; null: none. */
  readonly appliedBy: string | null;
  /** Since when that is certain. */
  readonly appliedAt: Micros | null;
  /** Failed tries since the last success. */
  readonly attempts: number;
  /** What the last try failed with. */
  readonly error: string | null;
}

/** Which bans a firewall is to be told of next. */
export interface Due {
  readonly firewall: string;
  readonly now: Micros;
  readonly limit: number;
}

/** All bans, past and present, as they are kept. At most one ban of an address is in force. */
export interface BanStore {
  /**
   * Writes a ban. One already in force for the address stays; its end moves to the later of the two.
   * A lift of an earlier one that has not reached the firewall yet is dropped: the address is to be banned.
   */
  add(ban: NewBan): void;
  /** Ends the ban in force for an address; false when there is none. */
  end(address: string, end: { reason: string; time: Micros }): boolean;
  /** Ends all bans whose time is up; returns their addresses. */
  expire(now: Micros): string[];
  /** Bans in force, oldest first. */
  inForce(): BanStatus[];
  /**
   * Begins with a firewall: what any had before `boot`, when the machine started, is gone. With `takesOver`, bans that
   * another firewall has are to be applied by this one.
   */
  begin(firewall: string, since: { boot: Micros; takesOver: boolean }): void;
  /** Bans in force that the firewall does not have yet, and whose next try has come. */
  toApply(due: Due): BanStatus[];
  /** Bans that ended and that the firewall still has, and whose next try has come. */
  toLift(due: Due): BanStatus[];
  /** When something falls due next: a retry or an end; null when nothing will by itself. */
  nextDue(firewall: string): Micros | null;
  /** The firewall is about to be told: from now on it may have the ban, whatever becomes of us. */
  trying(id: number, firewall: string): void;
  /** The firewall has the ban in force. */
  applied(id: number, by: { firewall: string; time: Micros }): void;
  /** The firewall no longer has the ban. */
  lifted(id: number): void;
  /** The firewall refused; the next try comes after 1 s, doubling up to 5 minutes. */
  failed(id: number, failure: { error: string; time: Micros }): void;
  /** The firewall does not have a ban that it was about to be told of. */
  untried(id: number): void;
}

/** What one batch leaves behind, written in one transaction. */
export interface BatchRecord {
  readonly source: string;
  /** Reached by the batch: reading goes on behind it. */
  readonly position: string;
  /** Events to be recorded. */
  readonly events: readonly LogEvent[];
  readonly hits: readonly Hit[];
  /** Counters that passed their limit: their hits are used up. */
  readonly spent: readonly Omit<Hit, "time">[];
  readonly bans: readonly NewBan[];
}

/** What the firewall answered for one address; `error` null means done. */
export interface Outcome {
  readonly address: string;
  readonly error: string | null;
  /** It may have been done all the same: nobody waited for the end. */
  readonly uncertain?: boolean;
}

/** Puts bans into force. Every operation is idempotent and reports per address instead of throwing. */
export interface Firewall {
  readonly name: string;
  /** False when `unban` can do nothing (no `unban_command`). */
  readonly canUnban: boolean;
  /** Most bans to hand over in one call, and calls that may be under way at once. */
  readonly batch: number;
  readonly parallel: number;
  /** Whether bans that another firewall has are to be applied here too. */
  readonly takesOver: boolean;
  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]>;
  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]>;
}

/** A recorded line. */
export interface LogRow {
  /** Counts up without reuse within one state. */
  readonly seq: number;
  readonly service: string;
  readonly address: string;
  readonly time: Micros;
  readonly message: string;
}

/** A ban with the number of its latest change, which counts up across all bans of one state. */
export interface BanChange extends Ban {
  readonly change: number;
}

/** An address or network that is never banned. */
export interface WhitelistEntry {
  /** Canonical address or network. */
  readonly address: string;
  readonly note: string;
}

/** Where PostgreSQL is and who we are there. */
export interface DatabaseConfig {
  /** Name, address, or the directory of the server's Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** "" leaves it to the environment's `PGPASSWORD`. */
  readonly password: string;
}

/** What the shipment to PostgreSQL needs of the state. */
export interface Outbox {
  /** UUID made with the state: with `seq` it names a row in the whole fleet. */
  readonly hostId: string;
  /** At most `limit` log rows not yet confirmed, ascending by `seq`. */
  unshippedLog(limit: number): LogRow[];
  /** All rows up to `seq` have reached PostgreSQL. */
  confirmLog(seq: number): void;
  /** At most `limit` bans changed since the last confirmed change, ascending by `change`. */
  unshippedBans(limit: number): BanChange[];
  confirmBans(change: number): void;
  /** Rows and bans waiting. */
  backlog(): number;
}

/** Where a program says what it does. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** An error that is the user's to mend, told in one sentence and without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
  /** @param code exit code: 64 usage, 69 service unavailable, 78 configuration (sysexits.h), 1 otherwise */
  constructor(message: string, readonly code: 1 | 64 | 69 | 78) {
    super(message);
  }
}
