import type { Ban, HeldBan } from "../deciding/ban.ts";

/** Result of a firewall's call for one ban. */
export interface Outcome {
  readonly address: string;
  /** The failure in one sentence; null: done. */
  readonly error: string | null;
  /** The failure without the address, to group failures; missing if `error` has no address. */
  readonly failure?: string;
  /** Whether the firewall may have done it in spite of the error, as its end was not awaited. */
  readonly uncertain?: boolean;
}

/** Differences between a firewall and the bans in force. */
export interface Inspection {
  /** Given bans that the firewall lacks or has with another end. */
  readonly missing: readonly HeldBan[];
  /** Bans of the firewall that were not given, with the firewall's ends. */
  readonly stray: readonly HeldBan[];
}

/** Applies bans. Calls are idempotent; `ban` and `unban` return outcomes in order, never throw. */
export interface Firewall {
  readonly name: string;
  /** Whether `unban` has an effect; false without an `unban_command`. */
  readonly canUnban: boolean;
  /** Whether it bans by scope; false: it bans all traffic of an address. */
  readonly knowsScopes: boolean;
  /** Most bans of one call. */
  readonly batch: number;
  /** Most calls that run at the same time. 0: it takes none for now. */
  readonly parallel: number;
  /** Whether it ends bans by itself, so that a changed end must be handed on to it. */
  readonly keepsTime: boolean;
  /** Whether bans that another firewall holds are applied here too. */
  readonly takesOver: boolean;
  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]>;
  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]>;
  /** Compares its content with `bans`; null: it cannot list it. Throws if it does not answer. */
  inspect(bans: readonly HeldBan[], signal: AbortSignal): Promise<Inspection | null>;
  /**
   * Calls `lost` when others take bans away, until `signal` aborts. Missing where the firewall
   * cannot tell. Never throws.
   */
  watch?(lost: () => void, signal: AbortSignal): Promise<void>;
  /** Lifts all bans. Returns the failure in one sentence, or null. */
  clear(signal: AbortSignal): Promise<string | null>;
}
