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
  /** When it was written, or read where the source cannot tell. */
  readonly time: Micros;
  /** Name of the program that wrote it, such as `sshd`; null for a line of text, whose beginning may tell. */
  readonly identifier: string | null;
  readonly pid: number | null;
  /** The text, at most `MAX_MESSAGE` characters (a line of text a little more), invalid UTF-8 replaced by U+FFFD. */
  readonly message: string;
  /** Proven writer, or null where the source cannot prove one (files, stdin). */
  readonly sender: Sender | null;
}

/** Longest message kept, in characters; the rest of a longer one is cut off and counted. */
export const MAX_MESSAGE = 8192;

/**
 * Longest line of a log file that is read, in characters. nginx writes an odd byte as four, takes headers of four times 8 KiB,
 * and ends a line with what decides about it: `4 * 4 * 8 KiB`, and something for the rest.
 */
export const MAX_LINE = 135_168;

/** Entries that arrived together, with the position that they reach. */
export interface Batch {
  readonly entries: readonly Entry[];
  /** Opaque position after the last entry: opening the source there yields the entry that follows. */
  readonly position: string;
  /** Records that were damaged: cut to `MAX_MESSAGE`, or dropped as unreadable. */
  readonly damaged: number;
  /** Another batch follows within milliseconds, be it an empty one: what this one brings may be stored together with that. */
  readonly isMore?: boolean;
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
  /** How soon its entries come, in words for `status`; without it, as soon as they are written. */
  readonly delivery?: string;
  /**
   * Yields batches in order until the source ends or `signal` aborts (then it returns quietly, all child
   * processes gone). Throws when the source fails; opening it again at the last position is always right.
   */
  batches(start: Start, signal: AbortSignal): AsyncIterable<Batch>;
}

/** A moment as a line writes it. What it leaves open is found by when it was read: see `resolveStamp()`. */
export interface Stamp {
  /** Null where the line has none, as in classic syslog. */
  readonly year: number | null;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** The part behind the second's point. */
  readonly fraction: Micros;
  /** Minutes that the writer's clock is ahead of UTC; null: it shows this machine's local time. */
  readonly offset: number | null;
}

/** What a module read out of one message. */
export interface Parsed {
  /**
   * Canonical address (`canonicalAddress()`), taken only from where the service itself writes it; null for a
   * message that is understood but names nobody, or leaves a doubt whom.
   */
  readonly address: string | null;
  /** Named parts such as `user` or `path`: text chosen by whoever connected. */
  readonly fields: Readonly<Record<string, string>>;
  /** When it was, where the message itself says so. */
  readonly stamp?: Stamp;
}

/** Reads a message; null when it has no form that the module knows. Pure and synchronous. */
export interface Parser {
  (message: string): Parsed | null;
  /** Matches the beginning of every message that it understands, so that others need not be read; without, any may be one. */
  readonly beginning?: RegExp;
}

/** Where a module's lines are found. */
export interface Origin {
  /** Programs whose journal entries are the module's, by `SYSLOG_IDENTIFIER`. */
  readonly identifiers: readonly string[];
  /**
   * systemd units that the service runs in: an entry from one of them, or of root, is trusted. Without identifiers, all
   * entries of the units are the module's.
   */
  readonly units: readonly string[];
  /** Absolute paths of log files, in which `*` and `?` stand for any part of a file's name. */
  readonly files: readonly string[];
}

/** What is known about one service. */
export interface Module extends Origin {
  /** Name in the configuration and in reasons, such as `SSHD`. */
  readonly name: string;
  readonly parse: Parser;
}

/** What a configuration may tell a module about its service; empty where it says nothing. */
export interface ParserOptions {
  /** Formats of lines as `log_format` of nginx.conf gives them. */
  readonly logFormats: readonly string[];
  /** Canonical addresses and networks of proxies, whose word on the client behind them is taken. */
  readonly trustedProxies: readonly string[];
  /** Regular expressions in which `<ADDR>` stands for the address. */
  readonly patterns: readonly string[];
  /** Patterns are taken that could name a wrong address or take long. */
  readonly unsafe: boolean;
}

/** A kind of service, from which a configuration makes a module. */
export interface ModuleKind {
  /** Name that a configuration gives; "" for those that it may name as it likes. */
  readonly name: string;
  /** Where its lines are found unless told. */
  readonly origin: Origin;
  /** Which options it takes. */
  readonly options: readonly (keyof ParserOptions)[];
  /** Names of the fields that its events may have. */
  fields(options: ParserOptions): readonly string[];
  /** Throws `OptionError`. */
  parser(options: ParserOptions): Parser;
}

