import type { Ban, HeldBan } from "../deciding/ban.ts";

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
