import type { Micros } from "../core/time.ts";
import type { Scope } from "../rules/rule.ts";

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

/** A ban that has changed, as it is now. */
export interface ChangedBan {
  readonly address: string;
  readonly until: Micros | null;
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
