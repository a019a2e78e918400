/** Bans as data: who, what of the traffic, who decided, from when until when. */
import { coversScope, formatScope, isSameScope, type Scope } from "../core/scope.ts";
import { oneLine } from "../core/text.ts";
import { isoTime, isoTimeOrNull, type Micros, spanText } from "../core/time.ts";

/** The kinds of whoever bans. */
export const PROVENANCES = ["rule", "network", "manual", "import", "fleet"] as const;

/** Who banned. */
export interface Provenance {
  readonly kind: typeof PROVENANCES[number];
  /** Module and rule (`SSHD invalid_user`), prefix length (`/24`), file that was imported; empty where there is none. */
  readonly name: string;
}

/**
 * A ban as the state keeps it, known by its address and scope. It is in force while `ended` is null and `until` is null or
 * ahead.
 */
export interface Ban {
  readonly id: number;
  /** Canonical address or network. */
  readonly address: string;
  readonly scope: Scope;
  readonly provenance: Provenance;
  /** For people; the program reads nothing out of it. */
  readonly reason: string;
  readonly count: number;
  readonly start: Micros;
  /** The later end of all bans that were decided for this address and scope meanwhile; null: for good. */
  readonly until: Micros | null;
  /** When it was lifted or its time was up; null while it is in force. */
  readonly ended: Micros | null;
  /** Why it ended: `expired`, `unban`, `whitelisted`… */
  readonly endReason: string | null;
}

/** A ban that has ended, as far as later ones of the same address depend on it. */
export interface PastBan {
  readonly start: Micros;
  readonly ended: Micros;
  /** `expired` where its time was up; others were lifted. */
  readonly endReason: string;
}

/** A ban to be written. */
export type NewBan = Pick<
  Ban,
  "address" | "scope" | "provenance" | "reason" | "count" | "start" | "until"
>;

/** A ban of some address in force, as far as a new one of that address depends on it. */
export interface StandingBan extends Pick<Ban, "scope" | "until"> {
  /** It follows another server: a ban of this server takes its place. */
  readonly isFollowed?: boolean;
}

/** A ban with what became of it in the firewall. */
export interface BanStatus extends Ban {
  /** Firewall that has it, or may have it while `appliedAt` is null; null: none. */
  readonly appliedBy: string | null;
  /** Since when that is certain. */
  readonly appliedAt: Micros | null;
  /** Failed tries since the last success. */
  readonly attempts: number;
  /** Error of the last try; null: it did not fail. */
  readonly error: string | null;
}

/** Which bans a firewall is to be told of next. */
export interface DueBans {
  readonly firewall: string;
  readonly now: Micros;
  readonly limit: number;
  /** The bans of this turn alone: of one module, or by hand. */
  readonly turn: string;
  /** The bans that wait longest; without it the newest, and of these the loudest. */
  readonly isOldest?: boolean;
  /** Addresses to leave out: the firewall is being told of them. */
  readonly busy?: readonly string[];
}

/** Longest reason, name or note that is kept, in characters. */
export const MOST_TEXT = 255;

/** A reason or note as it is kept of what somebody gave by hand: one line, and bounded. */
export function keptText(text: string): string {
  return oneLine(text, MOST_TEXT);
}

/** Reports whether a firewall that really bans has confirmed a ban that has not ended. */
export function isInForce(ban: BanStatus): boolean {
  return ban.ended === null && ban.appliedAt !== null && !isObserved(ban);
}

/** Reports whether no firewall has confirmed yet a ban that has not ended. */
export function isWaiting({ ended, appliedAt }: BanStatus): boolean {
  return ended === null && appliedAt === null;
}

/** Reports whether a ban was noted only: it stands in for one, and cuts nobody off. */
export function isObserved({ appliedBy }: BanStatus): boolean {
  return appliedBy === "observe";
}

/** Why a ban ended, as a clause. */
export function endText({ endReason }: Pick<Ban, "endReason">): string {
  return ENDS[endReason ?? ""] ?? "lifted";
}

const ENDS: Readonly<Record<string, string>> = {
  expired: "its time was up",
  unban: "lifted by hand",
  whitelisted: "the address was whitelisted",
  fleet: "the servers that had it lifted it",
  trial: "the trial ended",
  rescoped: "the module lost its own firewall",
};

/** A ban as a firewall compares it with its own. */
export type HeldBan = Pick<Ban, "address" | "scope" | "until">;

/** A decision that the counts of bans inside networks are restored from. */
export interface CountedBan extends Pick<Ban, "address"> {
  /** Time of the latest decision for the ban. */
  readonly time: Micros;
  /** The bans inside of a network banned it. */
  readonly isOfNetwork: boolean;
}

/** The bans whose ids are above `after` and at most `upTo`. */
export interface BanRange {
  readonly after: number;
  readonly upTo: number;
}

/** A ban that has changed, as it is now. */
export interface ChangedBan extends Pick<Ban, "address" | "scope" | "until"> {
  readonly isEnded: boolean;
}

/** A time in which bans are only tried. */
export interface Trial {
  /** When they end unless somebody confirms. */
  readonly end: Micros;
  /** Id of the last ban from before. */
  readonly lastBan: number;
}

/** A ban with the number of its latest change, which counts up across all bans of one state. */
export interface BanChange extends Ban {
  readonly change: number;
}

/**
 * How a new ban meets those in force for the same address: `new` is written beside them; `extended` moves the end of the one
 * of its scope; `unchanged`: one that covers its scope lasts at least as long. The decider and `bans --import` go by it.
 */
export type Meeting = "new" | "extended" | "unchanged";

/** Tells how `ban` meets the bans in force for its address. */
export function meet(ban: StandingBan, standing: readonly StandingBan[]): Meeting {
  const own = standing.filter(({ isFollowed }) => !isFollowed);
  const isCovered = own.some(({ scope, until }) =>
    coversScope(scope, ban.scope) && (until ?? Infinity) >= (ban.until ?? Infinity)
  );
  if (isCovered) return "unchanged";
  return own.some(({ scope }) => isSameScope(scope, ban.scope)) ? "extended" : "new";
}

/** How a ban is named to people: `192.0.2.1`, `192.0.2.1 (tcp 22)`. */
export function nameOf({ address, scope }: Pick<Ban, "address" | "scope">): string {
  return scope === "all" ? address : `${address} (${formatScope(scope)})`;
}

/** How long a ban lasts: `for 10m`. */
export function lengthOf({ start, until }: Pick<Ban, "start" | "until">): string {
  return spanText(until === null ? null : until - start);
}

/** A ban as `bans --export json` and notices tell it, and `bans --import` takes it. */
export function banRecord(
  { address, scope, provenance, reason, count, start, until }: NewBan,
): Record<string, unknown> {
  const { kind, name } = provenance;
  const times = { start: isoTime(start), until: isoTimeOrNull(until) };
  return { address, scope: formatScope(scope), provenance: kind, name, reason, count, ...times };
}

/** What a ban is known by, as one word for maps. */
export function keyOf({ address, scope }: Pick<Ban, "address" | "scope">): string {
  return `${address} ${formatScope(scope)}`;
}
