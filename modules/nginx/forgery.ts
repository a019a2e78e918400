/**
 * Tells lines that a client may have written into an error log. nginx escapes nothing there: line
 * breaks in a path, a name or a text of a backend make a record of several lines, of which the
 * client chooses all but the start of the first and the end of the last. nginx ends a record with
 * the client's address, or cuts it at a known length. So a line names nobody if a record that
 * begins there or before may contain it and end with another client, or cut.
 */
import { canonicalAddress } from "../../lib/core/address.ts";
import { addressOf } from "../../lib/core/address_text.ts";
import { HASH, LINE_FEED } from "../../lib/core/ascii.ts";
import { type Bytes, decode, Literal, makeBytes } from "../../lib/core/bytes.ts";
import { MESSAGE } from "../../lib/reading/message_reader.ts";
import type { ReadMessage, TextParser } from "../../lib/reading/text_reader.ts";
import { LENGTHS, LONGEST, NO_RECORD, readRecordLine, type RecordLine } from "./error.ts";

/**
 * Head that syslog puts before a whole record. Other heads stand before each line of one, such as
 * that of a container `nginx-1  |`; forego's `nginx.1  |` is known to be nginx's own.
 */
const SYSLOG = /\bnginx\b(?!(?!\.\d+ )\S* *\|)/;
/** End of a container's head before a line of nginx's error log, as nginx's own image writes it. */
const STDERR = new Literal("stderr F ");

/** A line in a piece of a log. */
interface Line extends RecordLine {
  readonly start: number;
  /** Place of its line break, or of the piece's end. */
  readonly end: number;
}

/** Checks the messages of logs, in their order. */
export class ForgeryCheck {
  #bytes = makeBytes(0);
  /** Lines of the piece that were looked at, by their starts. */
  readonly #lines = new Map<number, Line>();
  /** End of what the records seen in this piece may contain; 0: none may contain other lines. */
  #reach = 0;
  /** The same for messages out of their surroundings, in bytes of such messages. */
  #reachBehind = 0;
  /** Text of the last message that was parsed. */
  #text = "";

  /** Makes a parser that tells `isForgeable()` a message's text, so that this decodes no line twice. */
  listening(parse: TextParser): TextParser {
    return (text) => parse(this.#text = text);
  }

  /** Reports whether a client may have written the message. */
  isForgeable(message: ReadMessage, isError: boolean): boolean {
    const bytes = message.bytesOf(MESSAGE);
    const [from, to] = [message.from[MESSAGE]!, message.to[MESSAGE]!];
    if (bytes.logged === 0) return this.#isBehindRecord(bytes, from, to, isError);
    if (bytes !== this.#bytes) this.#begin(bytes);
    const isDoubtful = isError || from >= bytes.logged || from < this.#reach || this.#reachBehind > 0;
    if (!isDoubtful && !isOfStderr(bytes, from)) return false;
    if (from >= bytes.logged) return this.#isNearRecord(isError);
    const start = startOfLine(bytes.array, from);
    const line = this.#lineAt(start, isError && start === from ? this.#text : undefined);
    this.#note(line);
    const isTorn = start < from && (isOfStderr(bytes, from) || (isError && !this.#isOfSyslog(line)));
    if (isTorn || this.#reachBehind > 0) return this.#isBehindRecord(bytes, from, to, isTorn && isError);
    if (!isError && from >= this.#reach) return false;
    const address = addressOf(message.address);
    return address !== null && this.#mayBeOfOther(line, address);
  }

  #begin(bytes: Bytes): void {
    this.#bytes = bytes;
    this.#lines.clear();
    this.#reach = 0;
    if (!bytes.array.subarray(0, bytes.fresh).includes(HASH)) return;
    for (let start = 0; start < bytes.fresh; start = this.#lineAt(start).end + 1) {
      this.#note(this.#lineAt(start));
    }
  }

  #note({ start, head, isOpen }: Line): void {
    if (isOpen) this.#reach = Math.max(this.#reach, start + head + LONGEST);
  }

  /** Reports whether the head of syslog stands before a line's record. */
  #isOfSyslog({ start, head }: Line): boolean {
    return SYSLOG.test(decode(this.#bytes, start, start + head));
  }

  /** Judges a message that was rewritten, so that its place is unknown. */
  #isNearRecord(isError: boolean): boolean {
    if (isError) this.#reach = Infinity;
    return this.#reach > 0;
  }

  /** Judges a message that is perhaps one line of a record, whose other lines are out of sight. */
  #isBehindRecord(bytes: Bytes, from: number, to: number, isError: boolean): boolean {
    if (isOfStderr(bytes, from)) return true;
    if (isError) {
      if (readRecordLine(this.#text).isOpen) this.#reachBehind = LONGEST;
      return true;
    }
    const isBehind = this.#reachBehind > 0;
    this.#reachBehind -= Math.min(this.#reachBehind, to - from + 1);
    return isBehind;
  }

  /** Reports whether the line may be part of a record that names another client than `address`. */
  #mayBeOfOther(line: Line, address: string): boolean {
    const { array } = this.#bytes;
    for (let first = line;; first = this.#lineAt(startOfLine(array, first.start - 1))) {
      if (first.start + LONGEST <= line.end) return false;
      if (first.isOpen && this.#mayContain(first, line, address)) return true;
      if (first.start === 0) return false;
    }
  }

  /** Reports whether the record that begins in `first` may contain `line`, and be of another client. */
  #mayContain(first: Line, line: Line, address: string): boolean {
    const begin = first.start + first.head;
    const isOther = (client: string) => canonicalAddress(client) !== address;
    for (let at = first; at.end < begin + LONGEST; at = this.#lineAt(at.end + 1)) {
      const mayEnd = at.start >= line.start;
      if (mayEnd && (first.isEndless || LENGTHS.includes(at.end + 1 - begin))) return true;
      const mayTellClient = mayEnd ? !(first.isKnown && at.isSingle) : at.isBroken;
      if (mayTellClient && at.clients.some(isOther)) return true;
      if (at.end + 1 >= this.#bytes.logged) return false;
    }
    return false;
  }

  #lineAt(start: number, text?: string): Line {
    const known = this.#lines.get(start);
    if (known) return known;
    const { array, logged } = this.#bytes;
    const length = array.subarray(start, logged).indexOf(LINE_FEED);
    const end = length < 0 ? logged : start + length;
    const isShort = end - start < 2 * LONGEST;
    const record = isShort ? readRecordLine(text ?? decode(this.#bytes, start, end)) : NO_RECORD;
    const line = { ...record, start, end };
    this.#lines.set(start, line);
    return line;
  }
}

function isOfStderr(bytes: Bytes, from: number): boolean {
  return from >= STDERR.length && STDERR.isAt(bytes, from - STDERR.length);
}

/** Returns the start of the line that contains, or ends at, `at`. */
function startOfLine(array: Uint8Array, at: number): number {
  return at <= 0 || array[at - 1] === LINE_FEED ? Math.max(0, at) : array.lastIndexOf(LINE_FEED, at - 1) + 1;
}
