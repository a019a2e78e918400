import type { Records } from "../core/records.ts";
import type { Micros } from "../core/time.ts";

/** Records that arrived together, with the position that they reach. */
export interface Batch {
  /** Good until the next batch is asked for. */
  readonly records: Records;
  /** Opaque position: a source opened there yields the record behind the last one of the batch. */
  readonly position: string;
  /** Number of damaged records: cut, or dropped as unreadable. */
  readonly damaged: number;
  /** Another batch follows within milliseconds, perhaps empty: commit both together. */
  readonly isMore?: boolean;
}

/** Where to begin reading. `after` wins; without it, records older than `since` are omitted. */
export interface Start {
  readonly after: string | null;
  readonly since: Micros;
}

/** Where records come from. */
export interface Source {
  /** Unique and stable: the position is stored under it. */
  readonly name: string;
  /** How soon its records come, in words for `status`; without it, as soon as they are written. */
  readonly delivery?: string;
  /** Sentences for `status` on why parts of it cannot be read; they are tried again. */
  readonly problems?: readonly string[];
  /** Whether there is nothing to read yet. */
  readonly isWaiting?: boolean;
  /** Reports whether it reads some of what a source with this position read. */
  readsOn?(position: string): boolean;
  /**
   * Yields batches in order until the source ends or `signal` aborts; it then returns, without
   * child processes. Throws if the source fails; it may be opened again at the last position.
   */
  batches(start: Start, signal: AbortSignal): AsyncIterable<Batch>;
}
