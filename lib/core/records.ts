import type { Bytes } from "./bytes.ts";
import type { Micros } from "./time.ts";

/** Writer of a journal entry, in fields that journald vouches for (systemd.journal-fields(7)). */
export interface Sender {
  /** `_UID` of the writing process; null: journald did not know it. */
  readonly uid: number | null;
  /** `_SYSTEMD_UNIT` of the writing process; "" outside any unit. */
  readonly unit: string;
}

/** Program and proven writer of a journal entry. Many entries share one. */
export interface Origin {
  /** Name of the program that wrote the entry, such as `sshd`. */
  readonly identifier: string;
  readonly sender: Sender;
  /**
   * Whether journald took each message as the program sent it (`_TRANSPORT=syslog`). It splits what
   * a program prints into lines. Default: no.
   */
  readonly isWhole?: boolean;
  /** `CONTAINER_ID_FULL`, as a container's runtime tells it. Default: none. */
  readonly container?: string;
}

/** Origin of a line of text: the line's own beginning names the program. */
export const LINE = -1;
/** Number of an unknown process. */
export const NO_PID = -1;

/**
 * Records of one batch, as ranges of one buffer; good until the next batch. Record `i` is the text
 * `bytes[from[i], to[i])`, valid UTF-8 without its line end.
 */
export interface Records {
  readonly bytes: Bytes;
  /** Number of records; the arrays may be longer. */
  readonly length: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Index into `origins` of a journal entry; `LINE` for a line of text. */
  readonly origin: Int32Array;
  /** Recent origins, shared by entries. An origin's object stays the same while it is listed. */
  readonly origins: readonly Origin[];
  /** When an entry was written, or a line was read, in microseconds since the epoch. */
  readonly times: Float64Array;
  /** Processes of journal entries; `NO_PID` if unknown, and for lines. */
  readonly pids: Int32Array;
  /** When the last line reached its file; NaN: unknown. */
  readonly written: Micros;
  /** Whether the lines were read as they were written; false: they were in the file before. */
  readonly isLive: boolean;
  /** For lines: identifies their file. All lines of a batch are of one file, in its order. */
  readonly stream?: object | null;
}

/** Most characters of a message; longer ones are cut, and the cut characters counted. */
export const MAX_MESSAGE = 8_192;
