import type { Bytes } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import type { Records } from "../core/records.ts";
import type { MessageReader } from "./message_reader.ts";
import type { Suppression } from "./suppressions.ts";

/**
 * Meaning of a record of a configured module: a view of positions and numbers, good until the next
 * record is read. `reader.address` is the address that the record names.
 */
export interface LogEvent {
  /** Index of the module among the configured ones. */
  readonly module: number;
  /** Holds the address and the fields if `isUnderstood`. */
  readonly reader: MessageReader;
  /** False: the record belongs to the module, but has none of its forms. */
  readonly isUnderstood: boolean;
  /** The message, `bytes[from, to)`, without its head. */
  readonly bytes: Bytes;
  readonly from: number;
  readonly to: number;
  /**
   * When the record was written, in microseconds since the epoch, as far as known; less than 1 ms
   * after now.
   */
  readonly time: Micros;
  /** Whether the record claims a time after now; `time` is then now. */
  readonly isAhead: boolean;
  /** Process that wrote the record; `NO_PID` if unknown. */
  readonly pid: number;
  /** How often it was written: syslog writes one line in place of several equal ones. */
  readonly count: number;
  /** Whether only root or the service can have written it, as far as its source can tell. */
  readonly isTrusted: boolean;
}

/** Reads the records of one source. */
export interface RecordReader {
  /** The event of the last record for which `read()` returned true; good until its next call. */
  readonly event: LogEvent;
  /**
   * Reads record `i`; `now` is the reference for the time of a line. Returns false if the record
   * belongs to no module.
   */
  read(records: Records, i: number, now: Micros): boolean;
  /** Takes journald's reports of dropped messages since the last call. */
  takeSuppressions(): Suppression[];
}

/** A recorded line. */
export interface LogRow {
  /** Ascends, and is never used twice within one state. */
  readonly seq: number;
  /** With the time, identifies the line among those of this server, also when it is read again. */
  readonly key: string;
  /** Name of the module. */
  readonly module: string;
  readonly address: string;
  readonly time: Micros;
  readonly message: string;
}
