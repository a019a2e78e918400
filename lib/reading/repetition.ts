/**
 * `last message repeated 3 times`: what BSD's syslogd and its like write in place of lines that are
 * like the line before. Comes in: each line of a file, in order. Goes out: the line that is meant.
 */
import { type Bytes, decode, endWithoutBlanks, Literal, makeBytes } from "../core/bytes.ts";
import type { Records } from "../core/records.ts";
import { readTag, readTime } from "./head_text.ts";

/** How such a line ends; `---` is Apple's. */
const ENDS = [" times", " time", " times ---", " time ---"].map((text) => new Literal(text));
const LAST =
  /^(?:(?!--- )(?<host>[^\s[:]+(?: [^\s[:]+)?) )?(?:--- )?last message repeated (?<count>\d{1,9}) times?(?: ---)?$/;
/** Programs that write such a line under their own names. */
const SYSLOG = /^(?:r?syslogd|syslog-ng|syslog)$/;

/** A line that lies in bytes. */
export interface Line {
  readonly bytes: Bytes;
  readonly from: number;
  readonly to: number;
}

/** Reports whether `bytes[from, to)` may be such a line: others need no expression. */
export function mayRepeat(bytes: Bytes, from: number, to: number): boolean {
  const end = endWithoutBlanks(bytes.array, from, to);
  for (let i = 0; i < ENDS.length; i++) {
    const at = end - ENDS[i]!.length;
    if (at > from && ENDS[i]!.isAt(bytes, at)) return true;
  }
  return false;
}

/**
 * How many more times `before` was written, as `line` tells; 0 if it does not. Both are lines of
 * syslog, of the same host, and `line` is syslog's own or bears the tag of `before`. Otherwise a
 * stranger's text could be taken for it.
 */
export function timesRepeated(line: Line, before: Line): number {
  const [own, other] = [divide(textOf(line)), divide(textOf(before))];
  if (own === null || !other?.identifier) return 0;
  const { host, count } = LAST.exec(own.message)?.groups ?? {};
  if (count === undefined) return 0;
  const told = host ?? own.host;
  if (told !== "" && told !== other.host) return 0;
  const isSyslogs = own.identifier === null || SYSLOG.test(own.identifier);
  const isSame = own.identifier === other.identifier && (own.pid === null || own.pid === other.pid);
  return (isSyslogs || isSame) && (host === undefined || own.identifier === null) ? Number(count) : 0;
}

function textOf({ bytes, from, to }: Line): string {
  return decode(bytes, from, to).trim();
}

/** The parts of a line of syslog; null for one without a time. The identifier is null where it has no tag. */
function divide(line: string) {
  const time = readTime(line);
  if (time === null || !time.isTime) return null;
  let message = line.slice(time.length);
  let tag = readTag(message, time);
  message = message.slice(tag?.length ?? 0);
  if (tag !== null && tag.identifier === null) {
    tag = readTag(message, time);
    message = message.slice(tag?.length ?? 0);
  }
  return { host: tag?.host ?? "", identifier: tag?.identifier ?? null, pid: tag?.pid ?? null, message };
}

/** Remembers the last line of each file, also beyond the batch that it came in. */
export class LastLines {
  /** By the streams of records. */
  readonly #copies = new WeakMap<object, { bytes: Bytes; end: number }>();
  /** The last line of the batch at hand; -1: there is none yet. */
  #last = -1;

  /** The line before record `i`; null where it is not known. */
  before({ bytes, from, to, stream }: Records, i: number): Line | null {
    if (i > 0 && this.#last >= 0) return { bytes, from: from[this.#last]!, to: to[this.#last]! };
    const copy = stream ? this.#copies.get(stream) : undefined;
    return copy ? { bytes: copy.bytes, from: 0, to: copy.end } : null;
  }

  /**
   * Takes note of record `i`, the one that was read last; one that repeats the line before stands
   * for that.
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
