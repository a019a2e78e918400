import type { Records } from "../core/records.ts";
import type { Micros } from "../core/time.ts";

/** Records that arrived together, with the position that they reach. */
export interface Batch {
  /** Good until the next batch is asked for. */
  readonly records: Records;
  /** Opaque position behind the last record: opening the source there yields the record that follows. */
  readonly position: string;
  /** Records that were damaged: cut, or dropped as unreadable. */
  readonly damaged: number;
  /** Another batch follows within milliseconds, be it an empty one: both may be committed together. */
  readonly isMore?: boolean;
}

/** Where to begin reading. `after` wins; without it, records older than `since` are left out. */
export interface Start {
  readonly after: string | null;
  readonly since: Micros;
}

/** Where records come from. */
export interface Source {
  /** Unique and stable: the stored position is kept under it. */
  readonly name: string;
  /** How soon its records come, in words for `status`; without it, as soon as they are written. */
  readonly delivery?: string;
  /** What keeps parts of it from being read, in sentences for `status`; they are tried again. */
  readonly problems?: readonly string[];
  /** There is nothing yet to be read. */
  readonly isWaiting?: boolean;
  /**
   * Yields batches in order until the source ends or `signal` aborts (then it returns quietly, all child
   * processes gone). Throws when the source fails; opening it again at the last position is always right.
   */
  batches(start: Start, signal: AbortSignal): AsyncIterable<Batch>;
}
