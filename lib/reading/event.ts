import type { Bytes } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import type { MessageReader } from "./message_reader.ts";

/**
 * What a record of one of the configured modules says: a view of positions and numbers, good until
 * the next record is read. `reader.address` names whom it is about.
 */
export interface LogEvent {
  /** Index of the module among the configured ones. */
  readonly module: number;
  /** Holds the address and the fields where `isUnderstood`. */
  readonly reader: MessageReader;
  /** False: the record belongs to the module, which knows no such message. */
  readonly isUnderstood: boolean;
  /** The message, `bytes[from, to)`, without what syslog puts before it. */
  readonly bytes: Bytes;
  readonly from: number;
  readonly to: number;
  /**
   * When it was written, in microseconds since the epoch, as far as anything tells; may lie ahead
   * of the clock.
   */
  readonly time: Micros;
  /** Whether it says that it was written later: then its time is the present. */
  readonly isAhead: boolean;
  /** Of the process that wrote it; `NO_PID` where unknown. */
  readonly pid: number;
  /** How often it was written: syslog writes one line in place of many that are alike. */
  readonly count: number;
  /** Whether only root or the service itself can have written it, as far as its source can tell. */
  readonly isTrusted: boolean;
}