/** An option that a module cannot take as it is. */
export class OptionError extends Error {
  override readonly name = "OptionError";
  /** @param complaint follows the option's name: `must begin with ^`; @param index which one of a list */
  constructor(complaint: string, readonly option: keyof ParserOptions, readonly index: number) {
    super(complaint);
  }
}

/** What an entry means to us. */
export interface LogEvent {
  /** Name of the module that read it. */
  readonly service: string;
  /** Canonical. */
  readonly address: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly time: Micros;
  readonly message: string;
  /** False for an entry that any local user could have forged: recorded, never counted. */
  readonly trusted: boolean;
}

/** Where a text must stand; `regex`: the text is a regular expression. */
export type Mode = "start" | "anywhere" | "regex";

/** Something that an event may say: any of `texts` stands in any of `fields`. */
export interface Condition {
  /** Names of parsed fields; `message` is the whole. */
  readonly fields: readonly string[];
  readonly mode: Mode;
  /** Not empty; in lower case where `ignoreCase`. */
  readonly texts: readonly string[];
  /** The field is compared in lower case. */
  readonly ignoreCase: boolean;
}

/** How bans of addresses that come back grow. */
export interface Growth {
  /** Each ban lasts so many times as long as the one before; 1: all the same. */
  readonly factor: number;
  /** None lasts longer; null: without bounds. */
  readonly most: Micros | null;
  /** An address that was free so long begins anew; null: never. */
  readonly forgetAfter: Micros | null;
}

/** When an event counts as suspicious, and what follows. */
export interface Rule {
  readonly name: string;
  /** Null: any message will do. */
  readonly condition: Condition | null;
  /** Status codes of which the event must have one; null: any or none. */
  readonly status: ReadonlySet<number> | null;
  /** An event that meets one of these makes no hit all the same. */
  readonly except: readonly Condition[];
  /** Field of which different values are counted, each once; null: every hit counts. */
  readonly distinct: string | null;
  /** This many hits are allowed; the next one bans. */
  readonly limit: number;
  /** Hits older than this are forgotten; null: never. */
  readonly window: Micros | null;
  /** How long the first ban of an address lasts; null: for good. */
  readonly banTime: Micros | null;
  readonly growth: Growth;
  readonly scope: Scope;
}

/** A configured module. */
export interface ModuleRules {
  readonly module: Module;
  /** Messages that start so are counted but not recorded. */
  readonly noLog: readonly string[];
  /** Which of the others are recorded: all that name an address, or those that a rule hits. */
  readonly record: "all" | "hits";
  readonly rules: readonly Rule[];
}

/** What has changed the counters of a rule: those that began anew, then hits in the order in which they came. */
export interface RuleTally {
  /** Name of the module. */
  readonly service: string;
  readonly rule: string;
  /** Addresses that passed the limit and are counted from nothing again. */
  readonly spent: readonly string[];
  /** Each hit as the number of its event in the tally. */
  readonly hits: readonly number[];
  /** Of each hit what a rule with `distinct` counts, shortened; empty for any other rule. */
  readonly values: readonly string[];
}

/** What has changed counters, for those that have to count it again: in this order. */
export interface Tally {
  /** When none of it matters any more; null: never. */
  readonly until: Micros | null;
  /** Addresses whose counters have all begun anew. */
  readonly forgotten: readonly string[];
  /** Of each event that hit one of the rules, or several, its address and its time: columns take a third of the room that objects do. */
  readonly addresses: readonly string[];
  readonly times: readonly Micros[];
  readonly rules: readonly RuleTally[];
}

/** A connection on which somebody has logged in. */
export interface Session {
  /** Canonical. */
  readonly address: string;
  /** Of the client; 0 where the service does not tell. */
  readonly port: number;
  /** Of the process that serves it. */
  readonly pid: number | null;
  /** When it began. */
  readonly time: Micros;
}

/** A successful login. */
export interface Login {
  /** Canonical. */
  readonly address: string;
  /** How, in the service's word: `publickey`, `password`… */
  readonly method: string;
  readonly user: string;
  readonly time: Micros;
}

/** Somebody has logged in, or a connection has ended. */
export type LoginChange =
  | { readonly kind: "opened" } & Login & Session
  | { readonly kind: "closed"; readonly end: SessionEnd };

/** What changes have led to, as far as it is not stored. */
export interface LoginNews {
  /** The newest of each address and method. */
  readonly logins: readonly Login[];
  /** Sessions that are open. */
  readonly opened: readonly Session[];
  /** Stored ones that are open no longer. */
  readonly closed: readonly Session[];
}

