import type { Ban, BanRange, BanStatus, ChangedBan, Due, HeldBan, NewBan, PastBan } from "../deciding/ban.ts";
import type { Micros } from "../core/time.ts";

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
