/**
 * `last message repeated 3 times`: BSD's syslogd and others write it in place of lines equal to
 * the line before. syslog-ng writes `Last message 'Failed password for ' repeated 3 times, …`, and
 * metalog `- Last output repeated 3 times -`. In: each line of a file, in order. Out: the repeated
 * line.
 */
import { SPACE } from "../core/ascii.ts";
import { type Bytes, decode, endWithoutBlanks, Literal, makeBytes } from "../core/bytes.ts";
import type { Records } from "../core/records.ts";
import { readHeadTime } from "./head_text.ts";
import { readTag } from "./tag_text.ts";

/** Ends of a line that reports repetition; `---` is Apple's, `-` metalog's. */
const ENDS = [" times", " time", " times ---", " time ---", " times -", " twice -"].map((text) =>
  new Literal(text)
);
/** Of syslog-ng with `suppress()`, under the tag of the line before. */
const SUPPRESSED = new Literal(" times, suppressed by syslog-ng on ");
/** Most bytes of a host's name (RFC 1035, section 2.3.4). */
const LONGEST_HOST = 255;
const LAST_OF_NG =
  /^Last message '(?<start>.{0,20})' repeated (?<count>\d{1,9}) times, suppressed by syslog-ng on \S+$/;
const LAST =
  /^(?:(?!--- )(?<host>[^\s[:]+(?: [^\s[:]+)?) )?(?:--- )?last message repeated (?<count>\d{1,9}) times?(?: ---)?$/;
/** metalog's line, without a head. */
const LAST_OF_METALOG = /^ {16}- Last output repeated (?:(?<count>\d{1,9}) times|twice) -$/;
/** Programs that write this line under their own names. */
const SYSLOG = /^(?:r?syslogd|syslog-ng|syslog)$/;

/** A line in bytes. */
export interface Line {
  readonly bytes: Bytes;
  readonly from: number;
  readonly to: number;
}

/** Reports whether `bytes[from, to)` may report a repetition, so that an expression must decide. */
export function mayRepeat(bytes: Bytes, from: number, to: number): boolean {
  const end = endWithoutBlanks(bytes.array, from, to);
  for (let i = 0; i < ENDS.length; i++) {
    const at = end - ENDS[i]!.length;
    if (at > from && ENDS[i]!.isAt(bytes, at)) return true;
  }
  let host = end;
  while (host > end - LONGEST_HOST && host > from && bytes.array[host - 1] !== SPACE) host--;
  const at = host - SUPPRESSED.length;
  return at > from && SUPPRESSED.isAt(bytes, at);
}

/**
 * Returns how many more times `before` was written, according to `line`; 0 if `line` does not say
 * so. Both must be lines of syslog and of the same host, and `line` syslog's own or under the tag
 * of `before`. Otherwise a stranger's text could pass for it.
 */
export function timesRepeated(line: Line, before: Line): number {
  const [text, other] = [textOf(line), divide(textOf(before))];
  if (!other?.identifier) return 0;
  const output = LAST_OF_METALOG.exec(text);
  if (output !== null) return Number(output.groups!.count ?? 1);
  const own = divide(text);
  if (own === null) return 0;
  const { start, count: suppressed } = LAST_OF_NG.exec(own.message)?.groups ?? {};
  if (suppressed !== undefined) {
    const isBefore = own.identifier === other.identifier && own.host === other.host &&
      other.message.startsWith(start!);
    return isBefore ? Number(suppressed) : 0;
  }
  const { host, count } = LAST.exec(own.message)?.groups ?? {};
  if (count === undefined) return 0;
  const reportingHost = host ?? own.host;
  if (reportingHost !== "" && reportingHost !== other.host) return 0;
  const isSyslogs = own.identifier === null || SYSLOG.test(own.identifier);
  const isSame = own.identifier === other.identifier && (own.pid === null || own.pid === other.pid);
  return (isSyslogs || isSame) && (host === undefined || own.identifier === null) ? Number(count) : 0;
}

function textOf({ bytes, from, to }: Line): string {
  return decode(bytes, from, to).trimEnd();
}

/** Splits a line of syslog; null if it has no time. The identifier is null if it has no tag. */
function divide(line: string) {
  const time = readHeadTime(line);
  if (time === null || !time.isTime) return null;
  let message = line.slice(time.length);
  let tag = readTag(message, { time });
  message = message.slice(tag?.length ?? 0);
  if (tag !== null && tag.identifier === null) {
    tag = readTag(message, { time });
    message = message.slice(tag?.length ?? 0);
  }
  return { host: tag?.host ?? "", identifier: tag?.identifier ?? null, pid: tag?.pid ?? null, message };
}

/** Remembers the last line of each file, also after its batch. */
export class LastLines {
  /** Last lines by the streams of records. */
  readonly #copies = new WeakMap<object, { bytes: Bytes; end: number }>();
  /** Index of the last line of the current batch; -1: none yet. */
  #last = -1;

  /** Returns the line before record `i`; null if it is not known. */
  before({ bytes, from, to, stream }: Records, i: number): Line | null {
    if (i > 0 && this.#last >= 0) return { bytes, from: from[this.#last]!, to: to[this.#last]! };
    const copy = stream ? this.#copies.get(stream) : undefined;
    return copy ? { bytes: copy.bytes, from: 0, to: copy.end } : null;
  }

  /**
   * Remembers record `i`, the last one read. If it repeats the line before, that line stays the
   * last.
   */
  passed(records: Records, i: number, isRepetition: boolean): void {
    if (i === 0) this.#last = -1;
    if (!isRepetition) this.#last = i;
    const { bytes, from, to, stream, length } = records;
    if (i < length - 1 || this.#last < 0 || !stream) return;
    const text = bytes.array.subarray(from[this.#last]!, to[this.#last]!);
    let copy = this.#copies.get(stream);
    if (copy === undefined || copy.bytes.array.length < text.length) {
      this.#copies.set(stream, copy = { bytes: makeBytes(2 * text.length), end: 0 });
    }
    copy.bytes.array.set(text);
    copy.end = text.length;
  }
}