/** Which session has ended: that of an address and port, or where the line names nobody, that of a process. */
export type SessionEnd =
  | Pick<Session, "address" | "port" | "time">
  | { readonly address: null; readonly pid: number; readonly time: Micros };

/** A rule's limit passed by an address: a ban to be decided. */
export interface Trip {
  /** What is counted: the address, or the network that IPv6 addresses are counted by. */
  readonly address: string;
  /** The very address of the last hit. */
  readonly source: string;
  /** `[SSHD] invalid_user` */
  readonly reason: string;
  readonly time: Micros;
  /** Hits counted, the one that tripped included. */
  readonly count: number;
  readonly banTime: Micros | null;
  readonly growth: Growth;
  readonly scope: Scope;
}

/**
 * What of an address's traffic a ban cuts off: `all`, or a protocol with its ports in ascending order, single ones and ranges:
 * `tcp 22,8000-8010`; a protocol alone means all of its ports.
 */
export type Scope = string;

/** A ban as the state keeps it. It is in force while `ended` is null and `until` is null or ahead. */
export interface Ban {
  readonly id: number;
  /** Canonical address or network. */
  readonly address: string;
  readonly scope: Scope;
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

/** A ban that has ended, as far as later ones of the same address depend on it. */
export interface PastBan {
  readonly start: Micros;
  readonly ended: Micros;
  /** `expired` where it ran its time; others were lifted. */
  readonly endReason: string;
}

/** A ban to be written. */
export type NewBan = Pick<Ban, "address" | "scope" | "reason" | "count" | "start" | "until">;

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

/** What a firewall knows of a ban. */
export type HeldBan = Pick<Ban, "address" | "scope" | "until">;

/** The bans whose ids are above `after` and at most `upTo`. */
export interface BanRange {
  readonly after: number;
  readonly upTo: number;
}

/** All bans, past and present, as they are kept. At most one ban of an address is in force. */
export interface BanStore {
  /** Does `work` as a whole: everything that it changes or, when it throws, nothing. */
  transaction<T>(work: () => T): T;
  /**
   * Writes a ban. One already in force for the address stays; its end moves to the later of the two.
   * A lift of an earlier one that has not reached the firewall yet is dropped: the address is to be banned.
   */
  add(ban: NewBan): void;
  /** Writes many, one after the other. */
  addAll(bans: readonly NewBan[]): void;
  /** Ends the ban in force for an address; false when there is none. */
  end(address: string, end: { reason: string; time: Micros }): boolean;
  /** Ends bans whose time is up, the longest over first, and not too many at once; returns their addresses. */
  expire(now: Micros): { addresses: string[]; isMore: boolean };
  /** The newest bans of an address that have ended, newest first. */
  past(address: string): PastBan[];
  /** The ban in force for an address or network; null when there is none. */
  standing(address: string): BanStatus | null;
  /** Of the bans in force for any of these addresses and networks, when they began and when they end. */
  spans(addresses: readonly string[]): Pick<Ban, "address" | "start" | "until">[];
  /** Highest id of any ban; 0 before the first. */
  lastId(): number;
  /** What began later than `start` of a range of bans, ascending by id. */
  since(start: Micros, range: BanRange): Pick<NewBan, "address" | "start" | "reason">[];
  /** Addresses and networks in force of a range of bans, ascending by id. */
  addresses(range: BanRange): string[];
  /** Bans in force of a range that the firewall is certain to have, ascending by id. */
  held(firewall: string, range: BanRange): HeldBan[];
  /** Bans in force, oldest first. */
  inForce(): BanStatus[];
  /** The newest ban of an address or network, one that ended included; null when there never was one. */
  latest(address: string): BanStatus | null;
  /** Number of the latest change of any ban; 0 before the first. */
  lastChange(): number;
  /** Bans whose latest change is later than `change`, ascending by it, without those whose time was up. */
  changedSince(change: number): ChangedBan[];
  /**
   * Begins with a firewall: what any had before `boot`, when the machine started, is gone. With `takesOver`, bans that
   * another firewall has are to be applied by this one. With `anew` the caller is to see to those in force, by `applyAnew()`.
   */
  begin(firewall: string, since: { boot: Micros; takesOver: boolean; anew: boolean }): void;
  /** All in force of a range of bans are to be applied again. */
  applyAnew(range: BanRange): void;
  /** Bans in force that the firewall does not have yet, and whose next try has come. */
  toApply(due: Due): BanStatus[];
  /** Bans that ended and that the firewall still has, and whose next try has come. */
  toLift(due: Due): BanStatus[];
  /** When something falls due next: a retry or an end; null when nothing will by itself. */
  nextDue(firewall: string): Micros | null;
  /** The firewall is about to be told: from now on it may have the ban, whatever becomes of us. */
  trying(ids: readonly number[], firewall: string): void;
  /** The firewall has the bans in force. */
  applied(ids: readonly number[], by: { firewall: string; time: Micros }): void;
  /** The bans of these addresses that are in force and applied are to be applied again. */
  reapply(addresses: readonly string[]): void;
  /** The firewall no longer has the bans. */
  lifted(ids: readonly number[]): void;
  /** The firewall refused; the next try comes after 1 s, doubling up to 5 minutes. */
  failed(id: number, failure: { error: string; time: Micros }): void;
  /** The firewall does not have a ban that it was about to be told of. */
  untried(id: number): void;
}

/** A ban that has changed, as it is now. */
export interface ChangedBan {
  readonly address: string;
  readonly until: Micros | null;
  readonly isEnded: boolean;
}

/** What one batch leaves behind, written in one transaction. */
export interface BatchRecord {
  readonly source: string;
  /** Reached by the batch: reading goes on behind it. */
  readonly position: string;
  /** Events to be recorded. */
  readonly events: readonly LogEvent[];
  /** What to count again after a restart. */
  tallies(): readonly Tally[];
  readonly logins: LoginNews;
  readonly bans: readonly NewBan[];
  readonly knocks: readonly Knock[];
}

/** How knocks are told, and what they do. */
export interface KnockConfig {
  /** Stands before the digits of a code. */
  readonly prefix: string;
  /** How long a knock whitelists its sender. */
  readonly time: Micros;
}

/** What opens by a knock: one-time codes of RFC 6238, or a secret that is the same every time. */
export interface KnockKey {
  readonly name: string;
  readonly kind: "totp" | "plain";
  /** Of codes in Base32; of a plain one only a seal: see `seal()`. */
  readonly secret: string;
  readonly since: Micros;
  /** Its last knock; null before the first. */
  readonly used: KnockUse | null;
}

/** When a key was used last, and by whom. */
export interface KnockUse {
  /** Counts the steps of RFC 6238, of which none up to this one is accepted again; null for a plain secret. */
  readonly step: number | null;
  /** Canonical address. */
  readonly by: string;
  readonly at: Micros;
}

/** A key used by somebody, who is whitelisted for it. */
export interface Knock {
  /** Name of the key. */
  readonly key: string;
  /** Canonical. */
  readonly address: string;
  readonly time: Micros;
  /** When the sender is an address like others again. */
  readonly until: Micros;
  readonly step: number | null;
}

/** What the firewall answered for one address; `error` null means done. */
export interface Outcome {
  readonly address: string;
  readonly error: string | null;
  /** It may have been done all the same: nobody waited for the end. */
  readonly uncertain?: boolean;
}

/** How what a firewall has differs from the bans that are to be in force. */
export interface Inspection {
  /** Addresses and networks of bans that it does not have, or not as they are to be. */
  readonly missing: readonly string[];
  /** Addresses and networks that it has among its bans without being told. */
  readonly stray: readonly string[];
}

/** Puts bans into force. Every operation is idempotent and reports per address instead of throwing. */
export interface Firewall {
  readonly name: string;
  /** False when `unban` can do nothing (no `unban_command`). */
  readonly canUnban: boolean;
  /** Most bans to hand over in one call, and calls that may be under way at once. */
  readonly batch: number;
  readonly parallel: number;
  /** It ends bans by itself when their time is up, so that it must be told when that changes. */
  readonly keepsTime: boolean;
  /** Whether bans that another firewall has are to be applied here too. */
  readonly takesOver: boolean;
  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]>;
  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]>;
  /** Compares what it really has with `bans`; null when it cannot tell. Throws when it does not answer. */
  inspect(bans: readonly HeldBan[], signal: AbortSignal): Promise<Inspection | null>;
  /** Lifts everything; returns why it failed, or null. */
  clear(signal: AbortSignal): Promise<string | null>;
}

/** A time in which bans are only tried. */
export interface Trial {
  /** When they end unless somebody confirms. */
  readonly end: Micros;
  /** Id of the last ban from before. */
  readonly lastBan: number;
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
  /** From then on it is an address like others; null: for good. */
  readonly until: Micros | null;
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

/** What a thrown value says about itself. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
