import type { Micros } from "./time.ts";

/** Who wrote a journal entry, in fields that journald itself vouches for (systemd.journal-fields(7)). */
export interface Sender {
  /** `_UID` of the writing process; null when journald did not know it. */
  readonly uid: number | null;
  /** `_SYSTEMD_UNIT` of the writing process; "" outside any unit. */
  readonly unit: string;
}

/** One log record as a source hands it over. */
export interface Entry {
  /** When it was written, or read where the source cannot tell. */
  readonly time: Micros;
  /** Name of the program that wrote it, such as `sshd`; null for a line of text, whose beginning may tell. */
  readonly identifier: string | null;
  readonly pid: number | null;
  /** The text, at most `MAX_MESSAGE` characters (a line of text a little more), invalid UTF-8 replaced by U+FFFD. */
  readonly message: string;
  /** Proven writer, or null where the source cannot prove one (files, stdin). */
  readonly sender: Sender | null;
}

/** Longest message kept, in characters; the rest of a longer one is cut off and counted. */
export const MAX_MESSAGE = 8192;

/**
 * Longest line of a log file that is read, in characters. nginx writes an odd byte as four, takes headers of four times 8 KiB,
 * and ends a line with what decides about it: `4 * 4 * 8 KiB`, and something for the rest.
 */
export const MAX_LINE = 135_168;
