import type { Entry } from "../core/entry.ts";
import type { Micros } from "../core/time.ts";

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
