import type { Ban, HeldBan } from "../deciding/ban.ts";

/** What became of one ban that a firewall was told of. */
export interface Outcome {
  readonly address: string;
  /** Null: done. */
  readonly error: string | null;
  /** What failed, in the same words whatever the address; missing where the error says no more than that. */
  readonly failure?: string;
  /** The firewall may have done it all the same: nobody waited for the end. */
  readonly uncertain?: boolean;
}

/** How a firewall differs from the bans that are to be in force. */
export interface Inspection {
  /** Bans of those given that it does not have, or with another end. */
  readonly missing: readonly HeldBan[];
  /** Bans that it has and that are not among those given, with its own ends. */
  readonly stray: readonly HeldBan[];
}

/** Puts bans into force. Every operation is idempotent and answers for each ban, in order, instead of throwing. */
export interface Firewall {
  readonly name: string;
  /** False when `unban` can do nothing (no `unban_command`). */
  readonly canUnban: boolean;
  /** It bans by scope; false: it bans all traffic of an address, whatever the scope of a ban says. */
  readonly knowsScopes: boolean;
  /** Bans that one call takes at most. */
  readonly batch: number;
  /** Calls that may be under way at once. */
  readonly parallel: number;
  /** It ends bans by itself when their time is up, so that it must be told when that changes. */
  readonly keepsTime: boolean;
  /** Whether bans that another firewall has are to be applied here too. */
  readonly takesOver: boolean;
  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]>;
  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]>;
  /** Compares what it really has with the bans given; null: it cannot tell. Throws where it does not answer. */
  inspect(bans: readonly HeldBan[], signal: AbortSignal): Promise<Inspection | null>;
  /** Lifts everything; returns why it failed, or null. */
  clear(signal: AbortSignal): Promise<string | null>;
}
