/** Bans as data: address, scope, provenance, start and end. */
import { coversScope, formatScope, isSameScope, type Scope } from "../core/scope.ts";
import { oneLine } from "../core/text.ts";
import { isoTime, isoTimeOrNull, type Micros, spanText } from "../core/time.ts";

/** Kinds of provenance. */
export const PROVENANCES = ["rule", "network", "manual", "import", "fleet"] as const;

/** Who banned. */
export interface Provenance {
  readonly kind: typeof PROVENANCES[number];
  /** Module and rule (`SSHD invalid_user`), prefix length (`/24`) or imported file; empty: none. */
  readonly name: string;
}

/** A stored ban of an address and scope. It is in force until it has `ended` or `until` comes. */
export interface Ban {
  readonly id: number;
  /** Canonical address or network. */
  readonly address: string;
  readonly scope: Scope;
  readonly provenance: Provenance;
  /** Text for people. The program never reads it. */
  readonly reason: string;
  readonly count: number;
  readonly start: Micros;
  /** Latest end decided meanwhile for this address and scope; null: for good. */
  readonly until: Micros | null;
  /** Time of the lift or end; null: in force. */
  readonly ended: Micros | null;
  /** Why it ended: `expired`, `unban`, `whitelisted`… */
  readonly endReason: string | null;
}

/** The parts of an ended ban that decide on later bans of its address. */
export interface PastBan {
  readonly start: Micros;
  readonly ended: Micros;
  /** `expired`: its time was up; others were lifted. */
  readonly endReason: string;
}

/** A ban to be written. */
export type NewBan = Pick<Ban, "address" | "scope" | "provenance" | "reason" | "count" | "start" | "until">;

/** The parts of a ban in force that a new ban of its address depends on. */
export interface BanInForce extends Pick<Ban, "scope" | "until"> {
  /** Whether it follows another server. A ban of this server replaces it. */
  readonly isFollowed?: boolean;
}

/** A ban with its state in the firewall. */
export interface BanStatus extends Ban {
  /** Firewall that has it, or may have it while `appliedAt` is null; null: none. */
  readonly appliedBy: string | null;
  /** Time from which the firewall has it for certain. */
  readonly appliedAt: Micros | null;
  /** Failed tries since the last success. */
  readonly attempts: number;
  /** Error of the last try; null: it did not fail. */
  readonly error: string | null;
}

/** Selects bans that a firewall must be told of next. */
export interface DueBans {
  readonly firewall: string;
  readonly now: Micros;
  readonly limit: number;
  /** Turn of the bans: a module, or by hand. */
  readonly turn: string;
  /** Whether to take the bans that wait longest. Default: the newest, most hits first. */
  readonly isOldest?: boolean;
  /** Addresses to leave out, as the firewall is being told of them. */
  readonly busy?: readonly string[];
}

/** Longest stored reason, name or note, in characters. */
export const MOST_TEXT = 255;

/** Returns a reason or note given by hand as it is stored: one line of at most `MOST_TEXT`. */
export function keptText(text: string): string {
  return oneLine(text, MOST_TEXT);
}

/** Reports whether a firewall that really bans has confirmed a ban that has not ended. */
export function isConfirmed(ban: BanStatus): boolean {
  return ban.ended === null && ban.appliedAt !== null && !isObserved(ban);
}

/** Reports whether a ban has not ended and no firewall has confirmed it. */
export function isWaiting({ ended, appliedAt }: BanStatus): boolean {
  return ended === null && appliedAt === null;
}

/** Reports whether a ban was only recorded and cuts nobody off. */
export function isObserved({ appliedBy }: BanStatus): boolean {
  return appliedBy === "observe";
}

/** Returns why a ban ended, as a clause. */
export function endReasonText({ endReason }: Pick<Ban, "endReason">): string {
  return ENDS[endReason ?? ""] ?? "lifted";
}

const ENDS: Readonly<Record<string, string>> = {
  expired: "its time was up",
  unban: "lifted by hand",
  whitelisted: "the address was whitelisted",
  fleet: "the servers that had it lifted it",
  unfollowed: "this server follows no others any more",
  trial: "the trial ended",
  rescoped: "the module lost its own firewall",
};

/** The parts of a ban that a firewall compares with its own. */
export type HeldBan = Pick<Ban, "address" | "scope" | "until">;

/** A decided ban, to restore the counts of bans inside networks. */
export interface CountedBan extends Pick<Ban, "address"> {
  /** Time of the latest decision for the ban. */
  readonly time: Micros;
  /** Whether bans inside of a network banned that network. */
  readonly isOfNetwork: boolean;
}

/** The bans whose ids are above `after` and at most `upTo`. */
export interface BanRange {
  readonly after: number;
  readonly upTo: number;
}

/** A changed ban in its present form. */
export interface ChangedBan extends Pick<Ban, "address" | "scope" | "until"> {
  readonly isEnded: boolean;
}

/** A trial: a span in which bans end by themselves unless `confirm` is given. */
export interface Trial {
  /** End of the bans unless somebody confirms. */
  readonly end: Micros;
  /** Id of the last ban before the trial. */
  readonly lastBan: number;
}

/** A ban with the number of its latest change. Numbers ascend across all bans of a state. */
export interface BanChange extends Ban {
  readonly change: number;
}

/**
 * Effect of a new ban on the bans in force for its address. `new`: it is added; `extended`: it
 * moves the end of the ban with its scope; `unchanged`: a ban that covers its scope lasts at least
 * as long.
 */
export type BanEffect = "new" | "extended" | "unchanged";

/** Returns the effect of `ban` on the bans in force for its address. */
export function effectOf(ban: BanInForce, inForce: readonly BanInForce[]): BanEffect {
  const own = inForce.filter(({ isFollowed }) => !isFollowed);
  const isCovered = own.some(({ scope, until }) =>
    coversScope(scope, ban.scope) && (until ?? Infinity) >= (ban.until ?? Infinity)
  );
  if (isCovered) return "unchanged";
  return own.some(({ scope }) => isSameScope(scope, ban.scope)) ? "extended" : "new";
}

/** Returns the time that `ban` adds to the bans of its scope in force; infinite for a ban for good. */
export function gainOf({ scope, until }: BanInForce, inForce: readonly BanInForce[]): Micros {
  const own = inForce.filter((ban) => !ban.isFollowed && isSameScope(ban.scope, scope));
  return (until ?? Infinity) - Math.max(...own.map(({ until }) => until ?? Infinity));
}

/** Returns a ban's name for people: `192.0.2.1`, `192.0.2.1 (tcp 22)`. */
export function nameOf({ address, scope }: Pick<Ban, "address" | "scope">): string {
  return scope === "all" ? address : `${address} (${formatScope(scope)})`;
}

/** Returns the length of a ban: `for 10m`. */
export function lengthOf({ start, until }: Pick<Ban, "start" | "until">): string {
  return spanText(until === null ? null : until - start);
}

/** Returns a ban in the form of `bans --export json`, `bans --import` and notices. */
export function banRecord(
  { address, scope, provenance, reason, count, start, until }: NewBan,
): Record<string, unknown> {
  const { kind, name } = provenance;
  const times = { start: isoTime(start), until: isoTimeOrNull(until) };
  return { address, scope: formatScope(scope), provenance: kind, name, reason, count, ...times };
}

/** Returns a ban's address and scope as one key for maps. */
export function keyOf({ address, scope }: Pick<Ban, "address" | "scope">): string {
  return `${address} ${formatScope(scope)}`;
}
